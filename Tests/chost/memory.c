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
MAKES(to_bfloat16, retto_model_round(model, RETTO_BFLOAT16, &made))
MAKES(to_int8, retto_model_round(model, RETTO_INT8, &made))
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
  return retto_sessions_next(sessions, 64, tokens, NULL);
}

static retto_status score(void) {
  static int32_t tokens[9000];
  static float log_probabilities[9000];
  return retto_model_score(model, tokens, 9000, log_probabilities);
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
    {"retto_model_round to bfloat16", to_bfloat16, RETTO_OK},
    {"retto_model_round to int8", to_int8, RETTO_OK},
    {"retto_model_save", save, RETTO_OK},
    {"retto_model_save of bfloat16", save_bfloat16, RETTO_OK},
    {"retto_model_save of int8", save_int8, RETTO_OK},
    {"retto_model_save_memory", save_memory, RETTO_OK},
    {"retto_model_score", score, RETTO_OK},
    {"retto_session_create", make_session, RETTO_OK},
    {"retto_sessions_next", draw_together, RETTO_OK},
    {"retto_trainer_step after texts", learn_text, RETTO_OK},
    {"retto_trainer_step after a file", learn_file, RETTO_OK},
    {"retto_trainer_step from a model", learn_more, RETTO_OK},
    {"retto_trainer_model", take_model, RETTO_OK},
    {"retto_trainer_save_checkpoint", save_checkpoint, RETTO_OK},
    {"retto_trainer_save_checkpoint_memory", save_checkpoint_memory, RETTO_OK},
    {"retto_trainer_resume", resume, RETTO_OK},
    {"retto_trainer_resume_memory", resume_memory, RETTO_OK},
};

static void prepare(void) {
  retto_trainer_options options = small();
  make_text();
  write_file("text", text, text_length);
  MUST(retto_trainer_create(&options, &begun));
  MUST(retto_trainer_add_text(begun, text, text_length, RETTO_TRAINING));
  MUST(retto_trainer_step(begun, NULL));
  MUST(retto_trainer_model(begun, &model));
  MUST(retto_model_round(model, RETTO_BFLOAT16, &bfloat16));
  MUST(retto_model_round(model, RETTO_INT8, &int8));
  MUST(retto_model_save(model, "model"));
  MUST(retto_model_save(bfloat16, "bfloat16"));
  MUST(retto_model_save(int8, "int8"));
  MUST(retto_trainer_save_checkpoint(begun, "checkpoint"));
  model_file = read_file("model", &model_size);
  checkpoint_file = read_file("checkpoint", &checkpoint_size);
  for (int i = 0; i < 64; i++)
    sessions[i] = tiny_session(model, (uint64_t)i);

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
