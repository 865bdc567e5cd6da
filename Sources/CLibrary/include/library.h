#ifndef LIBRARY_H
#define LIBRARY_H

// What the library keeps beside handles: each thread's last error, and what is chosen when it is loaded.
// In C because Swift has no thread-local storage that a library can be unloaded with, and because a global
// of Swift's is made at its first use, under a lock.

#define ERROR_TEXT_SIZE 1024

// The text of the calling thread's last error, an empty string to begin with.
const char *_Nonnull error_text(void);

// Where it is written, ERROR_TEXT_SIZE bytes. A thread's first call allocates; NULL if there is no memory.
char *_Nullable error_text_room(void);

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
