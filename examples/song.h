/* song.h - where the song is that programs play in: it runs alone, leads others by MIDI clock, or follows one.
 *
 * The song is on a queue: its beginning is at the tick `origin`, and the queue's tempo is that of the clock that is
 * followed, and a little more or less to make up an error. */
#ifndef SONG_H
#define SONG_H

#include "alsa_out.h"
#include "clock_in.h"

typedef struct song {
  alsa_out *out;
  bool leads, follows, runs_alone; /* runs_alone: without a clock too */
  /* Told when the song begins to run, stops, or is moved: at this tick it is at this position. */
  void (*moved)(void *user, double tick, bool runs, double position);
  /* The clock that is followed has another tempo. */
  void (*changed)(void *user, double tempo);
  void *user;

  bool runs, sends;   /* sends: those who follow were not told to stop */
  double origin, end; /* end: infinity if it is not known */
  int64_t next_clock; /* the first that is not queued */
  clock_in master;
  int64_t first_clock; /* of the master's song, at which ours begins */
} song;

/* Begins: at the queue's tick 0, or with the clock that is followed; else there is none. */
void song_open(song *s);

/* Lets it begin anew at the first beat after `tick`. */
void song_begin_after(song *s, double tick);

/* Its position at a tick. */
double song_position(const song *s, double tick);

/* Queues the clocks up to a tick, if it leads. After it was held up for long, those who follow are told where it is
 * instead of the clocks that are missing. */
void song_lead(song *s, double tick);

/* Those who follow stop at once, and go on with the next sixteenth. The queue is the caller's to stop. */
void song_pause(song *s);
void song_continue(song *s);

/* It ends at a tick, and so does what follows it. */
void song_end(song *s, double tick);

/* Hears an event that came in, if it follows. */
void song_hear(song *s, const snd_seq_event_t *event);

/* Stops if no clock has come for so many ticks; whether it has. */
bool song_is_lost(song *s, double ticks);

#endif
