/* Runs of training: the state they are in, checkpoints that cannot be saved, copies in memory, what was
 * chosen, files that change, and forked children. */
#include "tiny.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static retto_end end_of(retto_trainer *trainer) {
  retto_progress p = RETTO_PROGRESS_INIT;
  MUST(retto_trainer_get_progress(trainer, &p));
  return p.end;
}

static retto_trainer *resumed(const char *path) {
  size_t length;
  char *text = tiny_text(4000, &length);
  retto_trainer *trainer = NULL;
  MUST(retto_trainer_resume(path, NULL, &trainer));
  MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
  free(text);
  return trainer;
}

/* A trainer's model is the one of a file. */
static void same_model(retto_trainer *trainer, const char *path) {
  retto_model *model = NULL;
  MUST(retto_trainer_model(trainer, &model));
  MUST(retto_model_save(model, "one.model"));
  retto_model_free(model);
  MUST(retto_model_load(path, &model));
  MUST(retto_model_save(model, "other.model"));
  retto_model_free(model);
  CHECK(same_files("one.model", "other.model"));
}

static int32_t stop_at_once(void *user, const retto_progress *p) {
  (void)user;
  (void)p;
  return 1;
}

static void states(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options), *again;
  retto_progress p = RETTO_PROGRESS_INIT;
  CHECK(end_of(trainer) == RETTO_END_FRESH);
  OK(retto_trainer_step(trainer, &p));
  CHECK(p.end == RETTO_END_NONE && end_of(trainer) == RETTO_END_NONE);
  OK(retto_trainer_run(trainer, stop_at_once, NULL, &p));
  CHECK(p.end == RETTO_END_STOPPED && p.step == 2);
  OK(retto_trainer_save_checkpoint(trainer, "stopped"));
  again = resumed("stopped");
  CHECK(end_of(again) == RETTO_END_STOPPED);
  OK(retto_trainer_run(again, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && end_of(again) == RETTO_END_FINISHED);
  retto_trainer_free(again);
  retto_trainer_free(trainer);
}

static void diverged(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer, *again;
  retto_progress p = RETTO_PROGRESS_INIT;
  char first[1024];
  options.learning_rate = 10;
  options.clip = 1e9;
  options.steps = 1000;
  options.layers = 3;
  options.checkpoint_path = "kept";
  options.checkpoint_seconds = 1e-9;
  trainer = tiny_trainer(&options);
  GIVES(RETTO_ERROR_DIVERGED, retto_trainer_run(trainer, NULL, NULL, &p));
  snprintf(first, sizeof first, "%s", retto_last_error());
  CHECK(end_of(trainer) == RETTO_END_DIVERGED);
  /* What the run saved on the way is as it was. */
  again = resumed("kept");
  CHECK(end_of(again) == RETTO_END_NONE);
  retto_trainer_free(again);
  OK(retto_trainer_save_checkpoint(trainer, "diverged"));
  same_model(trainer, "diverged");
  again = resumed("diverged");
  CHECK(end_of(again) == RETTO_END_DIVERGED);
  GIVES(RETTO_ERROR_DIVERGED, retto_trainer_step(again, &p));
  CHECK(!strcmp(first, retto_last_error()));
  GIVES(RETTO_ERROR_DIVERGED, retto_trainer_run(again, NULL, NULL, &p));
  same_model(again, "diverged");
  retto_trainer_free(again);
  retto_trainer_free(trainer);
}

static int failures_seen, sentences_seen;
static int32_t note_failure(void *user, const retto_progress *p) {
  (void)user;
  failures_seen += p->checkpoint_status == RETTO_ERROR_FILE;
  sentences_seen += strstr(retto_last_error(), "no/such/folder/x") != NULL;
  return 0;
}

/* A checkpoint that cannot be saved does not end the run, nor keep its model from the host. */
static void full_disk(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer;
  retto_progress p = RETTO_PROGRESS_INIT;
  retto_model *model = NULL;
  options.checkpoint_path = "no/such/folder/x";
  options.checkpoint_seconds = 1e-9;
  trainer = tiny_trainer(&options);
  OK(retto_trainer_run(trainer, note_failure, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && p.step == 60);
  CHECK(p.checkpoint_status == RETTO_ERROR_FILE);
  CHECK(strstr(retto_last_error(), "no/such/folder/x"));
  CHECK(failures_seen == 59 && sentences_seen == 59);
  OK(retto_trainer_model(trainer, &model));
  retto_model_free(model);
  retto_trainer_free(trainer);

  /* There is room again before the end: the last one counts. */
  struct rlimit before, none;
  signal(SIGXFSZ, SIG_IGN);
  MUST(getrlimit(RLIMIT_FSIZE, &before) ? RETTO_ERROR_FILE : RETTO_OK);
  none = before;
  none.rlim_cur = 100;
  options.checkpoint_path = "full";
  trainer = tiny_trainer(&options);
  setrlimit(RLIMIT_FSIZE, &none);
  OK(retto_trainer_run(trainer, stop_at_once, NULL, &p));
  CHECK(p.end == RETTO_END_STOPPED && p.checkpoint_status == RETTO_ERROR_FILE);
  setrlimit(RLIMIT_FSIZE, &before);
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && p.checkpoint_status == RETTO_OK);
  retto_trainer_free(trainer);
  trainer = resumed("full");
  CHECK(end_of(trainer) == RETTO_END_FINISHED);
  retto_trainer_free(trainer);
}

/* What is saved to memory is what is saved to a file. */
static void in_memory(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options), *again = NULL;
  retto_model *model = NULL;
  retto_progress p = RETTO_PROGRESS_INIT, q = RETTO_PROGRESS_INIT;
  size_t size = 0, length;
  char *text = tiny_text(4000, &length);
  for (int i = 0; i < 3; i++)
    OK(retto_trainer_step(trainer, &p));

  OK(retto_trainer_save_checkpoint_memory(trainer, NULL, 0, &size));
  char *bytes = malloc(size);
  bytes[0] = 77;
  GIVES(RETTO_ERROR_BUFFER, retto_trainer_save_checkpoint_memory(trainer, bytes, size - 1, &size));
  CHECK(bytes[0] == 77);
  OK(retto_trainer_save_checkpoint_memory(trainer, bytes, size, &size));
  write_file("memory.checkpoint", bytes, size);
  OK(retto_trainer_save_checkpoint(trainer, "file.checkpoint"));
  CHECK(same_files("memory.checkpoint", "file.checkpoint"));
  OK(retto_trainer_resume_memory(bytes, size, NULL, &again));
  memset(bytes, 0, size);
  free(bytes);
  OK(retto_trainer_add_text(again, text, length, RETTO_TRAINING));
  OK(retto_trainer_step(again, &q));
  OK(retto_trainer_step(trainer, &p));
  CHECK(p.step == 4 && q.step == 4 && p.loss == q.loss);
  retto_trainer_free(again);

  for (int precision = RETTO_FLOAT32; precision <= RETTO_INT8; precision++) {
    retto_model *rounded = NULL;
    OK(retto_trainer_model(trainer, &model));
    OK(retto_model_quantize(model, (retto_precision)precision, &rounded));
    OK(retto_model_save_memory(rounded, NULL, 0, &size));
    bytes = malloc(size);
    GIVES(RETTO_ERROR_BUFFER, retto_model_save_memory(rounded, bytes, size - 1, &size));
    OK(retto_model_save_memory(rounded, bytes, size, &size));
    write_file("memory.model", bytes, size);
    OK(retto_model_save(rounded, "file.model"));
    CHECK(same_files("memory.model", "file.model"));
    free(bytes);
    retto_model_free(rounded);
    retto_model_free(model);
  }
  retto_trainer_free(trainer);
  free(text);
}

static void chosen(void) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT, now = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer;
  options.threads = 1;
  options.minutes = 2;
  options.checkpoint_path = "somewhere";
  trainer = tiny_trainer(&options);
  OK(retto_trainer_get_options(trainer, &now));
  CHECK(!now.encoding && now.hidden == 0 && now.dropout < 0 && now.minutes == 2);
  CHECK(!strcmp(now.checkpoint_path, "somewhere"));
  OK(retto_trainer_prepare(trainer));
  OK(retto_trainer_get_options(trainer, &now));
  CHECK(!strcmp(now.encoding, "characters") && !strcmp(now.checkpoint_path, "somewhere"));
  CHECK(now.embedding == 64 && now.hidden == 128 && now.layers == 1 && now.threads == 1);
  CHECK(now.sequence == 32 && now.batch >= 1 && now.batch <= 32 && now.augment < 0);
  CHECK(now.dropout == 0.4 && now.learning_rate > 0 && now.learning_rate <= 8e-3 && now.weight_decay == 0.01);
  CHECK(now.clip == 1 && now.validation == 0.1 && now.patience == 12);
  CHECK(now.steps == 0 && now.epochs == 0 && now.minutes == 2);
  retto_trainer_free(trainer);
}

/* A text that is truncated before the first step is an error then. */
static void changed_file(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  size_t length;
  char *text = tiny_text(100000, &length);
  write_file("text", text, length);
  MUST(retto_trainer_create(&options, &trainer));
  OK(retto_trainer_add_file(trainer, "text", RETTO_TRAINING));
  CHECK(truncate("text", 10) == 0);
  GIVES(RETTO_ERROR_FILE, retto_trainer_step(trainer, NULL));
  retto_trainer_free(trainer);
  free(text);
}

/* Many small texts: work that grows with the square of their number would not end in time. */
static void many_texts(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  MUST(retto_trainer_create(&options, &trainer));
  for (int i = 0; i < 400000; i++)
    MUST(retto_trainer_add_text(trainer, "abcdefgh", 8, RETTO_TRAINING));
  OK(retto_trainer_step(trainer, NULL));
  retto_trainer_free(trainer);
}

/* A child of fork() cannot step, can save what there is, and can free it. */
static void forked(int32_t threads) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer, *untouched;
  retto_progress p = RETTO_PROGRESS_INIT;
  options.threads = threads;
  trainer = tiny_trainer(&options);
  untouched = tiny_trainer(&options);
  OK(retto_trainer_step(trainer, &p));
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    GIVES(RETTO_ERROR_STATE, retto_trainer_step(trainer, &p));
    CHECK(strstr(retto_last_error(), "fork"));
    GIVES(RETTO_ERROR_STATE, retto_trainer_run(trainer, NULL, NULL, &p));
    OK(retto_trainer_save_checkpoint(trainer, "child"));
    same_model(trainer, "child");
    retto_trainer_free(trainer);
    retto_trainer *here = resumed("child");
    OK(retto_trainer_step(here, &p));
    CHECK(p.step == 2);
    retto_trainer_free(here);
    /* One that has no threads yet belongs to whoever steps it first. */
    OK(retto_trainer_step(untouched, &p));
    retto_trainer_free(untouched);
    fflush(NULL);
    _exit(check_result());
  }
  int how = 1;
  waitpid(child, &how, 0);
  CHECK(how == 0);
  OK(retto_trainer_step(trainer, &p));
  OK(retto_trainer_step(untouched, &p));
  retto_trainer_free(trainer);
  retto_trainer_free(untouched);
}

static void *run(void *trainer) {
  retto_progress p = RETTO_PROGRESS_INIT;
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_STOPPED);
  return NULL;
}

/* A stop is heeded while the material is prepared; the run can then go on. */
static void stopped_early(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_progress p = RETTO_PROGRESS_INIT;
  size_t length;
  char *text = tiny_text(30000000, &length);
  pthread_t thread;
  MUST(retto_trainer_create(&options, &trainer));
  MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
  OK(retto_trainer_stop(trainer));
  pthread_create(&thread, NULL, run, trainer);
  pthread_join(thread, NULL);
  CHECK(end_of(trainer) == RETTO_END_FRESH);
  OK(retto_trainer_stop(trainer));
  GIVES(RETTO_ERROR_STATE, retto_trainer_prepare(trainer));
  OK(retto_trainer_run(trainer, stop_at_once, NULL, &p));
  CHECK(p.step == 1);
  retto_trainer_free(trainer);
  free(text);
}

int main(void) {
  states();
  diverged();
  full_disk();
  in_memory();
  chosen();
  changed_file();
  many_texts();
  forked(1);
  forked(3);
  stopped_early();
  return check_result();
}
