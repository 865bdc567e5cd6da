#include "engine.h"

double song_beat(const live *l, double tick) {
  double song = l->transport.position + tick - l->told;
  return tick + ceil(song / LIVE_PPQ - 1e-6) * LIVE_PPQ - song;
}

bool find_beat(const live *l, beat *found) {
  if (runs(l)) {
    *found = (beat){.period = LIVE_PPQ, .quarter = LIVE_PPQ, .is_compound = l->is_compound};
    double song = l->transport.position + l->call_began - l->told, bar = ticks_of_bar_by(l, found);
    double place = fmod(fmod(song - l->transport.bar, bar) + bar, bar);
    if (place > bar - LIVE_PPQ / 8) place -= bar; /* a little too early for the bar line */
    found->phase = found->bar = l->call_began - place;
    return true;
  }
  if (l->value[LIVE_FOLLOW_TEMPO] != 0 && beat_find(&l->player, l->tempo, found)) {
    double beats = (l->call_began - found->phase) / found->period;
    /* An upbeat of less than half a beat comes before the bar. */
    found->bar = found->phase + rint(beats + 0.2) * found->period;
    return true;
  }
  double quarter = ticks_of_quarter(l);
  *found = (beat){quarter, l->call_began, quarter, l->call_began, l->is_compound};
  return false;
}

void track_beat(live *l) {
  const double most = 0.08, half = 0.5; /* beyond that it is another level of the beat */
  beat found;
  if (l->value[LIVE_FOLLOW_TEMPO] == 0 || runs(l) || !beat_find(&l->player, l->tempo, &found)) return;
  double quarter = ticks_of_quarter(l), ratio = found.quarter / quarter;
  if (fabs(ratio - 1) > most) return;
  int64_t beat_tick = llrint((double)l->reached / l->ticks_per_quarter) * l->ticks_per_quarter;
  double own = tick_at(l, beat_tick);
  double his = found.phase + rint((own - found.phase) / found.quarter) * found.quarter;
  if (fabs(his - own) > quarter / 4) return;
  l->scale *= ratio;
  l->origin = own + half * (his - own) - (double)beat_tick * step_of(l);
}
