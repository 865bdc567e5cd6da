#include "clock_in.h"
#include <math.h>
#include <string.h>

enum { NEW = 2, STEADY = 4 };

/* No tempo is above 600, and a silence of a second is no clock. */
static const double shortest = 4e6, longest = 1e9;

/* Intervals, in periods: below `early` the clock before was late, above `gap` one may be lost,
 * above `pause` none is. */
static const double early = 0.5, gap = 1.5, pause = 4.5;

/* How much better one explanation must fit than the other, and what each clock costs that is lost
 * after the first gap. */
static const double margin = 0.5, penalty = 0.3;

bool clock_in_is_steady(const clock_in *c) { return c->heard >= STEADY; }

/* ---- Tempo and phase ---- */

static void close_gap(clock_in *c) { memset(&c->gap, 0, sizeof c->gap); }

/* The last clock was meant at this time, and the next is to come a period later. */
static void anchor(clock_in *c, double ns, double period, int heard) {
  c->ns = ns;
  c->period = fmax(shortest, period);
  c->heard = heard;
  close_gap(c);
}

/* `clocks` are over since the last correction. Large steps while the tempo is new, then a
 * critically damped filter. */
static void correct(clock_in *c, double ns, int clocks) {
  double alpha = fmax(1 - pow(0.75, clocks), 2.0 / ++c->heard), beta = alpha * alpha / (2 - alpha);
  double error = ns - c->ns - clocks * c->period;
  c->ns += clocks * c->period + alpha * error;
  c->period += beta * error / clocks;
  if (c->period < shortest) anchor(c, ns, shortest, NEW);
}

/* ---- Gaps ---- */

static void advance(clock_in *c, int clocks) {
  if (c->running) c->position += clocks;
}

static void count_lost(clock_in *c, double ns) {
  int clocks = c->gap.clocks + c->gap.lost;
  advance(c, c->gap.lost);
  anchor(c, c->gap.from, c->gap.period, c->heard);
  correct(c, ns, clocks);
}

/* Compares both explanations of a narrow gap by the times of the clocks after it. If clocks were
 * lost, intervals are whole periods; if the tempo fell, they are all the same. */
static void compare(clock_in *c, double ns, double step) {
  int i = c->gap.clocks, lost = (int)fmax(0, lrint(step) - 1);
  double t = c->gap.time, squares = i * (i + 1) * (2 * i + 1) / 6.0;
  c->gap.lost += lost;
  c->gap.loss += pow(t - i - c->gap.lost, 2) + (i > 1 ? lost * penalty : 0);
  c->gap.ramp += i * t;
  c->gap.squares += t * t;
  double fall = c->gap.squares - c->gap.ramp * c->gap.ramp / squares;
  if (c->gap.loss < fall - margin)
    count_lost(c, ns);
  else if (i > 1 && fall < c->gap.loss - margin)
    anchor(c, ns, c->gap.ramp / squares * c->gap.period, STEADY);
}

static void follow(clock_in *c, double ns);

/* Until a narrow gap is explained the filter takes it for jitter. */
static void explain_narrow(clock_in *c, double ns, double step) {
  int i = c->gap.clocks;
  if (i > 1 && step > pause) { /* another gap: clocks are lost more often than tempi change */
    c->gap.clocks--;
    count_lost(c, ns - step * c->gap.period);
    follow(c, ns);
    return;
  }
  correct(c, ns, 1);
  if (i > 1 && step < early)
    close_gap(c);
  else
    compare(c, ns, step);
}

/* Until a wide gap is explained its clocks count as late, each meant one period after the one
 * before. */
static void explain_wide(clock_in *c, double ns, double step) {
  int i = c->gap.clocks;
  double before = ns - step * c->period, behind = c->gap.time - i;
  c->gap.late |= i > 1 && step < early;
  c->ns += c->period;
  if (c->gap.late && behind < early) {
    anchor(c, c->gap.from, c->period, c->heard); /* they have come, all of them */
    correct(c, ns, i);
  } else if (c->gap.late && step >= early && behind - step > pause) {
    anchor(c, ns, c->period, c->heard); /* some have come, and the rest of it was a pause */
  } else if (c->gap.late && step >= early) {
    anchor(c, c->gap.from, c->period, c->heard); /* they have come, and the period is longer */
    correct(c, before, i - 1);
    follow(c, ns);
  } else if (!c->gap.late && i > 1 && step > pause) {
    anchor(c, ns, step * c->period, NEW); /* another tempo */
  } else if (!c->gap.late && i > 1) {
    anchor(c, before, c->period, c->heard); /* a pause, and the old tempo */
    follow(c, ns);
  }
}

static void explain(clock_in *c, double ns) {
  double time = (ns - c->gap.from) / c->gap.period, step = time - c->gap.time;
  c->gap.time = time;
  if (++c->gap.clocks == 1) c->gap.wide = time > pause;
  if (c->gap.wide)
    explain_wide(c, ns, step);
  else
    explain_narrow(c, ns, step);
}

static void follow(clock_in *c, double ns) {
  if (clock_in_is_steady(c) && ns - c->ns > gap * c->period) {
    c->gap.from = c->ns;
    c->gap.period = c->period;
    explain(c, ns);
  } else {
    correct(c, ns, 1);
  }
}

void clock_in_hear(clock_in *c, double ns) {
  double waited = ns - (c->gap.clocks ? c->gap.from + c->gap.time * c->gap.period : c->ns);
  bool jumps = c->jumped && (waited < early * c->period || waited > gap * c->period);
  c->jumped = false;
  advance(c, 1);
  if (c->heard == 0 || fabs(waited) > longest)
    anchor(c, ns, 0, 1);
  else if (c->heard == 1)
    anchor(c, ns, waited, NEW);
  else if (jumps)
    anchor(c, ns, c->period, c->heard);
  else if (c->gap.clocks)
    explain(c, ns);
  else
    follow(c, ns);
}

/* ---- Start, Stop and song positions ---- */

static void jump(clock_in *c) {
  c->jumped = true;
  close_gap(c);
}

void clock_in_continue(clock_in *c) {
  c->running = true;
  jump(c);
}

void clock_in_start(clock_in *c) {
  c->position = 0;
  clock_in_continue(c);
}

void clock_in_stop(clock_in *c) {
  /* Nothing will tell any more; clocks are lost more often than tempi fall. */
  if (!c->gap.late) advance(c, c->gap.lost);
  c->running = false;
  jump(c);
}

void clock_in_locate(clock_in *c, int sixteenths) {
  c->position = sixteenths * 6;
  jump(c);
}
