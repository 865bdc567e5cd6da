#include "performer.h"
#include "options.h"
#include "terminal.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert((int)LIVE_PPQ == (int)ALSA_OUT_PPQ, "ticks of the engine are those of the queue");

/* ---- The engine plays ---- */

static void send_program(performer *p, int channel, int64_t tick, int program) {
  p->programs[channel] = program;
  alsa_out_program(p->out, tick, channel, program);
}

/* A port that is new or back knows nothing. */
static void send_programs(performer *p) {
  for (int channel = 0; channel < CHANNEL_COUNT; channel++)
    if (p->programs[channel] >= 0) send_program(p, channel, -1, p->programs[channel]);
  alsa_out_flush(p->out);
}

static void use(performer *p, int channel) {
  if (p->used[channel]) return;
  p->used[channel] = true;
  if (p->says_channel && p->channel < 0) show_line("plays on channel %d; --channel chooses another", channel + 1);
  if (p->program >= 0) send_program(p, channel, -1, p->program);
}

static void play_note(void *user, int64_t tick, int channel, int pitch, int velocity) {
  performer *p = user;
  /* The clock of a moment comes before the notes that begin then. */
  song_lead(&p->song, (double)tick + (velocity > 0));
  if (velocity == 0) {
    alsa_out_note_off(p->out, tick, channel, pitch);
  } else {
    use(p, channel);
    alsa_out_note_on(p->out, tick, channel, pitch, velocity);
  }
}

/* Of a model with parts, each on a channel of its own. */
static void play_program(void *user, int64_t tick, int channel, int program) {
  performer *p = user;
  if (p->channel < 0 && p->program < 0) send_program(p, channel, tick, program);
}

static void cancel(void *user, int64_t tick) {
  performer *p = user;
  (void)tick;
  if (p->out) alsa_out_silence(p->out); /* the engines are opened first */
}

live_sink performer_sink(performer *p) {
  return (live_sink){.user = p, .note = play_note, .program = play_program, .cancel = cancel};
}

static double ticks_of_ms(const performer *p, double ms) {
  return ms * alsa_out_tempo(p->out) * ALSA_OUT_PPQ / 60e3;
}

static double nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Lets the engine draw what is due before the horizon, one event at a time, as long as it may. */
static void draw(performer *p, double now, double horizon, live_state *state) {
  const double most = 5e6; /* ns, so that ports and keyboard are heard between */
  double began = nanoseconds(), before = began;
  do {
    uint64_t drawn = state->drawn;
    p->next = live_advance(p->live, now, horizon, 1);
    live_get_state(p->live, state);
    double after = nanoseconds();
    if (state->drawn > drawn) histogram_add(&p->times, after - before);
    before = after;
  } while (p->next <= now && before - began < most);
}

static void wake_at(performer *p, double tick) {
  if (p->wake <= tick) return;
  p->wake = tick;
  alsa_out_wake(p->out, (int64_t)ceil(tick), ++p->wakes);
}

static void end_piece(performer *p, double now, double end) {
  if (p->song.end == INFINITY) song_end(&p->song, fmax(end, now));
  p->finished = now >= p->song.end;
}

/* Goes on up to the look-ahead; whether there is more to draw at once. */
static bool go_on(performer *p) {
  live_state state;
  double now = alsa_out_now(p->out), ahead = ticks_of_ms(p, p->ahead), horizon = now + ahead;
  if (p->wake < now - ahead) p->wake = INFINITY; /* it was lost with other events */
  live_get_state(p->live, &state);
  if (p->prepare) p->prepare(&state);
  if (horizon > p->next) draw(p, now, horizon, &state);
  if (state.status) {
    show_line("%s", retto_last_error());
    p->finished = true;
  }
  bool busy = p->next <= now, ends = state.is_finished && p->song.runs;
  if (ends) end_piece(p, now, state.end);
  if (!busy) song_lead(&p->song, horizon);
  if (ends)
    wake_at(p, p->song.end + 1);
  else if (p->song.runs || (state.is_playing && p->next < INFINITY))
    wake_at(p, now + ahead / 4);
  else if (p->next < INFINITY)
    wake_at(p, fmax(now + ahead / 4, p->next - ahead));
  return busy;
}

/* Whatever happened, the engine may want to be called at once. */
static void call(performer *p) { p->next = -INFINITY; }

/* ---- The song ---- */

static void move(void *user, double tick, bool runs, double position) {
  performer *p = user;
  live_transport_state transport = {
      .tempo = alsa_out_tempo(p->out), .is_running = runs, .position = position, .bar = 0};
  live_transport(p->live, tick, &transport);
  call(p);
}

static void change_tempo(void *user, double tempo) { performer_set_tempo(user, tempo); }

void performer_set_tempo(performer *p, double tempo) {
  alsa_out_set_tempo(p->out, tempo);
  for (int i = 0; i < p->count; i++) live_set_tempo(p->lives[i], tempo);
}

void performer_set(performer *p, live_parameter parameter, double value) {
  for (int i = 0; i < p->count; i++) live_set(p->lives[i], parameter, value);
  call(p);
}

void performer_next_model(performer *p) {
  if (p->count == 1) return;
  double now = alsa_out_now(p->out);
  live_transport_state stands = {.tempo = alsa_out_tempo(p->out), .position = song_position(&p->song, now)};
  live_transport(p->live, now, &stands);
  p->current = (p->current + 1) % p->count;
  p->live = p->lives[p->current];
  live_forget(p->live, now);
  song_begin_after(&p->song, now + ticks_of_ms(p, p->ahead));
}

void performer_toggle_pause(performer *p) {
  if (p->song.follows) return; /* the master says when */
  p->paused = !p->paused;
  if (p->paused) {
    song_pause(&p->song);
    alsa_out_pause(p->out);
  } else {
    song_continue(&p->song);
    alsa_out_run(p->out);
  }
}

void performer_next_port(performer *p) {
  alsa_out_next_port(p->out);
  show_line("%s", alsa_out_message(p->out));
  send_programs(p);
}

/* ---- What happens ---- */

static void hear_wake(performer *p, unsigned value) {
  enum { PATIENCE = 4 * ALSA_OUT_PPQ }; /* without the clock it goes on for a bar */
  if (value == p->wakes) p->wake = INFINITY;
  if (song_is_lost(&p->song, PATIENCE)) show_line("the clock is lost; waiting for Start or Continue");
}

static void hear_port(performer *p) {
  bool news = false;
  for (const snd_seq_event_t *event; (event = alsa_out_read(p->out, &news));) {
    if (event->type == SND_SEQ_EVENT_ECHO) {
      hear_wake(p, event->data.raw32.d[0]);
      continue;
    }
    song_hear(&p->song, event);
    if (!p->hear) continue;
    p->hear(event, alsa_out_tick_at(p->out, event->time.time.tv_sec * 1e9 + event->time.time.tv_nsec));
    call(p);
  }
  if (!news) return;
  show_line("%s", alsa_out_message(p->out));
  send_programs(p);
}

/* Ctrl-Z: stops the program, with nothing sounding, until it is told to go on. */
static void suspend(performer *p) {
  if (!p->paused) alsa_out_pause(p->out);
  close_keyboard();
  raise(SIGSTOP);
  if (!p->paused) alsa_out_run(p->out);
}

static void listen(performer *p) {
  bool busy = false;
  while (!p->finished) {
    live_state state;
    live_get_state(p->live, &state);
    p->show(&state);
    unsigned ready = wait_for_input(alsa_out_descriptor(p->out), p->signals, busy);
    if (ready & FROM_PORT) hear_port(p);
    if (ready & FROM_SIGNALS) {
      if (read_signal(p->signals) == SIGTSTP)
        suspend(p);
      else
        p->finished = true;
    }
    if (ready & FROM_KEYBOARD) {
      int key = read_key();
      if (key == 'q') p->finished = true;
      if (key && p->press) p->press(key);
      if (key) call(p);
    }
    busy = !p->finished && go_on(p);
    alsa_out_flush(p->out);
  }
}

void performer_run(performer *p) {
  p->song.out = p->out;
  p->song.user = p;
  p->song.moved = move;
  p->song.changed = change_tempo;
  song_open(&p->song);
  /* The beginning is handed over with the start of the queue, so that nothing of it is late, and nothing early: a
   * queue that does not run delivers what is due at its tick. */
  while (go_on(p)) continue;
  alsa_out_run(p->out);
  listen(p);
  song_pause(&p->song);
  alsa_out_silence(p->out);
  close_keyboard();
}
