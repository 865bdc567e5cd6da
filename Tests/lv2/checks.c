/* checks FOLDER [NAME...]: what the plugin does in a host in simulated time. FOLDER holds the models' files and what
 * the tool sampled of them, NAME.mid, see run. */
#include "host.h"
#include <math.h>

static const char *folder;
static int failures;
static const char *check_name;

#define CHECK(condition, ...)                                      \
  do {                                                             \
    if (!(condition)) {                                            \
      failures++;                                                  \
      printf("    %s, line %d: ", check_name, __LINE__);           \
      printf(__VA_ARGS__);                                         \
      printf("\n");                                                \
    }                                                              \
  } while (0)

/* ---- Notes ---- */

typedef struct note {
  int64_t tick;
  int on, pitch, channel;
} note;

typedef struct notes {
  note list[20000];
  int count;
} notes;

static int order(const void *a, const void *b) {
  const note *x = a, *y = b;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  if (x->on != y->on) return x->on - y->on;
  if (x->channel != y->channel) return x->channel - y->channel;
  return x->pitch - y->pitch;
}

static void sort(notes *n) { qsort(n->list, (size_t)n->count, sizeof n->list[0], order); }

/* What a host sent, in ticks of so many to a quarter note; frame 0 is `start`. */
static void notes_of_host(const host *h, notes *n, double tempo, int ticks, int64_t start) {
  n->count = 0;
  for (int i = 0; i < h->count; i++) {
    const message *m = &h->events[i];
    if (m->count != 3 || m->bytes[0] >= 0xA0 || m->frame < start) continue;
    double at = (double)(m->frame - start) / h->rate * tempo / 60 * ticks;
    n->list[n->count++] = (note){llrint(at), m->bytes[0] >= 0x90, m->bytes[1], m->bytes[0] & 15};
  }
  sort(n);
}

static int notes_of_file(const char *name, notes *n) {
  static retto_event events[40000];
  char path[4096];
  retto_midi *midi = NULL;
  retto_midi_info info = RETTO_MIDI_INFO_INIT;
  size_t count = 0;
  int64_t tick = 0;
  snprintf(path, sizeof path, "%s/%s.mid", folder, name);
  n->count = 0;
  if (retto_midi_read(path, &midi) || retto_midi_get_info(midi, &info) ||
      retto_midi_get_events(midi, events, 40000, &count)) {
    printf("%s\n", retto_last_error());
    exit(1);
  }
  for (size_t i = 0; i < count; i++) {
    tick += events[i].delta;
    if (events[i].kind == RETTO_EVENT_NOTE_ON || events[i].kind == RETTO_EVENT_NOTE_OFF)
      n->list[n->count++] =
          (note){tick, events[i].kind == RETTO_EVENT_NOTE_ON, events[i].pitch, events[i].channel};
  }
  retto_midi_free(midi);
  sort(n);
  return info.ticks_per_quarter;
}

/* Leaves out the ends of what sounded before. */
static void drop_ends(notes *n) {
  int ended = 0;
  while (ended < n->count && n->list[ended].tick <= 1 && !n->list[ended].on) ended++;
  n->count -= ended;
  memmove(n->list, n->list + ended, (size_t)n->count * sizeof n->list[0]);
}

/* How many differ up to a tick; `off_by` ticks are allowed. */
static int differences(const notes *a, const notes *b, int64_t until, int64_t off_by) {
  int wrong = 0, i = 0;
  for (; i < a->count && i < b->count && a->list[i].tick < until && b->list[i].tick < until; i++) {
    const note *x = &a->list[i], *y = &b->list[i];
    wrong += llabs(x->tick - y->tick) > off_by || x->on != y->on || x->pitch != y->pitch || x->channel != y->channel;
  }
  wrong += i < a->count && a->list[i].tick < until - off_by;
  wrong += i < b->count && b->list[i].tick < until - off_by;
  if (wrong && getenv("SHOW"))
    for (i = 0; i < a->count || i < b->count; i++) {
      if (i < a->count) printf("%6d %d %3d %2d", (int)a->list[i].tick, a->list[i].on, a->list[i].pitch, a->list[i].channel);
      if (i < b->count) printf("\t%6d %d %3d %2d", (int)b->list[i].tick, b->list[i].on, b->list[i].pitch, b->list[i].channel);
      printf("\n");
    }
  return wrong;
}

/* ---- Hosts ---- */

static const char *model_path(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
  return path;
}

static host *open_with(const char *model, double rate) {
  host *h = host_open(rate);
  host_choose(h, LIBRETTO_MODEL, model_path(model));
  host_run(h, 0);
  host_run(h, 0);
  CHECK(!strcmp(h->told, model_path(model)), "the model is %s, not %s", h->told, model_path(model));
  return h;
}

/* Rolls from `from` for so many quarter notes; the host tells its position with each block, or at the start alone. */
static void roll(host *h, double from, double quarters, uint32_t block, double tempo, bool each, int per_bar, int unit) {
  int64_t frames = llrint(quarters * 60 / tempo * h->rate), done = 0;
  while (done < frames) {
    uint32_t size = frames - done < block ? (uint32_t)(frames - done) : block;
    if (each || done == 0)
      host_position(h, 0, "fstbm", from + (double)done / h->rate * tempo / 60, tempo, 1, per_bar, unit);
    host_run(h, size);
    done += size;
  }
}

static void halt(host *h, double at, double tempo) {
  host_position(h, 0, "fstbm", at, tempo, 0, 4, 4);
  host_run(h, 512);
}

static void close_well(host *h) {
  CHECK(h->bad == 0, "%d events out of order or outside of the block", h->bad);
  host_close(h);
}

/* ---- The same music as the tool's ---- */

enum { SEED = 5, BARS = 16 };

static void same(const char *model, double rate, uint32_t block, int how, double tempo) {
  static notes played, sampled;
  int ticks = notes_of_file(model, &sampled);
  host *h = open_with(model, rate);
  h->value[INSTANCE_SEED] = SEED;
  h->value[LIVE_BARS] = BARS;
  h->value[INSTANCE_TEMPO] = (float)tempo;
  host_run(h, 0);
  h->count = 0;
  int64_t start = h->played, last = sampled.list[sampled.count - 1].tick, until = last + 1;
  double quarters = (double)last / ticks + 1;
  if (how == 0)
    roll(h, 0, quarters, block, tempo, true, 4, 4);
  else if (how == 1)
    roll(h, 0, quarters, block, tempo, false, 4, 4);
  else
    for (int64_t end = start + llrint(quarters * 60 / tempo * rate); h->played < end;) host_run(h, block);
  notes_of_host(h, &played, tempo, ticks, start);
  int wrong = differences(&played, &sampled, until, 0);
  CHECK(wrong == 0 && played.count >= 40, "%s at %g Hz, blocks of %u, way %d: %d of %d notes differ", model, rate, block,
        how, wrong, sampled.count);
  CHECK(host_sounding(h) == 0, "%d notes sound after the piece", host_sounding(h));
  close_well(h);
}

static void check_same(void) {
  const double rates[] = {44100, 48000, 96000};
  const uint32_t blocks[] = {1, 64, 100, 1024, 8192};
  for (int r = 0; r < 3; r++)
    for (int b = 0; b < 5; b++)
      for (int how = 0; how < 3; how++)
        if (b > 0 || how == r) same("tunes", rates[r], blocks[b], how, 120);
  const char *const models[] = {"folk", "chorale", "drums"};
  for (int m = 0; m < 3; m++)
    for (int b = 1; b < 5; b++) same(models[m], rates[b % 3], blocks[b], b % 2, 97.3);
}

/* A performance: its ticks are milliseconds, of which one is 44.1 frames. */
static void check_performance(void) {
  static notes played, sampled;
  int ticks = notes_of_file("pop", &sampled);
  const uint32_t blocks[] = {64, 100, 1024, 8192};
  for (int b = 0; b < 4; b++) {
    host *h = open_with("pop", 48000);
    h->value[INSTANCE_SEED] = SEED;
    host_run(h, 0);
    h->count = 0;
    roll(h, 0, 40, blocks[b], 120, true, 4, 4);
    notes_of_host(h, &played, 120, ticks, 0);
    int64_t until = 39 * ticks;
    int wrong = differences(&played, &sampled, until, 1);
    CHECK(wrong == 0 && played.count > 100, "pop in blocks of %u: %d of %d notes differ", blocks[b], wrong, played.count);
    close_well(h);
  }
}

/* ---- The transport ---- */

static void check_loop(void) {
  static notes first, again;
  const uint32_t blocks[] = {64, 333, 1024};
  for (int b = 0; b < 3; b++) {
    host *h = open_with("tunes", 48000);
    double tempo = 120;
    roll(h, 0, 32, blocks[b], tempo, true, 4, 4);
    int64_t start = h->played;
    for (int pass = 0; pass < 3; pass++) {
      h->count = 0;
      start = h->played;
      roll(h, 16, 16, blocks[b], tempo, true, 4, 4);
      halt(h, 32, tempo);
      CHECK(host_sounding(h) == 0, "notes sound after the loop");
      notes_of_host(h, pass ? &again : &first, tempo, 960, start);
      drop_ends(pass ? &again : &first);
      if (pass) {
        int wrong = differences(&first, &again, 16 * 960 - 1, 0);
        CHECK(wrong == 0 && first.count > 20, "blocks of %u: the loop has %d notes, and %d other ones when it comes again",
              blocks[b], first.count, wrong);
      }
    }
    /* A jump within a block, without a stop. */
    h->count = 0;
    roll(h, 0, 4, blocks[b], tempo, true, 4, 4);
    h->count = 0;
    start = h->played + 30;
    host_position(h, 0, "fstbm", 4, tempo, 1, 4, 4);
    host_position(h, 30, "fstbm", 16, tempo, 1, 4, 4);
    host_run(h, 64);
    roll(h, 16 + 34.0 / 24000, 15, blocks[b], tempo, true, 4, 4);
    notes_of_host(h, &again, tempo, 960, start);
    drop_ends(&again);
    int wrong = differences(&first, &again, 14 * 960, 0);
    CHECK(wrong == 0, "blocks of %u: %d notes differ after a jump in a block", blocks[b], wrong);
    close_well(h);
  }
}

static void check_stop(void) {
  const char *const models[] = {"tunes", "chorale", "pop"};
  for (int m = 0; m < 3; m++) {
    host *h = open_with(models[m], 48000);
    for (int i = 0; i < 60; i++) {
      roll(h, i * 3.7, 2 + i % 7 * 0.31, 64 + (uint32_t)i * 7, 120, i % 2, 4, 4);
      host_position(h, (uint32_t)i, "fst", i * 3.7 + 2, 120, 0, 4, 4);
      host_run(h, 128);
      CHECK(host_sounding(h) == 0, "%s: %d notes sound after stop %d", models[m], host_sounding(h), i);
    }
    close_well(h);
  }
}

/* Tempo and time signature change, and a host that counts beats of the time signature. */
static void check_tempo(void) {
  static notes slow, fast;
  for (int way = 0; way < 2; way++) {
    host *h = open_with("tunes", 48000);
    double tempo = 90, quarters = 24;
    for (double at = 0; at < quarters; at += 512 / 48000.0 * tempo / 60) {
      host_position(h, 0, "stbm", at, way ? tempo * 2 : tempo, 1, 6, 8);
      host_run(h, 512);
    }
    notes_of_host(h, way ? &fast : &slow, tempo, 960, 0);
    close_well(h);
  }
  /* The first block is played before it is known how the host counts. */
  while (slow.count && slow.list[0].tick < 200) memmove(slow.list, slow.list + 1, (size_t)--slow.count * sizeof(note));
  while (fast.count && fast.list[0].tick < 200) memmove(fast.list, fast.list + 1, (size_t)--fast.count * sizeof(note));
  int wrong = differences(&slow, &fast, 20 * 960, 1);
  CHECK(wrong == 0 && slow.count > 20, "in 6/8 %d of %d notes depend on how the host counts its tempo", wrong, slow.count);
}

/* ---- Models and state ---- */

static void check_state(void) {
  static notes a, b;
  static kept k;
  for (int way = 0; way < 4; way++) {
    host *h = open_with("tunes", 48000);
    if (way < 2)
      host_choose(h, LIBRETTO_MODEL, model_path("chorale"));
    else
      host_choose(h, LIBRETTO_NAME, "chorale");
    host_run(h, 64);
    h->value[LIVE_TEMPERATURE] = 1.1f;
    h->value[LIVE_KEY] = 3;
    h->value[INSTANCE_SEED] = 77;
    host_save(h, &k);
    CHECK(k.count == 1 && (way < 2 ? !strncmp(k.value[0], "song:/", 6) : !strcmp(k.value[0], "chorale")),
          "the state is %s", k.value[0]);
    host *other = host_open(48000);
    memcpy(other->value, h->value, sizeof h->value);
    host_restore(other, &k, way % 2);
    host_run(other, 64);
    host_get(other);
    host_run(other, 64);
    CHECK(!strcmp(other->told, way < 2 ? model_path("chorale") : "chorale"), "restored: %s", other->told);
    h->count = other->count = 0;
    h->played = other->played = 0;
    roll(h, 0, 32, 256, 120, true, 4, 4);
    roll(other, 0, 32, 256, 120, true, 4, 4);
    notes_of_host(h, &a, 120, 960, 0);
    notes_of_host(other, &b, 120, 960, 0);
    drop_ends(&a);
    drop_ends(&b);
    CHECK(differences(&a, &b, 31 * 960, 0) == 0 && a.count > 40, "restored music differs");
    close_well(h);
    close_well(other);
  }
  host *h = host_open(48000);
  host_save(h, &k);
  CHECK(k.count == 1 && !strcmp(k.value[0], LIBRETTO_FIRST_MODEL), "a new instance has %s", k.value[0]);
  /* A file of another machine is found by its name, others are refused. */
  host_choose(h, LIBRETTO_MODEL, "/nowhere/chorale.safetensors");
  host_run(h, 64);
  host_choose(h, LIBRETTO_MODEL, "/nowhere/nothing.safetensors");
  host_run(h, 64);
  host_choose(h, LIBRETTO_MODEL, "");
  host_run(h, 64);
  host_save(h, &k);
  CHECK(strstr(k.value[0], "chorale") != NULL, "the model is %s", k.value[0]);
  roll(h, 0, 8, 256, 120, true, 4, 4);
  CHECK(h->count > 10, "no music after a model that is not there");
  close_well(h);
}

static void check_swap(void) {
  static notes after, fresh;
  host *h = open_with("chorale", 48000);
  for (int i = 0; i < 12; i++) {
    roll(h, i * 8, 8, 128, 120, true, 4, 4);
    int sounded = host_sounding(h);
    host_choose(h, LIBRETTO_MODEL, model_path(i % 2 ? "chorale" : "tunes"));
    h->holds_jobs = true;
    h->count = 0;
    roll(h, i * 8 + 8, 2.5, 128, 120, true, 4, 4); /* it plays on while the other is loaded */
    CHECK(sounded + h->count > 0, "no note sounds while a model is loaded");
    h->holds_jobs = false;
    roll(h, i * 8 + 10.5, 0.02, 128, 120, true, 4, 4);
    h->count = 0;
    int64_t start = h->played;
    if (i == 10) {
      roll(h, 8 * i + 10.52, 10, 128, 120, true, 4, 4);
      notes_of_host(h, &after, 120, 960, start);
      host *other = open_with("tunes", 48000);
      host_position(other, 0, "fstbm", 0, 120, 0, 4, 4);
      host_run(other, 0);
      other->played = 0;
      roll(other, 0, 8 * i + 20.52, 128, 120, true, 4, 4);
      notes_of_host(other, &fresh, 120, 960, llrint((8 * i + 10.52) * 24000));
      int wrong = 0, both = 0;
      for (int x = 0; x < after.count; x++) {
        bool found = false;
        if (!after.list[x].on || after.list[x].tick < 960) continue;
        for (int y = 0; y < fresh.count; y++)
          found |= llabs(fresh.list[y].tick - after.list[x].tick) <= 1 && fresh.list[y].on &&
                   fresh.list[y].pitch == after.list[x].pitch;
        found ? both++ : wrong++;
      }
      CHECK(wrong == 0 && both > 5, "after a swap %d notes are others than from the beginning, %d the same", wrong, both);
      close_well(other);
      host_choose(h, LIBRETTO_MODEL, model_path("chorale"));
      host_run(h, 128);
    }
  }
  halt(h, 96, 120);
  CHECK(host_sounding(h) == 0, "notes of an old model sound");
  close_well(h);
}

/* ---- Ends ---- */

static void check_ends(void) {
  host *h = open_with("chorale", 48000);
  uint8_t held[3] = {0x93, 40, 80};
  h->value[INSTANCE_THRU] = 1;
  roll(h, 0, 9, 256, 120, true, 4, 4);
  host_midi(h, 0, held, 3);
  roll(h, 9, 0.1, 256, 120, true, 4, 4);
  CHECK(host_sounding(h) > 1 && h->sounding[3][40] == 1, "thru: nothing sounds");
  h->value[INSTANCE_PANIC] = 1;
  host_run(h, 1);
  CHECK(host_sounding(h) == 0, "panic leaves %d notes", host_sounding(h));
  h->value[INSTANCE_PANIC] = 0;
  roll(h, 9.2, 8, 256, 120, true, 4, 4);
  CHECK(host_sounding(h) > 0, "no music after panic");
  h->value[INSTANCE_ENABLED] = 0;
  host_run(h, 1);
  CHECK(host_sounding(h) == 0, "bypass leaves %d notes", host_sounding(h));
  h->count = 0;
  roll(h, 18, 8, 256, 120, true, 4, 4);
  CHECK(h->count == 0, "bypassed, and %d events", h->count);
  h->value[INSTANCE_ENABLED] = 1;
  roll(h, 26, 8, 256, 120, true, 4, 4);
  CHECK(host_sounding(h) > 0, "no music after bypass");
  h->descriptor->deactivate(h->plugin);
  host_position(h, 0, "fst", 34, 120, 0, 4, 4);
  host_run(h, 16);
  CHECK(host_sounding(h) == 0, "deactivation leaves %d notes", host_sounding(h));
  /* Without room only note-offs are kept, until there is. */
  roll(h, 0, 9, 256, 120, true, 4, 4);
  h->capacity = 56;
  roll(h, 9, 4, 256, 120, true, 4, 4);
  halt(h, 13, 120);
  for (int i = 0; i < 400; i++) host_run(h, 64);
  CHECK(host_sounding(h) == 0, "a full buffer leaves %d notes", host_sounding(h));
  close_well(h);
}

/* ---- Turns ---- */

static void play_phrase(host *h, const int *pitches, int count) {
  for (int i = 0; i < count; i++) {
    uint8_t on[3] = {0x90, (uint8_t)pitches[i], 90}, off[3] = {0x80, (uint8_t)pitches[i], 0};
    host_midi(h, 10, on, 3);
    for (int b = 0; b < 90; b++) host_run(h, 256);
    host_midi(h, 200, off, 3);
    for (int b = 0; b < 4; b++) host_run(h, 256);
  }
}

static void check_answer(void) {
  const int phrase[] = {60, 62, 64, 65, 67, 65, 64, 62};
  host *h = open_with("tunes", 48000);
  h->value[LIVE_MODE] = LIVE_ANSWER;
  host_position(h, 0, "st", 0, 120, 0, 4, 4);
  host_run(h, 256);
  for (int turn = 0; turn < 3; turn++) {
    h->count = 0;
    play_phrase(h, phrase, 8);
    CHECK(h->count == 0, "the model plays while the player does: %d events", h->count);
    for (int b = 0; b < 400; b++) host_run(h, 256);
    CHECK(h->count > 4, "no answer");
    for (int i = 0; i < h->count; i++) CHECK((h->events[i].bytes[0] & 15) != 0, "the answer is on the player's channel");
    uint8_t on[3] = {0x90, 60, 90}, off[3] = {0x80, 60, 0};
    host_midi(h, 5, on, 3);
    host_run(h, 256);
    CHECK(host_sounding(h) == 0, "the answer does not end when the player plays");
    host_midi(h, 5, off, 3);
    host_run(h, 256);
  }
  close_well(h);
}

/* ---- Anything ---- */

static uint64_t state = 88172645463325252u;
static uint32_t roll_dice(uint32_t sides) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 33) % sides;
}

static void random_position(host *h, uint32_t frame) {
  const double odd[] = {0, -1, 1e30, NAN, INFINITY, -INFINITY, 1e-30, 0.5, 120, 16777216, 240};
  const char *const fields[] = {"fstbm", "s", "st", "fs", "stBm", "sbm", "stf", "m", ""};
  double quarter = roll_dice(4) ? roll_dice(4000) / 10.0 : roll_dice(9) ? -1.5 : 1e8;
  double tempo = roll_dice(4) ? 60 + roll_dice(200) : odd[roll_dice(11)];
  double speed = roll_dice(3) ? 1 : odd[roll_dice(11)];
  host_position(h, frame, fields[roll_dice(9)], quarter, tempo, speed, (int)roll_dice(9), 1 << roll_dice(5));
}

static void check_random(void) {
  const char *const models[] = {"tunes", "folk", "chorale", "drums", "pop"};
  for (int m = 0; m < 5; m++) {
    host *h = open_with(models[m], 8000 + roll_dice(184000));
    for (int block = 0; block < 6000; block++) {
      uint32_t frames = roll_dice(8) ? roll_dice(1024) : roll_dice(3) ? 0 : roll_dice(8192), at = 0;
      for (uint32_t events = roll_dice(4) ? 0 : roll_dice(20); events > 0; events--) {
        uint8_t bytes[6];
        at += roll_dice(40);
        for (int i = 0; i < 6; i++) bytes[i] = (uint8_t)roll_dice(256);
        if (roll_dice(2)) bytes[0] = (uint8_t)(0x80 | roll_dice(0x40)), bytes[1] &= 127, bytes[2] &= 127;
        if (roll_dice(6))
          host_midi(h, at, bytes, roll_dice(3) ? 3 : roll_dice(7));
        else
          random_position(h, at);
      }
      if (roll_dice(30) == 0) {
        int p = (int)roll_dice(INSTANCE_PARAMETERS);
        instance_parameter about = instance_describe(p);
        h->value[p] = roll_dice(9) ? (float)(about.least + (about.most - about.least) * roll_dice(101) / 100) : NAN;
      }
      if (roll_dice(100) == 0) h->value[LIVE_MODE] = (float)roll_dice(4);
      if (roll_dice(100) == 0) h->value[INSTANCE_ENABLED] = 1;
      if (roll_dice(300) == 0) host_choose(h, LIBRETTO_MODEL, model_path(models[roll_dice(5)]));
      if (roll_dice(300) == 0) host_get(h);
      if (roll_dice(50) == 0) h->capacity = roll_dice(2) ? BUFFER : 24 + roll_dice(400);
      if (roll_dice(500) == 0) h->holds_jobs = !h->holds_jobs && h->job_count < 10;
      if (roll_dice(900) == 0) h->descriptor->deactivate(h->plugin);
      h->value[INSTANCE_PARAMETERS] = roll_dice(20) == 0;
      host_run(h, frames);
      if (h->job_count > 30) h->holds_jobs = false;
    }
    h->capacity = BUFFER;
    h->holds_jobs = false;
    h->value[INSTANCE_ENABLED] = 0;
    h->value[INSTANCE_THRU] = 0;
    host_run(h, 4);
    host_run(h, 4);
    CHECK(host_sounding(h) == 0, "%s: %d notes sound at the end", models[m], host_sounding(h));
    close_well(h);
  }
}

/* ---- */

static const struct {
  const char *name;
  void (*call)(void);
} checks[] = {{"same", check_same},   {"performance", check_performance}, {"loop", check_loop}, {"stop", check_stop},
              {"tempo", check_tempo}, {"state", check_state},             {"swap", check_swap}, {"ends", check_ends},
              {"answer", check_answer}, {"random", check_random}};

int main(int count, char **arguments) {
  if (count < 2) return 64;
  folder = realpath(arguments[1], NULL);
  for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
    bool wanted = count == 2;
    for (int a = 2; a < count; a++) wanted |= !strcmp(arguments[a], checks[i].name);
    if (!wanted) continue;
    int before = failures;
    check_name = checks[i].name;
    checks[i].call();
    printf("%s %s\n", failures == before ? "ok" : "FAILED", check_name);
    fflush(stdout);
  }
  return failures > 0;
}
