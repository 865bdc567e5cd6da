#include "engine.h"

bool check(live *l, retto_status status) {
  if (status) l->status = status;
  return status == RETTO_OK;
}

/* ---- Time ---- */

double step_of(const live *l) { return LIVE_PPQ * l->scale / l->ticks_per_quarter; }

double tick_at(const live *l, int64_t t) { return l->origin + (double)t * step_of(l); }

double ticks_of_ms(const live *l, double ms) { return ms * l->tempo * LIVE_PPQ / 60e3; }

double ticks_of_quarter(const live *l) { return LIVE_PPQ * l->scale; }

/* The time signature of what is played together: the host's, else that which was set, else what the player's beat
 * looks like. */
static void time_signature(const live *l, bool is_compound, int *numerator, int *denominator) {
  *numerator = (int)l->value[LIVE_NUMERATOR];
  *denominator = (int)l->value[LIVE_DENOMINATOR];
  if (runs(l) && l->transport.numerator > 0 && l->transport.denominator > 0) {
    *numerator = l->transport.numerator;
    *denominator = l->transport.denominator;
  } else if (*numerator == 0) {
    *numerator = is_compound ? 6 : 4;
    *denominator = is_compound ? 8 : 4;
  }
}

double ticks_of_bar_by(const live *l, const beat *b) {
  int numerator, denominator;
  time_signature(l, b->is_compound, &numerator, &denominator);
  return b->quarter * 4 * numerator / denominator;
}

double ticks_of_bar(const live *l) {
  const beat own = {.quarter = ticks_of_quarter(l), .is_compound = l->is_compound};
  return ticks_of_bar_by(l, &own);
}

bool runs(const live *l) { return l->has_transport && l->transport.is_running; }

/* ---- Settings ---- */

static uint32_t scale_of(int key) {
  const uint32_t major = 0xAB5, minor = 0xDAD; /* as retto_scale_from_key has them; bit 0 is the tonic */
  if (key == 0) return 0xFFF;
  int tonic = (key - 1) % 12;
  uint32_t scale = key > 12 ? minor : major;
  return (scale << tonic | scale >> (12 - tonic)) & 0xFFF;
}

void follow_key(live *l) {
  int key = (int)l->value[LIVE_KEY];
  if (!key && l->value[LIVE_FOLLOW_KEY] != 0 && l->value[LIVE_MODE] != LIVE_PLAY) key = l->player.key;
  if (key != l->applied_key) take_key(l, key);
}

void take_key(live *l, int key) {
  if (l->is_drums) return;
  recent_do(l, (session_step){.kind = STEP_KEY, .number = key});
  /* A scale without one of the pitches that may begin would be refused; then there is no constraint. */
  if (retto_session_set_scale(l->session, scale_of(key))) return;
  if (retto_session_set_key(l->session, key)) return;
  l->applied_key = key;
}

/* ---- The session ---- */

void feed(live *l, double tick, int kind, int channel, int pitch, int velocity) {
  int64_t at = llrint((tick - l->origin) / step_of(l));
  int64_t delta = at > l->reached ? at - l->reached : 0;
  retto_event event = {.delta = (uint32_t)delta,
                       .kind = (uint8_t)kind,
                       .channel = (uint8_t)channel,
                       .pitch = (uint8_t)pitch,
                       .velocity = (uint8_t)velocity};
  recent_do(l, (session_step){.kind = STEP_FEED, .event = event});
  l->reached += delta;
  check(l, retto_session_feed_event(l->session, &event));
}

void begin_piece(live *l) {
  int numerator, denominator;
  time_signature(l, l->is_compound, &numerator, &denominator);
  l->began = true;
  l->reached = 0;
  l->waits = false;
  check(l, retto_session_reset(l->session, l->seed));
  recent_forget(l);
  feed(l, l->origin, RETTO_EVENT_TIME_SIGNATURE, 0, numerator, denominator);
}

unsigned char *snapshot_of(const live *l, int mark) {
  return l->snapshots + (size_t)(OWN_SNAPSHOTS + mark) * l->snapshot_stride;
}

void draw(live *l) {
  recent_do(l, (session_step){.kind = STEP_DRAW});
  if (!check(l, retto_session_next_event(l->session, &l->next))) {
    l->next = (retto_event){.delta = (uint32_t)l->ticks_per_quarter, .kind = RETTO_EVENT_TIME};
    l->plays = false;
    l->finished = true;
  }
  l->drawn++;
  recent_drew(l, &l->next);
  l->reached += l->next.delta;
  l->waits = true;
}

/* ---- Playing ---- */

/* The model's own channel, or the first that the player does not use: on his a note-off would end his note. Drums have
 * one channel alone. */
static int channel_of(const live *l, int own) {
  if (l->value[LIVE_CHANNEL] > 0) return (int)l->value[LIVE_CHANNEL] - 1;
  if (own == DRUM_CHANNEL || !l->player.used[own]) return own;
  for (int channel = 0; channel < CHANNELS; channel++)
    if (channel != DRUM_CHANNEL && !l->player.used[channel]) return channel;
  return own;
}

/* As loud as the player, on average; what the model makes louder or softer stays so. */
static int velocity_of(live *l, int own) {
  l->own_loudness = l->own_loudness > 0 ? l->own_loudness + 0.05 * (own - l->own_loudness) : own;
  double wanted = own;
  if (l->value[LIVE_FOLLOW_LOUDNESS] != 0 && l->value[LIVE_MODE] != LIVE_PLAY && l->player.loudness > 0)
    wanted += l->player.loudness - l->own_loudness;
  return (int)lrint(fmax(1, fmin(127, wanted)));
}

static void begin_note(live *l, double tick, const retto_event *e) {
  int channel = channel_of(l, e->channel & 15), velocity = velocity_of(l, e->velocity);
  if (tick < l->now - ticks_of_ms(l, BEARABLE)) {
    l->late++;
    return;
  }
  tick = fmax(tick, l->now);
  /* It sounds, and is the player's to end; or the model's on another channel of its own. */
  if (l->player.held[channel][e->pitch] || notes_has(&l->notes, channel, e->pitch)) return;
  int64_t at = llrint(tick);
  if (!notes_begin(&l->notes, at, e->channel & 15, channel, e->pitch)) return;
  l->sink.note(l->sink.user, at, channel, e->pitch, velocity);
}

void hand_over(live *l, double tick) {
  const retto_event *e = &l->next;
  l->waits = false;
  if (e->kind == RETTO_EVENT_NOTE_ON) {
    begin_note(l, tick, e);
  } else if (e->kind == RETTO_EVENT_NOTE_OFF) {
    int64_t at = llrint(fmax(tick, l->now));
    int channel = notes_end(&l->notes, at, e->channel & 15, e->pitch);
    if (channel >= 0) l->sink.note(l->sink.user, at, channel, e->pitch, 0);
  } else if (e->kind == RETTO_EVENT_PROGRAM && l->sink.program) {
    l->sink.program(l->sink.user, llrint(fmax(tick, l->now)), channel_of(l, e->channel & 15), e->pitch);
  }
}

void end_notes(live *l, double tick) {
  int64_t at = llrint(tick);
  int kept = 0;
  if (l->sink.cancel) l->sink.cancel(l->sink.user, at);
  for (int i = 0; i < l->notes.count; i++) {
    struct note note = l->notes.list[i];
    if (note.on >= at) continue;
    if (note.off >= at) {
      l->sink.note(l->sink.user, at, note.channel, note.pitch, 0);
      note.off = at;
    }
    l->notes.list[kept++] = note; /* another cancel may take its end back */
  }
  l->notes.count = kept;
  check(l, retto_session_forget_sounding(l->session));
  recent_forget(l);
}
