/* A host in simulated time: it runs the plugin block by block and keeps what it sends. The plugin is linked in, so that
 * sanitizers see all of it. */
#ifndef TESTS_LV2_HOST_H
#define TESTS_LV2_HOST_H

#include "../../Sources/LV2/uris.h"
#include "../../Sources/Plugins/instance.h"
#include <lv2/atom/forge.h>
#include <lv2/core/lv2.h>
#include <lv2/worker/worker.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_URIS = 256, BUFFER = 65536, MOST_JOBS = 64, JOB = 4096, MOST_EVENTS = 65536 };

typedef struct message {
  int64_t frame;
  uint32_t block_frame, count;
  uint8_t bytes[4];
} message;

typedef struct host {
  const LV2_Descriptor *descriptor;
  LV2_Handle plugin;
  LV2_Worker_Schedule schedule;
  double rate;
  int64_t played;
  float value[INSTANCE_PARAMETERS + 1]; /* and freewheel */
  union {
    LV2_Atom_Sequence sequence;
    int64_t alignment; /* of events */
    uint8_t bytes[BUFFER];
  } in, out;
  uint32_t capacity; /* of out; BUFFER unless it is set */
  LV2_Atom_Forge forge;
  LV2_Atom_Forge_Frame frame;
  bool holds_jobs; /* the worker does nothing */
  struct job {
    uint32_t size;
    uint8_t data[JOB];
  } jobs[MOST_JOBS];
  int job_count;
  struct job responses[MOST_JOBS];
  int response_count;
  message events[MOST_EVENTS];
  int count;
  int sounding[16][128];
  char told[1024]; /* the model of the last patch:Set that the plugin sent */
  int bad;         /* things the plugin must not do */
} host;

host *host_open(double rate);
void host_close(host *h);
LV2_URID host_map(const char *uri);
/* What is to come in the next block, in the order of the frames. */
void host_midi(host *h, uint32_t frame, const void *bytes, uint32_t count);
/* `fields` is a string of what to tell: s speed, t tempo, b bar and beat, m time signature, B beat, f frame. */
void host_position(host *h, uint32_t frame, const char *fields, double quarter, double tempo, double speed, int per_bar,
                   int unit);
void host_choose(host *h, const char *key, const char *path);
void host_get(host *h);
void host_run(host *h, uint32_t frames);
int host_sounding(const host *h);

/* The state, saved and restored through a host that maps paths. */
typedef struct kept {
  LV2_URID key[8], type[8];
  char value[8][4096];
  size_t size[8];
  int count;
} kept;
void host_save(host *h, kept *k);
void host_restore(host *h, kept *k, bool by_worker);

#endif
