/* The real-time rule: once a session exists, the calls marked [realtime] allocate nothing, lock
 * nothing and make no system call. Counted in the first calls of each thread, and in 100,000 more
 * with every setting in use; and proved to the kernel, which kills whoever makes a system call.
 *
 * Built twice: as a program linked to the library, and as a plugin that plugin.c loads, since what
 * a thread has of its own is laid out differently then. */
#include "counters.h"
#include "filter.h"
#include "tiny.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

#define MANY 5
#define STEPS 100000

struct scene {
  const retto_model *model;
  int32_t vocabulary;
  retto_session *one, *many[MANY];
  unsigned char *snapshot;
  size_t snapshot_size;
  float *numbers;
  int32_t tokens[64];
  size_t token_count;
  long failures, draws;
};

static void no_line_ends(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)vocabulary;
  allowed['\n'] = 0;
  ++*(long *)user;
}

static void build(struct scene *s, const retto_model *model) {
  memset(s, 0, sizeof *s);
  s->model = model;
  s->vocabulary = vocabulary_of(model);
  s->one = tiny_session(model, 1);
  for (int i = 0; i < MANY; i++)
    s->many[i] = tiny_session(model, (uint64_t)i);
  MUST(retto_session_snapshot(s->one, NULL, 0, &s->snapshot_size));
  s->snapshot = malloc(s->snapshot_size);
  s->numbers = malloc((size_t)s->vocabulary * sizeof *s->numbers);
  MUST(retto_model_encode(model, tiny_line, sizeof tiny_line - 1, s->tokens, 64, &s->token_count));
  /* The one call that says it allocates at first. */
  MUST(retto_sessions_next(s->many, MANY, s->tokens + 40, NULL));
}

static void clear(struct scene *s) {
  retto_session_free(s->one);
  for (int i = 0; i < MANY; i++)
    retto_session_free(s->many[i]);
  free(s->snapshot);
  free(s->numbers);
}

#define KINDS 24

/* The call number n: one of each kind in turn, each round with other arguments. */
static void step(struct scene *s, int n) {
  int kind = n % KINDS, i = n / KINDS;
  char text[RETTO_TEXT_SIZE];
  int32_t tokens[MANY], token = -1;
  float number;
  size_t size;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  retto_status status = RETTO_OK;
  switch (kind) {
  case 0: status = retto_session_set_temperature(s->one, (float)(i % 7) * 0.4f); break;
  case 1: status = retto_session_set_top_k(s->one, i % 5 * 10); break;
  case 2: status = retto_session_set_top_p(s->one, i % 3 ? 0.9f : 1.0f); break;
  case 3: status = retto_session_set_min_p(s->one, i % 4 ? 0.01f : 0.0f); break;
  case 4: status = retto_session_set_repetition(s->one, i % 3 ? 1.3f : 1.0f, i % 257); break;
  case 5: status = retto_session_set_grammar(s->one, i % 10 != 0); break;
  case 6: status = retto_session_set_mask(s->one, i % 2 ? NULL : no_line_ends, &s->draws); break;
  case 7: status = retto_session_feed(s->one, s->tokens, s->token_count); break;
  case 8: status = retto_session_feed_text(s->one, tiny_line, sizeof tiny_line - 1); break;
  case 9: status = retto_session_feed_text(s->one, "\xFF\xE7\x8A", 3); break;
  case 10:
    status = retto_session_log_probabilities(s->one, s->numbers, (size_t)s->vocabulary);
    break;
  case 11:
    status = retto_session_snapshot(s->one, s->snapshot, s->snapshot_size, &size);
    break;
  case 12:
    status = retto_session_snapshot(s->one, s->snapshot, s->snapshot_size, NULL);
    status = status ? status : retto_session_restore(s->one, s->snapshot, s->snapshot_size);
    break;
  case 13: status = retto_session_reset(s->one, (uint64_t)i); break;
  case 14: status = retto_sessions_next(s->many, MANY, tokens, s->numbers); break;
  case 15: status = retto_sessions_next(s->many, 1 + (size_t)i % MANY, tokens, NULL); break;
  case 16: status = retto_model_get_info(s->model, &info); break;
  case 17:
    s->failures += !retto_version_string() || !retto_version_number() ||
                   !retto_instruction_set() || !retto_status_name(RETTO_OK);
#ifndef PLUGIN /* a thread's own variables are made at its first look at them in a plugin */
    s->failures += !retto_last_error();
#endif
    break;
  case 18: status = retto_session_next_text(s->one, text, sizeof text, &size); break;
  case 19: status = retto_session_next_text(s->one, text, sizeof text, NULL); break;
  default: status = retto_session_next(s->one, &token, &number); break;
  }
  s->failures += status != RETTO_OK;
}

static void report(const char *where, int kind) {
  char text[120];
  snprintf(text, sizeof text, "%ld allocations or locks (%s) in %s, call %d", counted(),
           counted_last(), where, kind);
  check_failed(__FILE__, __LINE__, text);
}

/* The first calls a thread ever makes: nothing is put off until then. */
static void *first_calls(void *argument) {
  struct scene *s = argument;
  for (int i = 0; i < 3 * KINDS; i++) {
    counting(1);
    step(s, i);
    counting(0);
    if (counted())
      report("a thread's first calls", i % KINDS);
  }
  return NULL;
}

static void in_new_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, argument))
    exit(1);
  pthread_join(thread, NULL);
}

static void *many_calls(void *argument) {
  struct scene *s = argument;
  counting(1);
  for (int i = 0; i < STEPS; i++)
    step(s, i);
  counting(0);
  if (counted())
    report("many calls", 0);
  CHECK(s->failures == 0);
  CHECK(s->draws > 0);
  return NULL;
}

static void *stop_trainer(void *trainer) {
  counting(1);
  retto_status status = retto_trainer_stop(trainer);
  counting(0);
  GIVES(RETTO_OK, status);
  if (counted())
    report("retto_trainer_stop", 0);
  return NULL;
}

/* A count of 0 means something only if the counters do count. */
static void counters_work(void) {
  void *volatile memory;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  counting(1);
  memory = malloc(10);
  CHECK(counted() == 1);
  memory = realloc(memory, 1000);
  CHECK(counted() == 2);
  free(memory);
  CHECK(counted() == 3);
  memory = calloc(3, 3);
  free(memory);
  CHECK(counted() == 5);
  void *aligned = NULL;
  CHECK(posix_memalign(&aligned, 64, 100) == 0 && counted() == 6);
  memory = aligned;
  free(memory);
  pthread_mutex_lock(&mutex);
  CHECK(counted() == 8);
  counting(0);
  pthread_mutex_unlock(&mutex);
}

/* They see the library too. */
static void counters_see_the_library(const retto_model *model) {
  retto_session *session = NULL;
  counting(1);
  retto_status status = retto_session_create(model, NULL, &session);
  counting(0);
  GIVES(RETTO_OK, status);
  CHECK(counted() > 3);
  retto_session_free(session);
}

#ifdef __linux__
/* How a child ends that makes 100,000 calls under the filter and then, perhaps, a system call. */
static int child_under_filter(struct scene *s, int break_the_rule) {
  int status = -1;
  fflush(stderr);
  pid_t child = fork();
  if (child == 0) {
    s->failures = 0;
    if (!forbid_system_calls())
      _exit(77);
    for (int i = 0; i < STEPS; i++)
      step(s, i);
    if (break_the_rule)
      syscall(SYS_getpid);
    _exit(s->failures != 0);
  }
  waitpid(child, &status, 0);
  return status;
}

static void no_system_calls(struct scene *s) {
  if (under_tool()) /* a tool makes its own */
    return;
  int status = child_under_filter(s, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    fprintf(stderr, "this kernel lets no filter be set: system calls are not looked at\n");
    return;
  }
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  status = child_under_filter(s, 1);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
#else
static void no_system_calls(struct scene *s) { (void)s; }
#endif

int realtime(void) {
  const char *encodings[] = {"bytes", "characters"};
  counters_work();
  for (int32_t i = 0; i < 3; i++) {
    struct scene s;
    retto_model *model = i < 2 ? tiny_model(encodings[i], 1 + i) : tiny_documents();
    counters_see_the_library(model);
    for (int thread = 0; thread < 2; thread++) {
      build(&s, model);
      in_new_thread(first_calls, &s);
      in_new_thread(many_calls, &s);
      clear(&s);
    }
    build(&s, model);
    no_system_calls(&s);
    clear(&s);
    retto_model_free(model);
  }
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options);
  in_new_thread(stop_trainer, trainer);
  retto_trainer_free(trainer);
  return check_result();
}

#ifndef PLUGIN
int main(void) { return realtime(); }
#endif
