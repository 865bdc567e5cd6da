#ifndef LIBRARY_H
#define LIBRARY_H

// What the library keeps beside handles: each thread's last error, and what is chosen when it is loaded.
// In C because Swift has no thread-local storage that a library can be unloaded with (this kind needs no
// destructor), and because a global of Swift's is made at its first use, under a lock.

#define ERROR_TEXT_SIZE 1024

// The text of the calling thread's last error, ERROR_TEXT_SIZE bytes, an empty string to begin with. The
// thread's first call may allocate.
char *_Nonnull error_text(void);

#define ERROR_NOTE_SIZE 128

// The pieces of that text while nobody has read it, ERROR_NOTE_SIZE bytes, all 0 to begin with. Never
// allocates.
void *_Nonnull error_note(void);

// The name of the instructions in use. The setter is for library_loaded alone.
void set_instruction_set_name(const char *_Nonnull name);
const char *_Nonnull instruction_set_name(void);

// In Swift; called when the library is loaded.
void library_loaded(void);

#endif
