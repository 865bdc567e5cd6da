/* What examples/clock_in.c makes of clocks that come as real ones do. It needs no sequencer. */
#include "../../examples/clock_in.h"
#include "check.h"
#include <math.h>

#define MS 1e6

static clock_in heard;
static long counted;
static unsigned long chance;

static void begin(void) {
  memset(&heard, 0, sizeof heard);
  counted = 0;
  chance = 1;
}

static void hear(double ns) { counted += clock_in_hear(&heard, ns); }

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
    CHECK(counted == 240);
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
  CHECK(counted == 2400);
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
    CHECK(counted == 240);
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
  CHECK(counted == 240);
}

static void equal_stamps(void) {
  begin();
  for (int i = 0; i < 100; i++) hear(7 * MS);
  CHECK(counted == 100);
  CHECK(isfinite(heard.ns) && heard.period >= 4 * MS && heard.period < 1000 * MS);
  hear_regular(100 * MS, 140, period_of(120));
  CHECK(counted == 240);
  CHECK(is_tempo(120, 0.001));
}

static void tempo_step(double before, double after) {
  begin();
  double ns = hear_regular(0, 192, period_of(before));
  ns = hear_regular(ns, 48, period_of(after));
  CHECK(counted == 240);
  CHECK(is_tempo(after, 0.01));
  CHECK(fabs(heard.ns + period_of(after) - ns) < 5 * MS);
}

/* Clocks that were lost are counted, once the tempo is known. */
static void lost_clocks(void) {
  double period = period_of(120);
  begin();
  for (int i = 0; i < 240; i++)
    if ((i < 60 || i >= 70) && (i < 120 || i >= 140)) hear(i * period + jitter(1 * MS));
  CHECK(counted == 240);
  CHECK(is_tempo(120, 0.02));
}

/* What a master that stalls has not sent comes at once: no clock is lost, and none counts twice. */
static void stalled(int clocks, double late, double apart) {
  double period = period_of(120), end = (60 + clocks - 1 + late) * period;
  begin();
  for (int i = 0; i < 240; i++)
    hear(i < 60 ? i * period : fmax(i * period, end + (i - 60) * apart));
  CHECK(counted == 240);
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

/* What looks like one gap after the other is another tempo. */
static void much_slower(void) {
  begin();
  double ns = hear_regular(0, 48, period_of(300));
  hear_regular(ns + period_of(40), 96, period_of(40));
  CHECK(counted >= 48 + 96 && counted < 48 + 96 + 16);
  CHECK(is_tempo(40, 0.02));
}

static void silence(void) {
  begin();
  double ns = hear_regular(0, 48, period_of(120));
  hear(ns + 5000 * MS);
  CHECK(counted == 49);
  CHECK(!clock_in_is_steady(&heard));
  hear_regular(ns + 5000 * MS + period_of(90), 47, period_of(90));
  CHECK(counted == 96);
  CHECK(is_tempo(90, 1e-6));
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
  lost_clocks();
  stalls();
  much_slower();
  silence();
  return check_result();
}
