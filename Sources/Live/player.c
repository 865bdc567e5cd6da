#include "engine.h"

/* ---- Messages ---- */

static void end_note(player *p, live *l, double tick, int channel, int pitch, note_heard each) {
  p->holding -= p->held[channel][pitch] != 0;
  p->held[channel][pitch] = 0;
  p->released[channel][pitch] = false;
  p->last = tick;
  each(l, tick, channel, pitch, 0);
}

static void hear_class(player *p, int pitch) {
  const double kept = 0.97; /* half of what is known is of the latest 23 notes */
  for (int i = 0; i < 12; i++) p->classes[i] *= kept;
  p->classes[pitch % 12] += 1;
}

static void note_on(player *p, live *l, double tick, unsigned source, int channel, int pitch, int velocity,
                    note_heard each) {
  if (p->held[channel][pitch] || p->released[channel][pitch]) end_note(p, l, tick, channel, pitch, each);
  p->held[channel][pitch] = (uint16_t)(source + 1);
  p->holding++;
  p->used[channel] = true;
  p->last = p->last_onset = tick;
  p->onsets[p->onset_count++ % MOST_ONSETS] = tick;
  p->loudness = p->loudness > 0 ? p->loudness + 0.15 * (velocity - p->loudness) : velocity;
  if (channel != DRUM_CHANNEL) hear_class(p, pitch);
  each(l, tick, channel, pitch, velocity);
}

static void note_off(player *p, live *l, double tick, int channel, int pitch, note_heard each) {
  if (!p->held[channel][pitch]) return; /* it has ended already */
  if (!p->pedal[channel]) {
    end_note(p, l, tick, channel, pitch, each);
    return;
  }
  p->held[channel][pitch] = 0;
  p->released[channel][pitch] = true;
  p->holding--;
  p->last = tick;
}

static void end_all(player *p, live *l, double tick, int source, int channel, bool released_alone, note_heard each) {
  for (int c = 0; c < CHANNELS; c++)
    for (int pitch = 0; pitch < PITCHES; pitch++) {
      bool held = p->held[c][pitch] && !released_alone && (source < 0 || p->held[c][pitch] == source + 1);
      if ((held || p->released[c][pitch]) && (channel < 0 || channel == c)) end_note(p, l, tick, c, pitch, each);
    }
}

void player_hear(live *l, double tick, unsigned source, const uint8_t *bytes, size_t count, note_heard each) {
  enum { PEDAL = 64, ALL_SOUND_OFF = 120, ALL_NOTES_OFF = 123 /* and the modes above it */ };
  player *p = &l->player;
  if (count > 0 && bytes[0] == 0xFF) player_let_go(l, tick, -1, -1, each);
  if (count < 3 || bytes[0] < 0x80 || bytes[1] > 127 || bytes[2] > 127) return;
  int channel = bytes[0] & 15, first = bytes[1], second = bytes[2];
  switch (bytes[0] & 0xF0) {
  case 0x90:
    if (second > 0)
      note_on(p, l, tick, source & 0x7FFF, channel, first, second, each);
    else
      note_off(p, l, tick, channel, first, each);
    break;
  case 0x80: note_off(p, l, tick, channel, first, each); break;
  case 0xB0:
    if (first == PEDAL) {
      p->pedal[channel] = second >= 64;
      if (second < 64) end_all(p, l, tick, -1, channel, true, each);
    } else if (first == ALL_SOUND_OFF || first >= ALL_NOTES_OFF) {
      player_let_go(l, tick, -1, channel, each);
    }
    break;
  }
}

void player_let_go(live *l, double tick, int source, int channel, note_heard each) {
  player *p = &l->player;
  for (int c = 0; c < CHANNELS; c++)
    if (channel < 0 || channel == c) p->pedal[c] = false;
  end_all(p, l, tick, source, channel, false, each);
}

/* ---- The call ---- */

void player_keep(player *p, double tick, int kind, int channel, int pitch, int velocity) {
  if (p->call_count == MOST_HEARD) { /* of a very long call the end counts */
    memmove(p->call, p->call + MOST_HEARD / 4, (MOST_HEARD - MOST_HEARD / 4) * sizeof *p->call);
    p->call_count -= MOST_HEARD / 4;
    p->read = p->read > MOST_HEARD / 4 ? p->read - MOST_HEARD / 4 : 0;
  }
  p->call[p->call_count++] =
      (heard){tick, (uint8_t)kind, (uint8_t)channel, (uint8_t)pitch, (uint8_t)velocity};
}

void player_tie(player *p, double gap) {
  for (int i = 0; i < p->call_count; i++) {
    if (p->call[i].kind != RETTO_EVENT_NOTE_OFF) continue;
    int next = i + 1;
    while (next < p->call_count && p->call[next].kind != RETTO_EVENT_NOTE_ON) next++;
    if (next < p->call_count && p->call[next].tick - p->call[i].tick < gap) p->call[i].tick = p->call[next].tick;
  }
}
