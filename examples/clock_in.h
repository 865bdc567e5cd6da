/* clock_in.h - follows a MIDI clock: finds the tempo, and when each clock was meant, in spite of
 * jitter.
 *
 * An alpha-beta filter over the times at which clocks arrive: it predicts the next one from the
 * last and the period, and corrects both by a share of the error. It follows a new tempo within
 * about one quarter note. */
#ifndef CLOCK_IN_H
#define CLOCK_IN_H

typedef struct clock_in {
  int heard;         /* clocks since it was last lost */
  int lost;          /* clocks that the last gap has counted and that may still come */
  double ns, period; /* when the last clock was meant, and nanoseconds between two */
} clock_in;

/* A clock arrived. Returns how many clocks the master is further: 1, or more after a gap, once a
 * quarter note has confirmed the period; 0 for one that a gap has counted already. */
int clock_in_hear(clock_in *c, double ns);

/* Whether the period is known. */
int clock_in_is_steady(const clock_in *c);

#endif
