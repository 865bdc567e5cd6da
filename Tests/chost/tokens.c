/* Sequences of a host's own numbers: learned, sampled, scored, with targets of the host's own. */
#include "check.h"
#include <math.h>
#include <stdint.h>

enum { VOCABULARY = 12, LENGTH = 24 };

static retto_trainer *make(retto_trainer_options *options) {
  retto_trainer *trainer = NULL;
  options->encoding = "tokens";
  options->vocabulary = VOCABULARY;
  options->hidden = 32;
  options->layers = 1;
  options->embedding = 16;
  options->threads = 1;
  options->learning_rate = 0.02;
  options->validation = 0;
  options->steps = 300;
  MUST(retto_trainer_create(options, &trainer));
  return trainer;
}

/* Piece `k` counts from k in steps of 5, and is as long as all others. */
static void count_up(int32_t *tokens, int k) {
  for (int i = 0; i < LENGTH; i++)
    tokens[i] = (k + 5 * i) % VOCABULARY;
}

static void test_sequences(void) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = make(&options);
  int32_t tokens[LENGTH];
  for (int k = 0; k < VOCABULARY; k++) {
    count_up(tokens, k);
    OK(retto_trainer_add_tokens(trainer, tokens, NULL, LENGTH, RETTO_TRAINING));
  }
  memset(tokens, 1, sizeof tokens); /* they were copied */
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  retto_trainer_options chosen = RETTO_TRAINER_OPTIONS_INIT;
  OK(retto_trainer_get_options(trainer, &chosen));
  CHECK(chosen.vocabulary == VOCABULARY && !strcmp(chosen.encoding, "tokens"));
  retto_model *model = NULL, *again = NULL;
  MUST(retto_trainer_model(trainer, &model));
  GIVES(RETTO_ERROR_STATE, retto_trainer_add_tokens(trainer, tokens, NULL, LENGTH, RETTO_TRAINING));
  retto_trainer_free(trainer);

  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_save(model, "tokens.safetensors"));
  MUST(retto_model_load("tokens.safetensors", &again));
  OK(retto_model_get_info(again, &info));
  CHECK(info.kind == RETTO_KIND_TOKENS && info.is_text == 0 && info.vocabulary == VOCABULARY + 1 &&
        info.end_token == VOCABULARY && info.ticks_per_quarter == 0 &&
        !strcmp(info.encoding, "tokens"));

  /* It begins anywhere, counts on, and ends after as many; two pieces in a row. */
  retto_session *session = NULL;
  retto_session_options settings = RETTO_SESSION_OPTIONS_INIT;
  settings.temperature = 0.3f;
  MUST(retto_session_create(again, &settings, &session));
  int right = 0, ends = 0;
  int32_t last = -1, token = -1;
  for (int i = 0; i < 2 * (LENGTH + 1); i++) {
    OK(retto_session_next(session, &token, NULL));
    CHECK(token >= 0 && token <= VOCABULARY);
    ends += token == VOCABULARY;
    right += last >= 0 && last < VOCABULARY && token == (last + 5) % VOCABULARY;
    last = token;
  }
  CHECK(ends == 2 && right >= 2 * (LENGTH - 1) - 2);

  /* What counts on is probable, what does not is not; a piece is read from a zero state. */
  float log_probabilities[LENGTH];
  int32_t piece[LENGTH + 1];
  piece[0] = VOCABULARY;
  count_up(piece + 1, 7);
  OK(retto_model_score(again, piece, LENGTH, log_probabilities));
  for (int i = 2; i < LENGTH - 1; i++)
    CHECK(log_probabilities[i] > logf(0.5f));
  piece[9] = (piece[9] + 1) % VOCABULARY;
  OK(retto_model_score(again, piece, LENGTH, log_probabilities));
  CHECK(log_probabilities[9] < logf(0.1f));

  /* Snapshots and feeding are as for other models; calls for text and music say which to use. */
  size_t size = 0;
  OK(retto_session_snapshot(session, NULL, 0, &size));
  void *snapshot = malloc(size);
  OK(retto_session_snapshot(session, snapshot, size, &size));
  int32_t first = 0, second = 0;
  OK(retto_session_next(session, &first, NULL));
  OK(retto_session_restore(session, snapshot, size));
  OK(retto_session_next(session, &second, NULL));
  CHECK(first == second);
  free(snapshot);
  retto_event event;
  char text[RETTO_TEXT_SIZE];
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_next_text(session, text, sizeof text, NULL));
  CHECK(strstr(retto_last_error(), "tokens") != NULL);
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_next_event(session, &event));
  CHECK(strstr(retto_last_error(), "tokens") != NULL);
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_set_bars(session, 4));
  OK(retto_session_reset(session, 3));
  int32_t wrong = VOCABULARY + 1;
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_feed(session, &wrong, 1));
  retto_session_free(session);
  retto_model_free(again);
  retto_model_free(model);
}

/* Labels: after digits and a question mark, which one came last but one; nothing else counts. */
static void test_targets(void) {
  enum { QUESTION = 11, N = 8 };
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = make(&options);
  int32_t tokens[N], targets[N];
  uint32_t random = 1;
  for (int k = 0; k < 4000; k++) {
    for (int i = 0; i < N; i++) {
      random = random * 1664525 + 1013904223;
      tokens[i] = i == N - 1 ? QUESTION : (int32_t)(random >> 24) % 10;
      targets[i] = -1;
    }
    /* The label is the token before the last digit. The digits are noise, which costs nothing. */
    targets[N - 1] = tokens[N - 3];
    const retto_role role = k % 10 ? RETTO_TRAINING : RETTO_VALIDATION;
    OK(retto_trainer_add_tokens(trainer, tokens, targets, N, role));
  }
  retto_progress end = RETTO_PROGRESS_INIT;
  MUST(retto_trainer_run(trainer, NULL, NULL, &end));
  CHECK(end.loss < 0.5);
  retto_model *model = NULL;
  MUST(retto_trainer_model(trainer, &model));
  retto_session *session = NULL;
  MUST(retto_session_create(model, NULL, &session));
  int right = 0;
  for (int digit = 0; digit < 10; digit++) {
    const int32_t asked[N] = {1, 2, 3, 4, 5, digit, 7, QUESTION};
    float log_probabilities[VOCABULARY + 1];
    OK(retto_session_reset(session, 0));
    OK(retto_session_feed(session, asked, N));
    OK(retto_session_log_probabilities(session, log_probabilities, VOCABULARY + 1));
    int best = 0;
    for (int i = 0; i <= VOCABULARY; i++)
      if (log_probabilities[i] > log_probabilities[best])
        best = i;
    right += best == digit;
  }
  CHECK(right >= 9);
  retto_session_free(session);
  retto_model_free(model);
  retto_trainer_free(trainer);
}

static void test_refusals(void) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = make(&options);
  const int32_t good[3] = {0, 11, 3}, wrong[3] = {0, 12, 3}, none[3] = {-1, -1, -1};
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, wrong, NULL, 3, RETTO_TRAINING));
  CHECK(strstr(retto_last_error(), "token 1 is 12") != NULL);
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, none, NULL, 3, RETTO_TRAINING));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, good, wrong, 3, RETTO_TRAINING));
  CHECK(strstr(retto_last_error(), "target 1 is 12") != NULL);
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, NULL, NULL, 3, RETTO_TRAINING));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, good, NULL, SIZE_MAX / 2, RETTO_TRAINING));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(trainer, good, NULL, 3, (retto_role)7));
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_add_tokens(NULL, good, NULL, 3, RETTO_TRAINING));
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_add_text(trainer, "text", 4, RETTO_TRAINING));
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_step(trainer, NULL));
  /* A piece may be empty, and -1 may be all its targets. */
  OK(retto_trainer_add_tokens(trainer, NULL, NULL, 0, RETTO_TRAINING));
  OK(retto_trainer_add_tokens(trainer, good, none, 3, RETTO_TRAINING));
  OK(retto_trainer_step(trainer, NULL));
  retto_trainer_free(trainer);

  for (int i = 0; i < 3; i++) {
    options = (retto_trainer_options)RETTO_TRAINER_OPTIONS_INIT;
    options.encoding = i < 2 ? "tokens" : NULL;
    options.vocabulary = i == 1 ? 65536 : 0;
    trainer = NULL;
    if (i == 1) {
      GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_create(&options, &trainer));
      continue;
    }
    MUST(retto_trainer_create(&options, &trainer));
    GIVES(i == 0 ? RETTO_ERROR_ARGUMENT : RETTO_ERROR_CORPUS,
          retto_trainer_add_tokens(trainer, good, NULL, 3, RETTO_TRAINING));
    retto_trainer_free(trainer);
  }
}

int main(void) {
  test_sequences();
  test_targets();
  test_refusals();
  return check_result();
}
