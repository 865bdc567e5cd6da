#include "clock_in.h"
#include <math.h>

enum { NEW = 2, STEADY = 4, CONFIRMED = 24 };

/* No tempo is above 600, and a silence of a second is no clock. */
static const double shortest = 4e6, longest = 1e9;

int clock_in_is_steady(const clock_in *c) { return c->heard >= STEADY; }

/* No master changes its tempo to a quarter at once: these were lost. But only a period that a whole
 * quarter note has confirmed can tell: the first intervals may be wrong, and a radio sends several
 * clocks at a time. */
static int clocks_in(const clock_in *c, double waited) {
  if (c->heard < CONFIRMED || waited <= 4 * c->period) return 1;
  return (int)lrint(waited / c->period);
}

int clock_in_hear(clock_in *c, double ns) {
  double waited = ns - c->ns;
  if (c->heard == 0 || fabs(waited) > longest) {
    *c = (clock_in){.heard = 1, .ns = ns};
    return 1;
  }
  if (c->heard == 1) {
    *c = (clock_in){.heard = NEW, .ns = ns, .period = fmax(shortest, waited)};
    return 1;
  }
  /* What a master that stalled has not sent comes all at once: it was late and not lost. */
  if (c->lost > 0 && waited < 0.5 * c->period) {
    c->lost--;
    return 0;
  }
  int clocks = clocks_in(c, waited);
  if (clocks > 1 || waited > 0.75 * c->period) c->lost = clocks - 1;
  double error = waited - clocks * c->period;
  /* What looks like gap after gap is another tempo: it must be confirmed again. */
  c->heard = clocks > 1 ? STEADY : c->heard + 1;
  /* Large steps while it is new, then a critically damped filter. */
  double alpha = fmax(0.25, 2.0 / c->heard), beta = alpha * alpha / (2 - alpha);
  c->ns += clocks * c->period + alpha * error;
  c->period += beta * error / clocks;
  if (c->period < shortest) *c = (clock_in){.heard = NEW, .ns = ns, .period = shortest};
  return clocks;
}
