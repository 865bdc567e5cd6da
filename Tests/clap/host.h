/* A strict CLAP host in simulated time: it runs the plugin block by block, keeps what it sends, and counts what neither
 * side may do. */
#ifndef TESTS_CLAP_HOST_H
#define TESTS_CLAP_HOST_H

#include "../../Sources/CLAP/clap.h"
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 4096, MOST_NOTES = 1 << 16, MOST_STATE = 1 << 23 };

typedef struct note {
  int64_t frame; /* of all that were played */
  uint8_t channel, key;
  double velocity; /* 0 for an end */
} note;

typedef union any_event {
  clap_event_header_t header;
  clap_event_note_t note;
  clap_event_midi_t midi;
  clap_event_param_value_t value;
  clap_event_transport_t transport;
} any_event;

typedef struct host {
  clap_host_t clap;
  const clap_plugin_t *plugin;
  const clap_plugin_params_t *params;
  const clap_plugin_state_t *state;
  double rate;
  int64_t played;
  bool is_active, is_processing;

  /* What it has of extensions. */
  bool has_thread_check, has_dialects;
  uint32_t dialects;

  any_event in[MOST_EVENTS];
  int in_count;
  clap_event_transport_t transport; /* of the next block */
  bool has_transport;
  clap_input_events_t in_events;
  clap_output_events_t out_events;
  uint32_t frames, last_time; /* of the block */
  int room;                   /* events it takes in a block; -1 for all */

  note notes[MOST_NOTES];
  int note_count, raw_count; /* raw: those of MIDI among them */
  int sounding[16][128];
  bool allows_doubles;       /* notes that begin again before they end */
  atomic_int callbacks;      /* that were requested */
  int told;                  /* parameter values it was told */
  bool saw_rescan;
  int bad;                   /* what the plugin must not do */
  bool expects_misuse;       /* the host does what it must not do itself */
  atomic_int misused;        /* how often the plugin has said so */
} host;

/* Dies without the plugin. */
host *host_new(void);
host *host_open(double rate, uint32_t most_frames); /* and activates it, and starts processing */
void host_init(host *h);
void host_activate(host *h, double rate, uint32_t most_frames);
void host_start(host *h);
void host_stop(host *h);
void host_deactivate(host *h);
void host_reset(host *h);
/* Stops all, and frees it. */
void host_close(host *h);

void host_add(host *h, const void *event);
void host_note(host *h, uint32_t frame, int type, int channel, int key, int id, double velocity);
void host_midi(host *h, uint32_t frame, int a, int b, int c);
void host_set(host *h, uint32_t frame, const char *name, double value);
/* The transport of a song at this tempo, at its quarter note. */
clap_event_transport_t host_song(double quarter, double tempo, bool is_playing);
/* Runs a block, and what it asked for on the main thread. */
void host_run(host *h, uint32_t frames);
/* The song plays on in blocks: `quarter` is where it is; gives where it is then. */
double host_play(host *h, int64_t frames, uint32_t block, double quarter, double tempo);
int host_sounding(const host *h);

const clap_param_info_t *host_find(host *h, const char *name);
double host_get(host *h, const char *name);
/* The state, at most `step` bytes a call. */
size_t host_save(host *h, uint8_t *bytes, size_t step);
bool host_load(host *h, const uint8_t *bytes, size_t size, size_t step);

/* Which thread the present one counts as. */
extern _Thread_local bool is_audio;

extern int failures;
#define CHECK(condition, ...)                                          \
  do {                                                                  \
    if (!(condition)) {                                                 \
      failures++;                                                       \
      printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);            \
      printf(__VA_ARGS__);                                              \
      printf("\n");                                                     \
    }                                                                   \
  } while (0)

uint32_t host_random(void);
double host_uniform(void);
void host_seed(uint64_t seed);

#endif
