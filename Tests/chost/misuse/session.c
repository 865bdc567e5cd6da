/* Sessions and snapshots. */
#include "misuse.h"

static const float wrong_temperatures[] = {-1, -1e-6f, 100.1f, INFINITY, -INFINITY, NAN};
static const float wrong_top_ps[] = {0, -0.5f, 1.0001f, INFINITY, -INFINITY, NAN};
static const float wrong_min_ps[] = {-0.001f, 1.0001f, INFINITY, -INFINITY, NAN};
static const float wrong_penalties[] = {0, 0.09f, 10.1f, -1, INFINITY, -INFINITY, NAN};
static const int32_t wrong_windows[] = {-1, 257, INT32_MIN, INT32_MAX};
static const int32_t wrong_top_ks[] = {-1, INT32_MIN};

void session_settings(void) {
  const retto_session_options usual = RETTO_SESSION_OPTIONS_INIT;
  retto_session_options options;
  retto_session *made, *session = tiny_session(model, 1), *same = tiny_session(model, 1);
/* `call` may name the wrong value `wrong`. */
#define EACH_WRONG(type, array, member, call)                                              \
  for EACH (i, array) {                                                                    \
    type wrong = array[i];                                                                 \
    options = usual;                                                                       \
    options.member = wrong;                                                                \
    MAKES_NOTHING(ARGUMENT, made, retto_session_create(model, &options, &made));           \
    REFUSES(ARGUMENT, call);                                                               \
  }
  EACH_WRONG(float, wrong_temperatures, temperature, retto_session_set_temperature(session, wrong))
  EACH_WRONG(float, wrong_top_ps, top_p, retto_session_set_top_p(session, wrong))
  EACH_WRONG(float, wrong_min_ps, min_p, retto_session_set_min_p(session, wrong))
  EACH_WRONG(int32_t, wrong_top_ks, top_k, retto_session_set_top_k(session, wrong))
  EACH_WRONG(float, wrong_penalties, repetition_penalty,
             retto_session_set_repetition(session, wrong, 5))
  EACH_WRONG(int32_t, wrong_windows, repetition_window,
             retto_session_set_repetition(session, 2, wrong))
#undef EACH_WRONG
  /* Nothing of it stuck. */
  for (int i = 0; i < 200; i++) {
    int32_t a = -1, b = -2;
    OK(retto_session_next(session, &a, NULL));
    OK(retto_session_next(same, &b, NULL));
    CHECK(a == b);
  }
  /* The ends of the ranges are in them, and draws with them work. */
  for (int i = 0; i < 64; i++) {
    int32_t token = -1;
    ACCEPTS(retto_session_set_temperature(session, i & 1 ? 100 : 0));
    ACCEPTS(retto_session_set_top_k(session, i & 2 ? INT32_MAX : 1));
    ACCEPTS(retto_session_set_top_p(session, i & 4 ? 1 : 1e-30f));
    ACCEPTS(retto_session_set_min_p(session, i & 8 ? 1 : 0));
    ACCEPTS(retto_session_set_repetition(session, i & 16 ? 10 : 0.1f, i & 32 ? 256 : 0));
    ACCEPTS(retto_session_next(session, &token, NULL));
    CHECK(token >= 0 && token < vocabulary);
  }
  ACCEPTS(retto_session_set_temperature(session, 1e-38f));
  ACCEPTS(retto_session_next(session, NULL, NULL));
  ACCEPTS(retto_session_set_temperature(session, -0.0f));
  ACCEPTS(retto_session_next(session, NULL, NULL));
  retto_session_free(session);
  retto_session_free(same);
}

void session_calls(void) {
  retto_session *made, *session = tiny_session(model, 1), *same = tiny_session(model, 1);
  int32_t tokens[8] = {'a', 'b', 'c', 0, 0, 0, 0, 0};
  float number, *all = malloc((size_t)vocabulary * sizeof *all);
  char text[16] = "untouched";
  size_t length = 0, size = 0;

  MAKES_NOTHING(ARGUMENT, made, retto_session_create(NULL, NULL, &made));
  REFUSES(ARGUMENT, retto_session_create(model, NULL, NULL));
  ACCEPTS(retto_session_create(model, NULL, &made));
  retto_session_free(made);
  retto_session_free(NULL);

  /* NULL for the session. */
  REFUSES(ARGUMENT, retto_session_reset(NULL, 0));
  REFUSES(ARGUMENT, retto_session_feed(NULL, tokens, 1));
  REFUSES(ARGUMENT, retto_session_feed_text(NULL, "a", 1));
  REFUSES(ARGUMENT, retto_session_next(NULL, tokens, &number));
  REFUSES(ARGUMENT, retto_session_next_text(NULL, text, sizeof text, &length));
  REFUSES(ARGUMENT, retto_session_log_probabilities(NULL, all, (size_t)vocabulary));
  REFUSES(ARGUMENT, retto_session_set_temperature(NULL, 1));
  REFUSES(ARGUMENT, retto_session_set_top_k(NULL, 1));
  REFUSES(ARGUMENT, retto_session_set_top_p(NULL, 1));
  REFUSES(ARGUMENT, retto_session_set_min_p(NULL, 1));
  REFUSES(ARGUMENT, retto_session_set_repetition(NULL, 1, 1));
  REFUSES(ARGUMENT, retto_session_set_grammar(NULL, 1));
  REFUSES(ARGUMENT, retto_session_set_mask(NULL, NULL, NULL));
  REFUSES(ARGUMENT, retto_session_snapshot(NULL, text, sizeof text, &size));
  REFUSES(ARGUMENT, retto_session_restore(NULL, text, sizeof text));

  /* NULL and impossible lengths elsewhere. */
  REFUSES(ARGUMENT, retto_session_feed(session, NULL, 1));
  REFUSES(ARGUMENT, retto_session_feed_text(session, NULL, 1));
  REFUSES(ARGUMENT, retto_session_next_text(session, NULL, 5, &length));
  REFUSES(ARGUMENT, retto_session_next_text(session, NULL, 0, NULL));
  REFUSES(ARGUMENT, retto_session_log_probabilities(session, NULL, (size_t)vocabulary));
  REFUSES(ARGUMENT, retto_session_snapshot(session, NULL, 0, NULL));
  REFUSES(ARGUMENT, retto_session_snapshot(session, NULL, 100000, &size));
  REFUSES(ARGUMENT, retto_session_restore(session, NULL, 10));
  REFUSES(ARGUMENT, retto_session_restore(session, NULL, 0));
  for EACH (i, bad_lengths) {
    REFUSES(ARGUMENT, retto_session_feed(session, tokens, bad_lengths[i]));
    REFUSES(ARGUMENT, retto_session_feed_text(session, "a", bad_lengths[i]));
    REFUSES(ARGUMENT, retto_session_next_text(session, text, bad_lengths[i], &length));
    REFUSES(ARGUMENT, retto_session_log_probabilities(session, all, bad_lengths[i]));
    REFUSES(ARGUMENT, retto_session_snapshot(session, text, bad_lengths[i], &size));
    REFUSES(ARGUMENT, retto_session_restore(session, text, bad_lengths[i]));
  }
  ACCEPTS(retto_session_feed(session, NULL, 0));
  ACCEPTS(retto_session_feed_text(session, NULL, 0));
  ACCEPTS(retto_session_set_mask(session, NULL, tokens));
  ACCEPTS(retto_session_set_grammar(session, INT32_MIN));

  /* Buffers that are too short. */
  for (size_t capacity = 0; capacity < RETTO_TEXT_SIZE; capacity++) {
    REFUSES(BUFFER, retto_session_next_text(session, text, capacity, &length));
    CHECK(length == RETTO_TEXT_SIZE && !strcmp(text, "untouched"));
    REFUSES(BUFFER, retto_session_next_text(session, text, capacity, NULL));
  }
  ACCEPTS(retto_session_next_text(session, NULL, 0, &length));
  CHECK(length == RETTO_TEXT_SIZE);
  for (int i = 0; i < vocabulary; i++)
    all[i] = 77;
  REFUSES(BUFFER, retto_session_log_probabilities(session, all, (size_t)vocabulary - 1));
  REFUSES(BUFFER, retto_session_log_probabilities(session, all, 0));
  for (int i = 0; i < vocabulary; i++)
    CHECK(all[i] == 77);

  /* Wrong tokens, with nothing read. */
  const int32_t wrong[] = {-1, vocabulary, INT32_MIN, INT32_MAX};
  for EACH (i, wrong) {
    tokens[2] = wrong[i];
    REFUSES(ARGUMENT, retto_session_feed(session, tokens, 3));
  }
  for (int i = 0; i < 100; i++) {
    int32_t a = -1, b = -2;
    OK(retto_session_next(session, &a, NULL));
    OK(retto_session_next(same, &b, NULL));
    CHECK(a == b);
  }

  /* Many. */
  retto_session *many[4] = {session, same, marker, NULL};
  REFUSES(ARGUMENT, retto_sessions_next(NULL, 2, tokens, all));
  REFUSES(ARGUMENT, retto_sessions_next(many, 2, NULL, all));
  REFUSES(ARGUMENT, retto_sessions_next(many, 4, tokens, all));
  for EACH (i, bad_lengths)
    REFUSES(ARGUMENT, retto_sessions_next(many, bad_lengths[i], tokens, all));
  ACCEPTS(retto_sessions_next(NULL, 0, NULL, NULL));
  ACCEPTS(retto_sessions_next(many, 0, tokens, NULL));
  ACCEPTS(retto_sessions_next(many, 2, tokens, NULL));
  retto_model *other = tiny_model("bytes", 1);
  retto_session *stranger = tiny_session(other, 1);
  tokens[0] = tokens[1] = tokens[2] = -9;
  many[2] = stranger;
  REFUSES(ARGUMENT, retto_sessions_next(many, 3, tokens, all));
  many[2] = session;
  REFUSES(ARGUMENT, retto_sessions_next(many, 3, tokens, all));
  CHECK(tokens[0] == -9 && tokens[1] == -9 && tokens[2] == -9);
  retto_session_free(stranger);
  retto_model_free(other);

  /* All of them still work. */
  ACCEPTS(retto_session_next(session, tokens, &number));
  ACCEPTS(retto_session_next(same, tokens, &number));
  free(all);
  retto_session_free(session);
  retto_session_free(same);
}

/* Draws and measures whatever the model or session may be. */
void use_session(retto_session *session) {
  char text[RETTO_TEXT_SIZE];
  size_t size = 0;
  retto_status status;
  for (int i = 0; i < 3; i++) {
    int32_t token = -1;
    status = retto_session_next(session, &token, NULL);
    CHECK(status == RETTO_OK ? token >= 0 : status == RETTO_ERROR_EXHAUSTED);
  }
  status = retto_session_next_text(session, text, sizeof text, NULL);
  CHECK(status == RETTO_OK || status == RETTO_ERROR_EXHAUSTED);
  OK(retto_session_snapshot(session, NULL, 0, &size));
  void *bytes = malloc(size);
  OK(retto_session_snapshot(session, bytes, size, &size));
  /* What is no longer a number is not restored. */
  status = retto_session_restore(session, bytes, size);
  CHECK(status == RETTO_OK || status == FORMAT);
  free(bytes);
}

void snapshots(void) {
  retto_session *session = tiny_session(model, 1);
  size_t size = 0;
  OK(retto_session_set_temperature(session, 2));
  OK(retto_session_set_top_k(session, 20));
  OK(retto_session_set_top_p(session, 0.9f));
  OK(retto_session_set_min_p(session, 0.01f));
  OK(retto_session_set_repetition(session, 2, 256));
  for (int i = 0; i < 300; i++)
    OK(retto_session_next(session, NULL, NULL));
  OK(retto_session_snapshot(session, NULL, 0, &size));
  unsigned char *good = malloc(size), *bad = malloc(size + 1);
  memset(good, 7, size);
  for (size_t capacity = 0; capacity < size; capacity += 97)
    REFUSES(BUFFER, retto_session_snapshot(session, good, capacity, &size));
  REFUSES(BUFFER, retto_session_snapshot(session, good, size - 1, &size));
  for (size_t i = 0; i < size; i++)
    CHECK(good[i] == 7);
  OK(retto_session_snapshot(session, good, size, NULL));

  for (size_t length = 0; length < size; length++)
    REFUSES(FORMAT, retto_session_restore(session, good, length));
  memcpy(bad, good, size);
  bad[size] = 0;
  REFUSES(FORMAT, retto_session_restore(session, bad, size + 1));
  memset(bad, 0, size);
  REFUSES(FORMAT, retto_session_restore(session, bad, size));
  /* Of another model. */
  retto_model *other = tiny_model("bytes", 1), *twin;
  retto_session *stranger = tiny_session(other, 1);
  size_t other_size = 0;
  OK(retto_session_snapshot(stranger, NULL, 0, &other_size));
  void *foreign = malloc(other_size);
  OK(retto_session_snapshot(stranger, foreign, other_size, NULL));
  REFUSES(FORMAT, retto_session_restore(session, foreign, other_size));
  retto_session_free(stranger);
  retto_model_free(other);
  free(foreign);
  /* Of one with the same sizes but other weights. */
  retto_trainer_options options = tiny_options();
  options.encoding = "characters";
  options.seed = 99;
  options.steps = 1;
  twin = tiny_model_with(&options);
  stranger = tiny_session(twin, 1);
  REFUSES(FORMAT, retto_session_restore(stranger, good, size));
  retto_session_free(stranger);
  retto_model_free(twin);

  /* Every byte changed. */
  static const unsigned char flips[] = {0x01, 0x80, 0xFF, 0x7F};
  for (size_t i = 0; i < size; i += stride)
    for EACH (f, flips) {
      memcpy(bad, good, size);
      bad[i] ^= flips[f];
      retto_status status = retto_session_restore(session, bad, size);
      /* Byte 8 to 11 tell the version, and a newer one is not damaged. */
      CHECK(status == FORMAT || (i >= 8 && i < 12 && status == RETTO_ERROR_UNSUPPORTED));
    }
  /* Every word set to the extremes of whole numbers. */
  static const uint64_t words[] = {0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1,
                                   INT64_MAX - 1, UINT32_MAX, INT32_MAX, UINT64_MAX - 1};
  for (size_t i = 0; i + 8 <= size && i < 1200; i += 4 * stride)
    for EACH (w, words) {
      memcpy(bad, good, size);
      memcpy(bad + i, &words[w], 8);
      retto_status status = retto_session_restore(session, bad, size);
      CHECK(status == RETTO_OK || status == FORMAT);
      use_session(session);
      OK(retto_session_restore(session, good, size));
    }
  /* A refused one changes nothing. */
  retto_session *same = tiny_session(model, 1);
  OK(retto_session_restore(same, good, size));
  memcpy(bad, good, size);
  bad[size - 3] = 9; /* the last thing looked at: the grammar */
  REFUSES(FORMAT, retto_session_restore(same, bad, size));
  OK(retto_session_set_temperature(session, 1));
  OK(retto_session_set_top_k(session, 0));
  OK(retto_session_set_top_p(session, 1));
  OK(retto_session_set_min_p(session, 0));
  OK(retto_session_set_repetition(session, 1, 0));
  for (int i = 0; i < 100; i++) {
    int32_t a = -1, b = -2;
    OK(retto_session_next(session, &a, NULL));
    OK(retto_session_next(same, &b, NULL));
    CHECK(a == b);
  }
  retto_session_free(same);
  retto_session_free(session);
  free(good);
  free(bad);
}
