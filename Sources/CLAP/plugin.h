/* What the files of the CLAP plugin share. */
#ifndef LIBRETTO_CLAP_PLUGIN_H
#define LIBRETTO_CLAP_PLUGIN_H

#include "../Plugins/save.h"
#include "clap.h"
#include <stdatomic.h>

/* The parameters of an instance, and after them the model. */
enum { PARAMETER_MODEL = INSTANCE_PARAMETERS, PARAMETERS };

/* Blocks that came while the main thread had the instance, to be played with the next. */
enum { MOST_DEFERRED = 512 };

typedef struct deferred {
  uint32_t frames;
  int count;
  bool is_full; /* something was lost */
  union deferred_event {
    clap_event_header_t header;
    clap_event_note_t note;
    clap_event_midi_t midi;
    clap_event_param_value_t value;
    clap_event_transport_t transport;
  } events[MOST_DEFERRED];
} deferred;

typedef struct plugin {
  clap_plugin_t clap;
  const clap_host_t *host;
  const clap_host_thread_check_t *thread_check; /* these may be NULL */
  const clap_host_log_t *log;
  const clap_host_params_t *host_params;
  const clap_host_state_t *host_state;
  uint32_t dialects; /* of notes that the host takes */

  /* Who has set it has the instance: process(), which gives way to the main thread, or the main thread, which waits. */
  atomic_bool is_taken;
  instance *instance;
  bool is_fresh; /* it was restored and has played nothing since */
  deferred deferred;
  bool is_held[16][128]; /* keys of the player, with the ids of their notes */
  int32_t note_id[16][128];

  _Atomic double value[PARAMETERS]; /* as the host is told */
  atomic_bool is_offline;           /* the host waits for process() */
  int model;                        /* that is loaded, or could not be; main thread */
  bool is_active;
  double rate;

  const clap_output_events_t *out; /* of the block */
  bool is_late;                    /* what goes out is of a deferred block */
} plugin;

static inline plugin *plugin_of(const clap_plugin_t *clap) { return clap->plugin_data; }

/* ---- entry.c ---- */

bool plugin_try_take(plugin *p);
void plugin_take(plugin *p); /* [main-thread] */
void plugin_give_back(plugin *p);
/* False, with a line for the host's log, if the host says that this is not its main thread. */
bool plugin_is_on_main(const plugin *p, const char *call);
void plugin_log(const plugin *p, clap_log_severity severity, const char *message);

/* ---- process.c ---- */

clap_process_status plugin_process(const clap_plugin_t *clap, const clap_process_t *block) RETTO_REALTIME;
void plugin_flush(const clap_plugin_t *clap, const clap_input_events_t *in, const clap_output_events_t *out)
    RETTO_REALTIME;

/* ---- params.c ---- */

extern const clap_plugin_params_t plugin_params;
extern const char *const model_names[];
enum { MODELS = 5 };

instance_parameter parameter_describe(int parameter);
/* The same in every version. */
clap_id parameter_id(int parameter);
/* -1 if there is none. */
int parameter_find(clap_id id);
/* The value that a host gets for the one it sets. */
double parameter_nearest(int parameter, double value);

/* ---- state.c ---- */

extern const clap_plugin_state_t plugin_state;
/* Loads the model that the parameter asks for. [main-thread] */
void plugin_load_model(plugin *p);

#endif
