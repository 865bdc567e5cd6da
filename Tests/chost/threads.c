/* Handles on many threads: what may be shared gives what it gives on one thread, what may not is
 * refused and never crashes. */
#include "tiny.h"
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

/* A number that one thread sets and another waits for. Atomics are the compiler's: C99 has none. */
static void set(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_SEQ_CST); }
static int get(int *flag) { return __atomic_load_n(flag, __ATOMIC_SEQ_CST); }
static void wait_for(int *flag) {
  while (!get(flag))
    sched_yield();
}

static pthread_t start(void *(*body)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, argument))
    exit(1);
  return thread;
}

/* ---- One model, many sessions ---- */

#define SESSIONS 8
#define DRAWS 500

struct job {
  const retto_model *model;
  uint64_t seed;
  int32_t tokens[DRAWS];
  float scores[DRAWS];
  char text[4 * DRAWS];
  size_t length;
};

static void *write_and_read(void *argument) {
  struct job *job = argument;
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  retto_session *session = NULL;
  options.seed = job->seed;
  options.temperature = 1.3f;
  options.top_k = 40;
  options.repetition_penalty = 1.1f;
  OK(retto_session_create(job->model, &options, &session));
  for (int i = 0; i < DRAWS; i++)
    OK(retto_session_next(session, &job->tokens[i], NULL));
  OK(retto_model_score(job->model, job->tokens, DRAWS, job->scores));
  OK(retto_model_decode(job->model, job->tokens, DRAWS, job->text, sizeof job->text, &job->length));
  retto_session_free(session);
  return NULL;
}

static void sharing(const retto_model *model) {
  static struct job alone[SESSIONS], shared[SESSIONS];
  pthread_t threads[SESSIONS];
  for (int i = 0; i < SESSIONS; i++) {
    alone[i].model = shared[i].model = model;
    alone[i].seed = shared[i].seed = (uint64_t)i;
    write_and_read(&alone[i]);
  }
  for (int i = 0; i < SESSIONS; i++)
    threads[i] = start(write_and_read, &shared[i]);
  for (int i = 0; i < SESSIONS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < SESSIONS; i++) {
    CHECK(!memcmp(alone[i].tokens, shared[i].tokens, sizeof alone[i].tokens));
    CHECK(!memcmp(alone[i].scores, shared[i].scores, sizeof alone[i].scores));
    CHECK(alone[i].length == shared[i].length &&
          !memcmp(alone[i].text, shared[i].text, alone[i].length));
  }
  CHECK(memcmp(alone[0].tokens, alone[1].tokens, sizeof alone[0].tokens));
}

/* ---- One session, two threads ---- */

struct visit {
  retto_session *session, *other;
  int inside, leave;
  retto_status expected;
  int calls;
};

/* Every call on the visit's session. */
static void all_calls(struct visit *visit) {
  retto_session *session = visit->session;
  retto_session *both[2] = {visit->other, session};
  int32_t tokens[2] = {-5, -5};
  float *all = malloc(100000 * sizeof *all);
  const size_t room = 1 << 18;
  char *buffer = malloc(room);
  size_t size = 0;
  retto_status e = visit->expected;
  GIVES(e, retto_session_reset(session, 1));
  GIVES(e, retto_session_feed(session, tokens, 0));
  GIVES(e, retto_session_feed_text(session, "a", 1));
  GIVES(e, retto_session_next(session, tokens, NULL));
  GIVES(e, retto_session_next_text(session, buffer, room, NULL));
  GIVES(e, retto_session_log_probabilities(session, all, 100000));
  GIVES(e, retto_session_set_temperature(session, 1));
  GIVES(e, retto_session_set_top_k(session, 0));
  GIVES(e, retto_session_set_top_p(session, 1));
  GIVES(e, retto_session_set_min_p(session, 0));
  GIVES(e, retto_session_set_repetition(session, 1, 0));
  GIVES(e, retto_session_set_grammar(session, 1));
  GIVES(e, retto_session_set_mask(session, NULL, NULL));
  GIVES(e, retto_session_snapshot(session, buffer, room, &size));
  GIVES(e, retto_session_restore(session, buffer, size));
  if (e == RETTO_ERROR_STATE) {
    CHECK(tokens[0] == -5);
    CHECK(strlen(retto_last_error()) > 10);
  }
  GIVES(e, retto_sessions_next(both, 2, tokens, NULL));
  free(all);
  free(buffer);
}

static void wait_inside(void *user, uint8_t *allowed, size_t vocabulary) {
  struct visit *visit = user;
  (void)allowed, (void)vocabulary;
  visit->calls++;
  set(&visit->inside, 1);
  wait_for(&visit->leave);
}

static void *draw_one(void *argument) {
  struct visit *visit = argument;
  int32_t token = -1;
  OK(retto_session_next(visit->session, &token, NULL));
  CHECK(token >= 0);
  return NULL;
}

static void call_from_mask(void *user, uint8_t *allowed, size_t vocabulary) {
  struct visit *visit = user;
  (void)allowed, (void)vocabulary;
  visit->calls++;
  all_calls(visit);
}

static void one_at_a_time(const retto_model *model) {
  struct visit visit = {NULL, NULL, 0, 0, RETTO_OK, 0};
  int32_t token = -1;
  visit.session = tiny_session(model, 1);
  visit.other = tiny_session(model, 2);
  all_calls(&visit);
  visit.expected = RETTO_ERROR_STATE;
  /* While another thread is inside. */
  OK(retto_session_set_mask(visit.session, wait_inside, &visit));
  pthread_t thread = start(draw_one, &visit);
  wait_for(&visit.inside);
  all_calls(&visit);
  OK(retto_session_next(visit.other, NULL, NULL)); /* the refused call left this one free */
  set(&visit.leave, 1);
  pthread_join(thread, NULL);
  CHECK(visit.calls == 1);
  /* From within its own mask. */
  OK(retto_session_set_mask(visit.session, call_from_mask, &visit));
  OK(retto_session_next(visit.session, &token, NULL));
  CHECK(visit.calls == 2 && token >= 0);
  OK(retto_session_set_mask(visit.session, NULL, NULL));
  visit.expected = RETTO_OK;
  all_calls(&visit);
  retto_session_free(visit.session);
  retto_session_free(visit.other);
}

struct crowd {
  retto_session *session;
  long done, refused;
};

static void *crowd_in(void *argument) {
  struct crowd *crowd = argument;
  for (int i = 0; i < 20000; i++) {
    char text[RETTO_TEXT_SIZE];
    retto_status status = i % 4 == 0   ? retto_session_next_text(crowd->session, text, 5, NULL)
                          : i % 4 == 1 ? retto_session_feed_text(crowd->session, "ab", 2)
                          : i % 4 == 2 ? retto_session_set_top_k(crowd->session, i % 50)
                                       : retto_session_reset(crowd->session, (uint64_t)i);
    CHECK(status == RETTO_OK || status == RETTO_ERROR_STATE);
    status ? crowd->refused++ : crowd->done++;
  }
  return NULL;
}

static void crowding(const retto_model *model) {
  struct crowd crowds[3];
  pthread_t threads[3];
  retto_session *session = tiny_session(model, 1);
  long done = 0;
  for (int i = 0; i < 3; i++) {
    crowds[i].session = session;
    crowds[i].done = crowds[i].refused = 0;
    threads[i] = start(crowd_in, &crowds[i]);
  }
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
    CHECK(crowds[i].done + crowds[i].refused == 20000);
    done += crowds[i].done;
  }
  CHECK(done > 0);
  OK(retto_session_next(session, NULL, NULL));
  retto_session_free(session);
}

/* ---- The order in which handles are freed ---- */

static void *draw_many(void *argument) {
  for (int i = 0; i < 2000; i++)
    OK(retto_session_next(argument, NULL, NULL));
  retto_session_free(argument);
  return NULL;
}

static void freeing(void) {
  for (int round = 0; round < 10; round++) {
    retto_model *model = tiny_model("bytes", 1);
    retto_trainer *trainer = NULL;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
      threads[i] = start(draw_many, tiny_session(model, (uint64_t)i));
    retto_trainer_options options = tiny_options();
    options.steps = 2;
    MUST(retto_trainer_create_from(model, &options, &trainer));
    retto_model_free(model);
    OK(retto_trainer_add_text(trainer, tiny_line, sizeof tiny_line, RETTO_TRAINING));
    OK(retto_trainer_run(trainer, NULL, NULL, NULL));
    MUST(retto_trainer_model(trainer, &model));
    retto_trainer_free(trainer);
    retto_session *session = tiny_session(model, 1);
    retto_model_free(model);
    OK(retto_session_next(session, NULL, NULL));
    retto_session_free(session);
    for (int i = 0; i < 3; i++)
      pthread_join(threads[i], NULL);
  }
}

/* ---- Trainers ---- */

struct run {
  retto_trainer *trainer;
  int begun;
  retto_progress end;
  retto_status status;
};

static int32_t has_begun(void *user, const retto_progress *progress) {
  struct run *run = user;
  if (progress->step >= 3)
    set(&run->begun, 1);
  return 0;
}

static void *run_on(void *argument) {
  struct run *run = argument;
  retto_progress end = RETTO_PROGRESS_INIT;
  run->status = retto_trainer_run(run->trainer, has_begun, run, &end);
  run->end = end;
  return NULL;
}

static void stopping(int32_t threads) {
  retto_trainer_options options = tiny_options();
  options.steps = 1000000000;
  options.patience = -1;
  options.threads = threads;
  struct run run;
  memset(&run, 0, sizeof run);
  run.trainer = tiny_trainer(&options);
  int64_t steps = 0;
  for (int round = 0; round < 5; round++) {
    retto_model *model = (void *)&run;
    retto_progress p = RETTO_PROGRESS_INIT;
    set(&run.begun, 0);
    pthread_t thread = start(run_on, &run);
    wait_for(&run.begun);
    GIVES(RETTO_ERROR_STATE, retto_trainer_step(run.trainer, NULL));
    GIVES(RETTO_ERROR_STATE, retto_trainer_run(run.trainer, NULL, NULL, NULL));
    GIVES(RETTO_ERROR_STATE, retto_trainer_save_checkpoint(run.trainer, "x.checkpoint"));
    GIVES(RETTO_ERROR_STATE, retto_trainer_model(run.trainer, &model));
    CHECK(model == NULL);
    GIVES(RETTO_ERROR_STATE, retto_trainer_add_text(run.trainer, "a", 1, RETTO_TRAINING));
    GIVES(RETTO_ERROR_STATE, retto_trainer_add_file(run.trainer, "x", RETTO_TRAINING));
    OK(retto_trainer_stop(run.trainer));
    pthread_join(thread, NULL);
    GIVES(RETTO_OK, run.status);
    CHECK(run.end.end == RETTO_END_STOPPED && run.end.step > steps);
    steps = run.end.step;
    /* None is running: the next one ends at once, the one after it goes on. */
    OK(retto_trainer_stop(run.trainer));
    OK(retto_trainer_run(run.trainer, NULL, NULL, &p));
    CHECK(p.end == RETTO_END_STOPPED && p.step == steps);
    OK(retto_trainer_step(run.trainer, &p));
    CHECK(p.end == RETTO_END_NONE && p.step == steps + 1);
    MUST(retto_trainer_model(run.trainer, &model));
    retto_model_free(model);
  }
  retto_trainer_free(run.trainer);
}

struct nested {
  retto_trainer *trainer;
  int calls;
};

static int32_t call_from_progress(void *user, const retto_progress *progress) {
  struct nested *nested = user;
  retto_trainer *trainer = nested->trainer;
  retto_model *model = NULL, *loaded = NULL;
  retto_progress p = RETTO_PROGRESS_INIT;
  nested->calls++;
  CHECK(progress->step == nested->calls);
  /* Allowed. */
  OK(retto_trainer_save_checkpoint(trainer, "nested.checkpoint"));
  MUST(retto_trainer_model(trainer, &model));
  MUST(retto_model_save(model, "nested.model"));
  MUST(retto_model_load("nested.checkpoint", &loaded));
  MUST(retto_model_save(loaded, "nested2.model"));
  CHECK(same_files("nested.model", "nested2.model"));
  retto_model_free(loaded);
  retto_session *session = tiny_session(model, 1);
  retto_model_free(model);
  OK(retto_session_next(session, NULL, NULL));
  retto_session_free(session);
  /* Not allowed. */
  GIVES(RETTO_ERROR_STATE, retto_trainer_step(trainer, &p));
  GIVES(RETTO_ERROR_STATE, retto_trainer_run(trainer, NULL, NULL, &p));
  GIVES(RETTO_ERROR_STATE, retto_trainer_add_text(trainer, "a", 1, RETTO_TRAINING));
  GIVES(RETTO_ERROR_STATE, retto_trainer_add_file(trainer, "nested.model", RETTO_TRAINING));
  CHECK(p.step == 0);
  if (progress->step == 4)
    OK(retto_trainer_stop(trainer));
  return 0;
}

static void nesting(void) {
  retto_trainer_options options = tiny_options();
  retto_progress end = RETTO_PROGRESS_INIT;
  struct nested nested = {NULL, 0};
  nested.trainer = tiny_trainer(&options);
  OK(retto_trainer_run(nested.trainer, call_from_progress, &nested, &end));
  CHECK(nested.calls == 4 && end.step == 4 && end.end == RETTO_END_STOPPED);
  retto_trainer_free(nested.trainer);
}

/* Trainers of several threads each, several at a time, give what each gives alone. */
static void *train(void *argument) {
  retto_trainer_options options = tiny_options();
  options.threads = 2;
  options.steps = 30;
  retto_model *model = tiny_model_with(&options);
  OK(retto_model_save(model, argument));
  retto_model_free(model);
  return NULL;
}

static void training_together(void) {
  char names[3][16] = {"a.model", "b.model", "c.model"};
  pthread_t threads[2];
  train(names[0]);
  for (int i = 0; i < 2; i++)
    threads[i] = start(train, names[1 + i]);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  CHECK(same_files(names[0], names[1]));
  CHECK(same_files(names[0], names[2]));
}

/* ---- One file, many threads ---- */

struct saver {
  const retto_model *model;
  int done;
};

static void *save_often(void *argument) {
  struct saver *saver = argument;
  for (int i = 0; i < 60; i++)
    OK(retto_model_save(saver->model, "shared.model"));
  set(&saver->done, 1);
  return NULL;
}

/* The file is whole at every moment. */
static void saving_together(void) {
  retto_model *a = tiny_model("bytes", 1), *b = tiny_model("bytes", 3);
  struct saver savers[3] = {{a, 0}, {b, 0}, {b, 0}};
  pthread_t threads[3];
  MUST(retto_model_save(a, "shared.model"));
  for (int i = 0; i < 3; i++)
    threads[i] = start(save_often, &savers[i]);
  while (!get(&savers[0].done) || !get(&savers[1].done) || !get(&savers[2].done)) {
    retto_model *loaded = NULL;
    OK(retto_model_load("shared.model", &loaded));
    retto_model_free(loaded);
  }
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  retto_model_free(a);
  retto_model_free(b);
}

int main(void) {
  alarm(under_tool() ? 3000 : 120); /* for what would wait for ever */
  retto_model *model = tiny_model("characters", 2);
  sharing(model);
  one_at_a_time(model);
  crowding(model);
  retto_model_free(model);
  freeing();
  stopping(1);
  stopping(3);
  nesting();
  training_together();
  saving_together();
  return check_result();
}
