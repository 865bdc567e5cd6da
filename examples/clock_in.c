#include "clock_in.h"
#include <math.h>

int clock_in_is_steady(const clock_in *c) { return c->heard >= 4; }

int clock_in_hear(clock_in *c, double ns) {
  double waited = ns - c->ns;
  if (c->heard < 2 || waited > 1e9) {
    /* A silence of a second is no clock. */
    c->heard = c->heard == 1 && waited < 1e9 ? 2 : 1;
    if (c->heard == 2) c->period = waited;
    c->ns = ns;
    return 1;
  }
  /* No master changes its tempo to a quarter at once: these were lost. */
  int clocks = waited > 4 * c->period ? (int)lrint(waited / c->period) : 1;
  double error = ns - (c->ns + clocks * c->period);
  /* Large steps while it is new, then a critically damped filter. */
  double alpha = fmax(0.25, 2.0 / ++c->heard), beta = alpha * alpha / (2 - alpha);
  c->ns += clocks * c->period + alpha * error;
  c->period = fmax(1e6, c->period + beta * error / clocks);
  return clocks;
}
