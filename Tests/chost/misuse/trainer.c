/* Trainers. */
#include "misuse.h"

void trainer_options(void) {
  enum kind { WHOLE, LONG, REAL };
  static const struct {
    const char *name;
    size_t offset;
    enum kind kind;
    double wrong[4];
  } members[] = {
#define MEMBER(name, kind, ...) {#name, offsetof(retto_trainer_options, name), kind, {__VA_ARGS__}}
      MEMBER(embedding, WHOLE, -1, 16385, INT32_MAX, INT32_MIN),
      MEMBER(hidden, WHOLE, -1, 16385, INT32_MAX, INT32_MIN),
      MEMBER(layers, WHOLE, -1, 33, INT32_MAX, INT32_MIN),
      MEMBER(batch, WHOLE, -1, 4097, INT32_MAX, INT32_MIN),
      MEMBER(sequence, WHOLE, -1, 65537, INT32_MAX, INT32_MIN),
      MEMBER(threads, WHOLE, -1, 257, INT32_MAX, INT32_MIN),
      MEMBER(patience, WHOLE, 1000001, INT32_MAX, INT32_MAX, INT32_MAX),
      MEMBER(steps, LONG, -1, -9e18, 2e12, 9e18),
      MEMBER(dropout, REAL, 0.96, 1, INFINITY, NAN),
      MEMBER(learning_rate, REAL, -0.1, 11, INFINITY, NAN),
      MEMBER(weight_decay, REAL, 11, 1e300, INFINITY, NAN),
      MEMBER(clip, REAL, -1, 1e300, INFINITY, NAN),
      MEMBER(epochs, REAL, -1, 1e300, INFINITY, NAN),
      MEMBER(minutes, REAL, -1, 1e300, INFINITY, NAN),
      MEMBER(validation, REAL, 0.91, 1, INFINITY, NAN),
      MEMBER(checkpoint_seconds, REAL, -1, 1e300, INFINITY, NAN),
#undef MEMBER
  };
  const retto_trainer_options usual = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer_options options;
  retto_trainer *made;
  for EACH (m, members)
    for (int i = 0; i < 4; i++) {
      double value = members[m].wrong[i];
      char *at = (char *)&options + members[m].offset;
      options = usual;
      if (members[m].kind == WHOLE)
        *(int32_t *)(void *)at = (int32_t)value;
      else if (members[m].kind == LONG)
        *(int64_t *)(void *)at = (int64_t)value;
      else
        *(double *)(void *)at = value;
      MAKES_NOTHING(ARGUMENT, made, retto_trainer_create(&options, &made));
      MAKES_NOTHING(ARGUMENT, made, retto_trainer_create_from(model, &options, &made));
      MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume("good.checkpoint", &options, &made));
    }
  /* Below 0 to choose: any number, and the smallest. */
  options = usual;
  options.dropout = options.weight_decay = options.validation = -INFINITY;
  options.patience = INT32_MIN;
  ACCEPTS(retto_trainer_create(&options, &made));
  retto_trainer_free(made);
  /* Each within its range, but not together. */
  options = usual;
  options.batch = 4096;
  options.sequence = 65536;
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_create(&options, &made));
  options = usual;
  options.encoding = "";
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_create(&options, &made));
  options.encoding = "\xFF";
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_create(&options, &made));
  options.encoding = "melodies";
  MAKES_NOTHING(UNSUPPORTED, made, retto_trainer_create(&options, &made));
  options = usual;
  options.checkpoint_path = "";
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_create(&options, &made));

  /* Sizes that contradict the model or the checkpoint. */
  for (int i = 0; i < 4; i++) {
    options = usual;
    if (i == 0)
      options.embedding = 5;
    if (i == 1)
      options.hidden = 5;
    if (i == 2)
      options.layers = 5;
    if (i == 3)
      options.encoding = "bytes";
    MAKES_NOTHING(ARGUMENT, made, retto_trainer_create_from(model, &options, &made));
    MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume("good.checkpoint", &options, &made));
  }
  options = usual;
  options.seed = 3;
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume("good.checkpoint", &options, &made));
  options = usual;
  options.learning_rate = 0.1;
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume("good.checkpoint", &options, &made));

  /* Sizes nothing has room for: known at the first step. */
  options = usual;
  options.hidden = options.embedding = 16384;
  options.layers = 32;
  ACCEPTS(retto_trainer_create(&options, &made));
  OK(retto_trainer_add_text(made, tiny_line, sizeof tiny_line, RETTO_TRAINING));
  REFUSES(ARGUMENT, retto_trainer_step(made, NULL));
  retto_trainer_free(made);
}

void trainer_calls(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *made, *trainer = NULL;
  retto_model *taken;
  retto_progress p = RETTO_PROGRESS_INIT;

  REFUSES(ARGUMENT, retto_trainer_create(NULL, NULL));
  REFUSES(ARGUMENT, retto_trainer_create_from(model, NULL, NULL));
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_create_from(NULL, NULL, &made));
  REFUSES(ARGUMENT, retto_trainer_resume("good.checkpoint", NULL, NULL));
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume(NULL, NULL, &made));
  MAKES_NOTHING(FILE_, made, retto_trainer_resume("missing.checkpoint", NULL, &made));
  MAKES_NOTHING(FILE_, made, retto_trainer_resume(".", NULL, &made));
  MAKES_NOTHING(FORMAT, made, retto_trainer_resume("good.model", NULL, &made));
  MAKES_NOTHING(FORMAT, made, retto_trainer_resume("empty.model", NULL, &made));
  retto_trainer_free(NULL);

  REFUSES(ARGUMENT, retto_trainer_add_file(NULL, "good.model", RETTO_TRAINING));
  REFUSES(ARGUMENT, retto_trainer_add_text(NULL, "a", 1, RETTO_TRAINING));
  REFUSES(ARGUMENT, retto_trainer_step(NULL, &p));
  REFUSES(ARGUMENT, retto_trainer_run(NULL, NULL, NULL, &p));
  REFUSES(ARGUMENT, retto_trainer_stop(NULL));
  REFUSES(ARGUMENT, retto_trainer_save_checkpoint(NULL, "x"));
  REFUSES(ARGUMENT, retto_trainer_save_checkpoint_memory(NULL, NULL, 0, &(size_t){0}));
  REFUSES(ARGUMENT, retto_model_save_memory(NULL, NULL, 0, &(size_t){0}));
  REFUSES(ARGUMENT, retto_trainer_prepare(NULL));
  REFUSES(ARGUMENT, retto_trainer_get_options(NULL, &(retto_trainer_options)RETTO_TRAINER_OPTIONS_INIT));
  REFUSES(ARGUMENT, retto_trainer_get_progress(NULL, &(retto_progress)RETTO_PROGRESS_INIT));
  MAKES_NOTHING(ARGUMENT, made, retto_trainer_resume_memory(NULL, 5, NULL, &made));
  MAKES_NOTHING(FORMAT, made, retto_trainer_resume_memory("12345678{}", 10, NULL, &made));
  MAKES_NOTHING(ARGUMENT, taken, retto_trainer_model(NULL, &taken));

  MUST(retto_trainer_create(&options, &trainer));
  REFUSES(ARGUMENT, retto_trainer_model(trainer, NULL));
  REFUSES(ARGUMENT, retto_trainer_add_file(trainer, NULL, RETTO_TRAINING));
  REFUSES(ARGUMENT, retto_trainer_add_file(trainer, "", RETTO_TRAINING));
  REFUSES(FILE_, retto_trainer_add_file(trainer, "missing.txt", RETTO_TRAINING));
  REFUSES(FILE_, retto_trainer_add_file(trainer, ".", RETTO_VALIDATION));
  REFUSES(ARGUMENT, retto_trainer_add_text(trainer, NULL, 1, RETTO_TRAINING));
  for EACH (i, bad_lengths)
    REFUSES(ARGUMENT, retto_trainer_add_text(trainer, "a", bad_lengths[i], RETTO_TRAINING));
  const int roles[] = {2, -1, INT32_MAX, INT32_MIN};
  for EACH (i, roles) {
    REFUSES(ARGUMENT, retto_trainer_add_text(trainer, "a", 1, (retto_role)roles[i]));
    REFUSES(ARGUMENT, retto_trainer_add_file(trainer, "good.model", (retto_role)roles[i]));
  }

  /* Nothing to learn from; and too little. */
  for (int i = 0; i < 4; i++) {
    REFUSES(CORPUS, retto_trainer_step(trainer, &p));
    CHECK(p.step == 0 && isnan(p.loss) && p.end == RETTO_END_FRESH);
    REFUSES(CORPUS, retto_trainer_run(trainer, NULL, NULL, NULL));
    MAKES_NOTHING(CORPUS, taken, retto_trainer_model(trainer, &taken));
    REFUSES(CORPUS, retto_trainer_save_checkpoint(trainer, "x.checkpoint"));
    if (i == 0)
      ACCEPTS(retto_trainer_add_text(trainer, NULL, 0, RETTO_TRAINING));
    if (i == 1)
      ACCEPTS(retto_trainer_add_text(trainer, "a", 1, RETTO_TRAINING));
    if (i == 2) {
      write_file("empty.txt", "", 0);
      ACCEPTS(retto_trainer_add_file(trainer, "empty.txt", RETTO_TRAINING));
      ACCEPTS(retto_trainer_add_text(trainer, tiny_line, sizeof tiny_line, RETTO_VALIDATION));
    }
  }
  /* Two tokens are enough, and what was refused is forgotten. */
  ACCEPTS(retto_trainer_add_text(trainer, "b", 1, RETTO_TRAINING));
  ACCEPTS(retto_trainer_step(trainer, &p));
  CHECK(p.step == 1 && isfinite(p.loss));
  REFUSES(STATE, retto_trainer_add_text(trainer, "a", 1, RETTO_TRAINING));
  REFUSES(STATE, retto_trainer_add_file(trainer, "good.model", RETTO_VALIDATION));
  REFUSES(ARGUMENT, retto_trainer_save_checkpoint(trainer, NULL));
  REFUSES(FILE_, retto_trainer_save_checkpoint(trainer, "no/such/folder"));
  ACCEPTS(retto_trainer_step(trainer, NULL));
  ACCEPTS(retto_trainer_stop(trainer));
  ACCEPTS(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_STOPPED && p.step == 2);
  ACCEPTS(retto_trainer_run(trainer, NULL, NULL, NULL));
  for (int i = 0; i < 3; i++) {
    ACCEPTS(retto_trainer_step(trainer, &p));
    CHECK(p.end == RETTO_END_FINISHED && p.step == 60);
  }
  retto_trainer_free(trainer);

  /* Material of one symbol, of bytes that are no UTF-8, a tiny one for large windows. */
  static char odd[3][300];
  memset(odd[0], 'a', 300);
  memset(odd[1], 0xFF, 300);
  for (int i = 0; i < 300; i++)
    odd[2][i] = (char)(i * 7);
  for (int i = 0; i < 6; i++) {
    options = tiny_options();
    options.steps = 30;
    if (i >= 3) {
      options.batch = 4096;
      options.sequence = 4096;
      options.threads = 5;
    }
    MUST(retto_trainer_create(&options, &trainer));
    OK(retto_trainer_add_text(trainer, odd[i % 3], 300, RETTO_TRAINING));
    OK(retto_trainer_run(trainer, NULL, NULL, &p));
    CHECK(p.step == 30 && isfinite(p.loss));
    retto_trainer_free(trainer);
  }

  /* Far too high a learning rate. The best weights are kept, and stay takeable. */
  options = tiny_options();
  options.learning_rate = 10;
  options.clip = 1e9;
  options.steps = 5000;
  options.layers = 3;
  trainer = tiny_trainer(&options);
  retto_status status = retto_trainer_run(trainer, NULL, NULL, &p);
  CHECK(status == RETTO_OK || status == RETTO_ERROR_DIVERGED);
  if (status) {
    REFUSES(RETTO_ERROR_DIVERGED, retto_trainer_step(trainer, &p));
    REFUSES(RETTO_ERROR_DIVERGED, retto_trainer_run(trainer, NULL, NULL, &p));
  }
  ACCEPTS(retto_trainer_model(trainer, &taken));
  retto_model_free(taken);
  retto_trainer_free(trainer);
}
