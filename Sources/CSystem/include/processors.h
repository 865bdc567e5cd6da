#ifndef PROCESSORS_H
#define PROCESSORS_H

// In C because what Linux says of a process' processors takes macros that Swift does not see.

// Processors this process may run on, at least 1: fewer than the machine has under taskset(1), in a
// cpuset, or where a batch system gave it some.
int usable_processors(void);

#endif
