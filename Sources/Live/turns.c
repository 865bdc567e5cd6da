#include "engine.h"

/* Answering, trading and playing along. In the first two what the player plays is kept until the model's turn is near,
 * and read then, by the player's beat and with the rests between legato notes closed. Silence is not read as music:
 * between two turns the session passes only what is left of a bar. */

enum { ANSWER_LEAST = 1000 /* ms */, ANSWER_MOST = 16 /* bars */, PATIENCE = 4 /* bars */ };

static live_mode mode(const live *l) { return (live_mode)l->value[LIVE_MODE]; }

/* How long before a turn the call is read, in ms: long enough to do it a little in each block. */
static const double lead = 300;

/* ---- Reading the call ---- */

static int64_t session_bar(const live *l) {
  int64_t bar = llrint(ticks_of_bar(l) / step_of(l));
  return bar > 0 ? bar : 1;
}

/* Sets the session's time so that `tick` is `at` ticks after its last one, less whole bars. */
static void pass(live *l, double tick, int64_t at) {
  int64_t bar = session_bar(l), rest = at % bar;
  if (rest < 0) rest += bar;
  if (rest > bar - l->ticks_per_quarter / 4) rest = 0; /* a little too early for the bar line */
  l->origin = tick - (double)(l->reached + rest) * step_of(l);
}

static void keep_turn(live *l) {
  size_t size = l->snapshot_size;
  check(l, retto_session_snapshot(l->session, snapshot_of(l, TURN_SNAPSHOT), size, &size));
  l->turn_reached = l->reached;
  l->turn_origin = l->origin;
  l->turn_scale = l->scale;
  l->turn_began = l->began;
}

static void restore_turn(live *l) {
  check(l, retto_session_restore(l->session, snapshot_of(l, TURN_SNAPSHOT), l->snapshot_size));
  l->reached = l->turn_reached;
  l->origin = l->turn_origin;
  l->scale = l->turn_scale;
  l->began = l->turn_began;
  l->player.read = 0;
  recent_forget(l);
}

/* Prepares the session for the call: the tempo, and the place in the bar. */
static void begin_reading(live *l) {
  beat found;
  keep_turn(l);
  l->reads = true;
  l->player.read = 0;
  l->player.key = key_find(l->player.classes, l->player.key);
  follow_key(l);
  if (l->player.call_count == 0) return;
  if (find_beat(l, &found)) {
    l->scale = found.quarter / LIVE_PPQ;
    l->is_compound = found.is_compound;
  }
  player_tie(&l->player, ticks_of_quarter(l) / 3);
  double first = l->player.call[0].tick;
  if (!l->began) {
    l->origin = found.bar;
    begin_piece(l);
    return;
  }
  int64_t bar = session_bar(l);
  int64_t place = llrint((first - found.bar) / step_of(l));
  pass(l, first, place - l->reached % bar);
}

/* What was read of the call and answered is over. */
static void drop_read(live *l) {
  player *p = &l->player;
  p->call_count -= p->read;
  memmove(p->call, p->call + p->read, (size_t)p->call_count * sizeof *p->call);
  p->read = 0;
}

/* Reads one event of the call; false if there is none left. */
static bool read_call(live *l) {
  if (l->player.read == l->player.call_count) return false;
  const heard *h = &l->player.call[l->player.read++];
  feed(l, h->tick, h->kind, h->channel, h->pitch, h->velocity);
  return true;
}

/* ---- Turns ---- */

static void start(live *l) {
  if (!l->began) {
    l->origin = l->due;
    begin_piece(l);
  }
  int64_t at = llrint((l->due - l->origin) / step_of(l));
  pass(l, l->due, at - l->reached);
  feed(l, l->due, RETTO_EVENT_TIME, 0, 0, 0);
  l->plans = l->reads = false;
  l->plays = l->first = true;
  l->handed = l->now;
  l->waits = false;
}

static void plan_answer(live *l) {
  beat found;
  double after = ticks_of_ms(l, l->value[LIVE_ANSWER_AFTER]), least = ticks_of_ms(l, ANSWER_LEAST);
  double due = l->player.last + after, length = l->player.last - l->call_began;
  if (find_beat(l, &found)) {
    /* A rest of a beat is part of the call. */
    due = fmax(due, l->player.last + 1.1 * found.period);
    due = runs(l) ? song_beat(l, due)
                  : found.phase + ceil((due - found.phase) / found.period - 1e-6) * found.period;
    length = ceil(length / found.period - 0.25) * found.period;
  }
  l->plans = true;
  l->due = due;
  l->until = due + fmax(least, fmin(ANSWER_MOST * ticks_of_bar_by(l, &found), length));
}

/* The model's turn comes after the player's bars. */
static void plan_trade(live *l) {
  beat found;
  find_beat(l, &found);
  double length = l->value[LIVE_TRADE_BARS] * ticks_of_bar_by(l, &found);
  double due = found.bar + length;
  if (due > l->horizon || !l->plans) {
    l->due = due;
    l->until = due + length;
  }
  l->plans = true;
}

/* It joins in on the next beat there is time for, once the beat is clear; after eight seconds at the tempo it has. */
static void plan_accompaniment(live *l, double tick) {
  const double longest = 8000, reading = 50; /* ms */
  beat found;
  bool is_known = find_beat(l, &found), follows = l->value[LIVE_FOLLOW_TEMPO] != 0;
  if (!is_known && follows && tick - l->call_began < ticks_of_ms(l, longest)) return;
  double from = fmax(l->horizon, tick) + ticks_of_ms(l, reading);
  l->due = found.phase + (floor((from - found.phase) / found.period) + 1) * found.period;
  l->until = INFINITY;
  l->plans = true;
}

/* The call goes on, or begins, so nothing of it was read. */
static void take_back(live *l) {
  if (l->reads) restore_turn(l);
  l->plans = l->reads = false;
}

static void stop(live *l, double tick) {
  int64_t at = llrint(fmax(tick, l->now));
  for (int i = 0; i < l->notes.count; i++) {
    struct note *note = &l->notes.list[i];
    if (note->off != INT64_MAX) continue;
    note->off = at;
    l->sink.note(l->sink.user, at, note->channel, note->pitch, 0);
  }
  check(l, retto_session_forget_sounding(l->session));
  recent_forget(l);
  l->plays = l->waits = false;
  drop_read(l);
}

/* Ends what the model plays at once. What nobody has heard of it was never played, and the call goes on. */
static void interrupt(live *l, double tick) {
  end_notes(l, tick);
  l->plays = l->waits = false;
  if (tick < l->due)
    restore_turn(l);
  else
    drop_read(l);
}

void turn_end(live *l, double tick) {
  if (l->plays)
    interrupt(l, tick);
  else
    take_back(l);
  l->plans = false;
}

void turn_hear(live *l, double tick, int channel, int pitch, int velocity) {
  player *p = &l->player;
  bool on = velocity > 0, readable = channel != DRUM_CHANNEL || l->reads_drums;
  int kind = on ? RETTO_EVENT_NOTE_ON : RETTO_EVENT_NOTE_OFF;
  if (mode(l) == LIVE_PLAY) return;
  if (mode(l) == LIVE_ACCOMPANY && l->plays) {
    if (on) track_beat(l);
    if (readable) feed(l, tick, kind, channel, pitch, velocity);
    return;
  }
  if (on && mode(l) == LIVE_ANSWER) {
    if (l->plays) interrupt(l, tick);
    take_back(l);
  } else if (on && mode(l) == LIVE_TRADE && l->reads) {
    restore_turn(l); /* it is read again with this note */
    l->reads = false;
  }
  if (on && p->call_count == 0) l->call_began = tick;
  if (readable && (on || p->call_count > 0)) player_keep(p, tick, kind, channel, pitch, velocity);
  if (l->plays) return;
  if (mode(l) == LIVE_ANSWER && p->holding == 0 && p->call_count > 0) plan_answer(l);
  if (mode(l) == LIVE_TRADE && on) plan_trade(l);
  if (mode(l) == LIVE_ACCOMPANY && on && !l->plans) plan_accompaniment(l, tick);
}

/* ---- Playing ---- */

static bool is_over(const live *l, double now, double tick) {
  if (mode(l) == LIVE_ACCOMPANY)
    return l->player.holding == 0 && now - l->player.last > PATIENCE * ticks_of_bar(l);
  /* A rest of four bars is an answer too. The bar line counts as reached half a tick before: what was added up to get
   * there may fall short of it by the last bit. */
  return tick >= (l->first ? fmax(l->until, l->due + PATIENCE * ticks_of_bar(l)) : l->until) - 0.5;
}

/* An answer that took too long to read and draw begins on a later beat, so that none of it is left out. */
static void wait_for_beat(live *l, double now) {
  double late = now - ticks_of_ms(l, BEARABLE) - l->due, beat = ticks_of_quarter(l);
  double wait = late > 0 ? ceil(late / beat) * beat : 0;
  l->due += wait;
  l->until += wait;
}

static double play_on(live *l, double now, double horizon, int *draws) {
  while (l->plays) {
    if (!l->waits) {
      if ((*draws)-- == 0) return now;
      draw(l);
      if (mode(l) == LIVE_ACCOMPANY) follow_key(l);
    }
    double tick = tick_at(l, l->reached);
    bool is_note = l->next.kind == RETTO_EVENT_NOTE_ON;
    bool hastens = l->first && mode(l) == LIVE_ANSWER;
    if (is_over(l, now, tick)) {
      stop(l, fmin(tick, l->until));
      break;
    }
    if (hastens && is_note) {
      wait_for_beat(l, now);
      /* An answer begins when it is due: the rests before its first note are passed over. */
      l->origin += l->due - tick;
      tick = l->due;
    }
    if (tick >= horizon && !(hastens && !is_note)) return tick;
    if (is_note) l->first = false;
    if (mode(l) == LIVE_ACCOMPANY) tick = l->handed = fmax(l->handed, tick); /* the beat it follows may have moved */
    hand_over(l, tick);
  }
  return INFINITY;
}

/* After a turn of the model in a trade the player's comes, and then the next, however late it is. */
static void plan_next_trade(live *l) {
  double length = l->until - l->due;
  l->call_began = l->until;
  do l->due += 2 * length;
  while (l->due < l->now);
  l->until = l->due + length;
  l->plans = true;
}

/* A note that is held for long is answered too: from this tick on. */
static double drone(const live *l) {
  bool waits = mode(l) == LIVE_ANSWER && !l->plays && !l->plans && l->player.holding > 0 && l->player.call_count > 0;
  return waits ? l->player.last_onset + PATIENCE * ticks_of_bar(l) : INFINITY;
}

double turn_advance(live *l, double now, double horizon, int draws) {
  if (now >= drone(l)) {
    l->player.last = now;
    plan_answer(l);
  }
  if (l->plans) {
    double reading = l->due - ticks_of_ms(l, lead);
    if (horizon <= reading) return reading;
    if (mode(l) == LIVE_TRADE && now > l->due + ticks_of_ms(l, 100)) { /* too late to begin: it is left out */
      take_back(l);
      plan_next_trade(l);
      return now;
    }
    if (!l->reads) begin_reading(l);
    while (draws > 0 && read_call(l)) draws--;
    if (l->player.read < l->player.call_count) return now;
    if (horizon <= l->due) return l->due;
    start(l);
  }
  bool played = l->plays;
  double next = fmin(play_on(l, now, horizon, &draws), drone(l));
  if (played && !l->plays && mode(l) == LIVE_TRADE) {
    plan_next_trade(l);
    next = l->due - ticks_of_ms(l, lead);
  }
  return next;
}
