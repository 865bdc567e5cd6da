/* clock_in.h - follows a MIDI clock: the tempo, when each clock was meant in spite of jitter, and
 * where the master is in spite of clocks that are lost or late.
 *
 * An alpha-beta filter over the times at which clocks arrive: it predicts the next one from the
 * last and the period, and corrects both by a share of the error. It follows a new tempo within
 * about one quarter note.
 *
 * The clocks that come after a gap explain it. If they come all at once, the master was late. If
 * the gap is one of up to four periods, clocks were lost, which then count, or the tempo has
 * fallen, whichever fits the times better. After a longer one the master has paused, and goes on
 * where it was. */
#ifndef CLOCK_IN_H
#define CLOCK_IN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct clock_in {
  int64_t position; /* of the next clock, in clocks from the beginning of the master's song */
  bool running;     /* Start or Continue came, and no Stop since */

  double ns, period; /* when the last clock was meant, and nanoseconds between two */
  int heard;         /* clocks since the tempo was last unknown */
  bool jumped;       /* the next clock may come at any time */

  /* A gap that is not explained yet; times in periods since the clock before it. */
  struct {
    int clocks, lost;     /* how many came since, 0 if there is no gap; were lost, if any were */
    bool wide, late;      /* too wide for losses; what comes is late */
    double from, period;  /* the last clock before it, and the period then */
    double time;          /* of the last clock */
    double loss;          /* sum of squared errors if clocks were lost, with a penalty */
    double ramp, squares; /* of the times t of clocks i = 1, 2, ...: sums of i t and t squared */
  } gap;
} clock_in;

/* A clock arrived. */
void clock_in_hear(clock_in *c, double ns);

/* Whether the period is known. */
bool clock_in_is_steady(const clock_in *c);

/* The messages other than the clock. A song position is in sixteenths; Stop keeps the position. */
void clock_in_start(clock_in *c);
void clock_in_continue(clock_in *c);
void clock_in_stop(clock_in *c);
void clock_in_locate(clock_in *c, int sixteenths);

#endif
