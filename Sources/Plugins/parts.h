/* What the files of an instance share. */
#ifndef LIBRETTO_INSTANCE_PARTS_H
#define LIBRETTO_INSTANCE_PARTS_H

#include "instance.h"

struct instance_voice {
  retto_model *model;
  retto_session *session;
  void *memory;
  live *live;
  instance *owner; /* whose queue it plays into */
  char path[];
};

/* What goes out is kept until its frame has come: the engine works with a look-ahead, and the host's buffer may be full. */
enum { MOST_WAITING = 2048, NOTE_ON_ROOM = MOST_WAITING / 2 /* the rest is for the ends of notes */ };

typedef struct waiting {
  int64_t tick;
  uint8_t bytes[3], count;
} waiting;

/* What a note that was sent needs. */
enum {
  OWN = 1,  /* it is the model's and sounds */
  THRU = 2, /* it is the player's and was sent on */
  OWED = 4  /* its note-off is to be sent as soon as there is room */
};

struct instance {
  double rate;
  double value[INSTANCE_PARAMETERS];
  instance_voice *voice;

  /* Time: frame `from_frame` of all that were played is tick `from_tick` of the engine. */
  int64_t played; /* frames before this block */
  int64_t from_frame;
  double from_tick, ticks_per_frame;
  double latest; /* tick of the engine's last call; it never goes back */

  /* The host's transport, as it was told last, at its frame. */
  bool has_host, has_tempo;
  live_transport_state host;
  double host_tick;
  double free_from; /* tick at which a piece that runs free began */

  /* The block. */
  uint32_t frames, reached, sent; /* sent: the frame of the last message */
  int draws;
  bool is_open, is_full;
  instance_send send;
  void *user;

  uint8_t notes[16][128];
  int owed;
  waiting queue[MOST_WAITING]; /* a ring */
  unsigned first, count;
};

/* ---- instance.c ---- */

/* The tick of a frame of the block. */
double tick_of(const instance *i, uint32_t frame);
/* Quarter notes a minute; set from the frame that was reached on. */
double tempo_of(const instance *i);
void set_tempo(instance *i, double tempo);
/* Gives an engine the seed and its parameters. */
void give_values(live *l, const double value[INSTANCE_PARAMETERS]);

/* ---- out.c ---- */

/* The note's end is sent before anything else. */
void owe(instance *i, int channel, int pitch);
/* The same for all notes of a kind. */
void owe_all(instance *i, int kind);
void pay(instance *i);
/* False if there is no room for it. */
bool send_now(instance *i, uint32_t frame, const uint8_t *bytes, uint32_t count);
/* Sends what is due before a frame of the block. */
void drain(instance *i, uint32_t end);
/* Where the engine of a voice plays to. */
live_sink sink_of(instance_voice *voice);

#endif
