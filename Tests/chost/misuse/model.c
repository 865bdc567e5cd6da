/* The library, models and structs. */
#include "misuse.h"

void library(void) {
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

void model_calls(void) {
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

void structs(void) {
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
