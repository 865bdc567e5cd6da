/* A program that was compiled with an older header: its structs are those of the first version, kept here as
 * they were, whatever the header's have become. Behind each lies a byte that must not change. And structs of
 * a newer header: what this library does not know must be zero, or becomes zero. */
#include "tiny.h"

struct first_session_options {
  size_t size;
  uint64_t seed;
  float temperature;
  int32_t top_k;
  float top_p, min_p, repetition_penalty;
  int32_t repetition_window;
};
struct first_trainer_options {
  size_t size;
  const char *encoding;
  int32_t steps_per_quarter, augment, embedding, hidden, layers, batch, sequence, threads;
  double dropout, learning_rate, weight_decay, clip, epochs;
  int64_t steps;
  double minutes, validation;
  int32_t patience, reserved;
  uint64_t seed;
  const char *checkpoint_path;
  double checkpoint_seconds;
  int32_t precision, unnamed;
};
struct first_model_info {
  size_t size;
  int32_t vocabulary, embedding, hidden, layers;
  uint64_t parameters;
  const char *encoding;
  int32_t is_text, ticks_per_quarter, precision, steps_per_quarter;
};
struct first_progress {
  size_t size;
  int64_t step, total_steps;
  double epoch, fraction, loss, validation_loss, best_validation_loss, bits_per_character;
  double learning_rate, gradient_norm, tokens_per_second, seconds_elapsed, seconds_left;
  int32_t measured, end;
};
struct first_midi_info {
  size_t size;
  int32_t format, tracks, ticks_per_quarter, unnamed;
  uint64_t notes, end_tick;
  double seconds;
};
struct first_text_info {
  size_t size;
  int32_t kind, mark_length;
  size_t bad_count, first_bad;
  const char *name;
};
struct first_constraints {
  size_t size;
  int32_t lowest_pitch, highest_pitch;
  uint32_t pitch_classes;
  int32_t voices;
  float density;
  int32_t bars, numerator, denominator, ending, reserved;
};

/* On machines with pointers of 8 bytes these never change. */
#define IS(name, bytes) typedef char name##_is_##bytes[sizeof(struct name) == bytes ? 1 : -1]
IS(first_session_options, 40);
IS(first_trainer_options, 152);
IS(first_model_info, 56);
IS(first_progress, 120);
IS(first_midi_info, 48);
IS(first_text_info, 40);
IS(first_constraints, 48);

/* The struct of today begins with that of then. */
#define SAME(type, member)                                                                 \
  CHECK(offsetof(struct first_##type, member) == offsetof(retto_##type, member))

static void members_stay(void) {
  SAME(session_options, seed);
  SAME(session_options, temperature);
  SAME(session_options, repetition_window);
  SAME(trainer_options, encoding);
  SAME(trainer_options, threads);
  SAME(trainer_options, dropout);
  SAME(trainer_options, patience);
  SAME(trainer_options, seed);
  SAME(trainer_options, precision);
  SAME(model_info, vocabulary);
  SAME(model_info, encoding);
  SAME(model_info, steps_per_quarter);
  SAME(progress, step);
  SAME(progress, loss);
  SAME(progress, end);
  SAME(midi_info, format);
  SAME(midi_info, notes);
  SAME(midi_info, seconds);
  SAME(text_info, kind);
  SAME(text_info, name);
  SAME(constraints, lowest_pitch);
  SAME(constraints, ending);
}

/* A struct of then, and a guard behind it. */
static union {
  size_t size;
  unsigned char bytes[4096];
  struct first_session_options session;
  struct first_trainer_options trainer;
  struct first_model_info info;
  struct first_progress progress;
  struct first_midi_info midi;
  struct first_text_info text;
  struct first_constraints constraints;
} s;

static void begin(size_t size, size_t bytes) {
  memset(&s, 0xA5, sizeof s);
  memset(&s, 0, bytes);
  s.size = size;
}

static int guarded(size_t size) {
  for (size_t i = size; i < sizeof s; i++)
    if (s.bytes[i] != 0xA5)
      return 0;
  return 1;
}

static retto_model *older(void) {
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  retto_session *session = NULL;
  retto_session_options now = RETTO_SESSION_OPTIONS_INIT;
  begin(sizeof s.trainer, sizeof s.trainer);
  s.trainer.hidden = 16;
  s.trainer.layers = 1;
  s.trainer.steps = 3;
  s.trainer.threads = 1;
  s.trainer.dropout = s.trainer.weight_decay = s.trainer.validation = -1;
  MUST(retto_trainer_create((void *)&s, &trainer));
  CHECK(guarded(sizeof s.trainer));
  size_t length;
  char *text = tiny_text(4000, &length);
  MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
  free(text);
  begin(sizeof s.progress, sizeof s.progress);
  MUST(retto_trainer_step(trainer, (void *)&s));
  CHECK(s.progress.step == 1 && s.size == sizeof s.progress && guarded(sizeof s.progress));
  MUST(retto_trainer_run(trainer, NULL, NULL, (void *)&s));
  CHECK(s.progress.step == 3 && s.progress.end == RETTO_END_FINISHED);
  CHECK(s.size == sizeof s.progress && guarded(sizeof s.progress));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);

  begin(sizeof s.info, sizeof s.info);
  MUST(retto_model_get_info(model, (void *)&s));
  CHECK(s.info.hidden == 16 && s.size == sizeof s.info && guarded(sizeof s.info));

  begin(sizeof s.session, sizeof s.session);
  s.session.temperature = 0.5f;
  s.session.top_p = s.session.repetition_penalty = 1;
  s.session.seed = 77;
  MUST(retto_session_create(model, (void *)&s, &session));
  /* What it did not have is as it was before there was any. */
  MUST(retto_session_get_options(session, &now));
  CHECK(now.grammar == 1 && now.seed == 77 && now.temperature == 0.5f);
  begin(sizeof s.session, sizeof s.session);
  MUST(retto_session_get_options(session, (void *)&s));
  CHECK(s.session.temperature == 0.5f && s.session.seed == 77);
  CHECK(s.size == sizeof s.session && guarded(sizeof s.session));
  retto_session_free(session);

  begin(sizeof s.text, sizeof s.text);
  MUST(retto_text_examine("abc", 3, (void *)&s));
  CHECK(s.text.name && s.size == sizeof s.text && guarded(sizeof s.text));

  const retto_event events[] = {{0, RETTO_EVENT_NOTE_ON, 0, 60, 60},
                                {480, RETTO_EVENT_NOTE_OFF, 0, 60, 0}};
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, 2, 480, 120, &midi));
  begin(sizeof s.midi, sizeof s.midi);
  MUST(retto_midi_get_info(midi, (void *)&s));
  CHECK(s.midi.notes == 1 && s.size == sizeof s.midi && guarded(sizeof s.midi));
  retto_midi_free(midi);
  return model;
}

static void newer(const retto_model *model) {
  const size_t more = 40;
  retto_session *session = NULL;
  retto_trainer *trainer = NULL;
  const retto_session_options session_options = RETTO_SESSION_OPTIONS_INIT;
  const retto_trainer_options trainer_options = RETTO_TRAINER_OPTIONS_INIT;

  begin(0, sizeof session_options + more);
  memcpy(&s, &session_options, sizeof session_options);
  s.size = sizeof session_options + more;
  MUST(retto_session_create(model, (void *)&s, &session));
  retto_session_free(session);
  s.bytes[s.size - 1] = 1;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_create(model, (void *)&s, &session));

  begin(0, sizeof trainer_options + more);
  memcpy(&s, &trainer_options, sizeof trainer_options);
  s.size = sizeof trainer_options + more;
  MUST(retto_trainer_create((void *)&s, &trainer));
  retto_trainer_free(trainer);
  s.bytes[s.size - 1] = 1;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_trainer_create((void *)&s, &trainer));

  /* Results: the size tells what was filled in, the rest is zero. */
  begin(sizeof(retto_model_info) + more, 0);
  s.size = sizeof(retto_model_info) + more;
  MUST(retto_model_get_info(model, (void *)&s));
  CHECK(s.size == sizeof(retto_model_info) && guarded(sizeof(retto_model_info) + more));
  for (size_t i = 0; i < more; i++)
    CHECK(s.bytes[sizeof(retto_model_info) + i] == 0);
}

/* Members that may get a meaning are refused until they have one. */
static void reserved(const retto_model *model) {
  retto_session *session = NULL;
  retto_trainer *trainer = NULL;
  retto_session_options session_options = RETTO_SESSION_OPTIONS_INIT;
  retto_trainer_options trainer_options = RETTO_TRAINER_OPTIONS_INIT;
  session_options.reserved = 1;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_create(model, &session_options, &session));
  trainer_options.reserved = 1;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_trainer_create(&trainer_options, &trainer));
}

/* The functions do what the macros do. */
#define SAME_INITIAL(name, macro)                                                          \
  do {                                                                                     \
    const name wanted = macro;                                                             \
    name given;                                                                            \
    memset(&given, 0x5A, sizeof given);                                                    \
    name##_init(&given);                                                                   \
    CHECK(!memcmp(&given, &wanted, sizeof given));                                         \
    name##_init(NULL);                                                                     \
  } while (0)

static void initialisers(void) {
  SAME_INITIAL(retto_session_options, RETTO_SESSION_OPTIONS_INIT);
  SAME_INITIAL(retto_trainer_options, RETTO_TRAINER_OPTIONS_INIT);
  SAME_INITIAL(retto_model_info, RETTO_MODEL_INFO_INIT);
  SAME_INITIAL(retto_constraints, RETTO_CONSTRAINTS_INIT);
  SAME_INITIAL(retto_progress, RETTO_PROGRESS_INIT);
  SAME_INITIAL(retto_midi_info, RETTO_MIDI_INFO_INIT);
  SAME_INITIAL(retto_text_info, RETTO_TEXT_INFO_INIT);
}

/* What is set can be asked for. */
static void getters(const retto_model *model) {
  retto_session *session = tiny_session(model, 5);
  retto_session_options now;
  retto_session_options_init(&now);
  OK(retto_session_set_temperature(session, 0.25f));
  OK(retto_session_set_top_k(session, 7));
  OK(retto_session_set_top_p(session, 0.5f));
  OK(retto_session_set_min_p(session, 0.125f));
  OK(retto_session_set_repetition(session, 1.5f, 9));
  OK(retto_session_set_grammar(session, 0));
  OK(retto_session_reset(session, 6));
  OK(retto_session_get_options(session, &now));
  CHECK(now.seed == 6 && now.temperature == 0.25f && now.top_k == 7 && now.top_p == 0.5f);
  CHECK(now.min_p == 0.125f && now.repetition_penalty == 1.5f && now.repetition_window == 9);
  CHECK(now.grammar == 0 && now.size == sizeof now);
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_get_options(session, NULL));
  now.size = 39;
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_get_options(session, &now));
  retto_constraints constraints = RETTO_CONSTRAINTS_INIT;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_get_constraints(session, &constraints));
  retto_session_free(session);
  /* And what it was made with. */
  retto_session_options_init(&now);
  now.grammar = 0;
  now.top_k = 3;
  MUST(retto_session_create(model, &now, &session));
  retto_session_options again = RETTO_SESSION_OPTIONS_INIT;
  OK(retto_session_get_options(session, &again));
  CHECK(!memcmp(&now, &again, sizeof now));
  retto_session_free(session);
}

int main(void) {
  members_stay();
  initialisers();
  retto_model *model = older();
  newer(model);
  reserved(model);
  getters(model);
  retto_model_free(model);
  return check_result();
}
