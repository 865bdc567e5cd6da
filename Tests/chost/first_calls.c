/* The real-time rule for first calls: each call marked RETTO_REALTIME is made as the first one of a process
 * that has loaded a model from a file and created sessions, and allocates nothing, locks nothing and makes
 * no system call; in models of all encodings and precisions, with all instructions this processor has,
 * and also when it fails.
 *
 * Tests/chost/run takes the calls from the header and makes realtime_calls.h of them, a line
 * REALTIME(name) for each. One that is not among the CALLs below does not compile: add it there. A CALL
 * gets the scene, all of whose pointers are NULL at one time, and gives the status.
 *
 * Built three times: as a program; as a plugin that plugin.c loads; and with clang's
 * RealtimeSanitizer, which then does the watching. */
#include "counters.h"
#include "filter.h"
#include "tiny.h"
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#ifdef RTSAN
void counting(int on) { (void)on; }
long counted(void) { return 0; }
const char *counted_last(void) { return ""; }
#endif

#define MANY 3

struct scene {
  retto_model *model;
  retto_session *session, *many[MANY];
  retto_trainer *trainer;
  void *snapshot;
  size_t snapshot_size;
  float *numbers;
  size_t vocabulary;
};

static void allow(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)user;
  allowed[vocabulary - 1] = 0;
}

/* ---- The calls -------------------------------------------------------------------------------- */

#define CALL(name) static retto_status call_##name(struct scene *s) RETTO_REALTIME

/* These four take no handle. */
static retto_status given(struct scene *s, int condition) RETTO_REALTIME {
  (void)s;
  return condition ? RETTO_OK : RETTO_ERROR_STATE;
}
CALL(retto_version_number) { return given(s, retto_version_number() > 0); }
CALL(retto_version_string) { return given(s, retto_version_string()[0]); }
CALL(retto_instruction_set) { return given(s, retto_instruction_set()[0]); }
CALL(retto_status_name) { return given(s, retto_status_name(RETTO_OK)[0]); }
#define INITIALIZER(name)                                                                  \
  CALL(name##_init) {                                                                      \
    name value;                                                                            \
    name##_init(&value);                                                                   \
    return given(s, value.size == sizeof value);                                           \
  }
INITIALIZER(retto_session_options)
INITIALIZER(retto_trainer_options)
INITIALIZER(retto_model_info)
INITIALIZER(retto_adapter_options)
INITIALIZER(retto_constraints)
INITIALIZER(retto_part_constraints)
INITIALIZER(retto_progress)
INITIALIZER(retto_midi_info)
INITIALIZER(retto_text_info)
CALL(retto_model_get_info) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  return retto_model_get_info(s->model, &info);
}
CALL(retto_session_reset) { return retto_session_reset(s->session, 3); }
CALL(retto_session_feed) {
  const int32_t tokens[] = {7, 0, 9, 1};
  return retto_session_feed(s->session, tokens, 4);
}
CALL(retto_session_feed_text) {
  return retto_session_feed_text(s->session, tiny_line, sizeof tiny_line - 1);
}
CALL(retto_session_next) {
  float probability;
  int32_t token;
  return retto_session_next(s->session, &token, &probability);
}
CALL(retto_session_next_text) {
  char text[RETTO_TEXT_SIZE];
  size_t length;
  return retto_session_next_text(s->session, text, sizeof text, &length);
}
CALL(retto_session_log_probabilities) {
  return retto_session_log_probabilities(s->session, s->numbers, s->vocabulary);
}
CALL(retto_sessions_next) {
  int32_t tokens[MANY];
  return retto_sessions_next(s->many, MANY, tokens, NULL);
}
CALL(retto_session_set_temperature) { return retto_session_set_temperature(s->session, 0.5f); }
CALL(retto_session_set_top_k) { return retto_session_set_top_k(s->session, 5); }
CALL(retto_session_set_top_p) { return retto_session_set_top_p(s->session, 0.5f); }
CALL(retto_session_set_min_p) { return retto_session_set_min_p(s->session, 0.1f); }
CALL(retto_session_set_repetition) { return retto_session_set_repetition(s->session, 1.5f, 99); }
CALL(retto_session_set_grammar) { return retto_session_set_grammar(s->session, 0); }
CALL(retto_session_set_mask) { return retto_session_set_mask(s->session, allow, NULL); }
CALL(retto_session_snapshot) {
  return retto_session_snapshot(s->session, s->snapshot, s->snapshot_size, NULL);
}
CALL(retto_session_restore) {
  return retto_session_restore(s->session, s->snapshot, s->snapshot_size);
}
CALL(retto_session_next_event) {
  retto_event event;
  retto_status status = RETTO_OK;
  for (int i = 0; i < 50 && !status; i++)
    status = retto_session_next_event(s->session, &event);
  return status;
}
CALL(retto_session_feed_event) {
  const retto_event event = {480, RETTO_EVENT_NOTE_ON, 0, 60, 60};
  return retto_session_feed_event(s->session, &event);
}
CALL(retto_session_get_sounding) {
  retto_event events[128];
  size_t count;
  return retto_session_get_sounding(s->session, events, 128, &count);
}
CALL(retto_session_forget_sounding) { return retto_session_forget_sounding(s->session); }
CALL(retto_session_get_options) {
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  return retto_session_get_options(s->session, &options);
}
CALL(retto_session_get_constraints) {
  retto_constraints constraints = RETTO_CONSTRAINTS_INIT;
  return retto_session_get_constraints(s->session, &constraints);
}
CALL(retto_session_set_pitch_range) { return retto_session_set_pitch_range(s->session, 40, 80); }
CALL(retto_session_set_scale) { return retto_session_set_scale(s->session, 0xAB5); }
CALL(retto_session_set_key) { return retto_session_set_key(s->session, 3); }
CALL(retto_session_set_model) { return retto_session_set_model(s->session, s->model); }
CALL(retto_session_take_tokens) {
  int32_t tokens[8];
  uint8_t fed[8];
  size_t count;
  return retto_session_take_tokens(s->session, tokens, fed, 8, &count);
}
CALL(retto_session_set_label) { return retto_session_set_label(s->session, 2); }
CALL(retto_session_mix_labels) {
  const int32_t labels[] = {2, 1};
  const float weights[] = {1, 2};
  return retto_session_mix_labels(s->session, labels, weights, 2);
}
CALL(retto_model_label_name) {
  return retto_model_label_name(s->model, 1) ? RETTO_OK : RETTO_ERROR_ARGUMENT;
}
CALL(retto_model_column_name) {
  return retto_model_column_name(s->model, 1) ? RETTO_OK : RETTO_ERROR_ARGUMENT;
}
CALL(retto_session_begin_series) { return retto_session_begin_series(s->session, 1, 86400); }
CALL(retto_session_feed_value) {
  retto_status status = RETTO_OK;
  for (int i = 0; i < 50 && !status; i++)
    status = retto_session_feed_value(s->session, i % 7 * 0.1);
  return status;
}
CALL(retto_session_next_value) {
  double value;
  float probability;
  return retto_session_next_value(s->session, &value, &probability);
}
CALL(retto_session_set_memory) { return retto_session_set_memory(s->session, 1.5f); }
CALL(retto_session_set_voices) { return retto_session_set_voices(s->session, 2); }
CALL(retto_session_set_density) { return retto_session_set_density(s->session, 1); }
CALL(retto_session_set_bars) { return retto_session_set_bars(s->session, 4); }
CALL(retto_session_set_time_signature) { return retto_session_set_time_signature(s->session, 3, 4); }
CALL(retto_session_set_ending) {
  return retto_session_set_ending(s->session, RETTO_ENDING_BAR_LINE);
}
CALL(retto_session_force_note) { return retto_session_force_note(s->session, 960, 240, 62); }
CALL(retto_session_clear_forced_notes) { return retto_session_clear_forced_notes(s->session); }
CALL(retto_session_set_parts) {
  const int32_t programs[] = {0, 33, RETTO_DRUMS};
  return retto_session_set_parts(s->session, programs, 3);
}
CALL(retto_session_get_parts) {
  int32_t programs[RETTO_MAX_PARTS], channels[RETTO_MAX_PARTS];
  size_t count;
  return retto_session_get_parts(s->session, programs, channels, RETTO_MAX_PARTS, &count);
}
CALL(retto_session_constrain_part) {
  retto_part_constraints constraints = RETTO_PART_CONSTRAINTS_INIT;
  constraints.given = 1;
  return retto_session_constrain_part(s->session, 1, &constraints);
}
CALL(retto_session_get_part_constraints) {
  retto_part_constraints constraints = RETTO_PART_CONSTRAINTS_INIT;
  return retto_session_get_part_constraints(s->session, 1, &constraints);
}
CALL(retto_session_give_note) {
  retto_event event;
  retto_status status = retto_session_give_note(s->session, 0, 240, 480, 60, 90);
  for (int i = 0; i < 50 && !status; i++)
    status = retto_session_next_event(s->session, &event);
  return status;
}
CALL(retto_session_get_bars) {
  uint64_t bars;
  return retto_session_get_bars(s->session, &bars);
}
CALL(retto_trainer_stop) { return retto_trainer_stop(s->trainer); }

/* ---- Calls that fail -------------------------------------------------------------------------- */

static void forbid(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)user;
  memset(allowed, 0, vocabulary);
}

static int32_t some_tokens[MANY];

CALL(exhausted) {
  retto_status status = retto_session_set_mask(s->session, forbid, NULL);
  return status ? status : retto_session_next(s->session, NULL, NULL);
}
CALL(exhausted_together) {
  retto_status status = retto_session_set_mask(s->many[1], forbid, NULL);
  return status ? status : retto_sessions_next(s->many, MANY, some_tokens, NULL);
}
CALL(one_after_another) {
  retto_session *without_room[] = {s->many[1], s->many[0]};
  return retto_sessions_next(without_room, 2, some_tokens, NULL);
}
CALL(twice) {
  retto_session *twice[] = {s->many[0], s->many[1], s->many[1]};
  return retto_sessions_next(twice, 3, some_tokens, NULL);
}
CALL(none_in_the_list) {
  retto_session *none[] = {s->many[0], NULL};
  return retto_sessions_next(none, 2, some_tokens, NULL);
}
CALL(no_temperature) { return retto_session_set_temperature(s->session, -1.17549435e-38f); }
CALL(no_top_k) { return retto_session_set_top_k(s->session, INT32_MIN); }
CALL(no_top_p) { return retto_session_set_top_p(s->session, 1e38f); }
CALL(no_min_p) { return retto_session_set_min_p(s->session, -1.00000012f); }
CALL(no_penalty) { return retto_session_set_repetition(s->session, 1e-30f, 4); }
CALL(no_window) { return retto_session_set_repetition(s->session, 1, INT32_MIN); }
CALL(no_token) {
  const int32_t tokens[] = {1, INT32_MIN};
  return retto_session_feed(s->session, tokens, 2);
}
CALL(no_length) { return retto_session_feed(s->session, some_tokens, SIZE_MAX); }
CALL(short_buffer) { return retto_session_snapshot(s->session, s->snapshot, 3, NULL); }
CALL(short_numbers) { return retto_session_log_probabilities(s->session, s->numbers, 1); }
CALL(no_snapshot) { return retto_session_restore(s->session, tiny_line, sizeof tiny_line); }
CALL(no_struct) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  info.size = SIZE_MAX;
  return retto_model_get_info(s->model, &info);
}
CALL(no_value) { return retto_session_feed_value(s->session, HUGE_VAL); }
CALL(no_column) { return retto_session_begin_series(s->session, INT32_MAX, RETTO_NO_TIME); }
CALL(no_time) { return retto_session_begin_series(s->session, 1, INT64_MAX); }
CALL(no_event) {
  const retto_event event = {0, 255, 255, 255, 255};
  return retto_session_feed_event(s->session, &event);
}
CALL(no_channel) {
  const retto_event event = {0, RETTO_EVENT_NOTE_ON, 255, 255, 255};
  return retto_session_feed_event(s->session, &event);
}
CALL(no_range) { return retto_session_set_pitch_range(s->session, INT32_MAX, INT32_MIN); }
CALL(no_scale) { return retto_session_set_scale(s->session, UINT32_MAX); }
CALL(no_voices) { return retto_session_set_voices(s->session, INT32_MIN); }
CALL(no_density) { return retto_session_set_density(s->session, 1e38f); }
CALL(no_bars) { return retto_session_set_bars(s->session, INT32_MIN); }
CALL(no_metre) { return retto_session_set_time_signature(s->session, INT32_MIN, INT32_MIN); }
CALL(no_ending) { return retto_session_set_ending(s->session, (retto_ending)77); }
CALL(no_note) { return retto_session_force_note(s->session, UINT64_MAX, 1, 60); }
CALL(no_pitch) { return retto_session_force_note(s->session, 1, UINT32_MAX, INT32_MIN); }

/* Constraints that some encodings cannot keep to. */
CALL(range) { return retto_session_set_pitch_range(s->session, 50, 60); }
CALL(scale) { return retto_session_set_scale(s->session, 0xAB5); }
CALL(bars) { return retto_session_set_bars(s->session, 8); }
CALL(metre) { return retto_session_set_time_signature(s->session, 3, 4); }
CALL(other_metre) { return retto_session_set_time_signature(s->session, 11, 8); }
CALL(bar_line) { return retto_session_set_ending(s->session, RETTO_ENDING_BAR_LINE); }
CALL(note) { return retto_session_force_note(s->session, 0, 480, 60); }

/* A call while another thread is inside one. */
static volatile int inside, leave;
static void hold(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)user, (void)allowed, (void)vocabulary;
  inside = 1;
  while (!leave)
    ;
}
static void *draw(void *session) {
  MUST(retto_session_next(session, NULL, NULL));
  return NULL;
}
static void hold_session(struct scene *s) {
  pthread_t thread;
  MUST(retto_session_set_mask(s->session, hold, NULL));
  if (pthread_create(&thread, NULL, draw, s->session))
    exit(1);
  while (!inside)
    ;
}
CALL(in_use) { return retto_session_next(s->session, NULL, NULL); }
CALL(in_use_together) {
  retto_session *held[] = {s->many[0], s->session};
  return retto_sessions_next(held, 2, some_tokens, NULL);
}

/* A call on the session from within its mask. */
static retto_status nested;
static void call_back(void *session, uint8_t *allowed, size_t vocabulary) {
  (void)allowed, (void)vocabulary;
  nested = retto_session_next(session, NULL, NULL);
}
CALL(from_its_mask) {
  retto_status status = retto_session_set_mask(s->session, call_back, s->session);
  status = status ? status : retto_session_next(s->session, NULL, NULL);
  return status ? status : nested;
}

/* ---- The tables ------------------------------------------------------------------------------- */

typedef retto_status (*call)(struct scene *s) RETTO_REALTIME;

static const struct row {
  const char *name;
  call call;
} calls[] = {
#define REALTIME(name) {#name, call_##name},
#include "realtime_calls.h"
};
#define COUNT(table) (sizeof table / sizeof *table)
static int gave_ok[COUNT(calls)];

enum { TEXT = 1, PITCHED = 2, DRUMS = 4, PERFORMANCE = 8, MUSIC = 14, SERIES = 16, ANY = 31 };

static const struct outcome {
  const char *name;
  call call;
  int models;
  retto_status status;
  void (*prepare)(struct scene *s);
} outcomes[] = {
#define FAILS(name, models, status) {#name, call_##name, models, RETTO_ERROR_##status, NULL}
    FAILS(exhausted, ANY, EXHAUSTED),
    FAILS(exhausted_together, ANY, EXHAUSTED),
    {"one_after_another", call_one_after_another, ANY, RETTO_OK, NULL},
    FAILS(twice, ANY, ARGUMENT),
    FAILS(none_in_the_list, ANY, ARGUMENT),
    FAILS(no_temperature, ANY, ARGUMENT),
    FAILS(no_top_k, ANY, ARGUMENT),
    FAILS(no_top_p, ANY, ARGUMENT),
    FAILS(no_min_p, ANY, ARGUMENT),
    FAILS(no_penalty, ANY, ARGUMENT),
    FAILS(no_window, ANY, ARGUMENT),
    FAILS(no_token, ANY, ARGUMENT),
    FAILS(no_length, ANY, ARGUMENT),
    FAILS(short_buffer, ANY, BUFFER),
    FAILS(short_numbers, ANY, BUFFER),
    FAILS(no_snapshot, ANY, FORMAT),
    FAILS(no_struct, ANY, ARGUMENT),
    FAILS(no_value, SERIES, ARGUMENT),
    FAILS(no_column, SERIES, ARGUMENT),
    FAILS(no_time, SERIES, ARGUMENT),
    FAILS(no_event, MUSIC, ARGUMENT),
    FAILS(no_channel, MUSIC, ARGUMENT),
    FAILS(no_range, MUSIC, ARGUMENT),
    FAILS(no_scale, MUSIC, ARGUMENT),
    FAILS(no_voices, MUSIC, ARGUMENT),
    FAILS(no_density, MUSIC, ARGUMENT),
    FAILS(no_bars, MUSIC, ARGUMENT),
    FAILS(no_metre, MUSIC, ARGUMENT),
    FAILS(no_ending, MUSIC, ARGUMENT),
    FAILS(no_note, MUSIC, ARGUMENT),
    FAILS(no_pitch, PITCHED | DRUMS, ARGUMENT),
    FAILS(range, DRUMS, UNSUPPORTED),
    FAILS(scale, DRUMS, UNSUPPORTED),
    FAILS(bars, PERFORMANCE, UNSUPPORTED),
    FAILS(metre, PERFORMANCE, UNSUPPORTED),
    FAILS(other_metre, PITCHED | DRUMS, UNSUPPORTED),
    FAILS(bar_line, PERFORMANCE, UNSUPPORTED),
    FAILS(note, PERFORMANCE, UNSUPPORTED),
    {"in_use", call_in_use, ANY, RETTO_ERROR_STATE, hold_session},
    {"in_use_together", call_in_use_together, ANY, RETTO_ERROR_STATE, hold_session},
    FAILS(from_its_mask, ANY, STATE),
};

/* ---- A process for each ----------------------------------------------------------------------- */

enum { WAS_COUNTED = 100, NO_FILTER = 101 };

static void build(struct scene *s, const char *path) {
  retto_trainer_options options = tiny_options();
  MUST(retto_model_load(path, &s->model));
  MUST(retto_session_create(s->model, NULL, &s->session));
  for (int i = 0; i < MANY; i++)
    MUST(retto_session_create(s->model, NULL, &s->many[i]));
  /* The list draws as one; the same in another order has no room for that. */
  MUST(retto_session_reserve(s->many[0], MANY));
  MUST(retto_trainer_create(&options, &s->trainer));
  s->vocabulary = 4096;
  s->numbers = malloc(s->vocabulary * sizeof *s->numbers);
  s->snapshot_size = 1 << 20;
  s->snapshot = malloc(s->snapshot_size);
}

/* retto_session_restore needs bytes: those of a process before this one. */
static void read_snapshot(struct scene *s, const char *path) {
  char name[100];
  snprintf(name, sizeof name, "%s.snapshot", path);
  free(s->snapshot);
  s->snapshot = read_file(name, &s->snapshot_size);
}

static void write_snapshot(const char *path) {
  struct scene s = {0};
  char name[100];
  build(&s, path);
  MUST(retto_session_next(s.session, NULL, NULL));
  MUST(retto_session_snapshot(s.session, s.snapshot, s.snapshot_size, &s.snapshot_size));
  snprintf(name, sizeof name, "%s.snapshot", path);
  write_file(name, s.snapshot, s.snapshot_size);
}

static retto_status watched(call call, struct scene *s) RETTO_REALTIME { return call(s); }

/* In a child: gives the status, negated, or what went wrong. */
static int body(const char *path, const char *name, call call, void (*prepare)(struct scene *),
                int nothing) {
  struct scene s = {0}, none = {0};
  build(&s, path);
  if (!strcmp(name, "retto_session_restore"))
    read_snapshot(&s, path);
  if (prepare)
    prepare(&s);
  if (!under_tool() && !forbid_system_calls())
    return NO_FILTER;
  counting(1);
  retto_status status = watched(call, nothing ? &none : &s);
  counting(0);
  leave = 1;
  if (counted()) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s%s: %ld allocations or locks, the last in %s\n", path, name,
             nothing ? " of nothing" : "", counted(), counted_last());
    return write(2, text, strlen(text)) < 0 ? 1 : WAS_COUNTED;
  }
  return -(int)status;
}

/* Gives what `body` does, or -1 if the child did not come to an end. */
static int in_child(const char *path, const char *name, call call,
                    void (*prepare)(struct scene *), int nothing) {
  int status = -1;
  fflush(stderr);
  pid_t child = fork();
  if (child == 0)
    _exit(body(path, name, call, prepare, nothing));
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) != NO_FILTER)
    return WEXITSTATUS(status);
  static int said;
  if (WIFEXITED(status)) {
    if (!said++)
      fprintf(stderr, "this kernel lets no filter be set: nothing is looked at\n");
    return -1;
  }
  char text[200];
  snprintf(text, sizeof text, "%s: %s: %s", path, name,
           WTERMSIG(status) == SIGSYS ? "a system call" : "ended by a signal");
  check_failed(__FILE__, __LINE__, text);
  return -1;
}

static void check(const char *path, int kind) {
  char text[200];
  for (size_t i = 0; i < COUNT(calls); i++) {
    int result = in_child(path, calls[i].name, calls[i].call, NULL, 0);
    if (result == 0)
      gave_ok[i] = 1;
    else if (result >= 0 && result != -RETTO_ERROR_UNSUPPORTED && result != -RETTO_ERROR_ARGUMENT) {
      snprintf(text, sizeof text, "%s: %s gives %d", path, calls[i].name, -result);
      check_failed(__FILE__, __LINE__, text);
    }
    /* Without handles: those that take one refuse it. */
    result = in_child(path, calls[i].name, calls[i].call, NULL, 1);
    if (result > 0 && result != -RETTO_ERROR_ARGUMENT) {
      snprintf(text, sizeof text, "%s: %s of nothing gives %d", path, calls[i].name, -result);
      check_failed(__FILE__, __LINE__, text);
    }
  }
  for (size_t i = 0; i < COUNT(outcomes); i++) {
    if (!(outcomes[i].models & kind))
      continue;
    int result = in_child(path, outcomes[i].name, outcomes[i].call, outcomes[i].prepare, 0);
    if (result >= 0 && result != -(int)outcomes[i].status) {
      snprintf(text, sizeof text, "%s: %s gives %d", path, outcomes[i].name, -result);
      check_failed(__FILE__, __LINE__, text);
    }
  }
}

/* ---- The models ------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  int kind;
} encodings[] = {{"words", TEXT}, {"ensemble", PITCHED}, {"series", SERIES}, {"melody", PITCHED},
                 {"bytes", TEXT}, {"polyphony", PITCHED}, {"drums", DRUMS}, {"characters", TEXT},
                 {"performance", PERFORMANCE}};
static const char *const precisions[] = {"float32", "bfloat16", "int8"};

static retto_midi *scale(int channel, int lowest) {
  retto_event events[64];
  size_t n = 0;
  for (int i = 0; i < 32; i++) {
    uint8_t pitch = (uint8_t)(lowest + i % 8);
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, (uint8_t)channel, pitch, 80};
    events[n++] = (retto_event){240, RETTO_EVENT_NOTE_OFF, (uint8_t)channel, pitch, 0};
  }
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, n, 480, 120, &midi));
  return midi;
}

static retto_model *train(const char *encoding, int kind) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  options.encoding = encoding;
  options.layers = 2;
  options.steps = 20;
  if (kind == TEXT && strcmp(encoding, "words"))
    return tiny_model_with(&options);
  MUST(retto_trainer_create(&options, &trainer));
  /* That of words has labels. */
  for (int i = 0; i < 40 && kind == TEXT; i++) {
    MUST(retto_trainer_set_label(trainer, i % 2 ? "high" : "low"));
    MUST(retto_trainer_add_text(trainer, tiny_line, sizeof tiny_line - 1, RETTO_TRAINING));
  }
  if (kind == SERIES) {
    static const char *const column[] = {"load"};
    const retto_times times = {0, 3600, 0};
    double values[200];
    for (int i = 0; i < 200; i++)
      values[i] = i % 7 * 0.1;
    MUST(retto_trainer_add_series(trainer, values, 200, 1, column, &times, RETTO_TRAINING));
  }
  for (int i = 0; i < 4 && kind & MUSIC; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s%d.mid", encoding, i);
    retto_midi *midi = strcmp(encoding, "drums") ? scale(0, 60 + i) : scale(9, 35 + i);
    MUST(retto_midi_write(midi, path));
    MUST(retto_trainer_add_midi(trainer, path, i ? RETTO_TRAINING : RETTO_VALIDATION));
    retto_midi_free(midi);
  }
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  return model;
}

static const char *path_of(size_t encoding, size_t precision) {
  static char path[64];
  snprintf(path, sizeof path, "%s.%s", encodings[encoding].name, precisions[precision]);
  return path;
}

/* The library is not used before the children are made: they must be fresh. */
static void make_models(void) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    for (size_t i = 0; i < COUNT(encodings); i++) {
      retto_model *model = train(encodings[i].name, encodings[i].kind);
      for (size_t j = 0; j < COUNT(precisions); j++) {
        retto_model *rounded = NULL;
        MUST(retto_model_quantize(model, (retto_precision)j, &rounded));
        MUST(retto_model_save(rounded, path_of(i, j)));
        retto_model_free(rounded);
        write_snapshot(path_of(i, j));
      }
      retto_model_free(model);
    }
    _exit(check_result());
  }
  waitpid(child, &status, 0);
  if (status)
    exit(1);
}

/* That the watchers see nothing means something only if they do see: a call that allocates. (It is marked
 * against the truth, so clang warns of it: effects.sh wants just that.) */
static retto_status allocates(struct scene *s) RETTO_REALTIME {
  retto_session *session = NULL;
  return retto_session_create(s->model, NULL, &session);
}

static void check_the_watchers(void) {
#ifdef RTSAN
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr))
      _exit(0);
    _exit(body(path_of(0, 0), "allocates", allocates, NULL, 0));
  }
  waitpid(child, &status, 0);
  CHECK(!WIFEXITED(status) || WEXITSTATUS(status));
#else
  struct scene s = {0};
  build(&s, path_of(0, 0));
  counting(1);
  retto_status status = allocates(&s);
  counting(0);
  GIVES(RETTO_OK, status);
  CHECK(counted() > 3);
#endif
}

/* `all`: of the encodings and precisions; else one of text, one of music and one of numbers in each precision. */
static void check_models(int all) {
  for (size_t i = 0; i < (all && !under_tool() ? COUNT(encodings) : 3); i++)
    for (size_t j = 0; j < (under_tool() ? 1 : COUNT(precisions)); j++)
      check(path_of(i, j), encodings[i].kind);
  for (size_t i = 0; i < COUNT(calls); i++)
    if (!gave_ok[i])
      check_failed(__FILE__, __LINE__, calls[i].name);
}

#if !defined(PLUGIN) && !defined(RTSAN)
/* The other instructions, each in a process that was told so before the library was loaded. */
static void with_instructions(const char *self, const char *name) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    setenv("LIBRETTO_ISA", name, 1);
    execl(self, self, name, (char *)NULL);
    _exit(1);
  }
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int count, char **arguments) {
  static const char *const instructions[] = {"baseline", "v3", "v4", "vnni", "bf16"};
  if (count > 1) {
    /* What the processor lacks counts as not set: that was looked at already. */
    if (strstr(retto_instruction_set(), arguments[1]))
      check_models(0);
    return check_result();
  }
  make_models();
  check_models(1);
  for (size_t i = 0; i < COUNT(instructions) && !under_tool(); i++)
    with_instructions(arguments[0], instructions[i]);
  check_the_watchers();
  return check_result();
}
#else
int realtime(void) {
  make_models();
  check_models(0);
  check_the_watchers();
  return check_result();
}
#ifdef RTSAN
int main(void) { return realtime(); }
#endif
#endif
