#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>
#include <unistd.h>

int usable_processors(void) {
#ifdef __linux__
  // Fails where there are more than the 1,024 that fit.
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 1 ? (int)online : 1;
}
