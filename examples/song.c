#include "song.h"
#include <math.h>

double song_position(const song *s, double tick) { return tick - s->origin; }

/* ---- Leading ---- */

void song_lead(song *s, double tick) {
  double until = fmin(tick, s->end);
  if (!s->sends || (double)s->next_clock >= until) return;
  if ((double)s->next_clock < alsa_out_now(s->out) - ALSA_OUT_PPQ / 2.0) {
    song_pause(s);
    song_continue(s);
  }
  for (; (double)s->next_clock < until; s->next_clock += ALSA_OUT_CLOCK)
    alsa_out_sync(s->out, s->next_clock, SND_SEQ_EVENT_CLOCK, 0);
}

void song_pause(song *s) {
  if (!s->sends || alsa_out_now(s->out) >= s->end) return;
  s->sends = false;
  alsa_out_unsync(s->out, SND_SEQ_EVENT_CLOCK);
  alsa_out_unsync(s->out, SND_SEQ_EVENT_SONGPOS);
  alsa_out_unsync(s->out, SND_SEQ_EVENT_CONTINUE);
  alsa_out_sync(s->out, -1, SND_SEQ_EVENT_STOP, 0);
}

/* Song positions are sixteenths: who follows goes on with the next, and hears no clock before. */
void song_continue(song *s) {
  enum { SIXTEENTH = ALSA_OUT_PPQ / 4 };
  double since = song_position(s, alsa_out_now(s->out));
  int64_t position = since < 0 ? 0 : (int64_t)floor(since / SIXTEENTH) + 1;
  int64_t tick = llrint(s->origin) + position * SIXTEENTH;
  if (!s->leads || (double)tick >= s->end) return;
  s->sends = true;
  s->next_clock = tick;
  alsa_out_sync(s->out, tick - 1, SND_SEQ_EVENT_SONGPOS, position & 0x3FFF);
  alsa_out_sync(s->out, tick - 1, SND_SEQ_EVENT_CONTINUE, 0);
}

void song_end(song *s, double tick) {
  song_lead(s, tick);
  s->end = tick;
  if (s->sends) alsa_out_sync(s->out, (int64_t)ceil(tick), SND_SEQ_EVENT_STOP, 0);
}

/* ---- Following ---- */

/* Where it is at the master's next clock. */
static double next_position(const song *s) {
  return (double)((s->master.position - s->first_clock) * ALSA_OUT_CLOCK);
}

static void tell(song *s) { s->moved(s->user, alsa_out_now(s->out), false, next_position(s)); }

static void stop_following(song *s) {
  clock_in_stop(&s->master);
  if (next_position(s) < 0) s->first_clock = s->master.position;
  if (!s->runs) return;
  s->runs = false;
  tell(s);
}

static void hear_start(song *s) {
  stop_following(s);
  s->first_clock = 0;
  clock_in_start(&s->master);
  tell(s);
}

static void hear_position(song *s, int sixteenths) {
  if (s->runs) return;
  s->first_clock = 0;
  clock_in_locate(&s->master, sixteenths);
  tell(s);
}

static void hear_clock(song *s, double ns) {
  clock_in_hear(&s->master, ns);
  double position = next_position(s) - ALSA_OUT_CLOCK; /* at this clock */
  double now = alsa_out_tick_at(s->out, s->master.ns);
  bool first = s->master.running && !s->runs;
  if (first) s->origin = now - position;
  if (clock_in_is_steady(&s->master)) {
    /* The tempo of the master, and a little more or less to make up an error in half a beat. */
    double error = s->runs ? s->origin + position - now : 0;
    double correction = fmax(-0.25, fmin(0.25, error / (12 * ALSA_OUT_CLOCK)));
    double tempo = fmax(10, fmin(600, 60e9 / (24 * s->master.period) * (1 + correction)));
    if (fabs(tempo / alsa_out_tempo(s->out) - 1) > 2e-4) s->changed(s->user, tempo);
  }
  s->runs |= first;
  if (first) s->moved(s->user, now, true, position);
}

void song_hear(song *s, const snd_seq_event_t *event) {
  if (!s->follows) return;
  switch (event->type) {
  case SND_SEQ_EVENT_CLOCK: hear_clock(s, event->time.time.tv_sec * 1e9 + event->time.time.tv_nsec); break;
  case SND_SEQ_EVENT_START: hear_start(s); break;
  case SND_SEQ_EVENT_CONTINUE:
    if (!s->master.running) clock_in_continue(&s->master);
    break;
  case SND_SEQ_EVENT_STOP: stop_following(s); break;
  case SND_SEQ_EVENT_SONGPOS: hear_position(s, event->data.control.value); break;
  }
}

bool song_is_lost(song *s, double ticks) {
  double last = alsa_out_tick_at(s->out, s->master.ns);
  if (!s->follows || !s->runs || alsa_out_now(s->out) - last < ticks) return false;
  stop_following(s);
  return true;
}

/* ---- Beginning ---- */

void song_open(song *s) {
  s->runs = s->leads || s->runs_alone;
  s->runs &= !s->follows;
  s->sends = s->leads;
  s->end = INFINITY;
  if (s->runs || s->follows) s->moved(s->user, 0, s->runs, 0);
  if (s->sends) alsa_out_sync(s->out, 0, SND_SEQ_EVENT_START, 0);
}

void song_begin_after(song *s, double tick) {
  double beats = fmax(0, ceil(song_position(s, tick) / ALSA_OUT_PPQ));
  s->origin += s->runs ? beats * ALSA_OUT_PPQ : 0;
  if (s->end < INFINITY) alsa_out_unsync(s->out, SND_SEQ_EVENT_STOP);
  s->end = INFINITY;
  if (s->follows && s->runs) s->first_clock += (int64_t)beats * 24;
  if (s->runs)
    s->moved(s->user, tick, true, song_position(s, tick));
  else
    tell(s);
}
