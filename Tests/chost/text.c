/* What bytes hold, their way to UTF-8, and documents: texts that each have an end. */
#include "check.h"
#include "tiny.h"

static retto_text_info examine(const void *data, size_t length) {
  retto_text_info info = RETTO_TEXT_INFO_INIT;
  OK(retto_text_examine(data, length, &info));
  CHECK(info.name && *info.name);
  return info;
}

static void test_examine(void) {
  const char german[] = "Fr\xFCh am Morgen f\xE4hrt ein gro\xDF" "er Wagen durch den Wald.";
  retto_text_info info = examine(tiny_line, sizeof tiny_line - 1);
  CHECK(info.kind == RETTO_TEXT_UTF8 && info.bad_count == 0 && info.first_bad == SIZE_MAX);
  info = examine(NULL, 0);
  CHECK(info.kind == RETTO_TEXT_UTF8 && info.mark_length == 0);
  info = examine("\xEF\xBB\xBFtext", 7);
  CHECK(info.kind == RETTO_TEXT_UTF8 && info.mark_length == 3);
  info = examine(german, sizeof german - 1);
  CHECK(info.kind == RETTO_TEXT_LATIN1 && info.bad_count == 3 && info.first_bad == 2);
  info = examine("A few \x93quoted\x94 words", 20);
  CHECK(info.kind == RETTO_TEXT_CP1252 && info.first_bad == 6);
  info = examine("\xFF\xFEt\0e\0x\0t\0", 10);
  CHECK(info.kind == RETTO_TEXT_UTF16LE && info.mark_length == 2 && info.bad_count == 0);
  info = examine("\xFE\xFF\0t\xDC\0", 6);
  CHECK(info.kind == RETTO_TEXT_BINARY || info.bad_count == 2);
  info = examine("\x89PNG\r\n\x1A\n....", 12);
  CHECK(info.kind == RETTO_TEXT_BINARY && strstr(info.name, "PNG"));
  info = examine(tiny_line, sizeof tiny_line);
  CHECK(info.kind == RETTO_TEXT_BINARY && info.first_bad == sizeof tiny_line - 1);

  GIVES(RETTO_ERROR_ARGUMENT, retto_text_examine("a", 1, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_text_examine(NULL, 1, &info));
  GIVES(RETTO_ERROR_ARGUMENT, retto_text_examine("a", SIZE_MAX, &info));
  info.size = 0;
  GIVES(RETTO_ERROR_ARGUMENT, retto_text_examine("a", 1, &info));
}

static void converts(retto_text_kind kind, const void *data, size_t length, const char *expected) {
  char text[64];
  size_t asked = 1000, size = 1000, wanted = strlen(expected);
  memset(text, '#', sizeof text);
  OK(retto_text_convert(kind, data, length, NULL, 0, &asked));
  CHECK(asked == wanted);
  if (wanted > 0)
    GIVES(RETTO_ERROR_BUFFER, retto_text_convert(kind, data, length, text, wanted - 1, &size));
  CHECK(text[0] == '#');
  OK(retto_text_convert(kind, data, length, text, wanted, &size));
  CHECK(size == wanted && !memcmp(text, expected, wanted) && text[wanted] == '#');
}

static void refuses(retto_text_kind kind, const void *data, size_t length, const char *word) {
  char text[64];
  size_t size;
  GIVES(RETTO_ERROR_FORMAT, retto_text_convert(kind, data, length, text, sizeof text, &size));
  CHECK(strstr(retto_last_error(), word) != NULL);
  GIVES(RETTO_ERROR_FORMAT, retto_text_convert(kind, data, length, NULL, 0, &size));
}

static void test_convert(void) {
  size_t size;
  int kind;
  converts(RETTO_TEXT_LATIN1, "na\xEFve\x85", 6, "na\xC3\xAFve\xC2\x85");
  converts(RETTO_TEXT_CP1252, "\x80\x85\xFF", 3, "\xE2\x82\xAC\xE2\x80\xA6\xC3\xBF");
  converts(RETTO_TEXT_UTF16LE, "\xFF\xFE\x3C\xD8\xB5\xDF" "a\0", 8, "\xF0\x9F\x8E\xB5" "a");
  converts(RETTO_TEXT_UTF16BE, "\xD8\x3C\xDF\xB5\0a", 6, "\xF0\x9F\x8E\xB5" "a");
  converts(RETTO_TEXT_UTF8, "\xEF\xBB\xBF" "a\xC3\xA9", 6, "a\xC3\xA9");
  converts(RETTO_TEXT_UTF16LE, NULL, 0, "");
  refuses(RETTO_TEXT_CP1252, "ab\x81", 3, "byte 2");
  refuses(RETTO_TEXT_UTF16LE, "a\0\x3C\xD8", 4, "byte 2");
  refuses(RETTO_TEXT_UTF16LE, "a\0b", 3, "even");
  refuses(RETTO_TEXT_UTF8, "ab\xE9 c", 5, "byte 2");
  for (kind = -1; kind < 10; kind++)
    if (kind != RETTO_TEXT_UTF8 && !(kind >= RETTO_TEXT_LATIN1 && kind <= RETTO_TEXT_UTF16BE))
      GIVES(RETTO_ERROR_ARGUMENT, retto_text_convert((retto_text_kind)kind, "a", 1, NULL, 0, &size));
  GIVES(RETTO_ERROR_ARGUMENT, retto_text_convert(RETTO_TEXT_LATIN1, "a", 1, NULL, 0, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_text_convert(RETTO_TEXT_LATIN1, NULL, 1, NULL, 0, &size));
}

static retto_model *learn_documents(int32_t documents) {
  static const char *const texts[] = {"one", "two", "three \xE7\x8A\xAC", ""};
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  int i;
  options.documents = documents;
  options.steps = 200;
  MUST(retto_trainer_create(&options, &trainer));
  for (i = 0; i < 120; i++)
    MUST(retto_trainer_add_text(trainer, texts[i % 4], strlen(texts[i % 4]), RETTO_TRAINING));
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  return model;
}

static void test_documents(void) {
  retto_model *model = learn_documents(1), *plain = learn_documents(0);
  retto_model_info info = RETTO_MODEL_INFO_INIT, other = RETTO_MODEL_INFO_INIT;
  retto_session *session = tiny_session(model, 3), *fresh = tiny_session(model, 9);
  char text[RETTO_TEXT_SIZE], written[64] = "";
  float *a, *b, score[8];
  int32_t tokens[8] = {0};
  size_t length, count;
  int i, ends = 0, known = 0;
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = NULL;

  OK(retto_model_get_info(model, &info));
  OK(retto_model_get_info(plain, &other));
  CHECK(info.end_token == info.vocabulary - 1 && info.vocabulary == other.vocabulary + 1);
  CHECK(other.end_token == -1);

  for (i = 0; i < 600; i++) {
    memset(text, '#', sizeof text);
    OK(retto_session_next_text(session, text, sizeof text, &length));
    CHECK(text[length] == 0);
    if (length > 0) {
      if (strlen(written) + length < sizeof written)
        strcat(written, text);
      continue;
    }
    ends++;
    known += !strcmp(written, "one") || !strcmp(written, "two") || !strcmp(written, "three \xE7\x8A\xAC");
    written[0] = 0;
  }
  CHECK(ends > 50 && known > ends / 2);

  /* After an end a session is as one that has read nothing. */
  while (!retto_session_next_text(session, text, sizeof text, &length) && length > 0) {
  }
  a = malloc(2 * (size_t)info.vocabulary * sizeof *a);
  if (!a)
    exit(1);
  b = a + info.vocabulary;
  OK(retto_session_log_probabilities(session, a, (size_t)info.vocabulary));
  OK(retto_session_log_probabilities(fresh, b, (size_t)info.vocabulary));
  CHECK(!memcmp(a, b, (size_t)info.vocabulary * sizeof *a));

  /* The end is a token, and no text. */
  OK(retto_model_encode(model, "one", 3, tokens + 1, 7, &count));
  CHECK(count == 3);
  tokens[0] = tokens[4] = info.end_token;
  OK(retto_model_score(model, tokens, 5, score));
  CHECK(score[0] == 0 && score[4] > -1.0f);
  CHECK(score[1] - b[tokens[1]] < 1e-4f && b[tokens[1]] - score[1] < 1e-4f);
  OK(retto_model_decode(model, tokens, 5, text, sizeof text, &length));
  CHECK(length == 3 && !memcmp(text, "one", 3));

  /* A model to start from says whether there are documents. */
  options.documents = -1;
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_create_from(model, &options, &trainer));
  options.documents = 1;
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_create_from(plain, &options, &trainer));
  OK(retto_trainer_create_from(model, &options, &trainer));
  retto_trainer_free(trainer);

  free(a);
  retto_session_free(session);
  retto_session_free(fresh);
  retto_model_free(model);
  retto_model_free(plain);
}

int main(void) {
  test_examine();
  test_convert();
  test_documents();
  return check_result();
}
