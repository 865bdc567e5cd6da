/* prepare.h - a voice that is to be swapped in draws what comes before the present place of the song, on another thread
 * than that of audio, so that it plays on without a gap. */
#ifndef LIBRETTO_INSTANCE_PREPARE_H
#define LIBRETTO_INSTANCE_PREPARE_H

#include "instance.h"

typedef struct instance_place {
  double tick;
  bool has_host;
  live_transport_state host; /* at the tick */
  double value[INSTANCE_PARAMETERS];
} instance_place;

/* Where an instance is. [audio] */
void instance_get_place(const instance *i, instance_place *place);
/* Takes the voice there, as long as that takes. It has no instance yet. [any thread but that of audio] */
void instance_prepare(instance_voice *voice, const instance_place *place);

#endif
