/* Stands before the C library's allocation, in the executable, where the dynamic linker finds these first
 * for every library of the process. */
#include "failing.h"
#include <errno.h>

static volatile int on, has_failed;
static volatile long left;

void failing(long number) {
  has_failed = 0;
  left = number;
  on = 1;
}

int failed(void) {
  on = 0;
  return has_failed;
}

static int fails(size_t size) {
  if (!on || size <= FAILING_ABOVE || __sync_fetch_and_sub(&left, 1) != 0)
    return 0;
  has_failed = 1;
  errno = ENOMEM;
  return 1;
}

/* glibc's own, under their other names. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return fails(size) ? NULL : __libc_malloc(size); }

void *calloc(size_t items, size_t size) {
  return fails(items * size) ? NULL : __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size) {
  return fails(size) ? NULL : __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  return fails(size) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
