/* What the parts of the program share. */
#ifndef MISUSE_H
#define MISUSE_H

#define CHECK_IN_PARTS
#include "tiny.h"
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT RETTO_ERROR_ARGUMENT
#define STATE RETTO_ERROR_STATE
#define FILE_ RETTO_ERROR_FILE
#define FORMAT RETTO_ERROR_FORMAT
#define UNSUPPORTED RETTO_ERROR_UNSUPPORTED
#define BUFFER RETTO_ERROR_BUFFER
#define CORPUS RETTO_ERROR_CORPUS

/* A session whose refusal sets the last error to one that no other call leaves. */
extern retto_session *marker;
void set_mark(void);
void refused(const char *file, int line, const char *call, retto_status expected, retto_status status);
void accepted(const char *file, int line, const char *call, retto_status status);

#define REFUSES(status, call) (set_mark(), refused(__FILE__, __LINE__, #call, status, call))
#define ACCEPTS(call) (set_mark(), accepted(__FILE__, __LINE__, #call, call))
/* Refused, with NULL where the new handle would be. */
#define MAKES_NOTHING(status, handle, call)                                                \
  do {                                                                                     \
    handle = (void *)&marker;                                                              \
    REFUSES(status, call);                                                                 \
    CHECK(handle == NULL);                                                                 \
  } while (0)

static const size_t bad_lengths[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 7};
#define EACH(i, array) (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

extern retto_model *model;
extern int32_t vocabulary;
extern size_t stride; /* more under a tool that makes everything slow */

void library(void);
void model_calls(void);
void structs(void);
void session_settings(void);
void session_calls(void);
void snapshots(void);
void use_session(retto_session *session);
void trainer_options(void);
void trainer_calls(void);
void damaged_models(const char *path);
void crafted_models(void);
void damaged_checkpoints(void);
void full_disk(void);
void little_memory(void);
void errors_per_thread(void);

#endif
