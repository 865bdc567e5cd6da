#ifndef ERROR_TEXT_H
#define ERROR_TEXT_H

// What the last failed call on this thread had to say. In C because Swift has no thread-local
// storage that a library can be unloaded with: this kind needs no destructor.

#define ERROR_TEXT_SIZE 1024

// The calling thread's own buffer, ERROR_TEXT_SIZE bytes, an empty string to begin with.
char *_Nonnull error_text(void);

#endif
