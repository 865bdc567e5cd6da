#ifndef OWN_FILE_H
#define OWN_FILE_H

// In C because dladdr() is an extension of GNU that Swift does not see.

// The file this code was loaded from, by the name it was loaded by: the library, or a program it is part of;
// NULL if that is not known.
const char *own_file(void);

#endif
