#include "bytes.h"
#include "engine.h"

/* An instance as bytes: magic, version, length and checksum, then the fields in the order of `engine`, each number in
 * 8 bytes, least significant first. One function goes through them in each direction, so that what is read is what was
 * written. Before anything changes, a pass without effect has found every number in its range. */

enum { VERSION = 1 };

static const char magic[8] = {'R', 'E', 'T', 'T', 'O', 'L', 'V', 'E'};

typedef struct pass {
  enum { WRITES, CHECKS, READS } kind;
  unsigned char *out; /* WRITES: NULL where the length alone is asked for */
  const unsigned char *in;
  size_t at, size;
  bool failed;
} pass;

/* ---- Numbers ---- */

static void bytes(pass *p, unsigned char *v, size_t count) {
  if (p->kind != WRITES && (p->failed || count > p->size - p->at)) {
    p->failed = true;
    return;
  }
  if (p->kind == WRITES && p->out) memcpy(p->out + p->at, v, count);
  if (p->kind == READS) memcpy(v, p->in + p->at, count);
  p->at += count;
}

static uint64_t number(pass *p, uint64_t v) {
  unsigned char eight[8] = {0};
  bytes_put(eight, v);
  if (p->kind == CHECKS && !p->failed && p->size - p->at >= 8) memcpy(eight, p->in + p->at, 8);
  bytes(p, eight, 8);
  return bytes_get(eight);
}

static int64_t whole_of(pass *p, int64_t v, int64_t least, int64_t most) {
  v = (int64_t)number(p, (uint64_t)v);
  if (v >= least && v <= most) return v;
  p->failed = true;
  return least;
}

static void whole(pass *p, int *v, int least, int most) {
  int found = (int)whole_of(p, *v, least, most);
  if (p->kind == READS) *v = found;
}

static void small(pass *p, uint8_t *v, uint8_t most) {
  uint8_t found = (uint8_t)whole_of(p, *v, 0, most);
  if (p->kind == READS) *v = found;
}

static void large(pass *p, int64_t *v, int64_t least) {
  int64_t found = whole_of(p, *v, least, INT64_MAX / 4);
  if (p->kind == READS) *v = found;
}

static void flag(pass *p, bool *v) {
  bool found = whole_of(p, *v, 0, 1) != 0;
  if (p->kind == READS) *v = found;
}

static void real(pass *p, double *v, double least, double most) {
  double found;
  uint64_t bits;
  memcpy(&bits, v, 8);
  bits = number(p, bits);
  memcpy(&found, &bits, 8);
  if (!(found >= least && found <= most)) p->failed = true;
  if (p->kind == READS) *v = found;
}

/* Ticks of the host, as far as they are exact. */
static void tick(pass *p, double *v) { real(p, v, -9e15, 9e15); }

/* ---- Fields ---- */

static void event(pass *p, retto_event *e) {
  int64_t delta = whole_of(p, e->delta, 0, INT32_MAX);
  if (p->kind == READS) e->delta = (uint32_t)delta;
  small(p, &e->kind, 255);
  small(p, &e->channel, 15);
  small(p, &e->pitch, 127);
  small(p, &e->velocity, 255);
}

/* The keys that are down or that the pedal holds. */
static void held(pass *p, player *v) {
  int count = 0;
  for (int i = 0; p->kind == WRITES && i < CHANNELS * PITCHES; i++)
    count += v->held[i / PITCHES][i % PITCHES] || v->released[i / PITCHES][i % PITCHES];
  count = (int)whole_of(p, count, 0, CHANNELS * PITCHES);
  if (p->kind == READS) {
    memset(v->held, 0, sizeof v->held);
    memset(v->released, 0, sizeof v->released);
    v->holding = 0;
  }
  for (int next = 0; count > 0 && !p->failed; count--, next++) {
    if (p->kind == WRITES)
      while (!v->held[next / PITCHES][next % PITCHES] && !v->released[next / PITCHES][next % PITCHES]) next++;
    next = (int)whole_of(p, next, next, CHANNELS * PITCHES - 1);
    int channel = next / PITCHES, pitch = next % PITCHES;
    int64_t by = whole_of(p, v->held[channel][pitch], 0, 0x8000);
    bool is_released = whole_of(p, v->released[channel][pitch], 0, 1) != 0;
    if (p->kind != READS) continue;
    v->held[channel][pitch] = (uint16_t)by;
    v->released[channel][pitch] = is_released;
    v->holding += by != 0;
  }
}

static void heard_player(pass *p, player *v) {
  held(p, v);
  for (int i = 0; i < CHANNELS; i++) {
    flag(p, &v->pedal[i]);
    flag(p, &v->used[i]);
  }
  tick(p, &v->last);
  tick(p, &v->last_onset);
  int count = (int)whole_of(p, v->call_count, 0, MOST_HEARD);
  whole(p, &v->read, 0, count);
  for (int i = 0; i < count && !p->failed; i++) {
    tick(p, &v->call[i].tick);
    small(p, &v->call[i].kind, 255);
    small(p, &v->call[i].channel, 15);
    small(p, &v->call[i].pitch, 127);
    small(p, &v->call[i].velocity, 127);
  }
  int64_t onsets = whole_of(p, (int64_t)v->onset_count, 0, INT64_MAX / 4);
  for (int i = 0; i < onsets && i < MOST_ONSETS; i++) tick(p, &v->onsets[i]);
  if (p->kind == READS) {
    v->call_count = count;
    v->onset_count = (uint64_t)onsets;
  }
  for (int i = 0; i < 12; i++) real(p, &v->classes[i], 0, 1e9);
  real(p, &v->loudness, 0, 127);
  whole(p, &v->key, 0, 24);
}

static void transport(pass *p, live_transport_state *t) {
  real(p, &t->tempo, 0, 1e6);
  flag(p, &t->is_running);
  tick(p, &t->position);
  tick(p, &t->bar);
  whole(p, &t->numerator, 0, 1 << 20);
  whole(p, &t->denominator, 0, 1 << 20);
}

/* Of many bars the first, the latest, and some between them: to go back to others takes a few draws more. */
static void marks(pass *p, live *l) {
  enum { MOST_SAVED = 8 };
  int all = l->mark_count, saved = all < MOST_SAVED ? all : MOST_SAVED;
  int count = (int)whole_of(p, saved, 0, l->most_marks);
  whole(p, &l->mark_spacing, 1, 1 << 30);
  flag(p, &l->has_changed);
  for (int i = 0; i < count && !p->failed; i++) {
    int from = p->kind == WRITES && all > saved ? i * (all - 1) / (saved - 1) : i;
    bar_mark *m = &l->marks[from];
    large(p, &m->reached, 0);
    large(p, &m->bar_line, 0);
    large(p, &m->bar, 1);
    large(p, &m->bars, 0);
    bytes(p, snapshot_of(l, from), l->snapshot_size);
  }
  if (p->kind == READS) l->mark_count = count;
}

/* Those of the model that begin at `from` or later. */
static void kept_notes(pass *p, notes *n, double from) {
  int kept = 0;
  for (int i = 0; p->kind == WRITES && i < n->count; i++) kept += (double)n->list[i].on >= from;
  kept = (int)whole_of(p, kept, 0, MOST_NOTES);
  for (int i = 0, left = kept; left > 0 && !p->failed; i++, left--) {
    while (p->kind == WRITES && (double)n->list[i].on < from) i++;
    struct note note = n->list[i];
    large(p, &note.on, INT64_MIN / 4);
    bool is_open = note.off == INT64_MAX;
    flag(p, &is_open);
    if (is_open) note.off = 0;
    large(p, &note.off, INT64_MIN / 4);
    if (is_open) note.off = INT64_MAX;
    small(p, &note.channel, 15);
    small(p, &note.pitch, 127);
    small(p, &note.own_channel, 15);
    if (p->kind == READS) n->list[i] = note;
  }
  if (p->kind == READS) n->count = kept;
}

static void values(pass *p, double value[LIVE_PARAMETERS]) {
  for (int i = 0; i < LIVE_PARAMETERS; i++) {
    const live_parameter_info *info = live_get_parameter_info((live_parameter)i);
    real(p, &value[i], info->least, info->most);
  }
}

/* The session at the chosen moment, which is the base of what is restored, and what it did since. */
static void session_steps(pass *p, recent *r, int chosen) {
  moment *m = &r->moments[p->kind == WRITES ? chosen : BASE];
  int first = p->kind == WRITES ? m->steps : 0;
  bool is_last = whole_of(p, chosen == LAST, 0, 1) != 0;
  values(p, m->value);
  whole(p, &m->key, 0, 24);
  large(p, &m->reached, 0);
  int count = (int)whole_of(p, r->count - first, 0, MOST_STEPS);
  for (int i = 0; i < count && !p->failed; i++) {
    session_step s = r->steps[first + i];
    int kind = (int)whole_of(p, s.kind, STEP_DRAW, STEP_SET);
    if (kind == STEP_KEY) s.number = (int)whole_of(p, s.number, 0, 24);
    if (kind == STEP_SET) {
      s.number = (int)whole_of(p, s.number, 0, LIVE_PARAMETERS - 1);
      const live_parameter_info *info = live_get_parameter_info((live_parameter)s.number);
      real(p, &s.value, info->least, info->most);
    }
    if (kind == STEP_FEED || kind == STEP_DRAW) event(p, &s.event);
    if (p->kind != READS) continue;
    s.kind = kind;
    r->steps[i] = s;
  }
  if (p->kind != READS) return;
  r->count = count;
  m->is_known = true;
  m->steps = 0;
  r->moments[AFTER].is_known = false;
  r->moments[LAST].is_known = is_last;
  if (!is_last) return;
  int snapshot = r->moments[LAST].snapshot;
  r->moments[LAST] = *m;
  r->moments[LAST].snapshot = snapshot;
}

static void engine(pass *p, live *l, double from, int chosen) {
  bool has_turn = whole_of(p, l->value[LIVE_MODE] != LIVE_PLAY && (l->reads || l->plays), 0, 1) != 0;
  uint64_t seed = number(p, l->seed);
  if (p->kind == READS) l->seed = seed;
  values(p, l->value);
  tick(p, &l->now);
  tick(p, &l->horizon);
  real(p, &l->tempo, 1e-3, 1e6);
  flag(p, &l->has_transport);
  transport(p, &l->transport);
  tick(p, &l->told);
  flag(p, &l->began);
  tick(p, &l->origin);
  real(p, &l->scale, 1e-3, 1e3);
  large(p, &l->reached, 0);
  flag(p, &l->waits);
  event(p, &l->next);
  kept_notes(p, &l->notes, from);
  real(p, &l->own_loudness, 0, 127);
  heard_player(p, &l->player);
  flag(p, &l->plays);
  flag(p, &l->first);
  flag(p, &l->plans);
  flag(p, &l->reads);
  tick(p, &l->due);
  real(p, &l->until, -9e15, INFINITY);
  tick(p, &l->handed);
  flag(p, &l->is_compound);
  tick(p, &l->call_began);
  large(p, &l->bar_line, 0);
  large(p, &l->bar, 1);
  large(p, &l->bars, 0);
  flag(p, &l->finished);
  tick(p, &l->from);
  flag(p, &l->stands);
  tick(p, &l->place);
  large(p, &l->turn_reached, 0);
  tick(p, &l->turn_origin);
  real(p, &l->turn_scale, 0, 1e3);
  flag(p, &l->turn_began);
  if (has_turn) bytes(p, snapshot_of(l, TURN_SNAPSHOT), l->snapshot_size);
  marks(p, l);
  session_steps(p, &l->recent, chosen);
}

/* ---- Saving and restoring ---- */

size_t live_save(live *l, double tick, void *buffer, size_t capacity) {
  int chosen = recent_choose(l, tick);
  pass p = {.kind = WRITES, .at = BYTES_HEADER};
  engine(&p, l, tick, chosen);
  size_t length = p.at + l->snapshot_size;
  if (!buffer || capacity < length) return length;
  p = (pass){.kind = WRITES, .out = buffer, .at = BYTES_HEADER};
  engine(&p, l, tick, chosen);
  bytes(&p, snapshot_of(l, l->recent.moments[chosen].snapshot), l->snapshot_size);
  bytes_seal(p.out, magic, VERSION, length);
  return length;
}

bool live_restore(live *l, const void *saved, size_t size) {
  const unsigned char *in = saved;
  if (!bytes_are_sealed(in, size, magic, VERSION) || size < BYTES_HEADER + l->snapshot_size) return false;
  pass p = {.kind = CHECKS, .in = in, .at = BYTES_HEADER, .size = size - l->snapshot_size};
  engine(&p, l, 0, 0);
  if (p.failed || p.at != p.size || retto_session_restore(l->session, in + p.at, l->snapshot_size)) return false;
  p = (pass){.kind = READS, .in = in, .at = BYTES_HEADER, .size = size};
  engine(&p, l, 0, 0);
  for (int i = BASE; i <= LAST; i++)
    memcpy(snapshot_of(l, l->recent.moments[i].snapshot), in + p.at, l->snapshot_size);
  check(l, retto_session_forget_sounding(l->session));
  recent_replay(l);
  return true;
}
