/* alsa_out.h - notes out of a program through the ALSA sequencer, in time, and none left sounding.
 *
 * One sequencer client with a port `out` that plays, a port `in` that listens, and one queue.
 * Events are scheduled at absolute ticks, ALSA_OUT_PPQ to a quarter note, and the kernel delivers
 * them; what was delivered comes back to the client with the queue's own stamp, which tells how
 * late it was.
 *
 * What sounds is owned by a table that counts notes per channel and pitch: a note enters it before
 * its note-on leaves and stays until its note-off was delivered. alsa_out_silence ends what the
 * table holds. The kernel throws away what a client that dies has queued, note-offs too; so the
 * table lies in memory shared with a small process, the guardian, that waits for this one to end
 * and, if it did not end by alsa_out_close, ends what sounds in its place. `kill -9` therefore
 * leaves nothing. The guardian has a name, a session and a parent of its own: `pkill -f`, the end of
 * a process group and that of a tree of processes spare it.
 *
 * To use it in another program copy the files alsa_out*, and link with -lasound. One thread
 * at a time. Calls return 0, or -1 with a sentence in alsa_out_message(). Nothing here waits,
 * except for open and close. */
#ifndef ALSA_OUT_H
#define ALSA_OUT_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A multiple of what models count in and of the 24 clocks of a quarter note. At 240 quarter notes a
 * minute the ticks of a queue last for 12 days. */
enum { ALSA_OUT_PPQ = 960, ALSA_OUT_CLOCK = ALSA_OUT_PPQ / 24 };

typedef struct alsa_out alsa_out;

/* The last sentence about what went wrong, or what happened to a port. NULL is no memory. */
const char *alsa_out_message(const alsa_out *out);

/* Opens a client of this name. Forks: call it before the program starts threads. */
int alsa_out_open(const char *name, alsa_out **out);

/* Ends what sounds, with sustain off and all notes off on each channel that was played on, and
 * closes the client and the guardian. Accepts NULL. */
void alsa_out_close(alsa_out *out);

/* ---- Ports ---- */

/* Lists the ports that can be played to, or, if `inputs`, those that can be listened to. */
int alsa_out_list(alsa_out *out, bool inputs, FILE *file);

/* Connects `out`, or `in`, with ports "client:port[,...]", by number or name. They are remembered
 * by their names, without the number in brackets some programs add: one that goes away is
 * connected again when it comes back, unless two then have its name. */
int alsa_out_connect(alsa_out *out, const char *ports, bool input);

/* How many ports are played to. */
int alsa_out_ports(const alsa_out *out);

/* Leaves the ports connected for the next one that can be played to, or for the first. */
int alsa_out_next_port(alsa_out *out);

/* ---- The queue ---- */

/* The time of a queue: it was at `tick` at `ns`, and goes on with so many nanoseconds a tick. */
typedef struct alsa_out_time {
  double tick, ns, ns_per_tick;
} alsa_out_time;

/* Starts the queue, or goes on where it was paused. */
void alsa_out_run(alsa_out *out);
/* Stops the queue and ends what sounds; what is scheduled waits for alsa_out_run. */
void alsa_out_pause(alsa_out *out);
/* Quarter notes a minute, from now on; what is scheduled moves with them. */
int alsa_out_set_tempo(alsa_out *out, double tempo);
double alsa_out_tempo(const alsa_out *out);
/* Where the queue is. */
double alsa_out_now(alsa_out *out);
/* Where the queue was at a time by its own clock, such as a stamp. */
double alsa_out_tick_at(const alsa_out *out, double ns);

/* ---- Playing: at a tick, or at once if `tick` is below 0; they leave with the next flush ---- */

void alsa_out_note_on(alsa_out *out, int64_t tick, int channel, int pitch, int velocity);
void alsa_out_note_off(alsa_out *out, int64_t tick, int channel, int pitch);
void alsa_out_program(alsa_out *out, int64_t tick, int channel, int program);
/* SND_SEQ_EVENT_CLOCK, _START, _CONTINUE, _STOP, or _SONGPOS with a value in sixteenths. */
void alsa_out_sync(alsa_out *out, int64_t tick, int type, int value);
/* Removes what is queued of one such type. */
void alsa_out_unsync(alsa_out *out, int type);
/* Makes alsa_out_read give a SND_SEQ_EVENT_ECHO with this value at this tick: a host that waits for
 * it keeps to the queue's time and needs no other clock. */
void alsa_out_wake(alsa_out *out, int64_t tick, unsigned value);
/* Hands on to the kernel what was scheduled. */
void alsa_out_flush(alsa_out *out);
/* Removes the notes and programs that are queued, and ends what sounds with the note-offs that are
 * missing. Nothing else is sent: notes of others on the same channels go on. */
void alsa_out_silence(alsa_out *out);
/* Notes that sound or will. */
int alsa_out_sounding(const alsa_out *out);

/* ---- Listening ---- */

/* To poll for input with. */
int alsa_out_descriptor(const alsa_out *out);
/* The next event that came to `in`, with the time by the queue in nanoseconds in
 * event->time.time, or a wake. NULL if there is none. SND_SEQ_EVENT_PORT_UNSUBSCRIBED says that the
 * port data.connect.sender is connected with `in` no more, and no note-offs will come from it;
 * SND_SEQ_EVENT_RESET that any may be missing, because events were lost or a device was reset.
 * `news` is set to true if a port came or went, with a sentence in alsa_out_message(). The event
 * lives until the next call. */
const snd_seq_event_t *alsa_out_read(alsa_out *out, bool *news);

/* ---- How it went ---- */

/* Counts times in nanoseconds, within about one hundredth, in memory that does not grow. */
typedef struct histogram {
  uint64_t count;
  double worst;
  uint32_t buckets[40 * 64];
} histogram;

void histogram_add(histogram *h, double ns);
/* The time that this share, 0 to 1, stays below. */
double histogram_quantile(const histogram *h, double share);

typedef struct alsa_out_stats {
  uint64_t events;         /* notes on and off, handed to the queue */
  uint64_t late;           /* of these, handed over after their time was due; they go at once */
  uint64_t late_note_ons;  /* of these, beginnings of notes */
  uint64_t lost;           /* events the kernel had no room for, or none to report */
  histogram delivery;      /* from when an event was due until it was delivered */
} alsa_out_stats;

const alsa_out_stats *alsa_out_get_stats(const alsa_out *out);

#endif
