/* Counts the calls of the C library that allocate or lock, while counting is on for this thread. */
#ifndef COUNTERS_H
#define COUNTERS_H

void counting(int on); /* sets the count to 0 when it turns it on */
long counted(void);
const char *counted_last(void); /* what was counted last, or an empty string */

/* Makes an allocation of this thread fail: number `which`, from 0, of those of more than `above` bytes. Gives
 * whether it came to that since. SIZE_MAX for `above` ends it. */
#include <stddef.h>
#include <stdint.h>
int fail_allocation(size_t above, long which);

#endif
