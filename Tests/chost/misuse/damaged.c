/* Damaged files. */
#include "misuse.h"

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

void damaged_models(const char *path) {
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
void crafted_models(void) {
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

void damaged_checkpoints(void) {
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
