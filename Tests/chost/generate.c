/* Learns, writes, saves and loads, and checks that what comes out is what the header promises. */
#include "tiny.h"
#include <math.h>

/* ---- Training ---- */

struct watch {
  int64_t steps;
  double first_loss, last_loss, last_epoch, last_seconds;
  int measured;
  retto_end end;
};

static int32_t observe(void *user, const retto_progress *p) {
  struct watch *watch = user;
  CHECK(p->size == sizeof *p);
  CHECK(watch->end == RETTO_END_NONE);
  CHECK(p->step == watch->steps + 1);
  CHECK(p->total_steps == 200);
  CHECK(fabs(p->fraction - (double)p->step / 200) < 1e-9);
  CHECK(p->epoch > watch->last_epoch);
  CHECK(isfinite(p->loss) && p->loss > 0);
  CHECK(p->learning_rate > 0 && p->learning_rate <= 0.02 + 1e-12);
  CHECK(isfinite(p->gradient_norm) && p->gradient_norm > 0);
  CHECK(p->tokens_per_second > 0);
  CHECK(p->seconds_elapsed >= watch->last_seconds);
  CHECK(p->seconds_left >= 0);
  CHECK(p->bits_per_character > 0);
  if (p->measured) {
    CHECK(isfinite(p->validation_loss) && p->best_validation_loss <= p->validation_loss);
    watch->measured++;
  }
  if (!watch->measured)
    CHECK(isnan(p->validation_loss) && isnan(p->best_validation_loss));
  CHECK((p->end == RETTO_END_FINISHED) == (p->step == 200));
  if (watch->steps == 0)
    watch->first_loss = p->loss;
  watch->last_loss = p->loss;
  watch->last_epoch = p->epoch;
  watch->last_seconds = p->seconds_elapsed;
  watch->steps = p->step;
  watch->end = p->end;
  return 0;
}

static void training(void) {
  retto_trainer_options options = tiny_options();
  options.steps = 200;
  retto_trainer *trainer = tiny_trainer(&options);
  struct watch watch = {0, 0, 0, 0, 0, 0, RETTO_END_NONE};
  retto_progress end = RETTO_PROGRESS_INIT;
  MUST(retto_trainer_run(trainer, observe, &watch, &end));
  CHECK(watch.steps == 200 && watch.measured >= 2);
  CHECK(watch.last_loss < 0.8 * watch.first_loss);
  CHECK(end.end == RETTO_END_FINISHED && end.step == 200 && end.fraction == 1);
  CHECK(end.best_validation_loss < watch.first_loss);
  /* After the end nothing happens. */
  OK(retto_trainer_step(trainer, &end));
  CHECK(end.end == RETTO_END_FINISHED && end.step == 200);
  OK(retto_trainer_run(trainer, observe, &watch, &end));
  CHECK(end.end == RETTO_END_FINISHED && end.step == 200);
  retto_trainer_free(trainer);
}

static int32_t stop_at_ten(void *user, const retto_progress *p) {
  (void)user;
  return p->step == 10;
}

/* The ends a run can have. */
static void ends(void) {
  retto_progress p = RETTO_PROGRESS_INIT;
  retto_trainer_options options = tiny_options();
  options.steps = 20;
  retto_trainer *trainer = tiny_trainer(&options);
  OK(retto_trainer_run(trainer, stop_at_ten, NULL, &p));
  CHECK(p.end == RETTO_END_STOPPED && p.step == 10);
  /* "It can go on": by steps as well as by a run. */
  OK(retto_trainer_step(trainer, &p));
  CHECK(p.end == RETTO_END_NONE && p.step == 11);
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && p.step == 20);
  retto_trainer_free(trainer);

  /* What is learnt makes the validation material, which is nothing like it, ever less likely. */
  options.steps = 100000;
  options.patience = 1;
  options.dropout = 0;
  trainer = NULL;
  char a[2000], z[600];
  memset(a, 'a', sizeof a);
  memset(z, 'z', sizeof z);
  MUST(retto_trainer_create(&options, &trainer));
  MUST(retto_trainer_add_text(trainer, a, sizeof a, RETTO_TRAINING));
  MUST(retto_trainer_add_text(trainer, z, sizeof z, RETTO_VALIDATION));
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_EARLY && p.step < 1000);
  CHECK(p.validation_loss > p.best_validation_loss);
  retto_trainer_free(trainer);

  /* Nothing held out; minutes that are over after the first step; epochs. */
  options = tiny_options();
  options.steps = 0;
  options.validation = 0;
  options.minutes = 1e-9;
  trainer = tiny_trainer(&options);
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && p.step == 1 && p.total_steps == 0);
  CHECK(isnan(p.validation_loss) && isfinite(p.bits_per_character));
  retto_trainer_free(trainer);
  options.minutes = 0;
  options.epochs = 2;
  trainer = tiny_trainer(&options);
  OK(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.end == RETTO_END_FINISHED && fabs(p.epoch - 2) < 1e-9 && p.step == p.total_steps);
  retto_trainer_free(trainer);
}

/* Learns with some options and saves the model. */
static void train_to(const char *path, const retto_trainer_options *options) {
  retto_model *model = tiny_model_with(options);
  MUST(retto_model_save(model, path));
  retto_model_free(model);
}

/* A run in two halves, the second in a new trainer, gives the bytes of a run in one. */
static void resuming(int32_t threads, int32_t layers) {
  size_t length;
  char *text = tiny_text(4000, &length);
  retto_trainer_options options = tiny_options();
  options.steps = 70;
  options.threads = threads;
  options.layers = layers;
  options.dropout = 0.2;
  train_to("whole.model", &options);
  train_to("again.model", &options);
  CHECK(same_files("whole.model", "again.model"));
  options.seed = 2;
  train_to("other.model", &options);
  CHECK(!same_files("whole.model", "other.model"));
  options.seed = 1;

  retto_trainer *trainer = tiny_trainer(&options);
  retto_progress p = RETTO_PROGRESS_INIT;
  for (int i = 0; i < 33; i++)
    MUST(retto_trainer_step(trainer, &p));
  CHECK(p.step == 33);
  MUST(retto_trainer_save_checkpoint(trainer, "half.checkpoint"));

  /* A checkpoint is a model file too, with the best weights so far. */
  retto_model *best = NULL, *loaded = NULL;
  MUST(retto_trainer_model(trainer, &best));
  MUST(retto_model_load("half.checkpoint", &loaded));
  MUST(retto_model_save(best, "best.model"));
  MUST(retto_model_save(loaded, "loaded.model"));
  CHECK(same_files("best.model", "loaded.model"));
  retto_model_free(best);
  retto_model_free(loaded);
  retto_trainer_free(trainer);

  retto_trainer_options same = RETTO_TRAINER_OPTIONS_INIT;
  for (int given = 0; given < 2; given++) {
    retto_model *model = NULL;
    MUST(retto_trainer_resume("half.checkpoint", given ? &same : NULL, &trainer));
    MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
    MUST(retto_trainer_run(trainer, NULL, NULL, &p));
    CHECK(p.step == 70 && p.end == RETTO_END_FINISHED);
    MUST(retto_trainer_model(trainer, &model));
    MUST(retto_model_save(model, "resumed.model"));
    CHECK(same_files("whole.model", "resumed.model"));
    retto_model_free(model);
    retto_trainer_free(trainer);
  }

  /* The checkpoint a run keeps, and a later end. */
  options.checkpoint_path = "kept.checkpoint";
  trainer = tiny_trainer(&options);
  MUST(retto_trainer_run(trainer, stop_at_ten, NULL, &p));
  CHECK(p.step == 10);
  retto_trainer_free(trainer);
  same.steps = 80;
  MUST(retto_trainer_resume("kept.checkpoint", &same, &trainer));
  MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
  MUST(retto_trainer_run(trainer, NULL, NULL, &p));
  CHECK(p.step == 80 && p.total_steps == 80);
  retto_trainer_free(trainer);

  /* Other material is refused. */
  MUST(retto_trainer_resume("kept.checkpoint", NULL, &trainer));
  MUST(retto_trainer_add_text(trainer, text, length - 1, RETTO_TRAINING));
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_step(trainer, NULL));
  retto_trainer_free(trainer);
  free(text);
}

static void starting_from(const char *encoding) {
  retto_model *model = tiny_model(encoding, 2), *made = NULL;
  retto_trainer_options options = tiny_options();
  options.layers = 0;
  options.hidden = 0;
  options.embedding = 0;
  options.steps = 30;
  retto_trainer *trainer = NULL;
  char other[3000];
  float *before = NULL, *after = NULL;
  int32_t tokens[200];
  for (size_t i = 0; i < sizeof other; i++)
    other[i] = (char)("xyz \xC3\xA9"[i % 6]);
  MUST(retto_trainer_create_from(model, &options, &trainer));
  MUST(retto_trainer_add_text(trainer, other, sizeof other, RETTO_TRAINING));
  MUST(retto_trainer_model(trainer, &made));
  before = malloc(200 * sizeof(float));
  after = malloc(200 * sizeof(float));
  for (int i = 0; i < 200; i++)
    tokens[i] = i * 7 % 256;
  OK(retto_model_score(model, tokens, 200, before));
  OK(retto_model_score(made, tokens, 200, after));
  CHECK(!memcmp(before, after, 200 * sizeof(float)));
  retto_model_free(made);
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &made));
  OK(retto_model_score(made, tokens, 200, after));
  CHECK(memcmp(before, after, 200 * sizeof(float)));
  retto_model_info a = RETTO_MODEL_INFO_INIT, b = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &a));
  OK(retto_model_get_info(made, &b));
  CHECK(a.vocabulary == b.vocabulary && a.embedding == b.embedding && a.hidden == b.hidden &&
        a.layers == b.layers && a.parameters == b.parameters && a.is_text && b.is_text &&
        !strcmp(a.encoding, b.encoding) && !strcmp(a.encoding, encoding));
  CHECK(a.embedding == 8 && a.hidden == 16 && a.layers == 2);
  /* The memory adds embeddings of each token and "none", of 16 lengths and of 5 rounds. */
  CHECK(a.memory == 1);
  CHECK(a.parameters == (uint64_t)(a.vocabulary * 8 + 48 * 8 + 48 * 16 * 3 + 4 * 48 +
                                   a.vocabulary * 16 + a.vocabulary +
                                   (a.vocabulary + 1 + 16 + 5) * 8));
  int32_t x[64], y[64];
  size_t nx = 0, ny = 0;
  OK(retto_model_encode(model, tiny_line, sizeof tiny_line - 1, x, 64, &nx));
  OK(retto_model_encode(made, tiny_line, sizeof tiny_line - 1, y, 64, &ny));
  CHECK(nx == ny && !memcmp(x, y, nx * sizeof x[0]));
  free(before);
  free(after);
  retto_trainer_free(trainer);
  retto_model_free(made);
  retto_model_free(model);
}

/* ---- The model ---- */

static void draw(const retto_model *model, uint64_t seed, int32_t *tokens, size_t count) {
  retto_session *session = tiny_session(model, seed);
  for (size_t i = 0; i < count; i++)
    OK(retto_session_next(session, &tokens[i], NULL));
  retto_session_free(session);
}

static void saving(const retto_model *model) {
  retto_model *loaded[2] = {NULL, NULL};
  size_t length;
  int32_t tokens[300], same[300], other[300];
  float scores[300], again[300];
  MUST(retto_model_save(model, "one.model"));
  MUST(retto_model_load("one.model", &loaded[0]));
  unsigned char *bytes = read_file("one.model", &length);
  /* Not at an aligned address, and gone afterwards. */
  unsigned char *odd = malloc(length + 1);
  memcpy(odd + 1, bytes, length);
  MUST(retto_model_load_memory(odd + 1, length, &loaded[1]));
  memset(odd, 0xFF, length + 1);
  free(odd);
  free(bytes);
  draw(model, 7, tokens, 300);
  draw(model, 8, other, 300);
  CHECK(memcmp(tokens, other, sizeof tokens));
  OK(retto_model_score(model, tokens, 300, scores));
  CHECK(scores[0] == 0);
  for (int i = 0; i < 2; i++) {
    draw(loaded[i], 7, same, 300);
    CHECK(!memcmp(tokens, same, sizeof tokens));
    OK(retto_model_score(loaded[i], tokens, 300, again));
    CHECK(!memcmp(scores, again, sizeof scores));
    OK(retto_model_save(loaded[i], "two.model"));
    CHECK(same_files("one.model", "two.model"));
    retto_model_free(loaded[i]);
  }
}

static void round_trip(const retto_model *model, const char *text, size_t length) {
  size_t count = 0, capacity = 0, back = 0, size = 0;
  OK(retto_model_encode(model, text, length, NULL, 0, &capacity));
  CHECK(capacity <= length);
  int32_t *tokens = malloc((capacity + 1) * sizeof *tokens);
  char *bytes = malloc(length + 1);
  tokens[capacity] = -77;
  OK(retto_model_encode(model, text, length, tokens, capacity, &count));
  CHECK(count == capacity && tokens[capacity] == -77);
  OK(retto_model_decode(model, tokens, count, NULL, 0, &size));
  CHECK(size == length);
  bytes[length] = 'x';
  OK(retto_model_decode(model, tokens, count, bytes, length, &back));
  CHECK(back == length && bytes[length] == 'x' && !memcmp(bytes, text, length));
  free(tokens);
  free(bytes);
}

static void encoding(const retto_model *model) {
  uint32_t random = 12345;
  char bytes[5000];
  for (int round = 0; round < 40; round++) {
    for (size_t i = 0; i < sizeof bytes; i++) {
      random = random * 1664525u + 1013904223u;
      bytes[i] = (char)(random >> 24);
      /* Bytes that UTF-8 begins with or goes on with, more often than they would come. */
      if (round % 2 && (random >> 8 & 1))
        bytes[i] = "\xC3\xB6\xF0\x9F\xA6\x8A\xE7\x8A\xAC\xED\xA0\x80\xC0\x80"[i % 14];
    }
    round_trip(model, bytes, sizeof bytes - (size_t)round);
  }
  round_trip(model, tiny_line, sizeof tiny_line);
  round_trip(model, "", 0);
}

/* score, log_probabilities and next tell of the same probabilities. */
static void probabilities(const retto_model *model) {
  int32_t vocabulary = vocabulary_of(model);
  int32_t tokens[400];
  size_t count = 0;
  float scores[400], *all = malloc((size_t)vocabulary * sizeof *all);
  retto_session *session = tiny_session(model, 3);
  draw(model, 11, tokens, 300);
  OK(retto_model_encode(model, tiny_line, sizeof tiny_line - 1, tokens + 300, 100, &count));
  count += 300;
  OK(retto_model_score(model, tokens, count, scores));
  for (size_t i = 1; i < count; i++) {
    double sum = 0;
    OK(retto_session_feed(session, &tokens[i - 1], 1));
    OK(retto_session_log_probabilities(session, all, (size_t)vocabulary));
    for (int32_t j = 0; j < vocabulary; j++)
      sum += exp(all[j]);
    CHECK(fabs(sum - 1) < 1e-4);
    CHECK(fabs(all[tokens[i]] - scores[i]) < 1e-4);
  }
  OK(retto_session_set_temperature(session, 0.5f));
  OK(retto_session_set_top_k(session, 30));
  OK(retto_session_set_repetition(session, 1.5f, 20));
  for (int i = 0; i < 300; i++) {
    int32_t token = -1;
    float log_probability = 1;
    OK(retto_session_log_probabilities(session, all, (size_t)vocabulary));
    OK(retto_session_next(session, &token, &log_probability));
    CHECK(token >= 0 && token < vocabulary && fabsf(log_probability - all[token]) < 1e-5f);
  }
  free(all);
  retto_session_free(session);
}

/* ---- The session ---- */

/* How many tokens are likelier than this one, of those the grammar allows or of all. */
static int rank(const float *all, int32_t vocabulary, int32_t token) {
  int above = 0;
  for (int32_t i = 0; i < vocabulary; i++)
    above += all[i] > all[token];
  return above;
}

static void sampling(const retto_model *model) {
  int32_t vocabulary = vocabulary_of(model), token = -1;
  float *all = malloc((size_t)vocabulary * sizeof *all);
  retto_session *session = tiny_session(model, 5);
  OK(retto_session_set_grammar(session, 0));
  for (int setting = 0; setting < 5; setting++) {
    OK(retto_session_set_temperature(session, setting == 0 ? 0.0f : setting == 1 ? 1.0f : 3.0f));
    OK(retto_session_set_top_k(session, setting == 1 ? 1 : setting == 2 ? 3 : 0));
    OK(retto_session_set_top_p(session, setting == 3 ? 0.3f : 1));
    OK(retto_session_set_min_p(session, setting == 4 ? 0.25f : 0));
    int highest = 0;
    for (int i = 0; i < 400; i++) {
      OK(retto_session_log_probabilities(session, all, (size_t)vocabulary));
      OK(retto_session_next(session, &token, NULL));
      int above = rank(all, vocabulary, token);
      if (above > highest)
        highest = above;
      if (setting <= 1)
        CHECK(above == 0);
      if (setting == 2)
        CHECK(above < 3);
      float top = -INFINITY;
      double sum = 0, before = 0;
      for (int32_t j = 0; j < vocabulary; j++) {
        top = all[j] > top ? all[j] : top;
        sum += exp(all[j] / 3);
        if (all[j] > all[token])
          before += exp(all[j] / 3);
      }
      if (setting == 3)
        CHECK(before / sum < 0.3 + 1e-3);
      if (setting == 4)
        CHECK(all[token] / 3 >= top / 3 + log(0.25) - 1e-3);
    }
    if (setting >= 2)
      CHECK(highest > 0);
  }
  /* A heavy penalty keeps the likeliest from being the last few tokens over and over. */
  int repeats[2] = {0, 0};
  for (int penalty = 0; penalty < 2; penalty++) {
    int32_t last = -1;
    OK(retto_session_reset(session, 1));
    OK(retto_session_set_temperature(session, 3));
    OK(retto_session_set_top_p(session, 1));
    OK(retto_session_set_min_p(session, 0));
    OK(retto_session_set_repetition(session, penalty ? 10.0f : 1.0f, 8));
    OK(retto_session_set_top_k(session, 4));
    for (int i = 0; i < 2000; i++) {
      OK(retto_session_next(session, &token, NULL));
      repeats[penalty] += token == last;
      last = token;
    }
  }
  CHECK(repeats[1] < repeats[0]);
  free(all);
  retto_session_free(session);
}

/* The length of the one well-formed character that fills these bytes; 0 if it is none. */
static size_t character(const char *text, size_t length) {
  const unsigned char *p = (const unsigned char *)text;
  uint32_t value;
  size_t n = p[0] < 0x80   ? 1
             : p[0] < 0xC2 ? 0
             : p[0] < 0xE0 ? 2
             : p[0] < 0xF0 ? 3
             : p[0] < 0xF5 ? 4
                           : 0;
  if (n != length)
    return 0;
  value = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80)
      return 0;
    value = value << 6 | (p[i] & 0x3F);
  }
  if ((n == 3 && value < 0x800) || (n == 4 && value < 0x10000) || value > 0x10FFFF ||
      (value >= 0xD800 && value < 0xE000))
    return 0;
  return n;
}

static void text(const retto_model *model) {
  retto_session *session = tiny_session(model, 9);
  int lengths[5] = {0, 0, 0, 0, 0};
  OK(retto_session_set_temperature(session, 5));
  for (int i = 0; i < 20000; i++) {
    char buffer[RETTO_TEXT_SIZE + 1] = "zzzzz";
    size_t length = 99;
    OK(retto_session_next_text(session, buffer, RETTO_TEXT_SIZE, &length));
    CHECK(length >= 1 && length <= 4 && buffer[length] == 0 && buffer[RETTO_TEXT_SIZE] == 0);
    CHECK(character(buffer, length) == length);
    if (length <= 4)
      lengths[length]++;
    if (i % 1000 == 0)
      OK(retto_session_reset(session, (uint64_t)i));
  }
  CHECK(lengths[1] && lengths[2] && lengths[3] && lengths[4]);
  /* Without the grammar it would not be. */
  OK(retto_session_set_grammar(session, 0));
  int wrong = 0;
  for (int i = 0; i < 2000; i++) {
    char buffer[RETTO_TEXT_SIZE];
    size_t length = 0;
    OK(retto_session_next_text(session, buffer, sizeof buffer, &length));
    wrong += character(buffer, length) != length;
  }
  CHECK(wrong > 0);
  retto_session_free(session);

  /* Text that is fed is the tokens that are fed. */
  int32_t tokens[64], a = 0, b = 0;
  size_t count = 0;
  retto_session *one = tiny_session(model, 4), *two = tiny_session(model, 4);
  OK(retto_model_encode(model, tiny_line, sizeof tiny_line - 1, tokens, 64, &count));
  OK(retto_session_feed(one, tokens, count));
  OK(retto_session_feed_text(two, tiny_line, 10));
  OK(retto_session_feed_text(two, tiny_line + 10, sizeof tiny_line - 1 - 10));
  for (int i = 0; i < 100; i++) {
    OK(retto_session_next(one, &a, NULL));
    OK(retto_session_next(two, &b, NULL));
    /* The cut is between two characters ("The quick " and "br..."). */
    CHECK(a == b);
  }
  /* A reset session is a new one; a new one reads a line end. */
  retto_session *fresh = tiny_session(model, 77);
  OK(retto_session_reset(one, 77));
  OK(retto_session_reset(two, 77));
  OK(retto_session_feed_text(two, "\n", 1));
  for (int i = 0; i < 100; i++) {
    int32_t c = 0;
    OK(retto_session_next(one, &a, NULL));
    OK(retto_session_next(two, &b, NULL));
    OK(retto_session_next(fresh, &c, NULL));
    CHECK(a == b && a == c);
  }
  retto_session_free(one);
  retto_session_free(two);
  retto_session_free(fresh);
}

static void snapshots(const retto_model *model) {
  size_t size = 0, written = 0;
  retto_session *session = tiny_session(model, 6), *other = tiny_session(model, 1);
  OK(retto_session_set_temperature(session, 2));
  OK(retto_session_set_repetition(session, 1.4f, 32));
  OK(retto_session_set_temperature(other, 2));
  OK(retto_session_set_repetition(other, 1.4f, 32));
  OK(retto_session_snapshot(session, NULL, 0, &size));
  char *bytes = malloc(size);
  for (int round = 0; round < 30; round++) {
    int32_t tokens[100], token = -1;
    /* Now and then right after the probabilities were asked for, or in the middle of a character. */
    if (round % 3 == 1) {
      float *all = malloc((size_t)vocabulary_of(model) * sizeof *all);
      OK(retto_session_log_probabilities(session, all, (size_t)vocabulary_of(model)));
      free(all);
    }
    if (round % 3 == 2)
      OK(retto_session_feed_text(session, "\xF0\x9F", 2));
    OK(retto_session_snapshot(session, bytes, size, &written));
    CHECK(written == size);
    for (int i = 0; i < 100; i++)
      OK(retto_session_next(session, &tokens[i], NULL));
    OK(retto_session_restore(session, bytes, size));
    OK(retto_session_restore(other, bytes, size));
    for (int i = 0; i < 100; i++) {
      OK(retto_session_next(session, &token, NULL));
      CHECK(token == tokens[i]);
      OK(retto_session_next(other, &token, NULL));
      CHECK(token == tokens[i]);
    }
  }
  free(bytes);
  retto_session_free(session);
  retto_session_free(other);
}

struct mask {
  const char *only;
  size_t vocabulary;
  int calls;
  int forbidden;
};

static void only_some(void *user, uint8_t *allowed, size_t vocabulary) {
  struct mask *mask = user;
  mask->vocabulary = vocabulary;
  mask->calls++;
  for (size_t i = 0; i < vocabulary; i++) {
    CHECK(allowed[i] <= 1);
    mask->forbidden += !allowed[i];
    if (mask->only && (i == 0 || i > 127 || !strchr(mask->only, (int)i)))
      allowed[i] = 0;
    if (!mask->only)
      allowed[i] = 1;
  }
}

static void masks(const retto_model *model) {
  struct mask mask = {"xyz", 0, 0, 0};
  int32_t token = -1;
  float log_probability;
  retto_session *session = tiny_session(model, 2);
  OK(retto_session_set_mask(session, only_some, &mask));
  int seen[3] = {0, 0, 0};
  for (int i = 0; i < 500; i++) {
    if (i == 250)
      OK(retto_session_set_temperature(session, 50));
    OK(retto_session_next(session, &token, &log_probability));
    CHECK(token >= 'x' && token <= 'z' && log_probability <= 0);
    if (token >= 'x' && token <= 'z')
      seen[token - 'x']++;
  }
  CHECK(seen[0] && seen[1] && seen[2]);
  CHECK(mask.calls == 500 && mask.vocabulary == (size_t)vocabulary_of(model));
  /* 0x80 to 0xC1 and 0xF5 to 0xFF begin no character. */
  CHECK(mask.forbidden == 500 * (0xC2 - 0x80 + 0x100 - 0xF5));
  /* What the grammar forbids a mask cannot allow. */
  mask.only = NULL;
  for (int i = 0; i < 2000; i++) {
    char buffer[RETTO_TEXT_SIZE];
    size_t length = 0;
    OK(retto_session_next_text(session, buffer, sizeof buffer, &length));
    CHECK(character(buffer, length) == length);
  }
  /* A mask that leaves nothing changes nothing. */
  retto_session *same = tiny_session(model, 2);
  size_t size = 0;
  OK(retto_session_snapshot(session, NULL, 0, &size));
  char *bytes = malloc(size);
  OK(retto_session_snapshot(session, bytes, size, &size));
  OK(retto_session_restore(same, bytes, size));
  OK(retto_session_set_temperature(same, 50));
  mask.only = "";
  char buffer[RETTO_TEXT_SIZE] = "abc";
  int32_t other;
  GIVES(RETTO_ERROR_EXHAUSTED, retto_session_next(session, &token, NULL));
  GIVES(RETTO_ERROR_EXHAUSTED, retto_session_next_text(session, buffer, sizeof buffer, NULL));
  OK(retto_session_set_mask(session, NULL, NULL));
  for (int i = 0; i < 100; i++) {
    OK(retto_session_next(session, &token, NULL));
    OK(retto_session_next(same, &other, NULL));
    CHECK(token == other);
  }
  CHECK(!strcmp(buffer, "abc"));
  free(bytes);
  retto_session_free(session);
  retto_session_free(same);
}

#define MANY 13

/* Many at once give what each would give alone. */
static void together(const retto_model *model) {
  retto_session *many[MANY], *alone[MANY];
  int32_t tokens[MANY];
  float log_probabilities[MANY];
  for (int i = 0; i < MANY; i++) {
    many[i] = tiny_session(model, (uint64_t)i);
    alone[i] = tiny_session(model, (uint64_t)i);
    float temperature = (float)(i % 4);
    OK(retto_session_set_temperature(many[i], temperature));
    OK(retto_session_set_temperature(alone[i], temperature));
    OK(retto_session_feed_text(many[i], tiny_line, (size_t)i));
    OK(retto_session_feed_text(alone[i], tiny_line, (size_t)i));
  }
  /* Without room for them at first, then with room for some, then for all. */
  for (int step = 0; step < 200; step++) {
    if (step % 50 == 49)
      OK(retto_session_reserve(many[0], step == 49 ? MANY / 2 : MANY));
    /* A smaller group, a larger one, one that was asked for its probabilities. */
    int count = 1 + step % MANY;
    if (step % 5 == 0) {
      float *all = malloc((size_t)vocabulary_of(model) * sizeof *all);
      OK(retto_session_log_probabilities(many[0], all, (size_t)vocabulary_of(model)));
      free(all);
    }
    OK(retto_sessions_next(many, (size_t)count, tokens, step % 3 ? log_probabilities : NULL));
    for (int i = 0; i < count; i++) {
      int32_t token = -1;
      float log_probability = 1;
      OK(retto_session_next(alone[i], &token, &log_probability));
      CHECK(token == tokens[i]);
      if (step % 3)
        CHECK(fabsf(log_probability - log_probabilities[i]) < 1e-4f);
    }
  }
  /* One that cannot go on does not hold up the others. */
  struct mask mask = {"", 0, 0, 0};
  OK(retto_session_set_mask(many[1], only_some, &mask));
  GIVES(RETTO_ERROR_EXHAUSTED, retto_sessions_next(many, 3, tokens, log_probabilities));
  CHECK(strstr(retto_last_error(), "session 1"));
  CHECK(tokens[0] >= 0 && tokens[1] == -1 && tokens[2] >= 0);
  for (int i = 0; i < MANY; i++) {
    retto_session_free(many[i]);
    retto_session_free(alone[i]);
  }
}

/* A model in fewer bits writes text too, and its file loads as what it is. */
static void rounding(const retto_model *model) {
  for (retto_precision precision = RETTO_BFLOAT16; precision <= RETTO_INT8; precision++) {
    retto_model *rounded = NULL, *again = NULL;
    MUST(retto_model_quantize(model, precision, &rounded));
    retto_model_info info = RETTO_MODEL_INFO_INIT;
    OK(retto_model_get_info(rounded, &info));
    CHECK(info.precision == precision);
    MUST(retto_model_save(rounded, "rounded.safetensors"));
    MUST(retto_model_load("rounded.safetensors", &again));
    OK(retto_model_get_info(again, &info));
    CHECK(info.precision == precision);
    char text[2][5 * 40] = {"", ""};
    for (int i = 0; i < 2; i++) {
      retto_session *session = NULL;
      retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
      options.seed = 3;
      MUST(retto_session_create(i ? again : rounded, &options, &session));
      for (int n = 0; n < 40; n++)
        OK(retto_session_next_text(session, text[i] + strlen(text[i]), RETTO_TEXT_SIZE, NULL));
      retto_session_free(session);
    }
    CHECK(strlen(text[0]) >= 40 && strcmp(text[0], text[1]) == 0);
    retto_model_free(again);
    retto_model_free(rounded);
  }
  retto_model *none = NULL;
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_quantize(model, (retto_precision)3, &none));
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_quantize(NULL, RETTO_INT8, &none));
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_quantize(model, RETTO_INT8, NULL));
  CHECK(none == NULL);
  remove("rounded.safetensors");
}

int main(void) {
  training();
  ends();
  resuming(1, 1);
  resuming(2, 2);
  const char *encodings[] = {"bytes", "characters"};
  for (int i = 0; i < 2; i++) {
    starting_from(encodings[i]);
    retto_model *model = tiny_model(encodings[i], 1 + i);
    saving(model);
    encoding(model);
    probabilities(model);
    sampling(model);
    text(model);
    snapshots(model);
    masks(model);
    together(model);
    rounding(model);
    retto_model_free(model);
  }
  return check_result();
}
