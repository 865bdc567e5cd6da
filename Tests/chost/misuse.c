/* Everything a host can get wrong: each call must end with the right status and a sentence, change
 * nothing, and never crash. */
#include "tiny.h"
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT RETTO_ERROR_ARGUMENT
#define STATE RETTO_ERROR_STATE
#define FILE_ RETTO_ERROR_FILE
#define FORMAT RETTO_ERROR_FORMAT
#define UNSUPPORTED RETTO_ERROR_UNSUPPORTED
#define BUFFER RETTO_ERROR_BUFFER
#define CORPUS RETTO_ERROR_CORPUS

/* Before each call the last error is one that no other call leaves. */
static retto_session *marker;
static char mark[256];

static void set_mark(void) {
  if (retto_session_set_temperature(marker, 4321.5f) != ARGUMENT)
    exit(1);
  strncpy(mark, retto_last_error(), sizeof mark - 1);
}

static void refused(const char *file, int line, const char *call, retto_status expected,
                    retto_status status) {
  const char *error = retto_last_error();
  check_status(file, line, call, expected, status);
  if (strlen(error) < 10 || strlen(error) > 1023 || strchr(error, '\n') || !strcmp(error, mark))
    check_failed(file, line, "no proper sentence in retto_last_error");
}

static void accepted(const char *file, int line, const char *call, retto_status status) {
  check_status(file, line, call, RETTO_OK, status);
  if (strcmp(retto_last_error(), mark))
    check_failed(file, line, "a call that succeeded changed retto_last_error");
}

#define REFUSES(status, call) (set_mark(), refused(__FILE__, __LINE__, #call, status, call))
#define ACCEPTS(call) (set_mark(), accepted(__FILE__, __LINE__, #call, call))
/* Refused, with NULL where the new handle would be. */
#define MAKES_NOTHING(status, handle, call)                                                \
  do {                                                                                     \
    handle = (void *)&marker;                                                              \
    REFUSES(status, call);                                                                 \
    CHECK(handle == NULL);                                                                 \
  } while (0)

static const size_t bad_lengths[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 7};
#define EACH(i, array) (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static retto_model *model;
static int32_t vocabulary;
static size_t stride = 1; /* more under a tool that makes everything slow */

/* ---- The library ---- */

static void library(void) {
  CHECK(retto_version_number() == RETTO_VERSION_NUMBER);
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", RETTO_VERSION_MAJOR, RETTO_VERSION_MINOR,
           RETTO_VERSION_PATCH);
  CHECK(!strcmp(retto_version_string(), version));
  CHECK(!strcmp(retto_status_name(RETTO_OK), "RETTO_OK"));
  CHECK(!strcmp(retto_status_name(RETTO_ERROR_EXHAUSTED), "RETTO_ERROR_EXHAUSTED"));
  const int none[] = {1, -12, 100, INT32_MAX, INT32_MIN};
  for EACH (i, none)
    CHECK(!strcmp(retto_status_name((retto_status)none[i]), "unknown status"));
  for (int status = 0; status >= -11; status--)
    for (int other = 0; other > status; other--)
      CHECK(strcmp(retto_status_name((retto_status)status),
                   retto_status_name((retto_status)other)));
  const char *set = retto_instruction_set();
  CHECK(!strcmp(set, "x86-64-v4+bf16") || !strcmp(set, "x86-64-v4+vnni") ||
        !strcmp(set, "x86-64-v4") || !strcmp(set, "x86-64-v3") || !strcmp(set, "baseline"));
}

/* ---- The model ---- */

static void model_calls(void) {
  retto_model *made;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  int32_t tokens[64];
  float numbers[64];
  char text[64];
  size_t count = 0;
  char garbage[64];
  memset(garbage, 0x41, sizeof garbage);

  MAKES_NOTHING(ARGUMENT, made, retto_model_load(NULL, &made));
  MAKES_NOTHING(ARGUMENT, made, retto_model_load("", &made));
  MAKES_NOTHING(ARGUMENT, made, retto_model_load("\xFF\xFE.model", &made));
  REFUSES(ARGUMENT, retto_model_load("good.model", NULL));
  MAKES_NOTHING(FILE_, made, retto_model_load("missing.model", &made));
  MAKES_NOTHING(FILE_, made, retto_model_load(".", &made));
  MAKES_NOTHING(FILE_, made, retto_model_load("good.model/x", &made));
  CHECK(strstr(retto_last_error(), "good.model/x"));
  if (!mkfifo("fifo", 0600)) /* must not wait for somebody to write */
    MAKES_NOTHING(FILE_, made, retto_model_load("fifo", &made));
  MAKES_NOTHING(FILE_, made, retto_model_load("/dev/null", &made));
  write_file("empty.model", "", 0);
  MAKES_NOTHING(FORMAT, made, retto_model_load("empty.model", &made));
  write_file("short.model", garbage, 7);
  MAKES_NOTHING(FORMAT, made, retto_model_load("short.model", &made));
  write_file("garbage.model", garbage, sizeof garbage);
  MAKES_NOTHING(FORMAT, made, retto_model_load("garbage.model", &made));
  ACCEPTS(retto_model_load("good.model", &made));
  retto_model_free(made);

  MAKES_NOTHING(ARGUMENT, made, retto_model_load_memory(NULL, 10, &made));
  MAKES_NOTHING(ARGUMENT, made, retto_model_load_memory(NULL, 0, &made));
  REFUSES(ARGUMENT, retto_model_load_memory(garbage, sizeof garbage, NULL));
  MAKES_NOTHING(FORMAT, made, retto_model_load_memory(garbage, 0, &made));
  MAKES_NOTHING(FORMAT, made, retto_model_load_memory(garbage, sizeof garbage, &made));
  for EACH (i, bad_lengths)
    MAKES_NOTHING(ARGUMENT, made, retto_model_load_memory(garbage, bad_lengths[i], &made));

  REFUSES(ARGUMENT, retto_model_save(NULL, "x.model"));
  REFUSES(ARGUMENT, retto_model_save(model, NULL));
  REFUSES(ARGUMENT, retto_model_save(model, ""));
  REFUSES(ARGUMENT, retto_model_save(model, "\x80"));
  REFUSES(FILE_, retto_model_save(model, "no/such/folder/x.model"));
  REFUSES(FILE_, retto_model_save(model, "good.model/x.model"));
  REFUSES(FILE_, retto_model_save(model, "."));
  REFUSES(FILE_, retto_model_save(model, "folder"));

  REFUSES(ARGUMENT, retto_model_get_info(NULL, &info));
  REFUSES(ARGUMENT, retto_model_get_info(model, NULL));

  REFUSES(ARGUMENT, retto_model_encode(NULL, "ab", 2, tokens, 64, &count));
  REFUSES(ARGUMENT, retto_model_encode(model, NULL, 2, tokens, 64, &count));
  REFUSES(ARGUMENT, retto_model_encode(model, "ab", 2, NULL, 64, &count));
  REFUSES(ARGUMENT, retto_model_encode(model, "ab", 2, NULL, 0, NULL));
  for EACH (i, bad_lengths) {
    REFUSES(ARGUMENT, retto_model_encode(model, "ab", bad_lengths[i], tokens, 64, &count));
    REFUSES(ARGUMENT, retto_model_encode(model, "ab", 2, tokens, bad_lengths[i], &count));
  }
  ACCEPTS(retto_model_encode(model, "ab", 2, tokens, 2, NULL));
  ACCEPTS(retto_model_encode(model, NULL, 0, tokens, 64, &count));
  CHECK(count == 0);
  ACCEPTS(retto_model_encode(model, "ab", 2, NULL, 0, &count));
  CHECK(count == 2);
  tokens[0] = tokens[1] = -5;
  count = 0;
  REFUSES(BUFFER, retto_model_encode(model, "ab", 2, tokens, 1, &count));
  REFUSES(BUFFER, retto_model_encode(model, "ab", 2, tokens, 0, &count));
  CHECK(count == 2 && tokens[0] == -5 && tokens[1] == -5);

  tokens[0] = tokens[1] = 'a';
  REFUSES(ARGUMENT, retto_model_decode(NULL, tokens, 2, text, 64, &count));
  REFUSES(ARGUMENT, retto_model_decode(model, NULL, 2, text, 64, &count));
  REFUSES(ARGUMENT, retto_model_decode(model, tokens, 2, NULL, 64, &count));
  REFUSES(ARGUMENT, retto_model_decode(model, tokens, 2, NULL, 0, NULL));
  for EACH (i, bad_lengths) {
    REFUSES(ARGUMENT, retto_model_decode(model, tokens, bad_lengths[i], text, 64, &count));
    REFUSES(ARGUMENT, retto_model_decode(model, tokens, 2, text, bad_lengths[i], &count));
  }
  ACCEPTS(retto_model_decode(model, NULL, 0, NULL, 0, &count));
  CHECK(count == 0);
  text[0] = 'X';
  REFUSES(BUFFER, retto_model_decode(model, tokens, 2, text, 1, &count));
  CHECK(count == 2 && text[0] == 'X');

  REFUSES(ARGUMENT, retto_model_score(NULL, tokens, 2, numbers));
  REFUSES(ARGUMENT, retto_model_score(model, NULL, 2, numbers));
  REFUSES(ARGUMENT, retto_model_score(model, tokens, 2, NULL));
  for EACH (i, bad_lengths)
    REFUSES(ARGUMENT, retto_model_score(model, tokens, bad_lengths[i], numbers));
  ACCEPTS(retto_model_score(model, NULL, 0, NULL));
  ACCEPTS(retto_model_score(model, tokens, 1, numbers));
  CHECK(numbers[0] == 0);

  const int32_t wrong[] = {-1, vocabulary, INT32_MIN, INT32_MAX};
  for EACH (i, wrong) {
    tokens[1] = wrong[i];
    numbers[0] = numbers[1] = 77;
    REFUSES(ARGUMENT, retto_model_score(model, tokens, 2, numbers));
    CHECK(numbers[0] == 77 && numbers[1] == 77);
    REFUSES(ARGUMENT, retto_model_decode(model, tokens, 2, text, 64, &count));
    CHECK(text[0] == 'X');
  }
  retto_model_free(NULL);
}

/* A struct that says it is some size, followed by zeros or not. */
union sized {
  size_t size;
  retto_model_info info;
  retto_session_options session;
  retto_trainer_options trainer;
  retto_progress progress;
  unsigned char bytes[8192];
};

static void structs(void) {
  static union sized s;
  static const retto_model_info info = RETTO_MODEL_INFO_INIT;
  static const retto_session_options session = RETTO_SESSION_OPTIONS_INIT;
  static const retto_trainer_options trainer = RETTO_TRAINER_OPTIONS_INIT;
  static const retto_progress progress = RETTO_PROGRESS_INIT;
  const struct {
    const void *initial;
    size_t size, least; /* today's, and that of the first version: see older.c */
  } kinds[] = {{&info, sizeof info, 56},
               {&session, sizeof session, 40},
               {&trainer, sizeof trainer, 152},
               {&progress, sizeof progress, 120}};
  for EACH (kind, kinds) {
    size_t known = kinds[kind].size;
    const struct {
      size_t size;
      unsigned char tail;
      retto_status in, out; /* as options, and as what is filled in */
    } cases[] = {{0, 0, ARGUMENT, ARGUMENT},
                 {1, 0, ARGUMENT, ARGUMENT},
                 {sizeof(size_t), 0, ARGUMENT, ARGUMENT},
                 {kinds[kind].least - 1, 0, ARGUMENT, ARGUMENT},
                 {known, 0, RETTO_OK, RETTO_OK},
                 {known, 1, RETTO_OK, RETTO_OK},
                 {known + 1, 0, RETTO_OK, RETTO_OK},
                 {known + 1, 1, UNSUPPORTED, RETTO_OK},
                 {known + 64, 0, RETTO_OK, RETTO_OK},
                 {known + 64, 1, UNSUPPORTED, RETTO_OK},
                 {8192, 0, ARGUMENT, ARGUMENT},
                 {SIZE_MAX, 0, ARGUMENT, ARGUMENT},
                 {SIZE_MAX / 2, 0, ARGUMENT, ARGUMENT},
                 {SIZE_MAX / 2 + 1, 0, ARGUMENT, ARGUMENT}};
    for EACH (i, cases) {
      retto_session *made_session = (void *)&marker;
      retto_trainer *made_trainer = (void *)&marker;
      retto_trainer *stepped = NULL;
      retto_status status, expected = kind == 1 || kind == 2 ? cases[i].in : cases[i].out;
      memset(&s, cases[i].tail, sizeof s);
      memcpy(&s, kinds[kind].initial, known);
      s.size = cases[i].size;
      if (kind == 3) {
        retto_trainer_options options = tiny_options();
        stepped = tiny_trainer(&options);
      }
      set_mark();
      status = kind == 0   ? retto_model_get_info(model, &s.info)
               : kind == 1 ? retto_session_create(model, &s.session, &made_session)
               : kind == 2 ? retto_trainer_create(&s.trainer, &made_trainer)
                           : retto_trainer_step(stepped, &s.progress);
      if (expected == RETTO_OK) {
        accepted(__FILE__, __LINE__, "a call with a struct", status);
        if (expected == cases[i].in && (kind == 1 || kind == 2))
          CHECK(s.size == cases[i].size && s.bytes[known] == cases[i].tail);
        else
          CHECK(s.size == known && s.bytes[known] == (cases[i].size > known ? 0 : cases[i].tail));
        if (kind == 0)
          CHECK(s.info.vocabulary == vocabulary);
        if (kind == 3)
          CHECK(s.progress.step == 1);
        if (kind == 1)
          retto_session_free(made_session);
        if (kind == 2)
          retto_trainer_free(made_trainer);
      } else {
        refused(__FILE__, __LINE__, "a call with a struct", expected, status);
        if (kind == 1)
          CHECK(made_session == NULL);
        if (kind == 2)
          CHECK(made_trainer == NULL);
        if (kind == 3) {
          /* Refused before the step, not after it. */
          retto_progress p = RETTO_PROGRESS_INIT;
          OK(retto_trainer_step(stepped, &p));
          CHECK(p.step == 1);
          s.size = cases[i].size;
          REFUSES(expected, retto_trainer_run(stepped, NULL, NULL, &s.progress));
          OK(retto_trainer_step(stepped, &p));
          CHECK(p.step == 2);
        }
      }
      if (stepped)
        retto_trainer_free(stepped);
    }
  }
}

/* ---- The session ---- */

static const float wrong_temperatures[] = {-1, -1e-6f, 100.1f, INFINITY, -INFINITY, NAN};
static const float wrong_top_ps[] = {0, -0.5f, 1.0001f, INFINITY, -INFINITY, NAN};
static const float wrong_min_ps[] = {-0.001f, 1.0001f, INFINITY, -INFINITY, NAN};
static const float wrong_penalties[] = {0, 0.09f, 10.1f, -1, INFINITY, -INFINITY, NAN};
static const int32_t wrong_windows[] = {-1, 257, INT32_MIN, INT32_MAX};
static const int32_t wrong_top_ks[] = {-1, INT32_MIN};

static void session_settings(void) {
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

static void session_calls(void) {
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
static void use_session(retto_session *session) {
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

static void snapshots(void) {
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

/* ---- The trainer ---- */

static void trainer_options(void) {
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

static void trainer_calls(void) {
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

/* ---- Damaged files ---- */

static int is_refusal(retto_status status) {
  return status == FORMAT || status == UNSUPPORTED;
}

static void use_model(retto_model *m) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  retto_session *session = NULL;
  int32_t tokens[200];
  float numbers[200];
  size_t count = 0;
  OK(retto_model_get_info(m, &info));
  OK(retto_model_encode(m, tiny_line, sizeof tiny_line - 1, tokens, 200, &count));
  for (size_t i = 0; i < count; i++)
    CHECK(tokens[i] >= 0 && tokens[i] < info.vocabulary);
  OK(retto_model_score(m, tokens, count, numbers));
  OK(retto_session_create(m, NULL, &session));
  use_session(session);
  retto_session_free(session);
}

static void try_bytes(const void *bytes, size_t length) {
  retto_model *made = (void *)&marker;
  retto_status status = retto_model_load_memory(bytes, length, &made);
  if (status == RETTO_OK) {
    use_model(made);
    retto_model_free(made);
  } else {
    CHECK(is_refusal(status) && made == NULL && strlen(retto_last_error()) > 10 &&
          !strchr(retto_last_error(), '\n'));
  }
}

static size_t header_end(const unsigned char *bytes) { return 8 + bytes[0] + 256u * bytes[1]; }

static void damaged_models(const char *path) {
  size_t length;
  unsigned char *good = read_file(path, &length), *bad = malloc(length + 1);
  size_t header = header_end(good);
  retto_model *made;
  for (size_t cut = 0; cut < length; cut += cut < header + 200 || cut + 200 > length ? stride : 211) {
    /* A copy of just that length, for tools that watch the memory. */
    unsigned char *copy = malloc(cut + 1);
    memcpy(copy, good, cut);
    made = NULL;
    REFUSES(FORMAT, retto_model_load_memory(copy, cut, &made));
    if (cut % 50 == 0) {
      write_file("cut.model", copy, cut);
      REFUSES(FORMAT, retto_model_load("cut.model", &made));
    }
    free(copy);
  }
  /* Every byte of the header in several ways; of the rest a sample. */
  for (size_t i = 0; i < length; i += i < header ? stride : 61 * stride) {
    static const unsigned char values[] = {0, 0xFF, '"', '9', '0', '}', ',', '-', '\\', 0x80};
    memcpy(bad, good, length);
    for (int bit = 0; bit < 8; bit++) {
      bad[i] = good[i] ^ (unsigned char)(1 << bit);
      try_bytes(bad, length);
    }
    if (i < header)
      for EACH (v, values) {
        bad[i] = values[v];
        try_bytes(bad, length);
      }
  }
  /* Numbers that are not numbers, and such as overflow. */
  static const uint32_t numbers[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0x7F7FFFFF,
                                     0xFF7FFFFF, 0x00000001, 0x7F800001};
  for EACH (n, numbers)
    for (size_t at = header; at + 4 <= length; at += 4 * 97) {
      memcpy(bad, good, length);
      memcpy(bad + at, &numbers[n], 4);
      if ((numbers[n] & 0x7F800000) == 0x7F800000)
        REFUSES(FORMAT, retto_model_load_memory(bad, length, &made));
      else
        try_bytes(bad, length);
    }
  /* All weights huge, which overflows every product. */
  for (size_t at = header; at + 4 <= length; at += 4)
    memcpy(bad + at, at % 8 ? &numbers[3] : &numbers[4], 4);
  memcpy(bad, good, header);
  try_bytes(bad, length);
  free(good);
  free(bad);
}

/* Headers made by hand. */
static void crafted_models(void) {
#define META                                                                                \
  "\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":\"bytes\"," \
  "\"vocabulary_size\":\"256\",\"embedding_size\":\"1\",\"hidden_size\":\"1\",\"layers\":\"1\"}"
  static const char *const headers[] = {
      "", " ", "{}", "[]", "null", "1", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
      "{\"a\":1}x", "\"\\ud800\"", "{\"\\ud800\\u0041\":1}", "{\"\\u00\":1}", "{\"a\":{}}",
      "{\"a\":1e999}", "{\"a\":--1}", "{\"a\":00000000000000000000000000000000000000000000001}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,2],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9223372036854775807,4]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-9223372036854775808,"
      "9223372036854775807]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":1,\"shape\":{},\"data_offsets\":\"\"}}",
      "{\"__metadata__\":1}", "{\"__metadata__\":{\"format\":1}}", "{" META "}",
      "{" META ",\"embedding.weight\":{\"dtype\":\"F16\",\"shape\":[256,1],"
      "\"data_offsets\":[0,512]}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"2\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"vocabulary_size\":"
      "\"99999999999999999999\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":\"bytes\","
      "\"vocabulary_size\":\"65536\",\"embedding_size\":\"16384\",\"hidden_size\":\"16384\","
      "\"layers\":\"32\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":\"chess\","
      "\"vocabulary_size\":\"256\",\"embedding_size\":\"1\",\"hidden_size\":\"1\",\"layers\":\"1\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":"
      "\"characters\",\"vocabulary_size\":\"256\",\"embedding_size\":\"1\",\"hidden_size\":\"1\","
      "\"layers\":\"1\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":"
      "\"characters\",\"encoding.alphabet\":\"a\",\"vocabulary_size\":\"257\",\"embedding_size\":"
      "\"1\",\"hidden_size\":\"1\",\"layers\":\"1\"}}",
      "{\"__metadata__\":{\"format\":\"libretto\",\"format_version\":\"1\",\"encoding\":"
      "\"characters\",\"encoding.alphabet\":\"\\u00e9\\u00e9\",\"vocabulary_size\":\"258\","
      "\"embedding_size\":\"1\",\"hidden_size\":\"1\",\"layers\":\"1\"}}",
  };
#undef META
  static unsigned char file[200000];
  retto_model *made;
  for EACH (i, headers) {
    size_t length = strlen(headers[i]);
    memset(file, 0, sizeof file);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, headers[i], length);
    made = (void *)&marker;
    set_mark();
    retto_status status = retto_model_load_memory(file, 8 + length + 1000, &made);
    refused(__FILE__, __LINE__, headers[i], status == UNSUPPORTED ? UNSUPPORTED : FORMAT, status);
    CHECK(made == NULL);
  }
  /* Brackets 100000 deep, and lengths of a header beyond every file. */
  memset(file + 8, '[', 100000);
  file[0] = 100000 & 0xFF, file[1] = 100000 >> 8 & 0xFF, file[2] = 100000 >> 16;
  MAKES_NOTHING(FORMAT, made, retto_model_load_memory(file, sizeof file, &made));
  for (int i = 0; i < 100000; i += 5)
    memcpy(file + 8 + i, "{\"a\":", 5);
  MAKES_NOTHING(FORMAT, made, retto_model_load_memory(file, sizeof file, &made));
  for (int i = 2; i < 8; i++) {
    memset(file, 0, 8);
    file[i] = 0xFF;
    MAKES_NOTHING(FORMAT, made, retto_model_load_memory(file, sizeof file, &made));
    memset(file, 0xFF, (size_t)i + 1);
    MAKES_NOTHING(FORMAT, made, retto_model_load_memory(file, sizeof file, &made));
  }
}

static int resumed_steps;

static void try_checkpoint(const void *bytes, size_t length) {
  retto_trainer *trainer = NULL;
  retto_progress p = RETTO_PROGRESS_INIT;
  retto_trainer_options few = RETTO_TRAINER_OPTIONS_INIT;
  few.threads = 1;
  write_file("bad.checkpoint", bytes, length);
  retto_status status = retto_trainer_resume("bad.checkpoint", &few, &trainer);
  if (status == RETTO_OK) {
    OK(retto_trainer_add_text(trainer, tiny_line, sizeof tiny_line - 1, RETTO_TRAINING));
    status = retto_trainer_step(trainer, &p);
    resumed_steps += status == RETTO_OK;
    CHECK(status == RETTO_OK || is_refusal(status) || status == CORPUS ||
          status == RETTO_ERROR_DIVERGED || status == RETTO_ERROR_MEMORY);
    retto_trainer_free(trainer);
  } else {
    CHECK(is_refusal(status) && trainer == NULL);
  }
}

static void damaged_checkpoints(void) {
  /* A small one, of a short text: the header is what matters. */
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  options.encoding = "bytes";
  options.embedding = options.hidden = 1;
  options.batch = 2;
  options.sequence = 8;
  MUST(retto_trainer_create(&options, &trainer));
  MUST(retto_trainer_add_text(trainer, tiny_line, sizeof tiny_line - 1, RETTO_TRAINING));
  MUST(retto_trainer_step(trainer, NULL));
  MUST(retto_trainer_save_checkpoint(trainer, "small.checkpoint"));
  retto_trainer_free(trainer);
  size_t length;
  unsigned char *good = read_file("small.checkpoint", &length), *bad = malloc(length);
  size_t header = header_end(good);
  memcpy(bad, good, length);
  try_checkpoint(bad, length);
  CHECK(resumed_steps == 1);
  for (size_t cut = 0; cut < length; cut += 331)
    try_checkpoint(good, cut);
  for (size_t i = 0; i < length; i += i < header ? stride : 997 * stride) {
    static const unsigned char flips[] = {1, 4, 0x80};
    for EACH (f, flips) {
      bad[i] = good[i] ^ flips[f];
      try_checkpoint(bad, length);
    }
    bad[i] = '9';
    try_checkpoint(bad, length);
    bad[i] = good[i];
  }
  CHECK(resumed_steps > 10);
  free(good);
  free(bad);
}

/* ---- What the system may refuse ---- */

static int temporary_files(void) {
  int count = 0;
  DIR *folder = opendir(".");
  struct dirent *entry;
  while (folder && (entry = readdir(folder)))
    count += strstr(entry->d_name, ".tmp") != NULL;
  if (folder)
    closedir(folder);
  return count;
}

/* A file that outgrows what is allowed: the old one stays, and nothing else is left behind. */
static void full_disk(void) {
  struct rlimit before, small;
  size_t length, after;
  unsigned char *bytes = read_file("good.model", &length);
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options);
  OK(retto_trainer_step(trainer, NULL));
  CHECK(temporary_files() == 0);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 5000;
  setrlimit(RLIMIT_FSIZE, &small);
  retto_status saved = retto_model_save(model, "good.model");
  retto_status checkpoint = retto_trainer_save_checkpoint(trainer, "good.model");
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  GIVES(FILE_, saved);
  GIVES(FILE_, checkpoint);
  unsigned char *now = read_file("good.model", &after);
  CHECK(length == after && !memcmp(bytes, now, length));
  CHECK(temporary_files() == 0);
  free(bytes);
  free(now);
  retto_trainer_free(trainer);
}

/* Too little memory for a network, which the library must find out without dying. */
static void little_memory(void) {
  if (under_tool()) /* tools need the memory themselves */
    return;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {(rlim_t)400 << 20, (rlim_t)400 << 20};
    retto_trainer_options options = tiny_options();
    retto_model *taken = NULL;
    setrlimit(RLIMIT_AS, &limit);
    options.hidden = 2048;
    options.layers = 3;
    retto_trainer *trainer = tiny_trainer(&options);
    REFUSES(RETTO_ERROR_MEMORY, retto_trainer_step(trainer, NULL));
    MAKES_NOTHING(RETTO_ERROR_MEMORY, taken, retto_trainer_model(trainer, &taken));
    retto_trainer_free(trainer);
    _exit(check_result());
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Errors are each thread's own. */
static void *other_thread(void *unused) {
  (void)unused;
  CHECK(!strcmp(retto_last_error(), ""));
  GIVES(ARGUMENT, retto_model_save(NULL, "x"));
  CHECK(strlen(retto_last_error()) > 10);
  return NULL;
}

static void errors_per_thread(void) {
  pthread_t thread;
  char before[1100];
  REFUSES(FILE_, retto_trainer_resume("missing.checkpoint", NULL, &(retto_trainer *){NULL}));
  strcpy(before, retto_last_error());
  pthread_create(&thread, NULL, other_thread, NULL);
  pthread_join(thread, NULL);
  CHECK(!strcmp(before, retto_last_error()));
  /* A sentence longer than its room is cut at a character. */
  static char path[6000];
  for (int shift = 0; shift < 4; shift++) {
    memset(path, 'a', (size_t)shift);
    for (int i = 0; i < 900; i++)
      memcpy(path + shift + 3 * i, "\xE7\x8A\xAC", 4);
    retto_model *made;
    MAKES_NOTHING(FILE_, made, retto_model_load(path, &made));
    const char *error = retto_last_error();
    size_t length = strlen(error);
    CHECK(length > 1000 && length < 1024);
    CHECK(!memcmp(error + length - 3, "\xE7\x8A\xAC", 3));
  }
}

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
