#include "library.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Each thread's text is allocated with its first error, and freed by the C library when the thread ends.
static pthread_key_t text_key;
static bool has_text_key;

const char *error_text(void) {
  const char *text = has_text_key ? pthread_getspecific(text_key) : NULL;
  return text ? text : "";
}

char *error_text_room(void) {
  if (!has_text_key) return NULL;
  char *text = pthread_getspecific(text_key);
  if (text) return text;
  text = calloc(1, ERROR_TEXT_SIZE);
  if (!text || pthread_setspecific(text_key, text) == 0) return text;
  free(text);
  return NULL;
}

// In the room that every thread has from its beginning, also for a library that was loaded after it: there the
// usual kind is allocated at a thread's first use. The room is small, 1.6 KB for all such libraries of a process:
// nothing else of this library may be thread-local, or few copies of it could be loaded. musl has no such room.
#if defined(__linux__) && defined(__GLIBC__)
#define FROM_THE_BEGINNING __attribute__((tls_model("initial-exec")))
#else
#define FROM_THE_BEGINNING
#endif
static _Thread_local FROM_THE_BEGINNING uint64_t note[ERROR_NOTE_SIZE / 8];

void *error_note(void) { return note; }

static const char *instruction_set = "";

void set_instruction_set_name(const char *name) { instruction_set = name; }
const char *instruction_set_name(void) { return instruction_set; }

__attribute__((constructor)) static void loaded(void) {
  has_text_key = pthread_key_create(&text_key, free) == 0;
  library_loaded();
}

// Texts of other threads that are still running are lost.
__attribute__((destructor)) static void unloaded(void) {
  if (!has_text_key) return;
  free(pthread_getspecific(text_key));
  has_text_key = false;
  pthread_key_delete(text_key);
}
