#include "library.h"
#include <stdint.h>

static _Thread_local char text[ERROR_TEXT_SIZE];

// Small enough for the room that every thread has from its beginning, also in a library that was loaded
// after it: there the usual kind is allocated at a thread's first use. musl has no such room.
#if defined(__linux__) && defined(__GLIBC__)
#define FROM_THE_BEGINNING __attribute__((tls_model("initial-exec")))
#else
#define FROM_THE_BEGINNING
#endif
static _Thread_local FROM_THE_BEGINNING uint64_t note[ERROR_NOTE_SIZE / 8];

char *error_text(void) { return text; }
void *error_note(void) { return note; }

static const char *instruction_set = "";

void set_instruction_set_name(const char *name) { instruction_set = name; }
const char *instruction_set_name(void) { return instruction_set; }

__attribute__((constructor)) static void loaded(void) { library_loaded(); }
