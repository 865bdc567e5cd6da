// The header as C++ sees it: the initialisers, the enums, the callbacks, a short use.
#include <libretto.h>

#include <cmath>
#include <cstdio>
#include <string>

namespace {

int failures = 0;

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      failures++;                                                          \
    }                                                                      \
  } while (0)

void only_letters(void *user, uint8_t *allowed, size_t vocabulary) {
  ++*static_cast<int *>(user);
  for (size_t i = 0; i < vocabulary; i++)
    if (i < 'a' || i > 'z') allowed[i] = 0;
}

int32_t count_steps(void *user, const retto_progress *progress) {
  *static_cast<int64_t *>(user) = progress->step;
  return progress->end == RETTO_END_NONE && progress->step >= 20;
}

}  // namespace

int main() {
  retto_trainer_options training = RETTO_TRAINER_OPTIONS_INIT;
  retto_session_options writing = RETTO_SESSION_OPTIONS_INIT;
  retto_progress progress = RETTO_PROGRESS_INIT;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  static_assert(RETTO_OK == 0 && RETTO_TEXT_SIZE == 5, "");
  CHECK(training.size == sizeof training && training.dropout < 0 && training.weight_decay < 0 &&
        training.validation < 0 && training.hidden == 0 && !training.encoding &&
        !training.checkpoint_path && training.checkpoint_seconds == 0);
  CHECK(writing.size == sizeof writing && writing.temperature == 1 && writing.top_p == 1 &&
        writing.top_k == 0 && writing.min_p == 0 && writing.repetition_penalty == 1 &&
        writing.repetition_window == 64);
  CHECK(progress.size == sizeof progress && progress.end == RETTO_END_NONE);
  CHECK(info.size == sizeof info);
  CHECK(retto_version_number() == RETTO_VERSION_NUMBER);

  training.hidden = 16;
  training.embedding = 8;
  training.layers = 1;
  training.threads = 1;
  training.steps = 30;
  training.encoding = "bytes";
  std::string text;
  for (int i = 0; i < 300; i++) text += "hello, world\n";
  retto_trainer *trainer = nullptr;
  retto_model *model = nullptr;
  retto_session *session = nullptr;
  int64_t steps = 0;
  if (retto_trainer_create(&training, &trainer) ||
      retto_trainer_add_text(trainer, text.data(), text.size(), RETTO_TRAINING) ||
      retto_trainer_run(trainer, count_steps, &steps, &progress) ||
      retto_trainer_model(trainer, &model) || retto_session_create(model, &writing, &session)) {
    std::fprintf(stderr, "%s\n", retto_last_error());
    return 1;
  }
  CHECK(steps == 20 && progress.step == 20 && progress.end == RETTO_END_STOPPED);
  CHECK(retto_model_get_info(model, &info) == RETTO_OK);
  CHECK(info.vocabulary == 256 && std::string(info.encoding) == "bytes");
  int asked = 0;
  CHECK(retto_session_set_mask(session, only_letters, &asked) == RETTO_OK);
  for (int i = 0; i < 50; i++) {
    int32_t token = 0;
    float log_probability = 1;
    CHECK(retto_session_next(session, &token, &log_probability) == RETTO_OK);
    CHECK(token >= 'a' && token <= 'z' && std::isfinite(log_probability));
  }
  CHECK(asked == 50);
  retto_session_free(session);
  retto_model_free(model);
  retto_trainer_free(trainer);
  return failures != 0;
}
