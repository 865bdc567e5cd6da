#include "engine.h"

/* LIVE_PLAY: pieces without end. Before each bar line the session is kept, so that the song can go on from any bar it has
 * been to. */

/* Of two neighbours one is dropped when there is no more room, so that those left reach as far back as ever. The
 * first, of the beginning, stays. */
static void thin_out(live *l) {
  int kept = 0;
  for (int i = 0; i < l->mark_count; i += 2, kept++) {
    l->marks[kept] = l->marks[i];
    if (kept != i) memcpy(snapshot_of(l, kept), snapshot_of(l, i), l->snapshot_size);
  }
  l->mark_count = kept;
  l->mark_spacing *= 2;
}

static bar_mark present(const live *l) { return (bar_mark){l->reached, l->bar_line, l->bar, l->bars}; }

static int64_t bars_before(bar_mark m) { return m.bars + (m.reached - m.bar_line) / m.bar; }

/* Keeps the session of before the last draw as a mark, if that came to another bar. */
static void keep(live *l, bar_mark before) {
  if (l->mark_count == l->most_marks) thin_out(l);
  if (l->mark_count > 0 && bars_before(present(l)) / l->mark_spacing <= bars_before(before) / l->mark_spacing) return;
  memcpy(snapshot_of(l, l->mark_count), snapshot_of(l, l->recent.moments[LAST].snapshot), l->snapshot_size);
  l->marks[l->mark_count++] = before;
}

/* Draws. The session of before the first draw that comes to a bar is the one to go back to for that bar. */
static void draw_on(live *l) {
  const bar_mark before = present(l);
  draw(l);
  if (l->mark_count == 0 || before.reached > l->marks[l->mark_count - 1].reached) keep(l, before);
}

static void begin(live *l) {
  check(l, retto_session_reset(l->session, l->seed));
  recent_forget(l);
  l->began = true;
  l->finished = false;
  l->reached = l->bar_line = l->bars = 0;
  l->bar = 4 * l->ticks_per_quarter;
  l->mark_count = 0;
  l->mark_spacing = 1;
  l->has_changed = false;
}

/* A host that goes to a bar line may come to the frame after it. */
static const double rounding = 2; /* ticks */

void piece_locate(live *l, double tick, double position) {
  bool is_there = l->began && l->stands && fabs(position - l->place) < rounding;
  l->origin = tick - position;
  l->from = l->origin + (is_there ? l->place : position) - rounding;
  if (is_there) return;
  end_notes(l, tick);
  l->scale = 1;
  l->waits = false;
  l->finished = false;
  l->plays = true;
  l->stands = true;
  l->place = position;
  /* The latest mark before the position, so that what begins there is drawn again. */
  int mark = l->mark_count - 1;
  while (mark > 0 && tick_at(l, l->marks[mark].reached) >= l->from) mark--;
  if (!l->began || mark < 0 ||
      !check(l, retto_session_restore(l->session, snapshot_of(l, mark), l->snapshot_size))) {
    begin(l);
    return;
  }
  recent_forget(l);
  /* With other settings other bars follow. */
  if (l->has_changed) l->mark_count = mark + 1;
  if (mark == 0) l->has_changed = false;
  const bar_mark *m = &l->marks[mark];
  l->reached = m->reached;
  l->bar_line = m->bar_line;
  l->bar = m->bar;
  l->bars = m->bars;
}

/* Takes what was drawn. */
static void take(live *l, double tick) {
  const retto_event *e = &l->next;
  if (e->kind == RETTO_EVENT_TIME_SIGNATURE) {
    if (l->reached > l->bar_line) l->bars = bars_before(present(l));
    l->bar_line = l->reached;
    int64_t bar = (int64_t)4 * l->ticks_per_quarter * e->pitch / (e->velocity ? e->velocity : 4);
    if (bar > 0) l->bar = bar;
  } else if (e->kind == RETTO_EVENT_END && l->value[LIVE_BARS] > 0) {
    l->plays = false;
    l->finished = true;
  }
  if (tick < l->from && e->kind == RETTO_EVENT_NOTE_ON)
    l->waits = false; /* passed over */
  else
    hand_over(l, tick);
}

void piece_forget_ahead(live *l) {
  l->has_changed = true;
  while (l->mark_count > 0 && l->marks[l->mark_count - 1].reached > l->reached) l->mark_count--;
  if (!l->stands || runs(l)) return;
  l->stands = false;
  piece_locate(l, l->now, l->place);
}

double piece_advance(live *l, double now, double horizon, int draws) {
  bool runs_on = !l->has_transport || l->transport.is_running;
  if (!l->began && !l->has_transport) piece_locate(l, now, 0);
  l->stands &= !runs_on;
  if (!runs_on) horizon = l->from;
  while (l->plays) {
    if (!l->waits) {
      if (draws-- == 0) return now;
      draw_on(l);
    }
    double tick = tick_at(l, l->reached);
    if (tick >= horizon) return runs_on ? tick : INFINITY;
    take(l, tick);
  }
  return INFINITY;
}
