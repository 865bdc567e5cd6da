/* What the plugin plays: `music play` prints it, `music phrase` saves it in mid-phrase, `music load` measures. */
#include "host.h"
#include <time.h>

static uint8_t saved[MOST_STATE];

static host *open_model(double rate, double model, double seed, double bars) {
  host *h = host_open(rate, 8192);
  host_set(h, 0, "Model", model);
  host_set(h, 0, "Seed", seed);
  host_set(h, 0, "Bars", bars);
  host_run(h, 0); /* the model comes on the main thread, and plays from the first block on */
  return h;
}

/* It is stopped, and what then sounds is ended by the next block. */
static void end_notes(host *h) {
  host_stop(h);
  host_start(h);
  host_set(h, 0, "Enabled", 0);
  host_run(h, 1);
  CHECK(host_sounding(h) == 0, "%d notes sound", host_sounding(h));
}

/* Prints the notes: frame, frames, channel, key and velocity. */
static int play(char **a) {
  double rate = atof(a[3]), tempo = atof(a[5]), quarters = 6 * atof(a[2]) + 8;
  uint32_t block = (uint32_t)atoi(a[4]);
  host *h = open_model(rate, atof(a[0]), atof(a[1]), atof(a[2]));
  int64_t frames = (int64_t)(quarters * 60 / tempo * rate);
  if (!strcmp(a[6], "free")) {
    host_set(h, 0, "Tempo", tempo);
    for (int64_t done = 0; done < frames; done += block) host_run(h, block);
  } else {
    host_play(h, frames, block, 0, tempo);
  }
  end_notes(h);
  for (int i = 0; i < h->note_count; i++) {
    note n = h->notes[i];
    if (n.velocity == 0) continue;
    int k = i + 1;
    while (k < h->note_count && (h->notes[k].channel != n.channel || h->notes[k].key != n.key)) k++;
    printf("%lld,%lld,%d,%d,%.0f\n", (long long)n.frame, k < h->note_count ? (long long)(h->notes[k].frame - n.frame) : -1,
           n.channel, n.key, n.velocity * 127);
  }
  host_close(h);
  return failures != 0;
}

/* ---- Mid-phrase ---- */

/* What the player does in the 512 frames from there on. */
static void play_phrase(host *h, int64_t block) {
  static const int keys[] = {62, 64, 66, 67, 69, 71, 73, 74};
  int64_t beat = block % 400;
  if (beat < 160 && beat % 20 == 0) host_note(h, 7, CLAP_EVENT_NOTE_ON, 0, keys[beat / 20], -1, 0.6);
  if (beat < 160 && beat % 20 == 18) host_note(h, 300, CLAP_EVENT_NOTE_OFF, 0, keys[beat / 20], -1, 0);
}

static void run_blocks(host *h, int64_t from, int64_t to, bool has_transport) {
  for (int64_t b = from; b < to; b++) {
    h->has_transport = has_transport;
    h->transport = host_song((double)b * 512 / h->rate * 2, 120, true);
    play_phrase(h, b);
    host_run(h, 512);
  }
}

/* The notes from a frame on that begin there, in the order of the plugin. */
static int from_frame(const host *h, int64_t frame, note *notes) {
  int count = 0;
  bool is_open[16][128] = {{false}};
  for (int i = 0; i < h->note_count; i++) {
    note n = h->notes[i];
    if (n.frame < frame || (n.velocity == 0 && !is_open[n.channel][n.key])) continue;
    is_open[n.channel][n.key] = n.velocity > 0;
    notes[count++] = n;
  }
  return count;
}

static void phrase(int model, int mode, bool has_transport, int64_t at, double rate) {
  static note a[MOST_NOTES], b[MOST_NOTES];
  host *h = open_model(rate, model, 3, 0), *other = host_new();
  host_set(h, 0, "Mode", mode);
  if (at % 2) host_set(h, 0, "Temperature", 0.93);
  run_blocks(h, 0, at / 2, has_transport);
  host_set(h, 100, "Density", 0.5); /* a setting changes under way */
  run_blocks(h, at / 2, at, has_transport);
  size_t size = host_save(h, saved, 4096);
  host_init(other);
  CHECK(host_load(other, saved, size, 4096), "load");
  host_activate(other, rate, 8192);
  host_reset(other);
  host_start(other);
  other->played = h->played;
  run_blocks(h, at, at + 1500, has_transport);
  run_blocks(other, at, at + 1500, has_transport);
  int count = from_frame(h, at * 512, a), others = from_frame(other, at * 512, b), i = 0;
  while (i < count && i < others && a[i].frame == b[i].frame && a[i].channel == b[i].channel && a[i].key == b[i].key &&
         a[i].velocity == b[i].velocity)
    i++;
  CHECK(i == count && i == others, "model %d mode %d transport %d block %lld rate %g: event %d of %d and %d differs", model,
        mode, has_transport, (long long)at, rate, i, count, others);
  CHECK(count > 10, "%d events", count);
  host *both[] = {h, other};
  for (int k = 0; k < 2; k++) {
    end_notes(both[k]);
    host_close(both[k]);
  }
}

static int phrases(void) {
  int count = 0;
  for (int model = 0; model < 5; model++)
    for (int mode = 0; mode < 4; mode++)
      for (int transport = 0; transport < 2; transport++)
        for (int k = 0; k < 3; k++, count++)
          phrase(model, mode, transport, 40 + (model * 131 + mode * 57 + k * 211) % 700, k % 2 ? 44100 : 48000);
  printf("%s phrases (%d saved and loaded)\n", failures ? "FAILED" : "ok", count);
  return failures != 0;
}

/* ---- Load ---- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int load(int instances, double seconds) {
  enum { MOST = 24 };
  const uint32_t frames = 128;
  host *h[MOST];
  long blocks = (long)(seconds * 48000 / frames), calls = 0;
  double *times = malloc(sizeof *times * (size_t)(blocks * instances)), all = 0;
  if (!times) return 2;
  for (int i = 0; i < instances; i++) h[i] = open_model(48000, i % 3, i + 1, 0);
  for (long b = 0; b < blocks; b++)
    for (int i = 0; i < instances; i++) {
      h[i]->has_transport = true;
      h[i]->transport = host_song((double)(b * frames) / 48000 * 2, 120, true);
      double begin = now();
      host_run(h[i], frames);
      all += times[calls++] = now() - begin;
    }
  qsort(times, (size_t)calls, sizeof *times, compare);
  printf("load: %d instances, %u frames at 48 kHz: %.1f %% of a core; process() in microseconds of its thread: "
         "median %.1f, 99.9 %% %.0f, worst %.0f; a whole cycle has %.0f\n",
         instances, frames, 100 * all / seconds, 1e6 * times[calls / 2], 1e6 * times[calls * 999 / 1000],
         1e6 * times[calls - 1], 1e6 * frames / 48000.0);
  int notes = 0;
  for (int i = 0; i < instances; i++) {
    notes += h[i]->note_count;
    host_close(h[i]);
  }
  free(times);
  CHECK(notes > 100, "%d", notes);
  return failures != 0;
}

int main(int count, char **a) {
  if (count == 9 && !strcmp(a[1], "play")) return play(a + 2);
  if (count == 2 && !strcmp(a[1], "phrases")) return phrases();
  if (count == 4 && !strcmp(a[1], "load")) return load(atoi(a[2]), atof(a[3]));
  fprintf(stderr, "usage: music play MODEL SEED BARS RATE BLOCK TEMPO song|free, phrases, load INSTANCES SECONDS\n");
  return 2;
}
