/* What examples/clock_in.c makes of clocks that come as real ones do. It needs no sequencer. */
#include "../../examples/clock_in.h"
#include "check.h"
#include <math.h>

#define MS 1e6

static clock_in heard;
static unsigned long chance;

static void begin(void) {
  memset(&heard, 0, sizeof heard);
  clock_in_start(&heard);
  chance = 1;
}

static void hear(double ns) { clock_in_hear(&heard, ns); }

static double period_of(double tempo) { return 60e9 / 24 / tempo; }

static int is_tempo(double tempo, double share) {
  return clock_in_is_steady(&heard) && fabs(period_of(tempo) / heard.period - 1) < share;
}

/* Hears `count` clocks `period` apart, from `ns` on; when the one after them is due. */
static double hear_regular(double ns, int count, double period) {
  for (int i = 0; i < count; i++, ns += period) hear(ns);
  return ns;
}

static double jitter(double most) {
  chance = (chance * 1103515245 + 12345) & 0x7FFFFFFF;
  return ((double)chance / 0x3FFFFFFF - 1) * most;
}

static void perfect(void) {
  static const double tempi[] = {20, 100, 120, 300, 500};
  for (int i = 0; i < 5; i++) {
    begin();
    double end = hear_regular(5000 * MS, 240, period_of(tempi[i]));
    CHECK(heard.position == 240);
    CHECK(is_tempo(tempi[i], 1e-6));
    CHECK(fabs(heard.ns + period_of(tempi[i]) - end) < 0.01 * MS);
  }
}

static void jittered(void) {
  double period = period_of(120), worst = 0;
  begin();
  for (int i = 0; i < 2400; i++) {
    hear(i * period + jitter(5 * MS));
    if (i >= 48) worst = fmax(worst, fabs(heard.ns - i * period));
    if (i >= 48) CHECK(is_tempo(120, 0.05));
  }
  CHECK(heard.position == 2400);
  CHECK(worst < 5 * MS);
}

static void short_first_interval(void) {
  static const double first[] = {0, 0.001 * MS, 1 * MS, 3 * MS, 10 * MS};
  for (int i = 0; i < 5; i++) {
    begin();
    hear(0);
    hear_regular(first[i], 47, period_of(120));
    CHECK(is_tempo(120, 0.03));
    hear_regular(first[i] + 47 * period_of(120), 192, period_of(120));
    CHECK(heard.position == 240);
    CHECK(is_tempo(120, 0.001));
  }
}

/* A radio sends several clocks at a time. */
static void in_groups(int size, double apart, double share) {
  double period = period_of(120);
  begin();
  for (int i = 0; i < 240; i++) {
    hear(i / size * size * period + i % size * apart);
    if (i >= 48) CHECK(is_tempo(120, share));
  }
  CHECK(heard.position == 240);
}

static void equal_stamps(void) {
  begin();
  for (int i = 0; i < 100; i++) hear(7 * MS);
  CHECK(heard.position == 100);
  CHECK(isfinite(heard.ns) && heard.period >= 4 * MS && heard.period < 1000 * MS);
  hear_regular(100 * MS, 140, period_of(120));
  CHECK(heard.position == 240);
  CHECK(is_tempo(120, 0.001));
}

static void tempo_step(double before, double after) {
  begin();
  double ns = hear_regular(0, 192, period_of(before));
  ns = hear_regular(ns, 48, period_of(after));
  CHECK(heard.position == 240);
  CHECK(is_tempo(after, 0.01));
  CHECK(fabs(heard.ns + period_of(after) - ns) < 5 * MS);
}

/* What a master that stalls has not sent comes at once: no clock is lost, and none counts twice. */
static void stalled(int clocks, double late, double apart) {
  double period = period_of(120), end = (60 + clocks - 1 + late) * period;
  begin();
  for (int i = 0; i < 240; i++)
    hear(i < 60 ? i * period : fmax(i * period, end + (i - 60) * apart));
  CHECK(heard.position == 240);
  CHECK(is_tempo(120, 0.01));
  CHECK(fabs(heard.ns - 239 * period) < 1 * MS);
}

static void stalls(void) {
  for (int clocks = 2; clocks <= 24; clocks++)
    for (int late = 0; late < 10; late++) {
      stalled(clocks, late / 10.0, 0);
      stalled(clocks, late / 10.0, 1 * MS);
    }
}

/* Up to three clocks that are lost in a row are counted. */
static void lost_clocks(void) {
  static const double tempi[] = {30, 60, 120, 240};
  for (int t = 0; t < 4; t++)
    for (int lost = 1; lost <= 3; lost++) {
      double period = period_of(tempi[t]);
      begin();
      for (int i = 0; i < 480; i++)
        if (i < 40 || i % 40 >= lost) hear(i * period + jitter(0.1 * period));
      CHECK(heard.position == 480);
      CHECK(is_tempo(tempi[t], 0.1));
    }
  for (int first = 4; first < 24; first++) { /* of the first clocks too */
    begin();
    double ns = hear_regular(0, first, period_of(120)) + 2 * period_of(120);
    hear_regular(ns, 24, period_of(120));
    CHECK(heard.position == first + 2 + 24);
  }
}

/* A fall of the tempo is no gap after the other. */
static void much_slower(void) {
  for (double share = 0.125; share < 1; share += 0.125) {
    begin();
    double ns = hear_regular(0, 48, period_of(300));
    hear_regular(ns + period_of(300 * share) - period_of(300), 96, period_of(300 * share));
    CHECK(heard.position == 48 + 96);
    CHECK(is_tempo(300 * share, 0.01));
  }
}

/* A master that pauses without Stop goes on where it was. */
static void pauses(void) {
  static const double tempi[] = {40, 60, 120, 240};
  for (int t = 0; t < 4; t++)
    for (int paused = 300; paused <= 2000; paused += 100) {
      begin();
      double ns = hear_regular(0, 48, period_of(tempi[t])) + paused * MS;
      hear_regular(ns, 48, period_of(tempi[t]));
      CHECK(heard.position == 96);
      CHECK(is_tempo(tempi[t], 0.01));
    }
}

/* Whether clocks go on meanwhile or not, the first one after Continue is the next one after Stop. */
static void stops_and_continues(void) {
  for (int between = 0; between < 50; between++) {
    begin();
    double ns = 0;
    for (int i = 1; i <= 20; i++) {
      ns = hear_regular(ns, 24, period_of(120));
      clock_in_stop(&heard);
      ns = hear_regular(ns, between, period_of(120));
      if (between % 2) ns += 40 * MS;
      CHECK(heard.position == 24 * i);
      clock_in_continue(&heard);
    }
    CHECK(is_tempo(120, 0.01));
    clock_in_stop(&heard);
    clock_in_locate(&heard, 16);
    CHECK(heard.position == 16 * 6);
    clock_in_start(&heard);
    CHECK(heard.position == 0);
  }
}

static void silence(void) {
  begin();
  double ns = hear_regular(0, 48, period_of(120));
  hear(ns + 5000 * MS);
  CHECK(heard.position == 49);
  CHECK(!clock_in_is_steady(&heard));
  hear_regular(ns + 5000 * MS + period_of(90), 47, period_of(90));
  CHECK(heard.position == 96);
  CHECK(is_tempo(90, 1e-6));
}

/* ---- What may happen to a clock, one after the other at random ---- */

enum { LOSE, CHANGE, REST, STALL, STOP, LOCATE, FAULTS };

static struct {
  double ns, period, jitter; /* the next clock is meant at ns */
  int64_t position;
} master;

static int between(int least, int most) {
  chance = (chance * 1103515245 + 12345) & 0x7FFFFFFF;
  return least + (int)((double)chance / 0x80000000 * (most - least + 1));
}

static void send(int count) {
  for (int i = 0; i < count; i++, master.ns += master.period)
    hear(master.ns + jitter(master.jitter));
  master.position += count;
}

static void lose(void) {
  int count = between(1, 3);
  master.ns += count * master.period;
  master.position += count;
}

static void change_tempo(void) {
  static const double ratios[] = {0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.25, 1.5, 2, 3, 4};
  double next = master.period / ratios[between(0, 11)];
  if (next > period_of(25) || next < period_of(400)) return;
  master.ns += next - master.period;
  master.period = next;
  master.jitter = fmin(master.jitter, 0.1 * next);
}

/* Without Stop: no clock is missing, all come later. */
static void rest(void) { master.ns += fmax(4 * master.period, between(100, 900) * MS); }

/* What was not sent comes at once. */
static void stall(void) {
  int count = between(2, 24);
  double end = master.ns + (count - 1 + between(0, 9) / 10.0) * master.period;
  double apart = between(0, 1) * MS;
  if (count * master.period > 900 * MS) return;
  for (int i = 0; i < count; i++, master.ns += master.period)
    hear(fmax(master.ns, end + i * apart));
  master.position += count;
}

/* With clocks meanwhile or without; it goes on where it was or elsewhere. */
static void stop(int locates) {
  int64_t position = master.position;
  clock_in_stop(&heard);
  if (between(0, 1)) send(between(1, 40));
  if (between(0, 1)) master.ns += between(0, 3000) * MS;
  master.position = position;
  if (locates) {
    int sixteenths = between(0, 1000);
    clock_in_locate(&heard, sixteenths);
    master.position = sixteenths * 6;
  }
  clock_in_continue(&heard);
}

static void happen(int fault) {
  switch (fault) {
  case LOSE: lose(); break;
  case CHANGE: change_tempo(); break;
  case REST: rest(); break;
  case STALL: stall(); break;
  case STOP: stop(0); break;
  case LOCATE: stop(1); break;
  }
}

/* Half a quarter note after each it is where the master is; a new tempo may take one and a half. */
static void whatever_happens(unsigned long seed) {
  int faults[30];
  begin();
  chance = seed;
  master.period = period_of(between(40, 300));
  master.jitter = fmin(between(0, 2) * MS, 0.1 * master.period);
  master.ns = 5000 * MS;
  master.position = 0;
  send(between(16, 40));
  for (int i = 0; i < 30; i++) {
    happen(faults[i] = between(0, FAULTS - 1));
    send(between(faults[i] == CHANGE ? 36 : 12, 60));
    if (heard.position == master.position) continue;
    fprintf(stderr, "seed %lu, faults", seed);
    for (int k = 0; k <= i; k++) fprintf(stderr, " %d", faults[k]);
    fprintf(stderr, ": at clock %ld of %ld, period %.2f of %.2f ms\n", (long)heard.position,
            (long)master.position, heard.period / MS, master.period / MS);
    CHECK(!"it is where the master is");
    return;
  }
  send(96);
  CHECK(is_tempo(60e9 / 24 / master.period, 0.05));
  CHECK(fabs(heard.ns + master.period - master.ns) < 0.25 * master.period);
}

int main(void) {
  perfect();
  jittered();
  short_first_interval();
  in_groups(2, 1 * MS, 0.04);
  in_groups(2, 0, 0.04);
  in_groups(3, 1 * MS, 0.06);
  in_groups(4, 1 * MS, 0.08);
  in_groups(6, 1 * MS, 0.4);
  in_groups(8, 0, 0.5);
  equal_stamps();
  tempo_step(100, 140);
  tempo_step(140, 100);
  stalls();
  lost_clocks();
  much_slower();
  pauses();
  stops_and_continues();
  silence();
  for (unsigned long seed = 1; seed <= 2000; seed++) whatever_happens(seed);
  return check_result();
}
