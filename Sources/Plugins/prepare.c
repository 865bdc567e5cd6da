#include "parts.h"
#include "prepare.h"
#include <math.h>

void instance_get_place(const instance *i, instance_place *place) {
  *place = (instance_place){.tick = fmax(i->latest, tick_of(i, 0)), .has_host = i->has_host, .host = i->host};
  if (i->host.is_running) place->host.position += place->tick - i->host_tick;
  place->host.tempo = i->ticks_per_frame * 60 * i->rate / LIVE_PPQ;
  for (int p = 0; p < INSTANCE_PARAMETERS; p++) place->value[p] = i->value[p];
}

void instance_prepare(instance_voice *voice, const instance_place *place) {
  enum { MOST_DRAWS = 200000 };
  live *l = voice->live;
  bool is_play = place->value[LIVE_MODE] == LIVE_PLAY, is_free = place->value[INSTANCE_FREE] != 0;
  live_set_seed(l, (uint64_t)place->value[INSTANCE_SEED]);
  for (int p = 0; p < LIVE_PARAMETERS; p++) live_set(l, (live_parameter)p, place->value[p]);
  if (!is_play || is_free || !place->has_host) return;
  /* Nobody hears what it hands over: it has no owner yet. */
  live_transport(l, place->tick, &place->host);
  live_advance(l, place->tick, place->tick + 1, MOST_DRAWS);
}
