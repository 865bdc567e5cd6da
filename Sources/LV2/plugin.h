/* What the files of the LV2 plugin share. */
#ifndef LIBRETTO_LV2_PLUGIN_H
#define LIBRETTO_LV2_PLUGIN_H

#include "../Plugins/instance.h"
#include "uris.h"
#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/core/lv2.h>
#include <lv2/log/logger.h>
#include <lv2/state/state.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>
#include <pthread.h>

typedef struct urids {
  LV2_URID atom_path, atom_string, atom_urid, atom_object, atom_blank, atom_int, atom_long, atom_float, atom_double;
  LV2_URID midi_event, patch_get, patch_set, patch_property, patch_value;
  LV2_URID time_position, time_speed, time_tempo, time_beat, time_bar, time_bar_beat, time_unit, time_per_bar, time_frame;
  LV2_URID model, name;
} urids;

/* ---- position.c: the host's time:Position ---- */

typedef struct position_reader {
  double rate;
  double per_bar, unit; /* of the time signature; 0 if the host has not said */
  /* Whether the host counts its tempo in beats of the time signature, as LV2 has it, or in quarter notes, as many hosts
   * do. It is measured. */
  bool counts_beats;
  bool rolled; /* at `quarter` of the song and `frame` of all that were played */
  double quarter;
  int64_t frame;
} position_reader;

/* `frame` is counted over all blocks. */
instance_position position_read(position_reader *reader, const urids *u, const LV2_Atom_Object *object, int64_t frame);

/* ---- models.c: models are loaded by the worker, and kept in the state ---- */

enum { MOST_PATH = 2048, MOST_EXPECTED = 16 };

typedef struct loaded {
  instance_voice *voice;
  struct loaded *next;
} loaded;

typedef struct models {
  /* By run() alone: what plays, what was replaced and waits to be unloaded, and how many more will come. */
  loaded *current, *discarded;
  int expected;
  /* What was loaded last, for the state. The lock is for the worker and the threads that save and restore. */
  pthread_mutex_t lock;
  char path[MOST_PATH];
} models;

typedef struct plugin {
  instance *instance;
  urids urids;
  LV2_URID_Map *map;
  LV2_Worker_Schedule *schedule; /* NULL: the host has no worker, and models come with the state alone */
  LV2_Log_Logger logger;
  position_reader position;
  models models;

  const LV2_Atom_Sequence *in;
  LV2_Atom_Sequence *out;
  const float *control[INSTANCE_PARAMETERS], *freewheel;
  float set[INSTANCE_PARAMETERS]; /* what was set last */

  int64_t played;
  bool notifies; /* the host is to be told of the model */
  LV2_Atom_Forge forge;
  LV2_Atom_Forge_Frame sequence;
} plugin;

/* Has the worker load a model; does nothing if too many are on their way. [audio] */
void models_request(plugin *p, const char *path, uint32_t length);
/* Has the worker unload what was replaced. [audio] */
void models_discard(plugin *p);
/* Loads a model at once, before run() was called. */
void models_begin(plugin *p, const char *path);
/* Unloads all. */
void models_end(plugin *p);
const void *models_extension(const char *uri);

#endif
