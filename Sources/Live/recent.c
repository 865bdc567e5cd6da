#include "engine.h"

/* What the session did lately, so that it can be saved in mid-phrase. A session that is restored does not end the notes
 * that were begun before. For those that were heard nobody waits then, but those that were handed over ahead of time
 * and are still to be played must end. So what is saved is the session as it was before all of these, and what it did
 * since. */

static moment *moment_of(recent *r, int i) { return &r->moments[i]; }

static void take_moment(live *l, int i) {
  recent *r = &l->recent;
  moment *m = moment_of(r, i);
  size_t size = l->snapshot_size;
  check(l, retto_session_snapshot(l->session, snapshot_of(l, m->snapshot), size, &size));
  m->is_known = true;
  m->steps = r->count;
  m->reached = l->reached;
  m->key = l->applied_key;
  memcpy(m->value, l->value, sizeof m->value);
}

void recent_begin(live *l) {
  for (int i = 0; i < MOMENTS; i++) l->recent.moments[i].snapshot = RECENT_SNAPSHOTS + i;
  recent_forget(l);
}

void recent_forget(live *l) {
  for (int i = 0; i < MOMENTS; i++) l->recent.moments[i].is_known = false;
  l->recent.count = 0;
}

/* All that was drawn before the moment AFTER is over. */
static void move_on(recent *r) {
  moment base = r->moments[BASE];
  int passed = r->moments[AFTER].steps;
  r->moments[BASE] = r->moments[AFTER];
  r->moments[AFTER] = base;
  r->moments[AFTER].is_known = false;
  r->count -= passed;
  memmove(r->steps, r->steps + passed, (size_t)r->count * sizeof *r->steps);
  r->moments[BASE].steps = 0;
  r->moments[LAST].steps -= passed;
  if (r->moments[LAST].steps < 0) r->moments[LAST].is_known = false;
}

void recent_do(live *l, session_step step) {
  recent *r = &l->recent;
  if (r->replays) return;
  if (r->count == MOST_STEPS) recent_forget(l);
  if (!r->moments[BASE].is_known) take_moment(l, BASE);
  if (step.kind == STEP_DRAW) {
    if (r->moments[AFTER].is_known && tick_at(l, r->moments[AFTER].reached) < l->now) move_on(r);
    if (!r->moments[AFTER].is_known && r->count > 0) take_moment(l, AFTER);
    take_moment(l, LAST);
  }
  session_step *last = r->count > 0 ? &r->steps[r->count - 1] : NULL;
  if (last && step.kind == STEP_SET && last->kind == STEP_SET && last->number == step.number)
    last->value = step.value;
  else
    r->steps[r->count++] = step;
}

void recent_drew(live *l, const retto_event *event) {
  recent *r = &l->recent;
  if (!r->replays && r->count > 0) r->steps[r->count - 1].event = *event;
}

int recent_choose(live *l, double tick) {
  recent *r = &l->recent;
  bool ahead = false;
  for (int i = 0; i < l->notes.count; i++) ahead |= (double)l->notes.list[i].on >= tick;
  if (ahead && r->moments[BASE].is_known) {
    bool later = r->moments[AFTER].is_known && tick_at(l, r->moments[AFTER].reached) < tick;
    return later ? AFTER : BASE;
  }
  if (l->waits && l->next.kind == RETTO_EVENT_NOTE_ON && r->moments[LAST].is_known) return LAST;
  take_moment(l, PRESENT);
  return PRESENT;
}

/* ---- Doing it again ---- */

static bool same(const retto_event *a, const retto_event *b) {
  return a->kind == b->kind && a->channel == b->channel && a->pitch == b->pitch && a->velocity == b->velocity;
}

void recent_replay(live *l) {
  recent *r = &l->recent;
  double value[LIVE_PARAMETERS];
  retto_event drawn = {0};
  bool is_ahead = false; /* `drawn` is later than what had been drawn, as ends of notes were left out */
  int64_t then = r->moments[BASE].reached, now = then;
  memcpy(value, l->value, sizeof value);
  memcpy(l->value, r->moments[BASE].value, sizeof value);
  r->replays = true;
  take_key(l, 0); /* which no range refuses */
  take_settings(l);
  take_key(l, r->moments[BASE].key);
  for (int i = 0; i < r->count; i++) {
    session_step s = r->steps[i];
    switch (s.kind) {
    case STEP_DRAW:
      then += s.event.delta;
      if (!is_ahead) {
        if (!check(l, retto_session_next_event(l->session, &drawn))) break;
        now += drawn.delta;
      }
      is_ahead = now != then || !same(&drawn, &s.event);
      break;
    case STEP_FEED:
      then += s.event.delta;
      s.event.delta = then > now ? (uint32_t)(then - now) : 0;
      now += s.event.delta;
      check(l, retto_session_feed_event(l->session, &s.event));
      break;
    case STEP_KEY: take_key(l, s.number); break;
    case STEP_SET:
      l->value[s.number] = s.value;
      /* The keys have steps of their own. */
      if (s.number != LIVE_KEY && s.number != LIVE_FOLLOW_KEY) take_setting(l, (live_parameter)s.number);
      break;
    }
  }
  r->replays = false;
  memcpy(l->value, value, sizeof value);
  if (!is_ahead) return;
  l->waits = true;
  l->next = drawn;
  l->reached = now;
}
