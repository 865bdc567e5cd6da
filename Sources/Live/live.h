/* live.h - a model plays with people, without end and in time.
 *
 * The musical side of a live program or plugin, on libretto.h alone: it hears MIDI, decides when the model plays, lets
 * it draw, and hands over notes with the times they are due. It has no clock, port, thread or file of its own: the
 * host says what time it is. Memory is the host's too, so nothing here allocates, locks or waits; every call but
 * live_size and live_open may be made in an audio callback. An instance is for one thread at a time; there may be any
 * number of instances, each over a session of its own.
 *
 *     void *memory = malloc(live_size(session, 64));
 *     live *l = live_open(memory, model, session, 64, seed, &sink);
 *     live_set(l, LIVE_MODE, LIVE_ANSWER);
 *     for (each block of the host, from tick `now` to tick `end`) {
 *       live_transport(l, now, &transport);          // where the host has a transport
 *       for (each message) live_hear(l, tick, 0, bytes, count);
 *       live_advance(l, now, end, 16);               // calls sink.note for what is due before `end`
 *     }
 *
 * Time is in ticks of the host, LIVE_PPQ to a quarter note at the host's tempo. It never goes back. A program that
 * schedules ahead passes `now` plus its look-ahead as the horizon; a plugin the end of the block. */
#ifndef LIVE_H
#define LIVE_H

#include <libretto.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LIVE_PPQ = 960 };

typedef struct live live;

/* Where notes go. The functions are called from live_hear, live_advance and the other calls that take a tick, in the
 * order of the ticks but for what comes after a cancel. */
typedef struct live_sink {
  void *user;
  /* A note begins, or ends if the velocity is 0. `tick` is not before the `now` of the last live_advance unless the
   * note is late. */
  void (*note)(void *user, int64_t tick, int channel, int pitch, int velocity);
  /* An instrument: the program of a part of a model with parts. May be NULL. */
  void (*program)(void *user, int64_t tick, int channel, int program);
  /* What was handed over for `tick` and later is not to be played any more. Notes that sound then are ended by calls
   * of `note` that follow. May be NULL where the horizon is never after what was played. */
  void (*cancel)(void *user, int64_t tick);
} live_sink;

/* Who plays when. */
typedef enum live_mode {
  LIVE_PLAY = 0,      /* the model, one piece after another, on the transport of the host if it has one */
  LIVE_ANSWER = 1,    /* the model answers when the player pauses */
  LIVE_TRADE = 2,     /* LIVE_TRADE_BARS bars are the player's, then as many the model's, in turns */
  LIVE_ACCOMPANY = 3, /* the model plays along, from the player's first note until four bars after the last */
  LIVE_MODES = 4
} live_mode;

/* What can be set at any time. */
typedef enum live_parameter {
  LIVE_MODE,          /* a live_mode */
  LIVE_TEMPERATURE,   /* see retto_session_set_temperature */
  LIVE_TOP_P,
  LIVE_DENSITY,
  LIVE_MEMORY,
  LIVE_KEY,           /* 0 for any, 1 to 24 as in retto_session_set_key: notes of its scale alone */
  LIVE_FOLLOW_KEY,    /* 1: while LIVE_KEY is 0, notes of the player's key, once it is known */
  LIVE_FOLLOW_TEMPO,  /* 1: without a running transport, the player's tempo and beat, once they are known */
  LIVE_FOLLOW_LOUDNESS, /* 1: as loud as the player */
  LIVE_LOWEST,        /* pitches of the model's notes */
  LIVE_HIGHEST,
  LIVE_VOICES,        /* notes at once */
  LIVE_BARS,          /* of a piece, for LIVE_PLAY; 0 for no end */
  LIVE_NUMERATOR,     /* the time signature of the player's bars and of pieces; in LIVE_PLAY 0 leaves it to the model */
  LIVE_DENOMINATOR,
  LIVE_ANSWER_AFTER,  /* milliseconds without a note after which an answer is due */
  LIVE_TRADE_BARS,
  LIVE_CHANNEL,       /* 1 to 16; 0 for the model's, or the first one that the player does not use */
  LIVE_PARAMETERS
} live_parameter;

typedef struct live_parameter_info {
  const char *name; /* such as "answer-after" */
  double least, most, initial;
  bool is_whole;
} live_parameter_info;

/* Name and range of a parameter. */
const live_parameter_info *live_get_parameter_info(live_parameter parameter);

/* Bytes of memory for an instance over a session of music that keeps so many bars, 1 to 4096, of what it played to
 * go back to. 0 if the session is not one of music. */
size_t live_size(const retto_session *session, int bars);

/* Makes an instance in memory of live_size bytes, aligned as by malloc. The session, which is one over `model`, is the
 * instance's to use until the instance is no longer used; its seed, settings and constraints are set by the instance.
 * Nothing has to be closed. NULL if the model is not one of music. The same seed, settings and calls give the same
 * music. */
live *live_open(void *memory, const retto_model *model, retto_session *session, int bars, uint64_t seed,
                const live_sink *sink);

/* Sets a parameter to the nearest value in its range; false if the model does not have what it sets, such as a
 * key for drums. It holds from the next drawn event on. */
bool live_set(live *l, live_parameter parameter, double value);
double live_get(const live *l, live_parameter parameter);

/* The transport of the host, from `tick` on. */
typedef struct live_transport_state {
  double tempo;        /* quarter notes a minute, above 0 */
  bool is_running;
  double position;     /* of the song, in ticks: 0 is its beginning */
  double bar;          /* a bar line at or before the position, in ticks of the song */
  int numerator, denominator; /* of the bar; 0 if the host does not say */
} live_transport_state;

/* Follows the transport of the host. To be called with each change, and may be called with each block: what goes on as
 * before changes nothing. In LIVE_PLAY a piece begins at position 0 of the song, plays while the transport runs, and
 * has the same notes in the same places when the song is played again, if no setting has changed. While it stands,
 * live_advance draws what comes before its position, so that it begins in time. Without any call there is no transport:
 * the piece begins with the first live_advance, and the tempo is 120. */
void live_transport(live *l, double tick, const live_transport_state *transport);

/* The tempo of a host without a transport: ticks a minute over LIVE_PPQ. */
void live_set_tempo(live *l, double tempo);

/* A message of the player: one MIDI message of 1 to 3 bytes with its status. `source` tells devices apart that may
 * vanish, see live_let_go. Notes, the sustain pedal (controller 64), all sound off, all notes off, and system reset are
 * heard; the rest is passed over. Notes on channel 10 are drums: they count as playing, but are not read by a model of
 * pitches. */
void live_hear(live *l, double tick, unsigned source, const uint8_t *bytes, size_t count);

/* No more note-offs will come from a source, or from any for a negative one: ends the notes the player holds there. */
void live_let_go(live *l, double tick, int source);

/* Hands over what is due before `horizon`, and draws for it at most `draws` events, 1 or more. Returns the tick of what
 * comes next: call again before the horizon has to reach it. That is `now` if it was the draws that ended the call, and
 * infinity if nothing is to come until the player plays. */
double live_advance(live *l, double now, double horizon, int draws);

/* Ends what the model plays. A turn is over, and what nobody has heard of it was never played; in LIVE_PLAY the next
 * notes come as they would have. */
void live_silence(live *l, double tick);

/* The seed of the next piece that begins, after live_forget or live_set of another mode. */
void live_set_seed(live *l, uint64_t seed);

/* Forgets what was played, by both: the next note or piece is the first, with the same seed. */
void live_forget(live *l, double tick);

/* ---- Saving ---- */

/* Writes the instance to `buffer`, with what was played and heard, its settings, and its place in the music: one that
 * restores it goes on as this one does. What was handed over for `tick` and later is still to be played, and the host
 * keeps it. Returns the number of bytes; if that is more than `capacity`, or the buffer is NULL, nothing was written.
 * Of the bars to go back to eight at most are kept: 50 to 250 kB with the models that come with Libretto, and never more
 * than live_size and 128 kB. The same instance gives the same bytes. */
size_t live_save(live *l, double tick, void *buffer, size_t capacity);

/* Restores a saved instance in one that plays nothing, over the same model, which keeps as many bars or more. Ticks go
 * on from those of the saved instance. Notes that sounded at the tick of live_save are not begun again, and their ends may
 * not come. Takes as long as drawing what was handed over ahead of time. False if the bytes are damaged, of another model
 * or of a newer version; nothing has changed then. */
bool live_restore(live *l, const void *saved, size_t size);

/* What a host may show. */
typedef struct live_state {
  bool is_playing;       /* the model's turn */
  bool is_finished;      /* LIVE_PLAY with LIVE_BARS: the piece has ended */
  int holding;           /* notes the player holds */
  int sounding;          /* notes of the model that were begun and not ended, as handed over */
  int key;               /* of the player, as in retto_session_set_key; 0 if it is not known */
  double tempo;          /* quarter notes a minute, by which the model plays */
  int64_t bar;           /* of the piece or of all that was played, from 0 */
  uint64_t late;         /* notes that were left out because their time was over */
  retto_status status;   /* of the session's call that failed last; RETTO_OK if none has */
  uint64_t drawn;        /* events drawn so far */
  double end;            /* tick at which the piece ended; infinity if it has not */
} live_state;

void live_get_state(const live *l, live_state *state);

#ifdef __cplusplus
}
#endif
#endif
