#include "engine.h"

void notes_pass(notes *n, int64_t now) {
  int kept = 0;
  for (int i = 0; i < n->count; i++)
    if (n->list[i].off >= now) n->list[kept++] = n->list[i];
  n->count = kept;
}

bool notes_begin(notes *n, int64_t tick, int own_channel, int channel, int pitch) {
  if (n->count == MOST_NOTES) return false;
  n->list[n->count++] = (struct note){tick, INT64_MAX, (uint8_t)channel, (uint8_t)pitch, (uint8_t)own_channel};
  return true;
}

int notes_end(notes *n, int64_t tick, int own_channel, int pitch) {
  for (int i = 0; i < n->count; i++) {
    struct note *note = &n->list[i];
    if (note->off != INT64_MAX || note->own_channel != own_channel || note->pitch != pitch) continue;
    note->off = tick > note->on ? tick : note->on;
    return note->channel;
  }
  return -1;
}

bool notes_has(const notes *n, int channel, int pitch) {
  for (int i = 0; i < n->count; i++)
    if (n->list[i].off == INT64_MAX && n->list[i].channel == channel && n->list[i].pitch == pitch) return true;
  return false;
}

int notes_open(const notes *n) {
  int open = 0;
  for (int i = 0; i < n->count; i++) open += n->list[i].off == INT64_MAX;
  return open;
}
