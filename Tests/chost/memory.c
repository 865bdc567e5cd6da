/* Each single allocation of more than 4 KiB fails in turn, in each call that has any: the call returns
 * RETTO_ERROR_MEMORY, or does without, and works the next time. To cover another call, write a function
 * that makes it and frees what it gave, and add a line to `operations`. */
#include "failing.h"
#include "tiny.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the operations work on. */
static char *text;
static size_t text_length;
static retto_model *model, *bfloat16, *int8;
static retto_trainer *begun;
static retto_session *sessions[64];
static unsigned char *model_file, *checkpoint_file, *many_values;
static size_t model_size, checkpoint_size;

static unsigned char *midi_file;
static size_t midi_size;
static retto_midi *midi;
static retto_model *polyphony, *performance, *melody, *ensemble;

#define HEADER_LENGTH ((size_t)1 << 20)

/* So many characters that their alphabet is large. */
static void make_text(void) {
  const int characters = 1800, repeats = 12;
  text = malloc((size_t)characters * repeats * 3);
  for (int i = 0; i < characters * repeats; i++) {
    unsigned code = 0x4E00 + (unsigned)(i * 7 % characters);
    text[text_length++] = (char)(0xE0 | code >> 12);
    text[text_length++] = (char)(0x80 | (code >> 6 & 0x3F));
    text[text_length++] = (char)(0x80 | (code & 0x3F));
  }
}

static retto_trainer_options small(void) {
  retto_trainer_options options = tiny_options();
  options.layers = 2;
  options.hidden = 40;
  options.sequence = 64;
  options.threads = 2;
  options.steps = 30;
  return options;
}

static retto_status step(retto_trainer *trainer) {
  retto_status status = retto_trainer_step(trainer, NULL);
  retto_trainer_free(trainer);
  return status;
}

static retto_status learn_text(void) {
  retto_trainer_options options = small();
  retto_trainer *trainer;
  retto_status status = retto_trainer_create(&options, &trainer);
  /* Enough to need a measurement buffer and growing lists of pieces. */
  for (int i = 0; i < 300 && !status; i++)
    status = retto_trainer_add_text(trainer, text + i * 150, 150, RETTO_TRAINING);
  if (!status)
    status = retto_trainer_add_text(trainer, text, text_length, RETTO_VALIDATION);
  if (status)
    return retto_trainer_free(trainer), status;
  return step(trainer);
}

static retto_status learn_documents(void) {
  retto_trainer_options options = small();
  retto_trainer *trainer;
  options.documents = 1;
  retto_status status = retto_trainer_create(&options, &trainer);
  /* So many that lists of them are large. */
  for (int i = 0; i < 1500 && !status; i++)
    status = retto_trainer_add_text(trainer, text + i * 30, 30, RETTO_TRAINING);
  return status ? retto_trainer_free(trainer), status : step(trainer);
}

static retto_status convert(void) {
  size_t size, room = 3 * text_length;
  char *converted = malloc(room);
  retto_status status =
      converted ? retto_text_convert(RETTO_TEXT_LATIN1, text, text_length, converted, room, &size)
                : RETTO_ERROR_MEMORY;
  free(converted);
  return status;
}

static retto_status learn_file(void) {
  retto_trainer_options options = small();
  retto_trainer *trainer;
  retto_status status = retto_trainer_create(&options, &trainer);
  if (!status)
    status = retto_trainer_add_file(trainer, "text", RETTO_TRAINING);
  return status ? retto_trainer_free(trainer), status : step(trainer);
}

static retto_status learn_more(void) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer;
  options.threads = 1;
  retto_status status = retto_trainer_create_from(model, &options, &trainer);
  if (!status)
    status = retto_trainer_add_text(trainer, text, text_length, RETTO_TRAINING);
  return status ? retto_trainer_free(trainer), status : step(trainer);
}

/* A function that makes a model and frees it. */
#define MAKES(name, call)          \
  static retto_status name(void) { \
    retto_model *made = NULL;      \
    retto_status status = call;    \
    retto_model_free(made);        \
    return status;                 \
  }

MAKES(load, retto_model_load("model", &made))
MAKES(load_bfloat16, retto_model_load("bfloat16", &made))
MAKES(load_int8, retto_model_load("int8", &made))
MAKES(load_checkpoint, retto_model_load("checkpoint", &made))
MAKES(load_memory, retto_model_load_memory(model_file, model_size, &made))
MAKES(load_many_values, retto_model_load_memory(many_values, 8 + HEADER_LENGTH, &made))
MAKES(to_bfloat16, retto_model_quantize(model, RETTO_BFLOAT16, &made))
MAKES(to_int8, retto_model_quantize(model, RETTO_INT8, &made))
MAKES(take_model, retto_trainer_model(begun, &made))

static retto_status save(void) { return retto_model_save(model, "saved"); }
static retto_status save_bfloat16(void) { return retto_model_save(bfloat16, "saved"); }
static retto_status save_int8(void) { return retto_model_save(int8, "saved"); }
static retto_status save_memory(void) {
  size_t size;
  return retto_model_save_memory(model, model_file, model_size, &size);
}
static retto_status save_checkpoint(void) { return retto_trainer_save_checkpoint(begun, "saved"); }
static retto_status save_checkpoint_memory(void) {
  size_t size;
  return retto_trainer_save_checkpoint_memory(begun, checkpoint_file, checkpoint_size, &size);
}

static retto_status go_on(retto_trainer *trainer) {
  retto_status status = retto_trainer_add_text(trainer, text, text_length, RETTO_TRAINING);
  return status ? retto_trainer_free(trainer), status : step(trainer);
}
static retto_status resume(void) {
  retto_trainer *trainer;
  retto_status status = retto_trainer_resume("checkpoint", NULL, &trainer);
  return status ? status : go_on(trainer);
}
static retto_status resume_memory(void) {
  retto_trainer *trainer;
  retto_status status =
      retto_trainer_resume_memory(checkpoint_file, checkpoint_size, NULL, &trainer);
  return status ? status : go_on(trainer);
}

static retto_status make_session(void) {
  retto_session *session;
  retto_status status = retto_session_create(int8, NULL, &session);
  retto_session_free(session);
  return status;
}

static retto_status draw_together(void) {
  int32_t tokens[64];
  retto_status status = retto_session_reserve(sessions[0], 64);
  return status ? status : retto_sessions_next(sessions, 64, tokens, NULL);
}

static retto_status score(void) {
  static int32_t tokens[9000];
  static float log_probabilities[9000];
  return retto_model_score(model, tokens, 9000, log_probabilities);
}

/* ---- MIDI files */

static void midi_bytes(const char *text, int count) {
  midi_file = realloc(midi_file, midi_size + (size_t)count);
  memcpy(midi_file + midi_size, text, (size_t)count);
  midi_size += (size_t)count;
}
#define MIDI(...)                          \
  do {                                     \
    const char midi_event[] = {__VA_ARGS__}; \
    midi_bytes(midi_event, sizeof midi_event); \
  } while (0)

static size_t midi_begin(void) {
  midi_bytes("MTrk\0\0\0", 8);
  return midi_size;
}

static void midi_end(size_t start) {
  MIDI(0, (char)0xFF, 0x2F, 0);
  for (int i = 0; i < 4; i++)
    midi_file[start - 4 + (size_t)i] = (unsigned char)((midi_size - start) >> (24 - 8 * i));
}

/* Changes of all kinds, notes with their ends and without, and many tracks. */
static void make_midi(void) {
  const int tracks = 400;
  MIDI('M', 'T', 'h', 'd', 0, 0, 0, 6, 0, 1, (char)(tracks >> 8), (char)tracks, 0, 96);
  for (int track = 0; track < tracks; track++) {
    size_t start = midi_begin();
    for (int i = 0; track == 0 && i < 400; i++) {
      MIDI(96, (char)0xFF, 0x51, 3, 7, (char)0xA1, (char)i);
      MIDI(0, (char)0xFF, 0x58, 4, (char)(3 + i % 2), 2, 24, 8);
      MIDI(0, (char)0xFF, 0x59, 2, (char)(i % 7), 0);
      MIDI(0, (char)0xC0, (char)(i % 100));
      MIDI(0, (char)0xB0, 64, (char)(i % 2 ? 127 : 0), 0, (char)(i % 9 ? 121 : 123), 0);
    }
    for (int i = 0; i < (track == 1 ? 2000 : 1); i++) {
      char key = (char)(40 + i % 30);
      MIDI(12, (char)0x90, key, (char)(1 + i % 127));
      if (i % 40 != 39)
        MIDI(12, key, 0);
    }
    midi_end(start);
  }
}

static retto_status midi_read(void) {
  retto_midi *made = NULL;
  retto_status status = retto_midi_read("music.mid", &made);
  retto_midi_free(made);
  return status;
}
static retto_status midi_read_memory(void) {
  retto_midi *made = NULL;
  retto_status status = retto_midi_read_memory(midi_file, midi_size, &made);
  retto_midi_free(made);
  return status;
}
static retto_event midi_events[20000];
static size_t midi_event_count;
static retto_status midi_get_events(void) {
  return retto_midi_get_events(midi, midi_events, 20000, &midi_event_count);
}
static retto_status midi_create(void) {
  retto_midi *made = NULL;
  retto_status status = retto_midi_create(midi_events, midi_event_count, 96, 120, &made);
  retto_midi_free(made);
  return status;
}
static retto_status midi_get_info(void) {
  retto_midi_info info = RETTO_MIDI_INFO_INIT;
  return retto_midi_get_info(midi, &info);
}
static retto_status midi_get_warnings(void) {
  static char warnings[100000];
  return retto_midi_get_warnings(midi, warnings, sizeof warnings, NULL);
}
static retto_status midi_write(void) { return retto_midi_write(midi, "saved.mid"); }
static retto_status midi_write_memory(void) {
  static unsigned char bytes[200000];
  return retto_midi_write_memory(midi, bytes, sizeof bytes, NULL);
}

static int32_t midi_tokens[100000];
static size_t midi_token_count;
static retto_status encode(const retto_model *music) {
  return retto_model_encode_midi(music, midi, midi_tokens, 100000, &midi_token_count);
}
static retto_status encode_polyphony(void) { return encode(polyphony); }
static retto_status encode_performance(void) { return encode(performance); }
static retto_status encode_melody(void) { return encode(melody); }
static retto_status decode(const retto_model *music) {
  retto_midi *made = NULL;
  retto_status status =
      retto_model_decode_midi(music, midi_tokens, midi_token_count, 120, &made);
  retto_midi_free(made);
  return status;
}
static retto_status decode_melody(void) { return decode(melody); }
static retto_status encode_and_decode_ensemble(void) {
  retto_status status = encode(ensemble);
  return status ? status : decode(ensemble);
}
static retto_status create_session_of_parts(void) {
  retto_session *made = NULL;
  retto_status status = retto_session_create(ensemble, NULL, &made);
  retto_session_free(made);
  return status;
}

static retto_status learn(const char *encoding, retto_model **made) {
  retto_trainer_options options = small();
  retto_trainer *trainer;
  options.encoding = encoding;
  retto_status status = retto_trainer_create(&options, &trainer);
  for (int i = 0; i < 2 && !status; i++)
    status = retto_trainer_add_midi_memory(trainer, midi_file, midi_size, RETTO_TRAINING);
  if (!status)
    status = retto_trainer_step(trainer, NULL);
  if (!status && made)
    status = retto_trainer_model(trainer, made);
  retto_trainer_free(trainer);
  return status;
}
static retto_status learn_midi(void) { return learn(NULL, NULL); }
static retto_status learn_performance(void) { return learn("performance", NULL); }
static retto_status learn_melody(void) { return learn("melody", NULL); }
static retto_status learn_ensemble(void) { return learn("ensemble", NULL); }

/* ---- Numbers */

enum { ROWS = 3000 };
static double numbers[2 * ROWS];
static retto_session *numbers_session;

static void make_numbers(void) {
  FILE *file = fopen("numbers.csv", "w");
  for (int i = 0; i < ROWS; i++) {
    numbers[2 * i] = i % 7;
    numbers[2 * i + 1] = -i % 5;
    fprintf(file, "%s%04d-%02d-%02d,%d,%d\n", i ? "" : "day,a,b\n", 1970 + i / 336, 1 + i / 28 % 12,
            1 + i % 28, i % 7, -i % 5);
  }
  fclose(file);
}

static retto_status learn_numbers(int file, retto_model **made) {
  static const char *const names[2] = {"a", "b"};
  retto_trainer_options options = small();
  retto_trainer *trainer;
  options.encoding = "series";
  retto_status status = retto_trainer_create(&options, &trainer);
  if (!status)
    status = file ? retto_trainer_add_csv(trainer, "numbers.csv", RETTO_TRAINING)
                  : retto_trainer_add_series(trainer, numbers, ROWS, 2, names, NULL, RETTO_TRAINING);
  if (!status)
    status = retto_trainer_step(trainer, NULL);
  if (!status && made)
    status = retto_trainer_model(trainer, made);
  retto_trainer_free(trainer);
  return status;
}
static retto_status learn_series(void) { return learn_numbers(0, NULL); }
static retto_status learn_csv(void) { return learn_numbers(1, NULL); }
static retto_status forecast(void) {
  static double means[40];
  return retto_session_forecast(numbers_session, 40, 50, 1, NULL, 0, NULL, means);
}

/* `expected` beside RETTO_ERROR_MEMORY. */
static const struct operation {
  const char *name;
  retto_status (*run)(void);
  retto_status expected;
} operations[] = {
    {"retto_model_load", load, RETTO_OK},
    {"retto_model_load of bfloat16", load_bfloat16, RETTO_OK},
    {"retto_model_load of int8", load_int8, RETTO_OK},
    {"retto_model_load of a checkpoint", load_checkpoint, RETTO_OK},
    {"retto_model_load_memory", load_memory, RETTO_OK},
    {"retto_model_load_memory of many values", load_many_values, RETTO_ERROR_UNSUPPORTED},
    {"retto_model_quantize to bfloat16", to_bfloat16, RETTO_OK},
    {"retto_model_quantize to int8", to_int8, RETTO_OK},
    {"retto_model_save", save, RETTO_OK},
    {"retto_model_save of bfloat16", save_bfloat16, RETTO_OK},
    {"retto_model_save of int8", save_int8, RETTO_OK},
    {"retto_model_save_memory", save_memory, RETTO_OK},
    {"retto_model_score", score, RETTO_OK},
    {"retto_session_create", make_session, RETTO_OK},
    {"retto_session_reserve", draw_together, RETTO_OK},
    {"retto_trainer_step after texts", learn_text, RETTO_OK},
    {"retto_trainer_step after a file", learn_file, RETTO_OK},
    {"retto_trainer_step after documents", learn_documents, RETTO_OK},
    {"retto_text_convert", convert, RETTO_OK},
    {"retto_trainer_step from a model", learn_more, RETTO_OK},
    {"retto_trainer_model", take_model, RETTO_OK},
    {"retto_trainer_save_checkpoint", save_checkpoint, RETTO_OK},
    {"retto_trainer_save_checkpoint_memory", save_checkpoint_memory, RETTO_OK},
    {"retto_trainer_resume", resume, RETTO_OK},
    {"retto_trainer_resume_memory", resume_memory, RETTO_OK},
    {"retto_midi_read", midi_read, RETTO_OK},
    {"retto_midi_read_memory", midi_read_memory, RETTO_OK},
    {"retto_midi_get_events", midi_get_events, RETTO_OK},
    {"retto_midi_create", midi_create, RETTO_OK},
    {"retto_midi_get_info", midi_get_info, RETTO_OK},
    {"retto_midi_get_warnings", midi_get_warnings, RETTO_OK},
    {"retto_midi_write", midi_write, RETTO_OK},
    {"retto_midi_write_memory", midi_write_memory, RETTO_OK},
    {"retto_model_encode_midi, polyphony", encode_polyphony, RETTO_OK},
    {"retto_model_encode_midi, performance", encode_performance, RETTO_OK},
    {"retto_model_encode_midi, melody", encode_melody, RETTO_OK},
    {"retto_model_decode_midi", decode_melody, RETTO_OK},
    {"retto_session_create, ensemble", create_session_of_parts, RETTO_OK},
    {"retto_trainer_step after MIDI files", learn_midi, RETTO_OK},
    {"retto_trainer_step after performances", learn_performance, RETTO_OK},
    {"retto_trainer_step after melodies", learn_melody, RETTO_OK},
    {"retto_trainer_step after a table", learn_series, RETTO_OK},
    {"retto_trainer_step after a CSV file", learn_csv, RETTO_OK},
    {"retto_session_forecast", forecast, RETTO_OK},
    {"retto_trainer_step after parts", learn_ensemble, RETTO_OK},
    {"retto_model_encode_midi and _decode_midi, ensemble", encode_and_decode_ensemble, RETTO_OK},
};

static void prepare(void) {
  retto_trainer_options options = small();
  make_text();
  write_file("text", text, text_length);
  MUST(retto_trainer_create(&options, &begun));
  MUST(retto_trainer_add_text(begun, text, text_length, RETTO_TRAINING));
  MUST(retto_trainer_step(begun, NULL));
  MUST(retto_trainer_model(begun, &model));
  MUST(retto_model_quantize(model, RETTO_BFLOAT16, &bfloat16));
  MUST(retto_model_quantize(model, RETTO_INT8, &int8));
  MUST(retto_model_save(model, "model"));
  MUST(retto_model_save(bfloat16, "bfloat16"));
  MUST(retto_model_save(int8, "int8"));
  MUST(retto_trainer_save_checkpoint(begun, "checkpoint"));
  model_file = read_file("model", &model_size);
  checkpoint_file = read_file("checkpoint", &checkpoint_size);
  for (int i = 0; i < 64; i++)
    sessions[i] = tiny_session(model, (uint64_t)i);

  retto_model *series = NULL;
  make_numbers();
  MUST(learn_numbers(0, &series));
  numbers_session = tiny_session(series, 1);
  MUST(retto_session_begin_series(numbers_session, 1, RETTO_NO_TIME));
  for (int i = 0; i < 100; i++)
    MUST(retto_session_feed_value(numbers_session, i % 7));

  make_midi();
  write_file("music.mid", midi_file, midi_size);
  MUST(retto_midi_read_memory(midi_file, midi_size, &midi));
  MUST(learn("polyphony", &polyphony));
  MUST(learn("performance", &performance));
  MUST(learn("melody", &melody));
  MUST(learn("ensemble", &ensemble));
  MUST(midi_get_events());
  MUST(encode_melody());

  /* A header of nothing but numbers. */
  many_values = malloc(8 + HEADER_LENGTH);
  memset(many_values, 0, 8);
  for (int i = 0; i < 8; i++)
    many_values[i] = (unsigned char)((uint64_t)HEADER_LENGTH >> (8 * i));
  char *header = (char *)many_values + 8;
  size_t at = (size_t)sprintf(header, "{\"a\":{\"shape\":[1");
  while (at + 5 < HEADER_LENGTH) {
    header[at++] = ',';
    header[at++] = '1';
  }
  memcpy(header + at, "]}}", 3);
  memset(header + at + 3, ' ', HEADER_LENGTH - at - 3);
}

static void run(const struct operation *operation, volatile long *number) {
  for (*number = 0;; ++*number) {
    failing(*number);
    retto_status status = operation->run();
    int has_failed = failed();
    CHECK(status == operation->expected || (has_failed && status == RETTO_ERROR_MEMORY));
    if (status != operation->expected && status != RETTO_ERROR_MEMORY)
      fprintf(stderr, "%s, allocation %ld: %s: %s\n", operation->name, *number,
              retto_status_name(status), retto_last_error());
    /* Nothing is broken by it. */
    GIVES(operation->expected, operation->run());
    if (!has_failed)
      return;
  }
}

int main(void) {
  prepare();
  /* In memory that tells how far a process came that is no more. */
  volatile long *number = mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    *number = 0;
    /* Once before, in this process: what a runtime makes for itself at first is not looked at. */
    GIVES(operations[i].expected, operations[i].run());
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
      run(&operations[i], number);
      fflush(NULL);
      _exit(check_result());
    }
    int how = 0;
    waitpid(child, &how, 0);
    if (WIFSIGNALED(how))
      fprintf(stderr, "%s: killed by signal %d at allocation %ld\n", operations[i].name,
              WTERMSIG(how), *number);
    CHECK(how == 0);
    printf("%s: %ld allocations\n", operations[i].name, *number);
  }
  return check_result();
}
