#include "../Live/bytes.h"
#include "parts.h"
#include "save.h"
#include <math.h>
#include <stdlib.h>

/* An instance as bytes: what bytes.h seals, numbers of 8 bytes, and after them the engine's own bytes. */

enum { VERSION = 1 };

static const char magic[8] = {'R', 'E', 'T', 'T', 'O', 'I', 'N', 'S'};

typedef struct writer {
  unsigned char *out; /* NULL: the length alone is asked for */
  size_t at;
} writer;

static void whole(writer *w, int64_t v) {
  if (w->out) bytes_put(w->out + w->at, (uint64_t)v);
  w->at += 8;
}

static void real(writer *w, double v) {
  int64_t bits;
  memcpy(&bits, &v, 8);
  whole(w, bits);
}

size_t instance_save(instance *i, void *buffer, size_t capacity) {
  if (!i->voice) return 0;
  writer w = {NULL, 0};
  double now = tick_of(i, 0) - 0.01; /* what is sent in a frame may be due a little before the next */
  size_t live_bytes = live_save(i->voice->live, now, NULL, 0);
  size_t length = BYTES_HEADER + 8 * (18 + INSTANCE_PARAMETERS + 2 * (size_t)i->count) + live_bytes;
  if (!buffer || capacity < length) return length;
  w = (writer){buffer, BYTES_HEADER};
  for (int p = 0; p < INSTANCE_PARAMETERS; p++) real(&w, i->value[p]);
  real(&w, i->rate);
  whole(&w, i->played);
  whole(&w, i->from_frame);
  real(&w, i->from_tick);
  real(&w, i->ticks_per_frame);
  real(&w, i->latest);
  whole(&w, i->has_host);
  whole(&w, i->has_tempo);
  real(&w, i->host.tempo);
  whole(&w, i->host.is_running);
  real(&w, i->host.position);
  real(&w, i->host.bar);
  whole(&w, i->host.numerator);
  whole(&w, i->host.denominator);
  real(&w, i->host_tick);
  real(&w, i->free_from);
  whole(&w, i->count);
  whole(&w, (int64_t)live_bytes);
  for (unsigned n = 0; n < i->count; n++) {
    const waiting *m = &i->queue[(i->first + n) % MOST_WAITING];
    whole(&w, m->tick);
    whole(&w, m->bytes[0] | m->bytes[1] << 8 | m->bytes[2] << 16 | m->count << 24);
  }
  if (live_save(i->voice->live, now, w.out + w.at, live_bytes) != live_bytes) return 0;
  bytes_seal(w.out, magic, VERSION, length);
  return length;
}

/* ---- Restoring ---- */

typedef struct reader {
  const unsigned char *in;
  size_t at, size;
  bool failed;
} reader;

static int64_t read_whole(reader *r, int64_t least, int64_t most) {
  if (r->failed || r->size - r->at < 8) {
    r->failed = true;
    return least;
  }
  int64_t v = (int64_t)bytes_get(r->in + r->at);
  r->at += 8;
  if (v >= least && v <= most) return v;
  r->failed = true;
  return least;
}

static double read_real(reader *r, double least, double most) {
  double v;
  int64_t bits = read_whole(r, INT64_MIN, INT64_MAX);
  memcpy(&v, &bits, 8);
  if (v >= least && v <= most) return v;
  r->failed = true;
  return least;
}

static waiting read_waiting(reader *r) {
  waiting m = {.tick = read_whole(r, -((int64_t)1 << 52), (int64_t)1 << 52)};
  int64_t packed = read_whole(r, 0, UINT32_MAX);
  for (int b = 0; b < 3; b++) m.bytes[b] = (uint8_t)(packed >> 8 * b);
  m.count = (uint8_t)(packed >> 24);
  bool is_message = m.bytes[0] >= 0x80 && m.bytes[0] < 0xF0 && m.bytes[1] < 128 && m.bytes[2] < 128;
  r->failed |= !is_message || m.count < 2 || m.count > 3;
  return m;
}

bool instance_restore(instance *i, const void *saved, size_t size) {
  const double most = 9e15; /* ticks, as far as they are exact */
  reader r = {saved, BYTES_HEADER, size, false};
  if (!i->voice || !bytes_are_sealed(saved, size, magic, VERSION)) return false;
  instance *n = calloc(1, sizeof *n);
  if (!n) return false;
  for (int p = 0; p < INSTANCE_PARAMETERS; p++) {
    instance_parameter about = instance_describe(p);
    n->value[p] = read_real(&r, about.least, about.most);
  }
  n->rate = read_real(&r, 1, 1e9);
  n->played = read_whole(&r, 0, INT64_MAX / 4);
  n->from_frame = read_whole(&r, 0, n->played);
  n->from_tick = read_real(&r, -most, most);
  n->ticks_per_frame = read_real(&r, 1e-9, 1e6);
  n->latest = read_real(&r, -most, most);
  n->has_host = read_whole(&r, 0, 1) != 0;
  n->has_tempo = read_whole(&r, 0, 1) != 0;
  n->host.tempo = read_real(&r, 0, 1e6);
  n->host.is_running = read_whole(&r, 0, 1) != 0;
  n->host.position = read_real(&r, -most, most);
  n->host.bar = read_real(&r, -most, most);
  n->host.numerator = (int)read_whole(&r, 0, 99);
  n->host.denominator = (int)read_whole(&r, 0, 64);
  n->host_tick = read_real(&r, -most, most);
  n->free_from = read_real(&r, -most, most);
  n->count = (unsigned)read_whole(&r, 0, MOST_WAITING);
  size_t live_bytes = (size_t)read_whole(&r, 0, (int64_t)size);
  for (unsigned m = 0; m < n->count && !r.failed; m++) n->queue[m] = read_waiting(&r);
  bool done = !r.failed && size - r.at == live_bytes && live_restore(i->voice->live, r.in + r.at, live_bytes);
  if (done) {
    memcpy(n->notes, i->notes, sizeof n->notes);
    n->owed = i->owed;
    n->voice = i->voice;
    *i = *n;
    owe_all(i, OWN | THRU);
  }
  free(n);
  return done;
}

void instance_set_rate(instance *i, double rate) {
  if (rate == i->rate || !(rate >= 1 && rate < 1e9)) return;
  double tempo = tempo_of(i);
  i->rate = rate;
  set_tempo(i, tempo);
}

void instance_inherit(instance *i, const instance *old) {
  memcpy(i->notes, old->notes, sizeof i->notes);
  i->owed = old->owed;
  owe_all(i, OWN | THRU);
}

void instance_resume(instance *i, const instance_position *p) {
  bool ran = i->has_host && i->host.is_running;
  double now = tick_of(i, 0), expected = i->host.position + now - i->host_tick;
  bool goes_on = p ? ran && p->speed > 0 && fabs(p->quarter * LIVE_PPQ - expected) <= LIVE_PPQ / 8 : !i->has_host;
  if (!goes_on && i->voice) live_let_go(i->voice->live, fmax(i->latest, now), -1);
}

void instance_forget(instance *i) {
  instance_reset(i);
  if (i->voice) live_forget(i->voice->live, fmax(i->latest, tick_of(i, 0)));
}
