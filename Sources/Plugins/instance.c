#include "parts.h"
#include <math.h>
#include <stdlib.h>

static bool is_play(const instance *i) { return i->value[LIVE_MODE] == LIVE_PLAY; }
static live *live_of(const instance *i) { return i->voice ? i->voice->live : NULL; }

double tick_of(const instance *i, uint32_t frame) {
  return i->from_tick + (double)(i->played + frame - i->from_frame) * i->ticks_per_frame;
}

/* The tick for a call of the engine at the frame that was reached. */
static double present(instance *i) {
  i->latest = fmax(i->latest, tick_of(i, i->reached));
  return i->latest;
}

double tempo_of(const instance *i) { return i->ticks_per_frame * 60 * i->rate / LIVE_PPQ; }

void set_tempo(instance *i, double tempo) {
  i->from_tick = tick_of(i, i->reached);
  i->from_frame = i->played + i->reached;
  i->ticks_per_frame = tempo * LIVE_PPQ / 60 / i->rate;
}

instance *instance_create(double rate) {
  instance *i = calloc(1, sizeof *i);
  if (!i) return NULL;
  i->rate = rate >= 1 && rate < 1e9 ? rate : 48000;
  for (int p = 0; p < INSTANCE_PARAMETERS; p++) i->value[p] = instance_describe(p).initial;
  set_tempo(i, i->value[INSTANCE_TEMPO]);
  return i;
}

void instance_free(instance *i) {
  if (i) instance_unload(i->voice);
  free(i);
}

/* Tells the engine of the transport, or of the one it has in its place when it runs free. */
static void tell(instance *i) {
  live *l = live_of(i);
  double now = present(i), tempo = tempo_of(i);
  if (!l) return;
  if (!i->has_host) {
    live_set_tempo(l, tempo);
    return;
  }
  live_transport_state t = i->host;
  if (t.is_running) t.position += now - i->host_tick;
  if (i->value[INSTANCE_FREE] != 0 && is_play(i)) t = (live_transport_state){.position = now - i->free_from, .is_running = true};
  t.tempo = tempo;
  live_transport(l, now, &t);
}

void give_values(live *l, const double value[INSTANCE_PARAMETERS]) {
  live_set_seed(l, (uint64_t)value[INSTANCE_SEED]);
  for (int p = 0; p < LIVE_PARAMETERS; p++) live_set(l, (live_parameter)p, value[p]);
}

instance_voice *instance_swap(instance *i, instance_voice *voice) {
  instance_voice *old = i->voice;
  if (old) old->owner = NULL;
  i->count = 0;
  owe_all(i, OWN);
  i->voice = voice;
  if (!voice) return old;
  voice->owner = i;
  give_values(voice->live, i->value);
  i->free_from = present(i);
  tell(i);
  return old;
}

const instance_voice *instance_get_voice(const instance *i) { return i->voice; }

static void panic(instance *i) {
  live *l = live_of(i);
  if (l) {
    live_let_go(l, present(i), -1);
    live_silence(l, present(i));
  }
  i->count = 0;
  owe_all(i, OWN | THRU);
}

void instance_set(instance *i, int parameter, double value) {
  if (parameter < 0 || parameter >= INSTANCE_PARAMETERS || isnan(value)) return;
  live *l = live_of(i);
  instance_parameter about = instance_describe(parameter);
  value = fmax(about.least, fmin(about.most, about.is_whole ? rint(value) : value));
  if (value == i->value[parameter]) return;
  i->value[parameter] = value;
  present(i);
  if (parameter < LIVE_PARAMETERS && l) live_set(l, (live_parameter)parameter, value);
  switch (parameter) {
  case INSTANCE_SEED:
    i->free_from = i->latest;
    if (l) {
      live_set_seed(l, (uint64_t)value);
      live_forget(l, i->latest);
    }
    tell(i);
    break;
  case LIVE_MODE:
  case INSTANCE_FREE:
    i->free_from = i->latest;
    tell(i);
    break;
  case INSTANCE_TEMPO:
    if (!i->has_tempo) {
      set_tempo(i, value);
      tell(i);
    }
    break;
  case INSTANCE_PANIC:
    if (value != 0) panic(i);
    break;
  case INSTANCE_THRU:
    if (value == 0) owe_all(i, THRU);
    break;
  case INSTANCE_ENABLED:
    if (value == 0) owe_all(i, OWN);
    break;
  }
}

double instance_get(const instance *i, int parameter) {
  return parameter >= 0 && parameter < INSTANCE_PARAMETERS ? i->value[parameter] : 0;
}

/* ---- A block ---- */

void instance_begin(instance *i, uint32_t frames, bool waits, instance_send send, void *user) {
  i->frames = frames;
  i->reached = i->sent = 0;
  i->is_open = true;
  i->is_full = false;
  i->send = send;
  i->user = user;
  i->draws = waits ? 20000 : 8 + (frames > 512 ? (int)((frames - 512) / 64) : 0);
}

void instance_advance(instance *i, uint32_t frame) {
  const double ahead = 0.02; /* seconds: a chord of many notes is drawn in more than one block */
  live *l = live_of(i);
  if (frame > i->frames) frame = i->frames;
  if (frame <= i->reached) return;
  if (l) {
    double now = present(i), more = 1 + (is_play(i) ? ahead * i->rate * i->ticks_per_frame : 0);
    double horizon = fmax(now, tick_of(i, frame) + more);
    while (live_advance(l, now, horizon, 1) <= now && i->draws > 0) i->draws--;
  }
  drain(i, frame);
  i->reached = frame;
}

void instance_locate(instance *i, uint32_t frame, const instance_position *p) {
  const double same = LIVE_PPQ / 32; /* hosts round positions */
  instance_advance(i, frame);
  double tempo = tempo_of(i);
  double speed = isfinite(p->speed) ? p->speed : i->has_host && !i->host.is_running ? 0 : 1;
  bool runs = speed > 0, ran = i->has_host && i->host.is_running;
  bool has_tempo = p->tempo >= 1 && p->tempo <= 10000;
  if (has_tempo) tempo = p->tempo;
  if (has_tempo && runs) tempo = fmin(10000, fmax(1, tempo * speed));
  double now = tick_of(i, i->reached);
  double expected = i->has_host ? i->host.position + (ran ? now - i->host_tick : 0) : 0;
  double position = fabs(p->quarter) < 1e9 ? p->quarter * LIVE_PPQ : expected;
  set_tempo(i, tempo);
  i->has_tempo |= has_tempo;
  if (runs) {
    /* The engine's ticks go with the song, and song and ticks differ by a whole number: what is a whole tick of the
     * song is one of the engine. */
    if (ran && fabs(position - expected) <= same)
      i->from_tick = now + position - expected;
    else
      i->from_tick = position + ceil(fmax(now, i->latest) - position);
  }
  i->host = (live_transport_state){
      .tempo = tempo, .is_running = runs, .position = position, .numerator = 0, .denominator = 0};
  bool has_meter = p->numerator > 0 && p->numerator < 100 && p->denominator > 0 && p->denominator <= 64;
  if (has_meter) i->host.numerator = p->numerator, i->host.denominator = p->denominator;
  i->host.bar = fabs(p->bar) < 1e9 ? p->bar * LIVE_PPQ : 0;
  i->host_tick = tick_of(i, i->reached);
  i->has_host = true;
  tell(i);
}

void instance_hear(instance *i, uint32_t frame, const uint8_t *bytes, uint32_t count) {
  live *l = live_of(i);
  instance_advance(i, frame);
  if (count == 0 || bytes[0] < 0x80) return;
  bool thru = i->value[INSTANCE_THRU] != 0, is_note = count == 3 && bytes[0] < 0xA0 && bytes[1] < 128 && bytes[2] < 128;
  if (i->owed > 0) pay(i);
  if (l && count <= 3) live_hear(l, present(i), 0, bytes, count);
  if (!is_note) {
    if (thru && bytes[0] >= 0xA0) send_now(i, i->reached, bytes, count);
    return;
  }
  int channel = bytes[0] & 15;
  uint8_t *note = &i->notes[channel][bytes[1]];
  bool on = bytes[0] >= 0x90 && bytes[2] > 0;
  if (on) {
    if (thru && send_now(i, i->reached, bytes, count)) *note |= THRU;
  } else if (*note & THRU) {
    if (send_now(i, i->reached, bytes, count))
      *note &= (uint8_t)~(THRU | OWN);
    else
      owe(i, channel, bytes[1]);
  }
}

void instance_end(instance *i) {
  instance_advance(i, i->frames);
  i->played += i->frames;
  i->frames = i->reached = 0;
  i->is_open = false;
}

void instance_reset(instance *i) { panic(i); }

bool instance_sounds(const instance *i) {
  if (i->owed > 0) return true;
  for (int channel = 0; channel < 16; channel++)
    for (int pitch = 0; pitch < 128; pitch++)
      if (i->notes[channel][pitch]) return true;
  return false;
}

live_state instance_get_state(const instance *i) {
  live_state state = {0};
  if (i->voice) live_get_state(i->voice->live, &state);
  return state;
}
