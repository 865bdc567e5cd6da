/* Labels and pairs: material with them, sessions that are told them, classification, beam search. */
#include "tiny.h"
#include <math.h>

static retto_trainer *make(int64_t steps) {
  retto_trainer *trainer = NULL;
  retto_trainer_options options = tiny_options();
  options.encoding = "characters";
  options.hidden = 32;
  options.validation = 0.2;
  options.patience = -1;
  options.embedding = 16;
  options.batch = 0;
  options.sequence = 0;
  options.steps = steps;
  MUST(retto_trainer_create(&options, &trainer));
  return trainer;
}

static void test_labels(void) {
  static const char *const words[2][3] = {{"abcab", "bcabc", "cabca"}, {"xyzxy", "yzxyz", "zxyzx"}};
  static const char *const names[2] = {"high", "low"};
  retto_trainer *trainer = make(300);
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_set_label(trainer, ""));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_set_label(trainer, "two\nlines"));
  for (int i = 0; i < 60; i++) {
    OK(retto_trainer_set_label(trainer, names[i % 2]));
    OK(retto_trainer_add_text(trainer, words[i % 2][i / 2 % 3], 5, RETTO_TRAINING));
  }
  OK(retto_trainer_set_label(trainer, NULL));
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  GIVES(RETTO_ERROR_STATE, retto_trainer_set_label(trainer, "late"));
  retto_model *made = NULL, *model = NULL;
  MUST(retto_trainer_model(trainer, &made));
  retto_trainer_free(trainer);
  OK(retto_model_save(made, "labels.safetensors"));
  retto_model_free(made);
  MUST(retto_model_load("labels.safetensors", &model));

  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  CHECK(info.labels == 2 && info.end_token >= 0);
  CHECK(!strcmp(retto_model_label_name(model, 1), "high"));
  CHECK(!strcmp(retto_model_label_name(model, 2), "low"));
  CHECK(!retto_model_label_name(model, 0) && !retto_model_label_name(model, 3));
  int32_t label = 0;
  OK(retto_model_find_label(model, "low", &label));
  CHECK(label == 2);
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_find_label(model, "other", &label));

  /* A session writes what its label says; a mixture, both. */
  retto_session *session = NULL;
  MUST(retto_session_create(model, NULL, &session));
  for (label = 1; label <= 2; label++) {
    int right = 0;
    OK(retto_session_reset(session, 7));
    OK(retto_session_set_label(session, label));
    for (int i = 0; i < 200; i++) {
      int32_t token;
      OK(retto_session_next(session, &token, NULL));
      right += token == info.end_token || (token >= 'x') == (label == 2);
    }
    CHECK(right >= 195);
  }
  const int32_t both[2] = {1, 2};
  const float half[2] = {1, 1}, none[2] = {0, 0};
  OK(retto_session_mix_labels(session, both, half, 2));
  OK(retto_session_mix_labels(session, NULL, NULL, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_mix_labels(session, both, none, 2));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_label(session, 3));

  /* Bayes finds it, whether or not the document has its ends. */
  const int32_t tokens[] = {info.end_token, 'b', 'c', 'a', 'b', 'c', info.end_token};
  double bare[2], whole[2];
  OK(retto_model_classify(model, tokens + 1, 5, bare, 2));
  OK(retto_model_classify(model, tokens, 7, whole, 2));
  CHECK(bare[0] == whole[0] && bare[1] == whole[1]);
  CHECK(bare[0] > bare[1] && fabs(bare[0] + bare[1] - 1) < 1e-12);
  OK(retto_model_classify(model, NULL, 0, bare, 2));
  GIVES(RETTO_ERROR_BUFFER, retto_model_classify(model, tokens, 7, whole, 1));
  const int32_t wrong[] = {info.vocabulary};
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_classify(model, wrong, 1, whole, 2));
  retto_session_free(session);
  retto_model_free(model);
}

static void test_pairs(void) {
  static const char *const pairs[4][2] = {{"a", "one"}, {"b", "two"}, {"c", "three"}, {"d", "four"}};
  retto_trainer *trainer = make(300);
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_pair(trainer, "", 0, "b", 1, RETTO_TRAINING));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_pair(trainer, "a\tb", 3, "b", 1, RETTO_TRAINING));
  for (int i = 0; i < 40; i++)
    OK(retto_trainer_add_pair(trainer, pairs[i % 4][0], 1, pairs[i % 4][1],
                              strlen(pairs[i % 4][1]), RETTO_TRAINING));
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  retto_model *model = NULL;
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_model_classify(model, NULL, 0, (double[1]){0}, 1));
  CHECK(!retto_model_label_name(model, 1));

  retto_session *session = NULL;
  MUST(retto_session_create(model, NULL, &session));
  for (int i = 0; i < 4; i++) {
    int32_t tokens[16];
    size_t count = 0, length = 0;
    double log_probability = 1;
    char text[16] = "";
    OK(retto_session_reset(session, 0));
    OK(retto_session_feed_text(session, pairs[i][0], 1));
    OK(retto_session_feed_text(session, "\t", 1));
    OK(retto_session_beam(session, 3, 16, tokens, 16, &count, &log_probability));
    CHECK(count > 1 && log_probability <= 0 && log_probability > -1);
    OK(retto_model_decode(model, tokens, count, text, sizeof text, &length));
    CHECK(length == strlen(pairs[i][1]) && !memcmp(text, pairs[i][1], length));
    /* The session is where it was. */
    size_t again = 0;
    OK(retto_session_beam(session, 1, 16, tokens, 16, &again, NULL));
    CHECK(again == count);
  }
  int32_t token;
  size_t count;
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_beam(session, 0, 1, &token, 1, &count, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_beam(session, 101, 1, &token, 1, &count, NULL));
  GIVES(RETTO_ERROR_BUFFER, retto_session_beam(session, 2, 2, &token, 1, &count, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_beam(session, 2, 1, &token, 1, NULL, NULL));
  OK(retto_session_beam(session, 2, 0, NULL, 0, &count, NULL));
  CHECK(count == 0);
  retto_session_free(session);
  retto_model_free(model);
}

int main(void) {
  test_labels();
  test_pairs();
  return check_result();
}
