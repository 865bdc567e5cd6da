/* performer.h - live engines (Sources/Live/live.h) play on ALSA ports: what libretto-play and libretto-duet share.
 *
 * The engine's notes go to the queue a little before they are due, and the queue's own wakes call it again. One
 * thread does all of it: it draws for some milliseconds at most before it looks at ports, keyboard and signals
 * again. */
#ifndef PERFORMER_H
#define PERFORMER_H

#include "song.h"
#include <live.h>

enum { MOST_MODELS = 16, CHANNEL_COUNT = 16 };

typedef struct performer {
  /* What the options say; set before the rest. */
  const char *name, *ports, *inputs;
  bool listens, stats; /* listens: it is of no use without an input */
  double ahead, tempo; /* ms; quarter notes a minute */
  uint64_t seed;
  int channel, program; /* from 0; -1 for those of the model */
  bool says_channel;
  int32_t parts[RETTO_MAX_PARTS];
  size_t part_count;
  bool is_given[LIVE_PARAMETERS];
  double given[LIVE_PARAMETERS];
  song song;

  /* Called with what comes to the port in, with a key, before each wait, and before the engine goes on. Any but
   * `show` may be NULL. */
  void (*hear)(const snd_seq_event_t *event, double tick);
  void (*press)(int key);
  void (*show)(const live_state *state);
  void (*prepare)(const live_state *state);

  /* The engines, of which one plays. */
  live *live, *lives[MOST_MODELS];
  retto_model *models[MOST_MODELS];
  retto_session *sessions[MOST_MODELS];
  void *memory[MOST_MODELS];
  int count, current;

  alsa_out *out;
  int signals;
  histogram times; /* of drawing an event */
  bool paused, finished;
  double next; /* when the engine is to be called again, in ticks of the queue */
  double wake; /* when the queue will wake us; infinity if it will not */
  unsigned wakes;
  bool used[CHANNEL_COUNT];
  int programs[CHANNEL_COUNT]; /* as sent; -1 before */
} performer;

/* ---- performer_open.c: beginning and end ---- */

void performer_list(performer *p, bool inputs);

/* What the models are to have; performer_open_models says which of them do not. */
void performer_give(performer *p, live_parameter parameter, double value);
/* The same of a time signature such as 3/4, as text. */
void performer_give_time_signature(performer *p, const char *text);

/* These give up where something cannot be had. */
void performer_open_models(performer *p, char **paths, int count);
/* Also blocks the signals that end a program: call it before there are threads. */
void performer_open_ports(performer *p);

/* Frees all of it, and nothing sounds any more; says how it went. The status to exit with. */
int performer_close(performer *p);

/* ---- performer.c ---- */

/* For the engines of this performer. */
live_sink performer_sink(performer *p);

/* Plays until the end. */
void performer_run(performer *p);

/* Sets a parameter of all engines. */
void performer_set(performer *p, live_parameter parameter, double value);
void performer_set_tempo(performer *p, double tempo);

/* The next model plays, from the next beat that there is time for. */
void performer_next_model(performer *p);
void performer_toggle_pause(performer *p);
/* The next port plays. */
void performer_next_port(performer *p);

#endif
