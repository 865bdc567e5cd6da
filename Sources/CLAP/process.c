#include "plugin.h"
#include <math.h>
#include <string.h>

/* ---- Out ---- */

/* Converts a message: notes to those of CLAP, if the host takes them; hosts of other formats that CLAP is wrapped for
 * drop raw MIDI. */
static bool send(void *user, uint32_t frame, const uint8_t *bytes, uint32_t count) {
  plugin *p = user;
  const clap_output_events_t *out = p->out;
  clap_event_header_t header = {.time = p->is_late ? 0 : frame, .space_id = CLAP_CORE_EVENT_SPACE_ID};
  bool is_note = count == 3 && (bytes[0] & 0xE0) == 0x80, is_on = bytes[0] >= 0x90 && bytes[2] > 0;
  if (!out || !out->try_push) return false;
  if (is_note && p->dialects & CLAP_NOTE_DIALECT_CLAP) {
    header.size = sizeof(clap_event_note_t);
    header.type = is_on ? CLAP_EVENT_NOTE_ON : CLAP_EVENT_NOTE_OFF;
    clap_event_note_t note = {header, -1, 0, bytes[0] & 15, bytes[1], bytes[2] / 127.0};
    return out->try_push(out, &note.header);
  }
  if (count > 3 || !(p->dialects & CLAP_NOTE_DIALECT_MIDI)) return true; /* the host does not take it at all */
  header.size = sizeof(clap_event_midi_t);
  header.type = CLAP_EVENT_MIDI;
  clap_event_midi_t midi = {.header = header};
  memcpy(midi.data, bytes, count);
  return out->try_push(out, &midi.header);
}

static void tell_value(const plugin *p, int parameter, double value, uint32_t frame) {
  if (!p->out || !p->out->try_push) return;
  clap_event_param_value_t event = {.header = {.size = sizeof event,
                                               .time = p->is_late ? 0 : frame,
                                               .space_id = CLAP_CORE_EVENT_SPACE_ID,
                                               .type = CLAP_EVENT_PARAM_VALUE},
                                    .param_id = parameter_id(parameter),
                                    .note_id = -1,
                                    .port_index = -1,
                                    .channel = -1,
                                    .key = -1,
                                    .value = value};
  p->out->try_push(p->out, &event.header);
}

/* ---- In ---- */

static void hear(plugin *p, uint32_t frame, const uint8_t *bytes, uint32_t count) {
  bool is_note = (bytes[0] & 0xE0) == 0x80;
  if (is_note) p->is_held[bytes[0] & 15][bytes[1]] = bytes[0] >= 0x90 && bytes[2] > 0;
  instance_hear(p->instance, frame, bytes, count);
}

static void hear_on(plugin *p, uint32_t frame, const clap_event_note_t *e) {
  bool is_whole = e->port_index == 0 && e->channel >= 0 && e->channel < 16 && e->key >= 0 && e->key < 128;
  if (!is_whole || !(e->velocity >= 0)) return; /* no wildcards here */
  uint8_t on[3] = {(uint8_t)(0x90 | e->channel), (uint8_t)e->key,
                   (uint8_t)fmax(1, fmin(127, rint(e->velocity * 127)))};
  p->note_id[e->channel][e->key] = e->note_id;
  hear(p, frame, on, 3);
}

/* Ends each note that the event means; -1 means any that is held. */
static void hear_off(plugin *p, uint32_t frame, const clap_event_note_t *e) {
  if (e->port_index != 0 && e->port_index != -1) return;
  for (int channel = 0; channel < 16; channel++) {
    if (e->channel != -1 && e->channel != channel) continue;
    for (int key = 0; key < 128; key++) {
      bool is_held = p->is_held[channel][key];
      int32_t id = is_held ? p->note_id[channel][key] : -1;
      if (e->key != -1 && e->key != key) continue;
      /* One that is named may have been held when the plugin was saved. */
      if (!is_held && (e->channel == -1 || e->key == -1)) continue;
      /* Of two notes on a key the first has ended with the beginning of the second. */
      if (e->note_id != -1 && id != -1 && id != e->note_id) continue;
      uint8_t off[3] = {(uint8_t)(0x80 | channel), (uint8_t)key, 64};
      hear(p, frame, off, 3);
    }
  }
}

static void hear_midi(plugin *p, uint32_t frame, const clap_event_midi_t *e) {
  int kind = e->data[0] & 0xF0;
  uint32_t count = kind == 0xC0 || kind == 0xD0 ? 2 : 3;
  if (e->data[0] == 0xFF) count = 1;
  if (e->port_index != 0 || e->data[0] < 0x80 || (kind == 0xF0 && count > 1)) return;
  for (uint32_t i = 1; i < count; i++)
    if (e->data[i] > 127) return;
  if (kind == 0x90) p->note_id[e->data[0] & 15][e->data[1]] = -1;
  hear(p, frame, e->data, count);
}

static void set_value(plugin *p, uint32_t frame, const clap_event_param_value_t *e) {
  int parameter = parameter_find(e->param_id);
  if (parameter < 0 || isnan(e->value)) return;
  double value = parameter_nearest(parameter, e->value);
  if (parameter == PARAMETER_MODEL) {
    if (value != atomic_exchange(&p->value[parameter], value)) p->host->request_callback(p->host);
    return;
  }
  instance_advance(p->instance, frame);
  instance_set(p->instance, parameter, value);
  if (parameter == INSTANCE_PANIC && value != 0) { /* a button: it comes out again */
    instance_set(p->instance, parameter, value = 0);
    tell_value(p, parameter, value, frame);
  }
  atomic_store(&p->value[parameter], value);
}

static instance_position position_of(const clap_event_transport_t *t, uint32_t frames) {
  bool has_beats = t->flags & CLAP_TRANSPORT_HAS_BEATS_TIMELINE, has_tempo = t->flags & CLAP_TRANSPORT_HAS_TEMPO;
  bool has_metre = t->flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE;
  bool has_seconds = t->flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE;
  /* A power of 2: other denominators are no notes. */
  bool is_metre = has_metre && t->tsig_denom > 0 && (t->tsig_denom & (t->tsig_denom - 1)) == 0;
  instance_position position = {.tempo = NAN,
                                .speed = t->flags & CLAP_TRANSPORT_IS_PLAYING ? 1 : 0,
                                .quarter = NAN,
                                .bar = NAN,
                                .numerator = is_metre ? t->tsig_num : 0,
                                .denominator = is_metre ? t->tsig_denom : 0};
  if (has_tempo) {
    /* Of a ramp the mean in this block. */
    double mean = t->tempo + t->tempo_inc * frames / 2;
    position.tempo = isfinite(mean) && mean > 0 ? mean : t->tempo;
  }
  if (has_beats) {
    position.quarter = (double)t->song_pos_beats / (double)CLAP_BEATTIME_FACTOR;
    position.bar = (double)t->bar_start / (double)CLAP_BEATTIME_FACTOR;
  } else if (has_seconds && has_tempo) {
    position.quarter = (double)t->song_pos_seconds / (double)CLAP_SECTIME_FACTOR * t->tempo / 60;
  }
  return position;
}

static void locate(plugin *p, uint32_t frame, const clap_event_transport_t *t, uint32_t frames) {
  instance_position position = position_of(t, frames);
  if (p->is_fresh) instance_resume(p->instance, &position);
  p->is_fresh = false;
  instance_locate(p->instance, frame, &position);
}

/* Only events of a known size and kind; `frame` is their own, but not before the last. */
static void take_event(plugin *p, const clap_event_header_t *e, uint32_t frame, uint32_t frames) {
  if (e->space_id != CLAP_CORE_EVENT_SPACE_ID) return;
  switch (e->type) {
  case CLAP_EVENT_NOTE_ON:
    if (e->size >= sizeof(clap_event_note_t)) hear_on(p, frame, (const clap_event_note_t *)e);
    break;
  case CLAP_EVENT_NOTE_OFF:
  case CLAP_EVENT_NOTE_CHOKE:
    if (e->size >= sizeof(clap_event_note_t)) hear_off(p, frame, (const clap_event_note_t *)e);
    break;
  case CLAP_EVENT_MIDI:
    if (e->size >= sizeof(clap_event_midi_t)) hear_midi(p, frame, (const clap_event_midi_t *)e);
    break;
  case CLAP_EVENT_PARAM_VALUE:
    if (e->size >= sizeof(clap_event_param_value_t)) set_value(p, frame, (const clap_event_param_value_t *)e);
    break;
  case CLAP_EVENT_TRANSPORT:
    if (e->size >= sizeof(clap_event_transport_t))
      locate(p, frame, (const clap_event_transport_t *)e, frames - frame);
    break;
  }
}

/* ---- Blocks that come while the main thread has the instance ---- */

static void defer_event(deferred *d, const clap_event_header_t *e, uint32_t frame) {
  static const size_t sizes[] = {
      [CLAP_EVENT_NOTE_ON] = sizeof(clap_event_note_t),      [CLAP_EVENT_NOTE_OFF] = sizeof(clap_event_note_t),
      [CLAP_EVENT_NOTE_CHOKE] = sizeof(clap_event_note_t),   [CLAP_EVENT_PARAM_VALUE] = sizeof(clap_event_param_value_t),
      [CLAP_EVENT_TRANSPORT] = sizeof(clap_event_transport_t), [CLAP_EVENT_MIDI] = sizeof(clap_event_midi_t)};
  size_t size = e->type < sizeof sizes / sizeof *sizes ? sizes[e->type] : 0;
  if (e->space_id != CLAP_CORE_EVENT_SPACE_ID || size == 0 || e->size < size) return;
  if (d->count == MOST_DEFERRED) {
    d->is_full = true;
    return;
  }
  union deferred_event *kept = &d->events[d->count++];
  memcpy(kept, e, size);
  kept->header.size = (uint32_t)size;
  kept->header.time = d->frames + frame;
}

static uint32_t count_of(const clap_input_events_t *in) { return in && in->size ? in->size(in) : 0; }

static void defer(plugin *p, const clap_event_transport_t *transport, const clap_input_events_t *in, uint32_t frames) {
  deferred *d = &p->deferred;
  if (transport) defer_event(d, &transport->header, 0);
  uint32_t count = count_of(in);
  for (uint32_t i = 0; i < count; i++) {
    const clap_event_header_t *e = in->get(in, i);
    if (e) defer_event(d, e, e->time < frames ? e->time : frames);
  }
  d->frames += frames;
}

static void play_deferred(plugin *p) {
  deferred *d = &p->deferred;
  if (d->is_full) instance_reset(p->instance); /* the end of a note may have been lost */
  d->is_full = false;
  if (d->frames == 0 && d->count == 0) return;
  uint32_t frame = 0;
  p->is_late = true;
  instance_begin(p->instance, d->frames, atomic_load(&p->is_offline), send, p);
  for (int i = 0; i < d->count; i++) {
    if (d->events[i].header.time > frame) frame = d->events[i].header.time;
    take_event(p, &d->events[i].header, frame, d->frames);
  }
  instance_end(p->instance);
  p->is_late = false;
  d->frames = 0;
  d->count = 0;
}

/* ---- Blocks ---- */

static void play(plugin *p, const clap_process_t *b) {
  uint32_t frame = 0, count = count_of(b->in_events);
  if (p->is_fresh && !b->transport) {
    instance_resume(p->instance, NULL);
    p->is_fresh = false;
  }
  instance_begin(p->instance, b->frames_count, atomic_load(&p->is_offline), send, p);
  if (b->transport) locate(p, 0, b->transport, b->frames_count);
  for (uint32_t i = 0; i < count; i++) {
    const clap_event_header_t *e = b->in_events->get(b->in_events, i);
    if (!e) continue;
    if (e->time > frame) frame = e->time < b->frames_count ? e->time : b->frames_count;
    take_event(p, e, frame, b->frames_count);
  }
  instance_end(p->instance);
}

/* A block without frames: no note fits into it, and what it holds comes with the next one. */
static void take_empty(plugin *p, const clap_process_t *b) {
  uint32_t count = count_of(b->in_events);
  if (b->transport) defer_event(&p->deferred, &b->transport->header, 0);
  for (uint32_t i = 0; i < count; i++) {
    const clap_event_header_t *e = b->in_events->get(b->in_events, i);
    if (e && e->type == CLAP_EVENT_PARAM_VALUE)
      take_event(p, e, 0, 0);
    else if (e)
      defer_event(&p->deferred, e, 0);
  }
}

clap_process_status plugin_process(const clap_plugin_t *clap, const clap_process_t *b) RETTO_REALTIME {
  plugin *p = plugin_of(clap);
  bool is_mine = plugin_try_take(p);
  /* An export has the time, and gets each note in its frame. */
  while (!is_mine && atomic_load(&p->is_offline)) is_mine = plugin_try_take(p);
  if (!is_mine) {
    defer(p, b->transport, b->in_events, b->frames_count);
    return CLAP_PROCESS_CONTINUE;
  }
  p->out = b->out_events;
  if (b->frames_count == 0) {
    take_empty(p, b);
  } else {
    play_deferred(p);
    play(p, b);
  }
  p->out = NULL;
  plugin_give_back(p);
  return CLAP_PROCESS_CONTINUE; /* it may play at any time */
}

void plugin_flush(const clap_plugin_t *clap, const clap_input_events_t *in, const clap_output_events_t *out)
    RETTO_REALTIME {
  plugin *p = plugin_of(clap);
  if (!plugin_try_take(p)) {
    defer(p, NULL, in, 0);
    return;
  }
  uint32_t count = count_of(in);
  p->out = out;
  for (uint32_t i = 0; i < count; i++) {
    const clap_event_header_t *e = in->get(in, i);
    if (e && e->type == CLAP_EVENT_PARAM_VALUE) take_event(p, e, 0, 0);
  }
  p->out = NULL;
  plugin_give_back(p);
}
