#include "host.h"
#include <lv2/atom/util.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>

static char *uris[MOST_URIS];

LV2_URID host_map(const char *uri) {
  for (int i = 0; i < MOST_URIS; i++) {
    if (!uris[i]) uris[i] = strdup(uri);
    if (!strcmp(uris[i], uri)) return (LV2_URID)i + 1;
  }
  abort();
}

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri) {
  (void)handle;
  return host_map(uri);
}

static LV2_Worker_Status schedule_work(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data) {
  host *h = handle;
  if (h->job_count == MOST_JOBS || size > JOB) return LV2_WORKER_ERR_NO_SPACE;
  h->jobs[h->job_count].size = size;
  memcpy(h->jobs[h->job_count++].data, data, size);
  return LV2_WORKER_SUCCESS;
}

static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void *data) {
  host *h = handle;
  if (h->response_count == MOST_JOBS || size > JOB) return LV2_WORKER_ERR_NO_SPACE;
  h->responses[h->response_count].size = size;
  memcpy(h->responses[h->response_count++].data, data, size);
  return LV2_WORKER_SUCCESS;
}

static void begin_input(host *h) {
  lv2_atom_forge_set_buffer(&h->forge, h->in.bytes, BUFFER);
  lv2_atom_forge_sequence_head(&h->forge, &h->frame, 0);
}

host *host_open(double rate) {
  host *h = calloc(1, sizeof *h);
  static LV2_URID_Map map = {NULL, map_uri};
  LV2_Feature f_map = {LV2_URID__map, &map}, f_work = {LV2_WORKER__schedule, &h->schedule};
  h->schedule = (LV2_Worker_Schedule){h, schedule_work};
  const LV2_Feature *features[] = {&f_map, &f_work, NULL};
  h->descriptor = lv2_descriptor(0);
  h->rate = rate;
  h->capacity = BUFFER;
  h->plugin = h->descriptor->instantiate(h->descriptor, rate, "", features);
  for (int i = 0; i < INSTANCE_PARAMETERS; i++) h->value[i] = (float)instance_describe(i).initial;
  h->descriptor->connect_port(h->plugin, PORT_IN, &h->in);
  h->descriptor->connect_port(h->plugin, PORT_OUT, &h->out);
  for (uint32_t i = 0; i <= INSTANCE_PARAMETERS; i++)
    h->descriptor->connect_port(h->plugin, PORT_PARAMETERS + i, &h->value[i]);
  lv2_atom_forge_init(&h->forge, &map);
  begin_input(h);
  return h;
}

void host_close(host *h) {
  h->descriptor->cleanup(h->plugin);
  free(h);
}

void host_midi(host *h, uint32_t frame, const void *bytes, uint32_t count) {
  lv2_atom_forge_frame_time(&h->forge, frame);
  lv2_atom_forge_atom(&h->forge, count, host_map(LV2_MIDI__MidiEvent));
  lv2_atom_forge_write(&h->forge, bytes, count);
}

void host_position(host *h, uint32_t frame, const char *fields, double quarter, double tempo, double speed, int per_bar,
                   int unit) {
  LV2_Atom_Forge *f = &h->forge;
  LV2_Atom_Forge_Frame object;
  double beat = quarter * unit / 4, bar = per_bar > 0 ? (double)(int64_t)(beat / per_bar) : 0;
  lv2_atom_forge_frame_time(f, frame);
  lv2_atom_forge_object(f, &object, 0, host_map(LV2_TIME__Position));
#define FIELD(letter, uri, kind, number) \
  if (strchr(fields, letter)) lv2_atom_forge_key(f, host_map(uri)), lv2_atom_forge_##kind(f, number)
  FIELD('f', LV2_TIME__frame, long, (int64_t)(quarter * 60 / tempo * h->rate));
  FIELD('s', LV2_TIME__speed, float, (float)speed);
  FIELD('b', LV2_TIME__bar, long, (int64_t)bar);
  FIELD('b', LV2_TIME__barBeat, float, (float)(beat - bar * per_bar));
  FIELD('B', LV2_TIME__beat, double, beat);
  FIELD('m', LV2_TIME__beatUnit, int, unit);
  FIELD('m', LV2_TIME__beatsPerBar, float, (float)per_bar);
  FIELD('t', LV2_TIME__beatsPerMinute, float, (float)tempo);
#undef FIELD
  lv2_atom_forge_pop(f, &object);
}

void host_choose(host *h, const char *key, const char *path) {
  LV2_Atom_Forge *f = &h->forge;
  LV2_Atom_Forge_Frame object;
  lv2_atom_forge_frame_time(f, 0);
  lv2_atom_forge_object(f, &object, 0, host_map(LV2_PATCH__Set));
  lv2_atom_forge_key(f, host_map(LV2_PATCH__property));
  lv2_atom_forge_urid(f, host_map(key));
  lv2_atom_forge_key(f, host_map(LV2_PATCH__value));
  lv2_atom_forge_path(f, path, (uint32_t)strlen(path));
  lv2_atom_forge_pop(f, &object);
}

void host_get(host *h) {
  LV2_Atom_Forge_Frame object;
  lv2_atom_forge_frame_time(&h->forge, 0);
  lv2_atom_forge_object(&h->forge, &object, 0, host_map(LV2_PATCH__Get));
  lv2_atom_forge_pop(&h->forge, &object);
}

/* ---- What the plugin sends ---- */

static void take_midi(host *h, const LV2_Atom_Event *event) {
  const uint8_t *bytes = (const uint8_t *)(event + 1);
  uint32_t count = event->body.size;
  if (h->count == MOST_EVENTS) h->count = 0;
  message *m = &h->events[h->count++];
  *m = (message){h->played + event->time.frames, (uint32_t)event->time.frames, count, {0}};
  memcpy(m->bytes, bytes, count < 4 ? count : 4);
  if (count != 3 || bytes[0] >= 0xA0) return;
  int *note = &h->sounding[bytes[0] & 15][bytes[1] & 127];
  if (bytes[0] >= 0x90 && bytes[2] > 0)
    ++*note;
  else
    *note = 0;
}

static void take(host *h, uint32_t frames) {
  int64_t last = 0;
  LV2_ATOM_SEQUENCE_FOREACH(&h->out.sequence, event) {
    if (event->time.frames < last || event->time.frames >= (frames > 0 ? frames : 1)) h->bad++;
    last = event->time.frames;
    if (event->body.type == host_map(LV2_MIDI__MidiEvent)) {
      take_midi(h, event);
    } else {
      const LV2_Atom *value = NULL;
      lv2_atom_object_get((const LV2_Atom_Object *)&event->body, host_map(LV2_PATCH__value), &value, 0);
      if (value) snprintf(h->told, sizeof h->told, "%s", (const char *)(value + 1));
    }
  }
}

#if defined(RTSAN)
typedef void (*realtime_run)(LV2_Handle, uint32_t) __attribute__((nonblocking));
static void run_plugin(host *h, uint32_t frames) __attribute__((nonblocking)) {
#ifdef ALLOCATES
  void *volatile memory = malloc((size_t)frames + 1);
  free(memory);
#endif
  ((realtime_run)h->descriptor->run)(h->plugin, frames);
}
#else
static void run_plugin(host *h, uint32_t frames) { h->descriptor->run(h->plugin, frames); }
#endif

static void do_jobs(host *h) {
  const LV2_Worker_Interface *worker = h->descriptor->extension_data(LV2_WORKER__interface);
  int count = h->job_count;
  struct job *jobs = malloc((size_t)(count + 1) * sizeof *jobs);
  memcpy(jobs, h->jobs, (size_t)count * sizeof *jobs);
  h->job_count = 0;
  for (int i = 0; i < count; i++) worker->work(h->plugin, respond, h, jobs[i].size, jobs[i].data);
  free(jobs);
  for (int i = 0; i < h->response_count; i++)
    worker->work_response(h->plugin, h->responses[i].size, h->responses[i].data);
  h->response_count = 0;
}

void host_run(host *h, uint32_t frames) {
  lv2_atom_forge_pop(&h->forge, &h->frame);
  h->out.sequence.atom.size = h->capacity - sizeof(LV2_Atom);
  h->out.sequence.atom.type = 0;
  run_plugin(h, frames);
  take(h, frames);
  h->played += frames;
  if (!h->holds_jobs && h->job_count > 0) do_jobs(h);
  begin_input(h);
}

int host_sounding(const host *h) {
  int sum = 0;
  for (int c = 0; c < 16; c++)
    for (int p = 0; p < 128; p++) sum += h->sounding[c][p] > 0;
  return sum;
}

/* ---- The state ---- */

static LV2_State_Status store(LV2_State_Handle handle, uint32_t key, const void *value, size_t size, uint32_t type,
                              uint32_t flags) {
  kept *k = handle;
  (void)flags;
  k->key[k->count] = key;
  k->type[k->count] = type;
  k->size[k->count] = size;
  memcpy(k->value[k->count++], value, size);
  return LV2_STATE_SUCCESS;
}

static const void *retrieve(LV2_State_Handle handle, uint32_t key, size_t *size, uint32_t *type, uint32_t *flags) {
  kept *k = handle;
  for (int i = 0; i < k->count; i++)
    if (k->key[i] == key) {
      *size = k->size[i];
      *type = k->type[i];
      *flags = LV2_STATE_IS_POD;
      return k->value[i];
    }
  return NULL;
}

/* Abstract paths begin with "song:". */
static char *abstract_path(LV2_State_Map_Path_Handle handle, const char *path) {
  char *made = malloc(strlen(path) + 6);
  (void)handle;
  sprintf(made, "song:%s", path);
  return made;
}

static char *absolute_path(LV2_State_Map_Path_Handle handle, const char *path) {
  (void)handle;
  return strdup(strncmp(path, "song:", 5) ? path : path + 5);
}

static LV2_State_Map_Path paths = {NULL, abstract_path, absolute_path};

void host_save(host *h, kept *k) {
  LV2_Feature f = {LV2_STATE__mapPath, &paths};
  const LV2_Feature *features[] = {&f, NULL};
  const LV2_State_Interface *state = h->descriptor->extension_data(LV2_STATE__interface);
  memset(k, 0, sizeof *k);
  state->save(h->plugin, store, k, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE, features);
}

void host_restore(host *h, kept *k, bool by_worker) {
  LV2_Worker_Schedule schedule = {h, schedule_work};
  LV2_Feature f = {LV2_STATE__mapPath, &paths}, w = {LV2_WORKER__schedule, &schedule};
  const LV2_Feature *features[] = {&f, by_worker ? &w : NULL, NULL};
  const LV2_State_Interface *state = h->descriptor->extension_data(LV2_STATE__interface);
  state->restore(h->plugin, retrieve, k, 0, features);
}
