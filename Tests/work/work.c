/* A chosen amount of work through the library, for Tests/work/run to count:
 *
 *     work level                          prints the instruction set that does it
 *     work train STEPS [MODEL]            steps of training, each on 16 streams of 8 tokens; prints the
 *                                         bytes of heap in use and the parameters; saves the model
 *     work train-music STEPS [MODEL]      the same of music, with the side inputs it has
 *     work sample STEPS MODEL SESSIONS    each step draws a token from each of so many sessions
 *     work load MODEL                     prints the bytes of heap the model takes, and the parameters
 */
#include "../chost/support/check.h"
#include <malloc.h>

enum { STREAMS = 16, WINDOW = 8, MOST_STEPS = 16 };

/* Bytes from a small generator: enough that no run reaches their end. */
static void add_text(retto_trainer *trainer) {
  static char text[STREAMS * (WINDOW * MOST_STEPS + 1) + 1];
  uint32_t state = 1;
  for (size_t i = 0; i < sizeof text; i++) {
    state = state * 1664525u + 1013904223u;
    text[i] = (char)(state >> 24);
  }
  MUST(retto_trainer_add_text(trainer, text, sizeof text, RETTO_TRAINING));
}

/* Pieces of 64 bars, each step with a note. */
static void add_music(retto_trainer *trainer) {
  enum { NOTES = 1024 };
  static retto_event events[2 * NOTES];
  uint32_t state = 1;
  for (int piece = 0; piece < STREAMS; piece++) {
    for (int i = 0; i < NOTES; i++) {
      state = state * 1664525u + 1013904223u;
      uint8_t pitch = (uint8_t)(48 + (state >> 24) % 36);
      events[2 * i] = (retto_event){0, RETTO_EVENT_NOTE_ON, 0, pitch, 80};
      events[2 * i + 1] = (retto_event){120, RETTO_EVENT_NOTE_OFF, 0, pitch, 0};
    }
    retto_midi *midi = NULL;
    MUST(retto_midi_create(events, 2 * NOTES, 480, 120, &midi));
    MUST(retto_trainer_add_piece(trainer, midi, RETTO_TRAINING));
    retto_midi_free(midi);
  }
}

/* Bytes of heap in use. */
static size_t heap(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void train(int steps, const char *path, int is_music) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  options.encoding = is_music ? "polyphony" : "bytes";
  options.augment = -1;
  options.embedding = 64;
  options.hidden = 128;
  options.layers = 2;
  options.batch = STREAMS;
  options.sequence = WINDOW;
  options.threads = 1;
  options.steps = MOST_STEPS;
  options.dropout = 0;
  options.validation = 0;
  options.seed = 1;
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  MUST(retto_trainer_create(&options, &trainer));
  if (is_music)
    add_music(trainer);
  else
    add_text(trainer);
  for (int i = 0; i < steps; i++)
    MUST(retto_trainer_step(trainer, NULL));
  size_t bytes = heap();
  MUST(retto_trainer_model(trainer, &model));
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  MUST(retto_model_get_info(model, &info));
  printf("%zu %llu\n", bytes, (unsigned long long)info.parameters);
  if (path)
    MUST(retto_model_save(model, path));
  retto_model_free(model);
  retto_trainer_free(trainer);
}

static void sample(int steps, const char *path, size_t count) {
  retto_model *model = NULL;
  retto_session *sessions[64];
  int32_t tokens[64];
  if (count > 64)
    exit(1);
  MUST(retto_model_load(path, &model));
  for (size_t i = 0; i < count; i++) {
    retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
    options.seed = i;
    options.temperature = 0.8f;
    MUST(retto_session_create(model, &options, &sessions[i]));
  }
  if (count > 1)
    MUST(retto_session_reserve(sessions[0], count));
  for (int i = 0; i < steps; i++)
    if (count == 1)
      MUST(retto_session_next(sessions[0], tokens, NULL));
    else
      MUST(retto_sessions_next(sessions, count, tokens, NULL));
  for (size_t i = 0; i < count; i++)
    retto_session_free(sessions[i]);
  retto_model_free(model);
}

static void load(const char *path) {
  retto_model *model = NULL;
  size_t before = heap();
  MUST(retto_model_load(path, &model));
  size_t after = heap();
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  MUST(retto_model_get_info(model, &info));
  printf("%zu %llu\n", after - before, (unsigned long long)info.parameters);
  retto_model_free(model);
}

int main(int count, char **words) {
  if (count == 2 && !strcmp(words[1], "level"))
    puts(retto_instruction_set());
  else if (count >= 3 && (!strcmp(words[1], "train") || !strcmp(words[1], "train-music")))
    train(atoi(words[2]), count > 3 ? words[3] : NULL, words[1][5] != 0);
  else if (count == 5 && !strcmp(words[1], "sample"))
    sample(atoi(words[2]), words[3], (size_t)atoi(words[4]));
  else if (count == 3 && !strcmp(words[1], "load"))
    load(words[2]);
  else
    return 2;
  return 0;
}
