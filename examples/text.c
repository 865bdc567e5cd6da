/* text.c - learns from a text file and writes 500 characters of the kind.
 *
 *   cc text.c -o text $(pkg-config --cflags --libs libretto)
 *   ./text corpus.txt [model.safetensors [minutes]]
 */
#include <libretto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "text"; /* what it was called by */
static retto_trainer *trainer;

/* Ends the run after its step; the model is then saved as if it had been the last one. */
static void interrupted(int signal_number) {
  (void)signal_number;
  if (retto_trainer_stop(trainer) != RETTO_OK) abort();
}

/* Called after each step. */
static int32_t show(void *user, const retto_progress *p) {
  (void)user;
  if (p->step % 10 == 0 || p->end != RETTO_END_NONE)
    fprintf(stderr, "\r%3.0f %%  loss %.3f  %.2f bits per character  %.0f tokens/s  %.0f s left   ",
            100 * p->fraction, p->loss, p->bits_per_character, p->tokens_per_second,
            p->seconds_left);
  return 0; /* go on */
}

static int fail(const char *what) {
  fprintf(stderr, "%s: cannot %s: %s\n", program, what, retto_last_error());
  return 1;
}

static int train(const char *corpus, double minutes, retto_model **model) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  options.minutes = minutes; /* everything else is chosen to fit the corpus */
  retto_progress end = RETTO_PROGRESS_INIT;
  if (retto_trainer_create(&options, &trainer)) return fail("start");
  if (retto_trainer_add_file(trainer, corpus, RETTO_TRAINING)) return fail("read the corpus");
  signal(SIGINT, interrupted);
  if (retto_trainer_run(trainer, show, NULL, &end)) return fail("train");
  signal(SIGINT, SIG_DFL);
  fprintf(stderr, "\n%lld steps in %.0f s\n", (long long)end.step, end.seconds_elapsed);
  if (retto_trainer_model(trainer, model)) return fail("take the model");
  retto_trainer_free(trainer);
  return 0;
}

static int write_text(const retto_model *model, int characters) {
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  options.temperature = 0.8f;
  options.seed = 1;
  retto_session *session;
  if (retto_session_create(model, &options, &session)) return fail("make a session");
  for (int i = 0; i < characters; i++) {
    char text[RETTO_TEXT_SIZE];
    size_t length;
    if (retto_session_next_text(session, text, sizeof text, &length)) return fail("write");
    fwrite(text, 1, length, stdout);
    fflush(stdout);
  }
  putchar('\n');
  retto_session_free(session);
  return 0;
}

static void name_program(const char *path) {
  const char *slash = path ? strrchr(path, '/') : NULL;
  if (path) program = slash ? slash + 1 : path;
}

/* Whether the whole of a text is a number above 0. */
static int read_minutes(const char *text, double *minutes) {
  char *end;
  *minutes = strtod(text, &end);
  return end != text && !*end && *minutes > 0 && *minutes <= 1e6;
}

int main(int argc, char **argv) {
  double minutes = 1;
  name_program(argv[0]);
  if (argc < 2 || argc > 4) {
    fprintf(stderr, "usage: %s corpus.txt [model.safetensors [minutes]]\n", program);
    return 64;
  }
  if (argc > 3 && !read_minutes(argv[3], &minutes)) {
    fprintf(stderr, "%s: \"%s\" is no number of minutes above 0\n", program, argv[3]);
    return 64;
  }
  const char *path = argc > 2 ? argv[2] : "text.safetensors";
  retto_model *model;
  if (train(argv[1], minutes, &model)) return 1;
  if (retto_model_save(model, path)) return fail("save the model");
  fprintf(stderr, "the model is in %s\n", path);
  int failed = write_text(model, 500);
  retto_model_free(model);
  return failed;
}
