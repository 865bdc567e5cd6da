/* An adapter: it predicts a writer better after it has read him, near the model and with a way back; the same
 * tokens give the same weights; the model it began with stays as it is; a session goes on with what was learned. */
#include "tiny.h"
#include <math.h>

enum { TOKENS = 600 };

/* Another text than the model's: of its letters, in another order. */
static void other_text(const retto_model *model, int32_t *tokens) {
  static const char line[] = "yzal eht revo spmuj hcihw, ylno der dna.\n";
  char text[TOKENS];
  size_t count;
  for (int i = 0; i < TOKENS; i++)
    text[i] = line[i % (sizeof line - 1)];
  MUST(retto_model_encode(model, text, TOKENS, tokens, TOKENS, &count));
  CHECK(count == TOKENS);
}

/* For a network as small as these. */
static retto_adapter *make_adapter(const retto_model *model, double pull) {
  retto_adapter_options options = RETTO_ADAPTER_OPTIONS_INIT;
  retto_adapter *adapter = NULL;
  options.learning_rate = 0.01;
  options.pull = pull;
  MUST(retto_adapter_create(model, &options, &adapter));
  return adapter;
}

static double loss_of(const retto_model *model, const int32_t *tokens, size_t count) {
  float *scores = malloc(count * sizeof *scores);
  double sum = 0;
  MUST(retto_model_score(model, tokens, count, scores));
  for (size_t i = 1; i < count; i++)
    sum -= scores[i];
  free(scores);
  return sum / (double)(count - 1);
}

static retto_model *adapted(retto_adapter *adapter) {
  retto_model *model = NULL;
  MUST(retto_adapter_model(adapter, &model));
  return model;
}

static void test_learning(const retto_model *model, const int32_t *text) {
  const size_t half = TOKENS / 2;
  double before = loss_of(model, text + half, half), loss = -1;
  uint64_t count = 9;
  retto_adapter *adapter = make_adapter(model, 0.002), *again = make_adapter(model, 0.002);
  MUST(retto_adapter_loss(adapter, &loss, &count));
  CHECK(isnan(loss) && count == 0);
  retto_model *first = adapted(adapter);
  CHECK(loss_of(first, text, TOKENS) == loss_of(model, text, TOKENS));

  MUST(retto_adapter_read(adapter, text, NULL, half));
  retto_model *second = adapted(adapter);
  CHECK(loss_of(second, text + half, half) < 0.9 * before);
  CHECK(loss_of(model, text + half, half) == before);
  MUST(retto_adapter_loss(adapter, &loss, &count));
  CHECK(count > 0 && count < half && loss > loss_of(second, text, half));

  /* In other portions it is the same. */
  for (size_t at = 0; at < half; at += 7)
    MUST(retto_adapter_read(again, text + at, NULL, half - at < 7 ? half - at : 7));
  retto_model *same = adapted(again);
  CHECK(loss_of(same, text, TOKENS) == loss_of(second, text, TOKENS));

  /* What is only read teaches nothing, and the way back leads to the model. */
  static const uint8_t nothing[TOKENS];
  MUST(retto_adapter_reset(adapter));
  MUST(retto_adapter_read(adapter, text, nothing, TOKENS));
  MUST(retto_adapter_loss(adapter, NULL, &count));
  retto_model *third = adapted(adapter);
  CHECK(count == 0 && loss_of(third, text, TOKENS) == loss_of(model, text, TOKENS));
  retto_adapter_free(adapter);
  retto_adapter_free(again);
  retto_model_free(first);
  retto_model_free(second);
  retto_model_free(third);
  retto_model_free(same);
}

/* However long it reads, it stays within reach of the model: pulled hard it hardly leaves. */
static void test_pull(const retto_model *model, const int32_t *text) {
  double losses[2];
  for (int hard = 0; hard < 2; hard++) {
    retto_adapter *adapter = make_adapter(model, hard ? 1 : 0.002);
    for (int i = 0; i < 10; i++)
      MUST(retto_adapter_read(adapter, text, NULL, TOKENS));
    retto_model *now = adapted(adapter);
    losses[hard] = loss_of(now, text, TOKENS);
    retto_model_free(now);
    retto_adapter_free(adapter);
  }
  double before = loss_of(model, text, TOKENS);
  CHECK(losses[0] < 0.5 * before && losses[1] > 0.9 * before);
}

static void test_session(const retto_model *model, const retto_model *stranger, const int32_t *text) {
  int32_t tokens[RETTO_TAKEN_TOKENS];
  uint8_t fed[RETTO_TAKEN_TOKENS];
  size_t count;
  retto_session *session = tiny_session(model, 3);
  MUST(retto_session_take_tokens(session, tokens, fed, RETTO_TAKEN_TOKENS, &count));
  CHECK(count == 0);
  MUST(retto_session_feed(session, text, 40));
  int32_t drawn;
  MUST(retto_session_next(session, &drawn, NULL));
  MUST(retto_session_take_tokens(session, tokens, fed, 30, &count));
  CHECK(count == 30 && !memcmp(tokens, text, 30 * sizeof *text));
  MUST(retto_session_take_tokens(session, tokens, fed, RETTO_TAKEN_TOKENS, &count));
  CHECK(count == 11 && !memcmp(tokens, text + 30, 10 * sizeof *text));
  CHECK(tokens[10] == drawn && fed[10] == 0 && fed[9] == 1);
  MUST(retto_session_reset(session, 3));
  MUST(retto_session_take_tokens(session, tokens, NULL, RETTO_TAKEN_TOKENS, &count));
  CHECK(count == 1 && tokens[0] == -1);
  /* The last ones are kept. */
  for (int i = 0; i < 10; i++)
    MUST(retto_session_feed(session, text, TOKENS));
  MUST(retto_session_take_tokens(session, tokens, fed, RETTO_TAKEN_TOKENS, &count));
  CHECK(count == RETTO_TAKEN_TOKENS && tokens[count - 1] == text[TOKENS - 1]);

  retto_adapter *adapter = make_adapter(model, 0.002);
  MUST(retto_adapter_read(adapter, tokens, fed, count));
  retto_model *learned = adapted(adapter), *later = NULL;
  size_t size;
  MUST(retto_session_snapshot(session, NULL, 0, &size));
  char *snapshot = malloc(size);
  MUST(retto_session_snapshot(session, snapshot, size, NULL));
  float *before = malloc(1000 * sizeof *before), *after = malloc(1000 * sizeof *after);
  MUST(retto_session_feed(session, text, 20));
  MUST(retto_session_log_probabilities(session, before, 1000));
  MUST(retto_session_restore(session, snapshot, size));
  MUST(retto_session_set_model(session, learned));
  /* The session holds it. */
  retto_model_free(learned);
  MUST(retto_session_feed(session, text, 20));
  MUST(retto_session_log_probabilities(session, after, 1000));
  CHECK(after[text[20]] > before[text[20]]);
  MUST(retto_session_restore(session, snapshot, size));
  /* On to another adaptation, and back. */
  MUST(retto_adapter_read(adapter, text, NULL, TOKENS));
  later = adapted(adapter);
  MUST(retto_session_set_model(session, later));
  MUST(retto_session_set_model(session, model));
  MUST(retto_session_feed(session, text, 20));
  MUST(retto_session_log_probabilities(session, after, 1000));
  CHECK(after[text[20]] == before[text[20]]);
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_model(session, stranger));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_model(session, NULL));
  free(before);
  free(after);
  free(snapshot);
  retto_model_free(later);
  retto_adapter_free(adapter);
  retto_session_free(session);
}

static void test_misuse(const retto_model *model) {
  const int32_t wrong[] = {1, 100000}, below[] = {-2};
  retto_adapter *adapter = NULL;
  for (int i = 0; i < 8; i++) {
    retto_adapter_options options = RETTO_ADAPTER_OPTIONS_INIT;
    const double rates[] = {0, -1, 2, NAN};
    const double pulls[] = {-0.1, 1.1, NAN};
    if (i < 4)
      options.learning_rate = rates[i];
    else if (i < 7)
      options.pull = pulls[i - 4];
    else
      options.stretch = 0;
    GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_create(model, &options, &adapter));
    CHECK(adapter == NULL);
  }
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_create(NULL, NULL, &adapter));
  MUST(retto_adapter_create(model, NULL, &adapter));
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_read(adapter, wrong, NULL, 2));
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_read(adapter, below, NULL, 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_read(adapter, NULL, NULL, 1));
  OK(retto_adapter_read(adapter, NULL, NULL, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_read(NULL, wrong, NULL, 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_adapter_model(adapter, NULL));
  retto_adapter_free(adapter);
  retto_adapter_free(NULL);
}

int main(void) {
  retto_model *model = tiny_model("bytes", 2), *stranger = tiny_model("bytes", 1);
  retto_model *small = NULL;
  int32_t text[TOKENS];
  other_text(model, text);
  test_learning(model, text);
  test_pull(model, text);
  test_session(model, stranger, text);
  MUST(retto_model_quantize(model, RETTO_INT8, &small));
  test_learning(small, text);
  test_session(small, model, text);
  test_misuse(model);
  retto_model_free(model);
  retto_model_free(stranger);
  retto_model_free(small);
  return check_result();
}
