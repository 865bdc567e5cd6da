/* What hosts do and the header allows: small stacks, other rounding modes, callbacks that free, children of
 * fork, and no memory. */
#include "counters.h"
#include "tiny.h"
#include <fenv.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

static retto_model *text, *music;

static retto_midi *tune(void) {
  retto_event events[64];
  size_t n = 0;
  for (int i = 0; i < 32; i++) {
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, 0, (uint8_t)(60 + i % 12), 80};
    events[n++] = (retto_event){240, RETTO_EVENT_NOTE_OFF, 0, (uint8_t)(60 + i % 12), 0};
  }
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, n, 480, 120, &midi));
  return midi;
}

static retto_model *music_model(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  retto_midi *midi = tune();
  options.encoding = "polyphony";
  MUST(retto_trainer_create(&options, &trainer));
  MUST(retto_midi_write(midi, "tune.mid"));
  for (int i = 0; i < 4; i++)
    MUST(retto_trainer_add_midi(trainer, "tune.mid", RETTO_TRAINING));
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  retto_midi_free(midi);
  return model;
}

/* Draws, in all ways. */
static void use(void) {
  retto_session *a = tiny_session(text, 1), *b = tiny_session(music, 2);
  retto_session *both[] = {a, tiny_session(text, 3)};
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  retto_constraints constraints = RETTO_CONSTRAINTS_INIT;
  char character[RETTO_TEXT_SIZE];
  int32_t tokens[200];
  float scores[200];
  size_t count;
  retto_event event = {0, RETTO_EVENT_NOTE_ON, 0, 60, 60};
  OK(retto_session_set_repetition(a, 1.2f, 100));
  OK(retto_session_set_top_p(a, 0.9f));
  OK(retto_session_set_top_k(a, 20));
  for (int i = 0; i < 300; i++) {
    OK(retto_session_next_text(a, character, sizeof character, &count));
    CHECK(count >= 1 && count <= 4);
    OK(retto_session_next_event(b, &event));
    CHECK(event.kind <= RETTO_EVENT_END && event.pitch < 128);
  }
  event = (retto_event){960, RETTO_EVENT_NOTE_ON, 0, 60, 60};
  OK(retto_session_feed_event(b, &event));
  OK(retto_session_feed_text(a, tiny_line, sizeof tiny_line - 1));
  OK(retto_session_set_voices(b, 2));
  OK(retto_session_get_options(a, &options));
  OK(retto_session_get_constraints(b, &constraints));
  OK(retto_sessions_next(both, 2, tokens, scores));
  static unsigned char bytes[1 << 18];
  for (int i = 0; i < 2; i++) {
    retto_session *session = i ? b : a;
    OK(retto_session_snapshot(session, bytes, sizeof bytes, &count));
    OK(retto_session_restore(session, bytes, count));
    GIVES(RETTO_ERROR_FORMAT, retto_session_restore(session, bytes, count - 8));
  }
  OK(retto_model_encode(text, tiny_line, sizeof tiny_line - 1, tokens, 200, &count));
  OK(retto_model_score(text, tokens, count, scores));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_temperature(a, -1));
  CHECK(retto_last_error()[0]);
  retto_session_free(both[0]);
  retto_session_free(both[1]);
  retto_session_free(b);
}

static void *use_in_thread(void *unused) {
  use();
  return unused;
}

static void *train_in_thread(void *unused) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options), *again = NULL;
  retto_model *model = NULL;
  retto_midi *midi = NULL;
  retto_progress progress = RETTO_PROGRESS_INIT;
  OK(retto_trainer_run(trainer, NULL, NULL, &progress));
  OK(retto_trainer_save_checkpoint(trainer, "stack.ck"));
  OK(retto_trainer_model(trainer, &model));
  OK(retto_model_save(model, "stack.model"));
  retto_model_free(model);
  OK(retto_model_load("stack.model", &model));
  retto_model_free(model);
  OK(retto_trainer_resume("stack.ck", NULL, &again));
  OK(retto_midi_read("tune.mid", &midi));
  OK(retto_midi_write(midi, "again.mid"));
  retto_midi_free(midi);
  retto_trainer_free(again);
  retto_trainer_free(trainer);
  return unused;
}

static void with_stack(size_t bytes, void *(*body)(void *)) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  if (under_tool()) /* which needs some itself */
    bytes += 1 << 20;
  CHECK(pthread_attr_setstacksize(&attributes, bytes) == 0);
  CHECK(pthread_create(&thread, &attributes, body, NULL) == 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
}

static void rounding_modes(void) {
  static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (int i = 0; i < 3; i++) {
    CHECK(fesetround(modes[i]) == 0);
    use();
    CHECK(fegetround() == modes[i]);
  }
  fesetround(FE_TONEAREST);
#ifdef __SSE__
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
  use();
  CHECK((_mm_getcsr() & 0x8040) == 0x8040);
  _mm_setcsr(before);
#endif
}

/* ---- Freeing what is in use ------------------------------------------------------------------- */

static void free_in_mask(void *session, uint8_t *allowed, size_t vocabulary) {
  (void)allowed, (void)vocabulary;
  retto_session_free(session);
}

static int steps;
static int32_t free_in_progress(void *trainer, const retto_progress *progress) {
  retto_trainer_free(trainer);
  GIVES(RETTO_ERROR_STATE, retto_trainer_step(trainer, NULL));
  return progress->step == ++steps ? 0 : 1;
}

static volatile int inside, leave;
static void hold(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)user, (void)allowed, (void)vocabulary;
  inside = 1;
  while (!leave)
    usleep(100);
}
static void *draw_held(void *session) {
  OK(retto_session_next(session, NULL, NULL));
  return NULL;
}

static void callbacks_that_free(void) {
  retto_session *session = tiny_session(text, 1);
  int32_t first = -1, again = -1;
  OK(retto_session_set_mask(session, free_in_mask, session));
  OK(retto_session_next(session, &first, NULL));
  CHECK(strstr(retto_last_error(), "callback") != NULL);
  OK(retto_session_set_mask(session, NULL, NULL));
  OK(retto_session_reset(session, 1));
  OK(retto_session_next(session, &again, NULL));
  CHECK(first == again);

  pthread_t thread;
  OK(retto_session_set_mask(session, hold, NULL));
  CHECK(pthread_create(&thread, NULL, draw_held, session) == 0);
  while (!inside)
    usleep(100);
  retto_session_free(session);
  CHECK(strstr(retto_last_error(), "another thread") != NULL);
  leave = 1;
  pthread_join(thread, NULL);
  OK(retto_session_set_mask(session, NULL, NULL));
  OK(retto_session_next(session, NULL, NULL));
  retto_session_free(session);

  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options);
  retto_progress end = RETTO_PROGRESS_INIT;
  OK(retto_trainer_run(trainer, free_in_progress, trainer, &end));
  CHECK(end.end == RETTO_END_FINISHED && end.step == steps && steps > 10);
  retto_trainer_free(trainer);
}

/* ---- Children --------------------------------------------------------------------------------- */

static void children(void) {
  retto_session *session = tiny_session(music, 4);
  retto_adapter *adapter = NULL;
  double losses[2];
  uint64_t count;
  int32_t child_tokens[100], tokens[100];
  int pipes[2], status = -1;
  MUST(retto_session_next(session, NULL, NULL));
  if (pipe(pipes))
    exit(1);
  MUST(retto_adapter_create(music, NULL, &adapter));
  pid_t child = fork();
  for (int i = 0; i < 100; i++)
    MUST(retto_session_next(session, &tokens[i], NULL));
  /* An adapter learns in both. */
  for (int round = 0; round < 2; round++) {
    MUST(retto_adapter_read(adapter, tokens, NULL, 100));
    MUST(retto_adapter_loss(adapter, &losses[round], &count));
  }
  CHECK(losses[1] < losses[0]);
  retto_adapter_free(adapter);
  if (child == 0) {
    use();
    retto_session_free(session);
    _exit(write(pipes[1], tokens, sizeof tokens) != sizeof tokens || check_failures);
  }
  /* So that the reading ends with the child, whatever became of it. */
  close(pipes[1]);
  CHECK(read(pipes[0], child_tokens, sizeof child_tokens) == sizeof child_tokens);
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(!memcmp(tokens, child_tokens, sizeof tokens));
  close(pipes[0]);
  retto_session_free(session);
}

/* ---- No memory -------------------------------------------------------------------------------- */

static retto_model *large;

static retto_status create_session(void) {
  retto_session *session = NULL;
  retto_status status = retto_session_create(large, NULL, &session);
  retto_session_free(session);
  return status;
}
static retto_status create_music_session(void) {
  retto_session *session = NULL;
  retto_status status = retto_session_create(music, NULL, &session);
  retto_session_free(session);
  return status;
}
static retto_session *some[40];
static retto_status reserve(void) { return retto_session_reserve(some[0], 1000); }
static retto_status score(void) {
  static const int32_t tokens[] = {1, 2, 3};
  float scores[3];
  return retto_model_score(large, tokens, 3, scores);
}
static retto_status round_down(void) {
  retto_model *model = NULL;
  retto_status status = retto_model_quantize(large, RETTO_INT8, &model);
  retto_model_free(model);
  return status;
}
static retto_status load(void) {
  retto_model *model = NULL;
  retto_status status = retto_model_load("large.model", &model);
  retto_model_free(model);
  return status;
}

/* Each allocation of more than 4096 bytes fails in turn, until there are no more. */
static void without_memory(const char *name, retto_status (*call)(void), int least) {
  int failed = 1, count = 0;
  for (long i = 0; failed && i < 10000; i++) {
    fail_allocation(4096, i);
    retto_status status = call();
    failed = fail_allocation(SIZE_MAX, 0);
    count += failed;
    if (status != (failed ? RETTO_ERROR_MEMORY : RETTO_OK)) {
      char sentence[200];
      snprintf(sentence, sizeof sentence, "%s: allocation %ld: %s", name, i,
               retto_status_name(status));
      check_failed(__FILE__, __LINE__, sentence);
    }
  }
  if (count < least)
    check_failed(__FILE__, __LINE__, name);
}

static void no_memory(void) {
  retto_trainer_options options = tiny_options();
  options.hidden = options.embedding = 256;
  options.layers = 2;
  options.steps = 1;
  large = tiny_model_with(&options);
  MUST(retto_model_save(large, "large.model"));
  for (int i = 0; i < 40; i++)
    some[i] = tiny_session(large, (uint64_t)i);
  without_memory("retto_session_create", create_session, 1);
  without_memory("retto_session_create, music", create_music_session, 1);
  without_memory("retto_session_reserve", reserve, 3);
  without_memory("retto_model_score", score, 1);
  without_memory("retto_model_quantize", round_down, 5);
  without_memory("retto_model_load", load, 5);
  for (int i = 0; i < 40; i++)
    retto_session_free(some[i]);
  retto_model_free(large);
}

int main(void) {
  text = tiny_model("characters", 2);
  music = music_model();
  with_stack(32 << 10, use_in_thread);
  with_stack(256 << 10, train_in_thread);
  rounding_modes();
  callbacks_that_free();
  children();
  no_memory();
  retto_model_free(text);
  retto_model_free(music);
  return check_result();
}
