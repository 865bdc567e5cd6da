/* writer.h - a thread that lets models write, and a ring that their events wait in.
 *
 * The thread draws events from a session and puts them into the ring with their absolute ticks; it
 * rests when it is far enough ahead. Whoever plays takes them out. Settings and requests take
 * effect at the next draw. All calls are for one thread, that of the player. */
#ifndef WRITER_H
#define WRITER_H

#include "alsa_out.h"
#include <libretto.h>

typedef struct writer writer;

/* What can be changed between two draws. */
typedef struct writer_settings {
  float temperature, density, memory;
  uint32_t scale; /* pitch classes, as for retto_session_set_scale */
} writer_settings;

typedef struct written {
  int64_t tick; /* since the beginning of the music, ALSA_OUT_PPQ to a quarter note */
  retto_event event;
} written;

/* Starts the thread over `count` sessions, which stay the caller's but are the writer's to use;
 * `ticks_per_quarter` says what each one counts in. NULL if there is no memory or no thread. */
writer *writer_start(retto_session *const *sessions, const int *ticks_per_quarter, int count,
                     const writer_settings *settings);

/* Ends the thread. */
void writer_stop(writer *w);

/* Frees a writer that was stopped. Accepts NULL. */
void writer_free(writer *w);

/* Empties the ring and lets a session write a new piece from its beginning. A seed gives the same
 * piece each time; what comes before `position` is passed over. */
void writer_begin(writer *w, int session, uint64_t seed, int64_t position);

void writer_set(writer *w, const writer_settings *settings);

/* The thread goes on until it is this far. */
void writer_go_to(writer *w, int64_t tick);

/* Waits until it is, or cannot go on. */
void writer_wait(writer *w);

/* The next event, if it comes before `tick`. */
bool writer_take(writer *w, int64_t tick, written *next);

/* Why the thread stopped writing; NULL while all is well. */
const char *writer_error(writer *w);

/* How long drawing one event took, in nanoseconds. To be read after the thread has stopped. */
const histogram *writer_times(const writer *w);

#endif
