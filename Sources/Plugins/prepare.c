#include "parts.h"
#include "prepare.h"
#include <math.h>

void instance_get_place(const instance *i, instance_place *place) {
  *place = (instance_place){.tick = fmax(i->latest, tick_of(i, 0)), .has_host = i->has_host, .host = i->host};
  if (i->host.is_running) place->host.position += place->tick - i->host_tick;
  place->host.tempo = tempo_of(i);
  for (int p = 0; p < INSTANCE_PARAMETERS; p++) place->value[p] = i->value[p];
}

void instance_prepare(instance_voice *voice, const instance_place *place) {
  enum { MOST_DRAWS = 200000 };
  live *l = voice->live;
  bool is_play = place->value[LIVE_MODE] == LIVE_PLAY, is_free = place->value[INSTANCE_FREE] != 0;
  give_values(l, place->value);
  if (!is_play || is_free || !place->has_host) return;
  /* Nobody hears what it hands over: it has no owner yet. */
  live_transport(l, place->tick, &place->host);
  live_advance(l, place->tick, place->tick + 1, MOST_DRAWS);
}
