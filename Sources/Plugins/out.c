#include "parts.h"
#include <math.h>

void owe(instance *i, int channel, int pitch) {
  i->owed += !(i->notes[channel][pitch] & OWED);
  i->notes[channel][pitch] = OWED;
}

void owe_all(instance *i, int kind) {
  for (int channel = 0; channel < 16; channel++)
    for (int pitch = 0; pitch < 128; pitch++)
      if (i->notes[channel][pitch] & kind) owe(i, channel, pitch);
}

bool send_now(instance *i, uint32_t frame, const uint8_t *bytes, uint32_t count) {
  if (!i->is_open || i->is_full || i->frames == 0) return false;
  if (frame >= i->frames) frame = i->frames - 1;
  if (frame < i->sent) frame = i->sent;
  if (i->send(i->user, frame, bytes, count)) {
    i->sent = frame;
    return true;
  }
  i->is_full = true;
  return false;
}

void pay(instance *i) {
  for (int channel = 0; i->owed > 0 && channel < 16; channel++)
    for (int pitch = 0; pitch < 128; pitch++) {
      uint8_t off[3] = {(uint8_t)(0x80 | channel), (uint8_t)pitch, 64};
      if (!(i->notes[channel][pitch] & OWED)) continue;
      if (!send_now(i, i->reached, off, 3)) return;
      i->notes[channel][pitch] &= (uint8_t)~OWED;
      i->owed--;
    }
}

static bool send_own(instance *i, uint32_t frame, const waiting *w) {
  int kind = w->bytes[0] & 0xF0;
  uint8_t *note = &i->notes[w->bytes[0] & 15][w->bytes[1]];
  bool enabled = i->value[INSTANCE_ENABLED] != 0;
  if (kind == 0x80 ? !(*note & OWN) : !enabled) return true;
  if (kind == 0x80 && *note & THRU) { /* the player ends it */
    *note &= (uint8_t)~OWN;
    return true;
  }
  if (!send_now(i, frame, w->bytes, w->count)) return false;
  if (kind == 0x90) *note |= OWN;
  if (kind == 0x80) *note &= (uint8_t)~OWN;
  return true;
}

void drain(instance *i, uint32_t end) {
  if (i->owed > 0) pay(i);
  while (i->count > 0 && !i->is_full) {
    const waiting *w = &i->queue[i->first];
    /* The last bits of a frame's tick depend on where the block began. */
    double at = floor(((double)w->tick - i->from_tick) / i->ticks_per_frame + 1e-4);
    double frame = at + (double)(i->from_frame - i->played);
    if (frame >= end || !send_own(i, frame > i->reached ? (uint32_t)frame : i->reached, w)) return;
    i->first = (i->first + 1) % MOST_WAITING;
    i->count--;
  }
}

static void wait_for(instance *i, waiting w) {
  if (i->count < MOST_WAITING) i->queue[(i->first + i->count++) % MOST_WAITING] = w;
}

static void sink_note(void *user, int64_t tick, int channel, int pitch, int velocity) {
  instance *i = ((instance_voice *)user)->owner;
  if (!i) return;
  waiting on = {tick, {(uint8_t)(0x90 | channel), (uint8_t)pitch, (uint8_t)velocity}, 3};
  waiting off = {tick, {(uint8_t)(0x80 | channel), (uint8_t)pitch, 64}, 3};
  if (velocity > 0) {
    if (i->count < NOTE_ON_ROOM) wait_for(i, on);
  } else if (i->count < MOST_WAITING) {
    wait_for(i, off);
  } else if (i->notes[channel][pitch] & OWN) {
    owe(i, channel, pitch);
  }
}

static void sink_program(void *user, int64_t tick, int channel, int program) {
  instance *i = ((instance_voice *)user)->owner;
  waiting w = {tick, {(uint8_t)(0xC0 | channel), (uint8_t)program, 0}, 2};
  if (i && i->count < NOTE_ON_ROOM) wait_for(i, w);
}

static void sink_cancel(void *user, int64_t tick) {
  instance *i = ((instance_voice *)user)->owner;
  while (i && i->count > 0 && i->queue[(i->first + i->count - 1) % MOST_WAITING].tick >= tick) i->count--;
}

live_sink sink_of(instance_voice *voice) { return (live_sink){voice, sink_note, sink_program, sink_cancel}; }
