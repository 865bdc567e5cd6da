/* What the files of the engine share. */
#ifndef LIVE_ENGINE_H
#define LIVE_ENGINE_H

#include "live.h"
#include <math.h>
#include <string.h>

#define TURN 6.283185307179586 /* radians */

enum { CHANNELS = 16, PITCHES = 128, DRUM_CHANNEL = 9 };
enum { BEARABLE = 30 /* ms; a note that is later would only disturb */ };

/* ---- notes.c: the notes of the model that were handed over ---- */

enum { MOST_NOTES = 512 };

typedef struct notes {
  /* Those that are not over yet. */
  struct note {
    int64_t on, off; /* off: INT64_MAX while it is not known */
    uint8_t channel, pitch, /* as handed over */
        own_channel;        /* of the model */
  } list[MOST_NOTES];
  int count;
} notes;

/* Forgets those that ended before `now`. */
void notes_pass(notes *n, int64_t now);
/* False if there are too many. */
bool notes_begin(notes *n, int64_t tick, int own_channel, int channel, int pitch);
/* Ends the note that the model began there; gives the channel it was handed over with, or -1. */
int notes_end(notes *n, int64_t tick, int own_channel, int pitch);
/* Whether one is open on this channel. */
bool notes_has(const notes *n, int channel, int pitch);
int notes_open(const notes *n);

/* ---- player.c: what the player does ---- */

enum { MOST_HEARD = 1024, MOST_ONSETS = 48 };

typedef struct heard {
  double tick;
  uint8_t kind, channel, pitch, velocity; /* of a retto_event */
} heard;

typedef struct player {
  uint16_t held[CHANNELS][PITCHES]; /* by which source, from 1; 0 if by none */
  bool pedal[CHANNELS];
  bool released[CHANNELS][PITCHES]; /* the key is up, and the pedal holds the note */
  bool used[CHANNELS];              /* channels that notes came on */
  int holding;
  double last;       /* when a note began or ended last */
  double last_onset;

  /* What he has played since the last turn of the model, oldest first, and how much of it the session has read. */
  heard call[MOST_HEARD];
  int call_count, read;

  double onsets[MOST_ONSETS]; /* ticks; a ring of the latest, `onset_count` of them in all */
  uint64_t onset_count;
  double classes[12];        /* how much of each pitch class was heard, older notes counting less */
  double loudness;           /* of the latest notes; 0 before the first */
  int key;                   /* 0 if it is not known */
} player;

/* What a message meant to the player's notes. */
typedef void (*note_heard)(live *l, double tick, int channel, int pitch, int velocity);

void player_hear(live *l, double tick, unsigned source, const uint8_t *bytes, size_t count, note_heard each);
void player_let_go(live *l, double tick, int source, int channel, note_heard each);
/* Keeps an event of the call. */
void player_keep(player *p, double tick, int kind, int channel, int pitch, int velocity);
/* Moves note-offs that are followed by a note soon to that, so that a melody is read without rests between its notes;
 * `gap` is in ticks. */
void player_tie(player *p, double gap);

/* ---- beat.c: the player's beat ---- */

typedef struct beat {
  double period, phase; /* ticks: a beat is at phase + n * period */
  double quarter;       /* ticks of a quarter note: the period, or two thirds of it in 6/8 and the like */
  double bar;           /* of the call's beat: a bar line before it */
  bool is_compound;     /* the beats have three parts */
} beat;

/* The beat of the latest onsets; false if there are too few or none is clear. `tempo` is that of the ticks. */
bool beat_find(const player *p, double tempo, beat *found);

/* ---- key.c ---- */

/* The key of notes of which there were so many of each pitch class, 1 to 24 as in retto_session_set_key; the one that
 * is known as long as no other is clearly better, or as there are too few. */
int key_find(const double classes[12], int known);

/* ---- recent.c: what the session did lately ---- */

enum { MOST_STEPS = 256 };

typedef struct session_step {
  enum { STEP_DRAW, STEP_FEED, STEP_KEY, STEP_SET } kind;
  int number;        /* the key, or the parameter */
  double value;      /* of the parameter */
  retto_event event; /* that was drawn or fed */
} session_step;

/* The session at one time. */
typedef struct moment {
  bool is_known;
  int snapshot; /* which holds it */
  int steps;    /* before it */
  int64_t reached;
  int key;
  double value[LIVE_PARAMETERS];
} moment;

/* At BASE nothing was to be played that had been handed over before, and soon that will be true of AFTER. LAST is that
 * before the last draw. */
enum { BASE, AFTER, LAST, PRESENT, MOMENTS };

typedef struct recent {
  moment moments[MOMENTS];
  bool replays;
  int count; /* of the steps since the base */
  session_step steps[MOST_STEPS];
} recent;

void recent_begin(live *l);
/* It was reset or restored, or no note of it sounds any more. */
void recent_forget(live *l);
/* The session is about to do this. */
void recent_do(live *l, session_step step);
/* What it has drawn. */
void recent_drew(live *l, const retto_event *event);
/* The moment from which a session goes on if all before a tick is over. */
int recent_choose(live *l, double tick);
/* Lets a session that was restored to BASE do what was done since. */
void recent_replay(live *l);

/* ---- The engine ---- */

/* Where a bar of a piece began. */
typedef struct bar_mark {
  int64_t reached;
  int64_t bar_line, bar, bars; /* as in live, below */
} bar_mark;

struct live {
  retto_session *session;
  live_sink sink;
  uint64_t seed;
  int ticks_per_quarter;
  bool is_drums, reads_drums, has_bars;
  double value[LIVE_PARAMETERS];
  int applied_key; /* whose scale the session keeps */
  double now, horizon; /* of the last live_advance */
  double tempo;

  bool has_transport;
  live_transport_state transport; /* as it was told last, at `told` */
  double told;

  /* The session's time: it has read or drawn all up to its tick `reached`, and its tick t is at
   * origin + t * LIVE_PPQ * scale / ticks_per_quarter of the host. */
  bool began;
  double origin, scale;
  int64_t reached;
  bool waits; /* `next` was drawn and was not handed over yet */
  retto_event next;
  notes notes;
  double own_loudness;
  uint64_t late, drawn;
  retto_status status;

  player player;

  /* Turns. */
  bool plays, first; /* first: its first note has not come yet */
  bool plans, reads; /* a turn is to begin at `due`; the call is being read for it */
  double due, until;
  double handed; /* while it plays along: the tick of what was handed over last */
  bool is_compound; /* the player's beats have three parts */
  double call_began;

  /* LIVE_PLAY: a bar line of the piece in ticks of the session, ticks of a bar, and bars before that line. */
  int64_t bar_line, bar, bars;
  bool finished;
  double from; /* what comes before this tick of the host is passed over */
  bool stands; /* at `place` of the song: nothing of what comes there was handed over yet */
  double place;
  int mark_spacing; /* bars from a mark to the next */

  /* Snapshots of the session: the first is that of before a turn, then those of what was lately, then
   * those of bars. */
  unsigned char *snapshots;
  size_t snapshot_size, snapshot_stride;
  recent recent;
  int64_t turn_reached;
  double turn_origin, turn_scale;
  bool turn_began;
  int mark_count, most_marks;
  bool has_changed; /* a setting, since the piece began */
  bar_mark marks[]; /* most_marks of them */
};

/* ---- time.c: the session in the host's time ---- */

bool check(live *l, retto_status status);
/* Ticks of the host in one of the session. */
double step_of(const live *l);
/* Ticks of the host to the session's tick t. */
double tick_at(const live *l, int64_t t);
double ticks_of_ms(const live *l, double ms);
/* Ticks of the host of the player's quarter note and bar, and of a bar by another beat. */
double ticks_of_quarter(const live *l);
double ticks_of_bar(const live *l);
double ticks_of_bar_by(const live *l, const beat *b);
bool runs(const live *l);

/* Lets the session have a setting, or all; false if the model does not have it. */
bool take_setting(live *l, live_parameter parameter);
void take_settings(live *l);
void take_key(live *l, int key);
/* The key that is set, or the player's. */
void follow_key(live *l);
void begin_piece(live *l);
/* The snapshot of a mark, or one of these. */
enum { OWN_SNAPSHOTS = 1 + MOMENTS, TURN_SNAPSHOT = -OWN_SNAPSHOTS, RECENT_SNAPSHOTS };
unsigned char *snapshot_of(const live *l, int mark);
void feed(live *l, double tick, int kind, int channel, int pitch, int velocity);
void draw(live *l);
/* Hands over a drawn note, or leaves it out if it is late. */
void hand_over(live *l, double tick);
/* Ends what sounds at `tick` and takes back what is later. */
void end_notes(live *l, double tick);

/* ---- follow.c: the beat of turns, the player's or that of the host's song ---- */

/* The first beat of the host's song at or after a tick. */
double song_beat(const live *l, double tick);
/* The beat of the call and a bar line before it: the host's song has both; else they are what the player's onsets tell,
 * and his first note begins a bar. False if neither is known: then the beat is the one the session has. */
bool find_beat(const live *l, beat *found);
/* While it plays along: keeps to a player whose tempo is not quite what it seemed, or changes. Half of an error of the
 * phase is made up at each of his notes. */
void track_beat(live *l);

/* ---- turns.c and piece.c ---- */

void turn_hear(live *l, double tick, int channel, int pitch, int velocity);
double turn_advance(live *l, double now, double horizon, int draws);
void turn_end(live *l, double tick);

/* The piece is at this position of the song at a tick. */
void piece_locate(live *l, double tick, double position);
/* A setting has changed: what was kept of bars after the present one is no longer what would be played. */
void piece_forget_ahead(live *l);
double piece_advance(live *l, double now, double horizon, int draws);

#endif
