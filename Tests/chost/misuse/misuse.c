/* Everything a host can get wrong: each call must end with the right status and a sentence, change
 * nothing, and never crash. */
#include "misuse.h"

int check_failures;
/* Before each call the last error is one that no other call leaves. */
retto_session *marker;
static char mark[256];

void set_mark(void) {
  if (retto_session_set_temperature(marker, 4321.5f) != ARGUMENT)
    exit(1);
  strncpy(mark, retto_last_error(), sizeof mark - 1);
}

void refused(const char *file, int line, const char *call, retto_status expected,
                    retto_status status) {
  const char *error = retto_last_error();
  check_status(file, line, call, expected, status);
  if (strlen(error) < 10 || strlen(error) > 1023 || strchr(error, '\n') || !strcmp(error, mark))
    check_failed(file, line, "no proper sentence in retto_last_error");
}

void accepted(const char *file, int line, const char *call, retto_status status) {
  check_status(file, line, call, RETTO_OK, status);
  if (strcmp(retto_last_error(), mark))
    check_failed(file, line, "a call that succeeded changed retto_last_error");
}

retto_model *model;
int32_t vocabulary;
size_t stride = 1;

int main(void) {
  CHECK(!strcmp(retto_last_error(), ""));
  alarm(under_tool() ? 3000 : 120); /* for what would wait for ever */
  if (under_tool())
    stride = 37;
  model = tiny_model("characters", 1);
  vocabulary = vocabulary_of(model);
  marker = tiny_session(model, 0);
  CHECK(!strcmp(retto_last_error(), ""));
  MUST(retto_model_save(model, "good.model"));
  mkdir("folder", 0700);
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options);
  MUST(retto_trainer_step(trainer, NULL));
  MUST(retto_trainer_save_checkpoint(trainer, "good.checkpoint"));
  retto_trainer_free(trainer);

  library();
  model_calls();
  structs();
  session_settings();
  session_calls();
  snapshots();
  trainer_options();
  trainer_calls();
  options.embedding = 2;
  options.hidden = 3;
  options.steps = 5;
  retto_model *small = tiny_model_with(&options);
  MUST(retto_model_save(small, "small.model"));
  retto_model_free(small);
  damaged_models("small.model");
  crafted_models();
  damaged_checkpoints();
  full_disk();
  little_memory();
  errors_per_thread();

  retto_session_free(marker);
  retto_model_free(model);
  return check_result();
}
