/* Stands before the C library's allocation and locking, in the executable, where the dynamic linker
 * finds these first for every library of the process. */
#include "counters.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static __thread int on;
static __thread long count;
static __thread const char *last = "";

void counting(int begin) {
  if (begin) {
    count = 0;
    last = "";
  }
  on = begin;
}

long counted(void) { return count; }
const char *counted_last(void) { return last; }

static void note(const char *name) {
  if (on) {
    count++;
    last = name;
  }
}

static __thread size_t above = SIZE_MAX;
static __thread long until;
static __thread int has_failed;

int fail_allocation(size_t least, long which) {
  int failed = has_failed;
  above = least;
  until = which;
  has_failed = 0;
  return failed;
}

static int fails(size_t size) {
  if (size <= above || until-- != 0)
    return 0;
  errno = ENOMEM;
  return has_failed = 1;
}

/* glibc's own, under their other names. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *malloc(size_t size) {
  note("malloc");
  return fails(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
  note("calloc");
  return fails(items * size) ? NULL : __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size) {
  note("realloc");
  return fails(size) ? NULL : __libc_realloc(memory, size);
}

void free(void *memory) {
  if (memory)
    note("free");
  __libc_free(memory);
}

void *memalign(size_t alignment, size_t size) {
  note("memalign");
  return fails(size) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note("aligned_alloc");
  return fails(size) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  note("posix_memalign");
  *memory = fails(size) ? NULL : __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

/* The function of that name that would have been called, looked up at its first call. */
#define PASS_ON(type, name, parameters, arguments)                                         \
  type name parameters {                                                                   \
    static type(*next) parameters;                                                         \
    if (!next) {                                                                           \
      void *address = dlsym(RTLD_NEXT, #name);                                             \
      memcpy(&next, &address, sizeof next);                                                \
    }                                                                                      \
    note(#name);                                                                           \
    return next arguments;                                                                 \
  }

PASS_ON(int, pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
PASS_ON(int, pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
PASS_ON(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
PASS_ON(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
PASS_ON(int, pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
PASS_ON(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *lock),
        (condition, lock))
PASS_ON(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
PASS_ON(int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
PASS_ON(int, pthread_once, (pthread_once_t * once, void (*body)(void)), (once, body))
PASS_ON(int, sem_wait, (sem_t * semaphore), (semaphore))
PASS_ON(int, sem_post, (sem_t * semaphore), (semaphore))
