/* generation.c - how long a session takes to draw an event, on the machine it runs on.
 *
 *   libretto train examples/tunes -o m.safetensors --encoding polyphony \
 *     --hidden 512 --layers 2 --steps 600
 *   libretto quantize m.safetensors -o q.safetensors --to int8
 *   cc generation.c -o generation $(pkg-config --cflags --libs libretto)
 *   ./generation q.safetensors [EVENTS]
 * The 99.9th percentile is to be below 1/100 of a step of the grid at 240 quarter notes a minute:
 * 0.625 ms for the usual four steps to a quarter note. The status is 1 if it is not. */
#define _POSIX_C_SOURCE 200809L
#include <libretto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  retto_model *model;
  retto_session *session;
  retto_event event;
  double *ms = malloc((count + 1) * sizeof *ms);
  if (argc < 2 || !ms || count < 1000) return 64;
  if (retto_model_load(argv[1], &model) || retto_model_get_info(model, &info) ||
      retto_session_create(model, NULL, &session))
    return fprintf(stderr, "%s\n", retto_last_error()), 1;
  for (size_t i = 0; i < count; i++) {
    double start = now();
    if (retto_session_next_event(session, &event))
      return fprintf(stderr, "%s\n", retto_last_error()), 1;
    ms[i] = now() - start;
  }
  qsort(ms, count, sizeof *ms, compare);
  double most = ms[(size_t)(0.999 * (double)count)];
  printf("%d layers of %d: %zu events; ms to draw one: median %.4f, 99 %% %.4f, 99.9 %% %.4f, "
         "worst %.4f\n",
         info.layers, info.hidden, count, ms[count / 2], ms[(size_t)(0.99 * (double)count)], most,
         ms[count - 1]);
  free(ms);
  retto_session_free(session);
  retto_model_free(model);
  return most > 0.625;
}
