/* Tiny models, trained in a moment, and files in memory. */
#ifndef TINY_H
#define TINY_H

#include "check.h"

/* 1, 2, 3 and 4 bytes of UTF-8 a character. */
static const char tiny_line[] =
    "The quick br\xC3\xB6wn f\xC3\xB4x \xF0\x9F\xA6\x8A jumps over the lazy \xE7\x8A\xAC.\n";

/* The line, so often that there are at least `length` bytes, and its exact length. Freed by the
 * caller. */
static inline char *tiny_text(size_t length, size_t *exact) {
  size_t line = sizeof tiny_line - 1, count = length / line + 1;
  char *text = malloc(count * line);
  if (!text)
    exit(1);
  for (size_t i = 0; i < count; i++)
    memcpy(text + i * line, tiny_line, line);
  *exact = count * line;
  return text;
}

static inline retto_trainer_options tiny_options(void) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  options.embedding = 8;
  options.hidden = 16;
  options.layers = 1;
  options.batch = 4;
  options.sequence = 16;
  options.threads = 1;
  options.steps = 60;
  options.learning_rate = 0.02;
  options.dropout = 0;
  options.seed = 1;
  return options;
}

/* A trainer that has its material. */
static inline retto_trainer *tiny_trainer(const retto_trainer_options *options) {
  size_t length;
  char *text = tiny_text(4000, &length);
  retto_trainer *trainer = NULL;
  MUST(retto_trainer_create(options, &trainer));
  MUST(retto_trainer_add_text(trainer, text, length, RETTO_TRAINING));
  free(text);
  return trainer;
}

static inline retto_model *tiny_model_with(const retto_trainer_options *options) {
  retto_trainer *trainer = tiny_trainer(options);
  retto_model *model = NULL;
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  return model;
}

static inline retto_model *tiny_model(const char *encoding, int32_t layers) {
  retto_trainer_options options = tiny_options();
  options.encoding = encoding;
  options.layers = layers;
  return tiny_model_with(&options);
}

/* A model of documents, each of them three letters. */
static inline retto_model *tiny_documents(void) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  options.documents = 1;
  MUST(retto_trainer_create(&options, &trainer));
  for (int i = 0; i < 60; i++)
    MUST(retto_trainer_add_text(trainer, i % 2 ? "abc" : "xyz", 3, RETTO_TRAINING));
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  return model;
}

static inline retto_session *tiny_session(const retto_model *model, uint64_t seed) {
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  retto_session *session = NULL;
  options.seed = seed;
  MUST(retto_session_create(model, &options, &session));
  return session;
}

static inline int32_t vocabulary_of(const retto_model *model) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  MUST(retto_model_get_info(model, &info));
  return info.vocabulary;
}

/* A whole file. Freed by the caller. */
static inline unsigned char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = NULL;
  long end = -1;
  if (file && !fseek(file, 0, SEEK_END) && (end = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET))
    bytes = malloc((size_t)end + 1);
  if (!bytes || fread(bytes, 1, (size_t)end, file) != (size_t)end) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(1);
  }
  fclose(file);
  *length = (size_t)end;
  return bytes;
}

static inline void write_file(const char *path, const void *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) {
    fprintf(stderr, "cannot write %s\n", path);
    exit(1);
  }
}

static inline int same_files(const char *a, const char *b) {
  size_t na, nb;
  unsigned char *x = read_file(a, &na), *y = read_file(b, &nb);
  int same = na == nb && !memcmp(x, y, na);
  free(x);
  free(y);
  return same;
}

#endif
