#ifndef VERSION_H
#define VERSION_H

// The version of libretto.h as text. In C because Swift sees no macro that joins others, and makes text
// of numbers only where it may allocate.
const char *_Nonnull version_text(void);

#endif
