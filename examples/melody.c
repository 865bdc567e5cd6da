/* melody.c - learns from MIDI files and writes a tune of 16 bars.
 *
 *   cc melody.c -o melody $(pkg-config --cflags --libs libretto)
 *   ./melody tune.mid tunes/a.mid tunes/b.mid ...
 */
#include <libretto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "melody"; /* what it was called by */

enum { BARS = 16, MOST_EVENTS = 10000 };

static int fail(const char *what) {
  fprintf(stderr, "%s: cannot %s: %s\n", program, what, retto_last_error());
  return 1;
}

/* Called after each step. */
static int32_t show(void *user, const retto_progress *p) {
  (void)user;
  if (p->step % 20 == 0)
    fprintf(stderr, "\r%3.0f %%  loss %.3f  %.0f s left   ", 100 * p->fraction, p->loss,
            p->seconds_left);
  return 0;
}

static int train(char **files, int count, retto_model **model) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer;
  options.encoding = "melody"; /* one voice; "polyphony" takes the chords too */
  options.minutes = 0.5;
  if (retto_trainer_create(&options, &trainer)) return fail("start");
  int read = 0;
  for (int i = 0; i < count; i++) {
    if (retto_trainer_add_midi(trainer, files[i], RETTO_TRAINING) == RETTO_OK)
      read++;
    else
      fprintf(stderr, "%s: leaving out %s\n", program, retto_last_error());
  }
  if (!read) return 1;
  if (retto_trainer_run(trainer, show, NULL, NULL)) return fail("train");
  fputc('\n', stderr);
  if (retto_trainer_model(trainer, model)) return fail("take the model");
  retto_trainer_free(trainer);
  return 0;
}

/* Draws events until the piece is over and writes them to a MIDI file. */
static int write_tune(const retto_model *model, const char *path) {
  static retto_event events[MOST_EVENTS];
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  retto_session *session;
  retto_midi *midi;
  uint32_t scale;
  size_t count = 0;
  options.temperature = 0.8f;
  options.seed = 1;
  if (retto_session_create(model, &options, &session)) return fail("make a session");
  if (retto_scale_from_key("G", &scale) || retto_session_set_scale(session, scale) ||
      retto_session_set_bars(session, BARS))
    return fail("ask for sixteen bars in G");
  do {
    if (retto_session_next_event(session, &events[count])) return fail("write");
  } while (events[count++].kind != RETTO_EVENT_END && count < MOST_EVENTS);
  if (retto_model_get_info(model, &info)) return fail("ask for the ticks");
  if (retto_midi_create(events, count, info.ticks_per_quarter, 120, &midi) ||
      retto_midi_write(midi, path))
    return fail("write the file");
  printf("%s: %d bars, %zu events\n", path, BARS, count);
  retto_midi_free(midi);
  retto_session_free(session);
  return 0;
}

static void name_program(const char *path) {
  const char *slash = path ? strrchr(path, '/') : NULL;
  if (path) program = slash ? slash + 1 : path;
}

int main(int argc, char **argv) {
  name_program(argv[0]);
  if (argc < 3) {
    fprintf(stderr, "usage: %s out.mid in.mid...\n", program);
    return 64;
  }
  retto_model *model;
  if (train(argv + 2, argc - 2, &model)) return 1;
  int failed = write_tune(model, argv[1]);
  retto_model_free(model);
  return failed;
}
