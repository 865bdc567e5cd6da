/* What a host gives the plugin and takes from it: events, values, states. */
#include "host.h"

/* ---- Events ---- */

void host_add(host *h, const void *event) {
  const clap_event_header_t *e = event;
  if (h->in_count == MOST_EVENTS) return;
  int i = h->in_count++; /* in the order of their times */
  for (; i > 0 && h->in[i - 1].header.time > e->time; i--) h->in[i] = h->in[i - 1];
  memset(&h->in[i], 0, sizeof h->in[i]);
  memcpy(&h->in[i], event, e->size < sizeof h->in[i] ? e->size : sizeof h->in[i]);
}

void host_note(host *h, uint32_t frame, int type, int channel, int key, int id, double velocity) {
  clap_event_note_t e = {{sizeof e, frame, CLAP_CORE_EVENT_SPACE_ID, (uint16_t)type, 0}, id, 0,
                         (int16_t)channel, (int16_t)key, velocity};
  host_add(h, &e);
}

void host_midi(host *h, uint32_t frame, int a, int b, int c) {
  clap_event_midi_t e = {{sizeof e, frame, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, 0}, 0,
                         {(uint8_t)a, (uint8_t)b, (uint8_t)c}};
  host_add(h, &e);
}

const clap_param_info_t *host_find(host *h, const char *name) {
  static clap_param_info_t info;
  for (uint32_t i = 0; i < h->params->count(h->plugin); i++)
    if (h->params->get_info(h->plugin, i, &info) && !strcmp(info.name, name)) return &info;
  fprintf(stderr, "no parameter %s\n", name);
  exit(2);
}

double host_get(host *h, const char *name) {
  double value = NAN;
  CHECK(h->params->get_value(h->plugin, host_find(h, name)->id, &value), "%s", name);
  return value;
}

void host_set(host *h, uint32_t frame, const char *name, double value) {
  clap_event_param_value_t e = {{sizeof e, frame, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, 0},
                                host_find(h, name)->id, NULL, -1, -1, -1, -1, value};
  host_add(h, &e);
}

clap_event_transport_t host_song(double quarter, double tempo, bool is_playing) {
  clap_event_transport_t t = {.header = {sizeof t, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, 0}};
  t.flags = CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_HAS_BEATS_TIMELINE | CLAP_TRANSPORT_HAS_TIME_SIGNATURE |
            (is_playing ? CLAP_TRANSPORT_IS_PLAYING : 0);
  t.tempo = tempo;
  t.song_pos_beats = llrint(quarter * (double)CLAP_BEATTIME_FACTOR);
  t.bar_start = llrint(floor(quarter / 4) * 4 * (double)CLAP_BEATTIME_FACTOR);
  t.bar_number = (int32_t)floor(quarter / 4);
  t.tsig_num = t.tsig_denom = 4;
  return t;
}

/* ---- State ---- */

typedef struct tape {
  uint8_t *bytes;
  size_t size, at, step;
} tape;

static int64_t write_tape(const clap_ostream_t *stream, const void *bytes, uint64_t size) {
  tape *t = stream->ctx;
  if (size > t->step) size = t->step;
  if (size > t->size - t->at) return -1;
  memcpy(t->bytes + t->at, bytes, size);
  t->at += size;
  return (int64_t)size;
}

static int64_t read_tape(const clap_istream_t *stream, void *bytes, uint64_t size) {
  tape *t = stream->ctx;
  if (size > t->step) size = t->step;
  if (size > t->size - t->at) size = t->size - t->at;
  memcpy(bytes, t->bytes + t->at, size);
  t->at += size;
  return (int64_t)size;
}

size_t host_save(host *h, uint8_t *bytes, size_t step) {
  tape t = {bytes, MOST_STATE, 0, step};
  clap_ostream_t stream = {&t, write_tape};
  return h->state->save(h->plugin, &stream) ? t.at : 0;
}

bool host_load(host *h, const uint8_t *bytes, size_t size, size_t step) {
  tape t = {(uint8_t *)bytes, size, 0, step};
  clap_istream_t stream = {&t, read_tape};
  return h->state->load(h->plugin, &stream);
}
