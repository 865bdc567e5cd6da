/* Numbers: tables and CSV files to learn from, sessions that read and draw values, forecasts. */
#include "tiny.h"
#include <math.h>
#include <stdint.h>

enum { ROWS = 600, SEASON = 8, HORIZON = 16 };

/* Two waves of one period, the second upside down and a thousand times as large. */
static double wave(int row, int column) {
  double value = sin(2 * 3.14159265358979 * row / SEASON) + 0.1 * (row * 7919 % 13 - 6) / 6;
  return column ? 5000 - 1000 * value : value;
}

static const char *const names[2] = {"small", "large"};

static retto_trainer *make(int64_t steps) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  options.encoding = "series";
  options.hidden = 32;
  options.sequence = 64;
  options.batch = 8;
  options.steps = steps;
  MUST(retto_trainer_create(&options, &trainer));
  return trainer;
}

static void fill(double *values) {
  for (int row = 0; row < ROWS; row++)
    for (int column = 0; column < 2; column++)
      values[2 * row + column] = wave(row, column);
  values[2 * 100] = NAN; /* a gap */
}

static retto_model *train(void) {
  static double values[2 * ROWS];
  const retto_times times = {1467331200, 3600, 0};
  retto_trainer *trainer = make(300);
  retto_model *model = NULL;
  fill(values);
  OK(retto_trainer_add_series(trainer, values, ROWS, 2, names, &times, RETTO_TRAINING));
  memset(values, 0, sizeof values); /* they were copied */
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  retto_trainer_options chosen = RETTO_TRAINER_OPTIONS_INIT;
  OK(retto_trainer_get_options(trainer, &chosen));
  CHECK(chosen.season == SEASON && chosen.context == 4 * SEASON && chosen.checkpoint_seconds == 60);
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  OK(retto_model_save(model, "series.safetensors"));
  retto_model_free(model);
  MUST(retto_model_load("series.safetensors", &model));
  return model;
}

static void test_model(const retto_model *model) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  int32_t column = 0;
  OK(retto_model_get_info(model, &info));
  CHECK(info.kind == RETTO_KIND_SERIES && !strcmp(info.encoding, "series") && !info.is_text);
  CHECK(info.columns == 2 && info.season == SEASON && info.context == 4 * SEASON);
  CHECK(info.end_token == -1 && info.memory == 0);
  CHECK(!strcmp(retto_model_column_name(model, 1), "small"));
  CHECK(!strcmp(retto_model_column_name(model, 2), "large"));
  CHECK(!retto_model_column_name(model, 0) && !retto_model_column_name(model, 3));
  OK(retto_model_find_column(model, "large", &column));
  CHECK(column == 2);
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_find_column(model, "huge", &column));
}

static void feed(retto_session *session, int column, double offset) {
  OK(retto_session_begin_series(session, column, 1467331200 + 3600 * 40));
  for (int i = 0; i < 4 * SEASON; i++)
    OK(retto_session_feed_value(session, offset + wave(40 + i, column - 1)));
}

/* Means and quantiles follow the wave, also where the level was never seen. */
static void test_forecast(const retto_model *model) {
  static const double quantiles[3] = {0.05, 0.5, 0.95};
  retto_session *session = tiny_session(model, 1);
  for (int column = 1; column <= 2; column++)
    for (int moved = 0; moved < 2; moved++) {
      double size = column == 1 ? 1 : 1000, offset = moved ? 50 * size : 0;
      double result[HORIZON][3], means[HORIZON], again[HORIZON];
      feed(session, column, offset);
      OK(retto_session_forecast(session, HORIZON, 100, 5, quantiles, 3, &result[0][0], means));
      OK(retto_session_forecast(session, HORIZON, 100, 5, NULL, 0, NULL, again));
      double error = 0;
      for (int i = 0; i < HORIZON; i++) {
        double truth = offset + wave(40 + 4 * SEASON + i, column - 1);
        error += fabs(means[i] - truth) / size / HORIZON;
        CHECK(means[i] == again[i]);
        CHECK(result[i][0] <= result[i][1] && result[i][1] <= result[i][2]);
      }
      CHECK(error < 0.3);
    }
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_forecast(session, 0, 100, 5, NULL, 0, NULL, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_forecast(session, 1, 0, 5, NULL, 0, NULL, NULL));
  GIVES(RETTO_ERROR_ARGUMENT,
        retto_session_forecast(session, 1, SIZE_MAX, 5, NULL, 0, NULL, NULL));
  GIVES(RETTO_ERROR_ARGUMENT,
        retto_session_forecast(session, SIZE_MAX, 1, 5, NULL, 0, NULL, NULL));
  const double bad[2] = {0.5, NAN};
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_forecast(session, 1, 1, 5, bad, 2, NULL, NULL));
  /* Of nothing that was read it is around the mean. */
  double mean = 0;
  OK(retto_session_begin_series(session, 1, RETTO_NO_TIME));
  OK(retto_session_forecast(session, 1, 10, 5, NULL, 0, NULL, &mean));
  CHECK(fabs(mean) < 3);
  retto_session_free(session);
}

/* Values that are drawn go on with the wave, and a restored session draws the same ones. */
static void test_session(const retto_model *model) {
  retto_session *session = tiny_session(model, 1), *other = tiny_session(model, 2);
  double value, first[8], error = 0;
  float log_probability;
  size_t size = 0;
  OK(retto_session_set_temperature(session, 0.2f));
  OK(retto_session_set_temperature(other, 0.2f));
  feed(session, 1, 0);
  OK(retto_session_feed_value(session, NAN));
  OK(retto_session_snapshot(session, NULL, 0, &size));
  void *snapshot = malloc(size);
  OK(retto_session_snapshot(session, snapshot, size, NULL));
  for (int i = 0; i < 8; i++) {
    OK(retto_session_next_value(session, &first[i], &log_probability));
    CHECK(log_probability <= 0);
    error += fabs(first[i] - wave(40 + 4 * SEASON + 1 + i, 0)) / 8;
  }
  CHECK(error < 0.5);
  OK(retto_session_restore(other, snapshot, size));
  for (int i = 0; i < 8; i++) {
    OK(retto_session_next_value(other, &value, NULL));
    CHECK(value == first[i]);
  }
  free(snapshot);
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_feed_value(session, INFINITY));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_begin_series(session, 3, RETTO_NO_TIME));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_begin_series(session, -1, RETTO_NO_TIME));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_begin_series(session, 1, INT64_MAX));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_next_value(session, NULL, NULL));
  /* Whatever is read, values that are drawn are numbers. */
  const double odd[] = {1e300, -1e300, 0, NAN, 1e-300, 1e18, NAN, NAN};
  OK(retto_session_begin_series(session, 0, RETTO_NO_TIME));
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
    OK(retto_session_feed_value(session, odd[i]));
  for (int i = 0; i < 200; i++) {
    OK(retto_session_next_value(session, &value, NULL));
    CHECK(isfinite(value));
  }
  /* Tokens work as for any model. */
  const int32_t tokens[4] = {0, 1, 2, 128};
  OK(retto_session_feed(session, tokens, 4));
  OK(retto_session_reset(session, 3));
  OK(retto_session_next_value(session, &value, NULL));
  retto_session_free(session);
  retto_session_free(other);
}

static void test_material(void) {
  const double values[4] = {1, NAN, 2, NAN};
  const char *const twice[2] = {"a", "a"};
  const char *const none[2] = {"a", NULL};
  const char *const odd[1] = {"a\nb"};
  const double infinite[2] = {1, INFINITY};
  const retto_times no_step = {0, 0, 0}, both = {0, 1, 1}, late = {INT64_MAX, 1, 0};
  retto_trainer *trainer = make(4);
#define ADD(values, rows, columns, names, times)                                           \
  retto_trainer_add_series(trainer, values, rows, columns, names, times, RETTO_TRAINING)
  GIVES(RETTO_ERROR_EMPTY, ADD(values, 2, 2, names, NULL)); /* a column of gaps */
  GIVES(RETTO_ERROR_EMPTY, ADD(values, 1, 1, names, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 2, twice, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 2, none, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 1, odd, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 0, names, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 1001, names, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, SIZE_MAX / 2, 2, names, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(infinite, 2, 1, names, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 1, names, &no_step));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 1, names, &both));
  GIVES(RETTO_ERROR_ARGUMENT, ADD(values, 2, 1, names, &late));
  GIVES(RETTO_ERROR_FILE, retto_trainer_add_csv(trainer, "none.csv", RETTO_TRAINING));
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_add_text(trainer, "a", 1, RETTO_TRAINING));
  write_file("bad.csv", "a,b\n1,2\n3,x\n", 12);
  GIVES(RETTO_ERROR_FORMAT, retto_trainer_add_csv(trainer, "bad.csv", RETTO_TRAINING));
  CHECK(strstr(retto_last_error(), "line 3"));
  write_file("good.csv", "a,b\n1,2\n3,\n,5\n4,4\n1,2\n", 22);
  OK(retto_trainer_add_csv(trainer, "good.csv", RETTO_TRAINING));
  GIVES(RETTO_ERROR_CORPUS, ADD(values, 2, 1, names, NULL)); /* other columns */
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  GIVES(RETTO_ERROR_STATE, retto_trainer_add_csv(trainer, "good.csv", RETTO_TRAINING));
  retto_trainer_free(trainer);
}

static void test_other_models(void) {
  retto_model *model = tiny_model("bytes", 1);
  retto_session *session = tiny_session(model, 1);
  double value;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_begin_series(session, 0, RETTO_NO_TIME));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_feed_value(session, 1));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_next_value(session, &value, NULL));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_forecast(session, 1, 1, 1, NULL, 0, NULL, NULL));
  CHECK(!retto_model_column_name(model, 1));
  retto_session_free(session);
  retto_model_free(model);
}

int main(void) {
  retto_model *model = train();
  test_model(model);
  test_forecast(model);
  test_session(model);
  retto_model_free(model);
  test_material();
  test_other_models();
  return check_result();
}
