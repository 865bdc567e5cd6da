/* Lets one allocation of the C library fail, as where there is no memory left. */
#ifndef FAILING_H
#define FAILING_H

#include <stddef.h>

/* Smaller ones are left alone: what the library says of them is in its header. */
#define FAILING_ABOVE 4096

/* The allocation numbered `number` from now on, from 0, of those that are larger fails, once. */
void failing(long number);

/* No more; tells whether one has failed. */
int failed(void);

#endif
