#include "plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Who has the instance ---- */

bool plugin_try_take(plugin *p) { return !atomic_exchange_explicit(&p->is_taken, true, memory_order_acquire); }

void plugin_give_back(plugin *p) { atomic_store_explicit(&p->is_taken, false, memory_order_release); }

void plugin_take(plugin *p) {
  const struct timespec moment = {0, 50000};
  /* An export makes one block after the other, and the time between two is short. */
  for (int tries = 1; !plugin_try_take(p); tries++)
    for (; atomic_load_explicit(&p->is_taken, memory_order_relaxed); tries++)
      if (tries % 4096 == 0) nanosleep(&moment, NULL);
}

void plugin_log(const plugin *p, clap_log_severity severity, const char *message) {
  if (p->log && p->log->log) p->log->log(p->host, severity, message);
}

bool plugin_is_on_main(const plugin *p, const char *call) {
  char message[128];
  if (!p->thread_check || p->thread_check->is_main_thread(p->host)) return true;
  snprintf(message, sizeof message, "%s was called on another thread than the main thread; it did nothing", call);
  plugin_log(p, CLAP_LOG_HOST_MISBEHAVING, message);
  return false;
}

/* ---- Note ports, latency, tail, render ---- */

static uint32_t count_ports(const clap_plugin_t *clap, bool is_input) {
  (void)clap;
  (void)is_input;
  return 1;
}

static bool get_port(const clap_plugin_t *clap, uint32_t index, bool is_input, clap_note_port_info_t *info) {
  (void)clap;
  if (index != 0) return false;
  *info = (clap_note_port_info_t){.id = is_input ? 1 : 2,
                                  .supported_dialects = CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI,
                                  .preferred_dialect = CLAP_NOTE_DIALECT_CLAP};
  strcpy(info->name, is_input ? "Player" : "Notes");
  return true;
}

static uint32_t get_latency(const clap_plugin_t *clap) {
  (void)clap;
  return 0;
}

/* It plays on when nothing is played to it. */
static uint32_t get_tail(const clap_plugin_t *clap) {
  (void)clap;
  return UINT32_MAX;
}

static bool is_realtime_only(const clap_plugin_t *clap) {
  (void)clap;
  return false;
}

static bool set_render(const clap_plugin_t *clap, clap_plugin_render_mode mode) {
  if (mode != CLAP_RENDER_REALTIME && mode != CLAP_RENDER_OFFLINE) return false;
  atomic_store(&plugin_of(clap)->is_offline, mode == CLAP_RENDER_OFFLINE);
  return true;
}

static const clap_plugin_note_ports_t note_ports = {count_ports, get_port};
static const clap_plugin_latency_t latency = {get_latency};
static const clap_plugin_tail_t tail = {get_tail};
static const clap_plugin_render_t render = {is_realtime_only, set_render};

static const void *get_extension(const clap_plugin_t *clap, const char *id) {
  (void)clap;
  if (!strcmp(id, CLAP_EXT_NOTE_PORTS)) return &note_ports;
  if (!strcmp(id, CLAP_EXT_PARAMS)) return &plugin_params;
  if (!strcmp(id, CLAP_EXT_STATE)) return &plugin_state;
  if (!strcmp(id, CLAP_EXT_LATENCY)) return &latency;
  if (!strcmp(id, CLAP_EXT_TAIL)) return &tail;
  if (!strcmp(id, CLAP_EXT_RENDER)) return &render;
  return NULL;
}

/* ---- Life ---- */

static bool init(const clap_plugin_t *clap) {
  plugin *p = plugin_of(clap);
  const clap_host_t *host = p->host;
  p->thread_check = host->get_extension(host, CLAP_EXT_THREAD_CHECK);
  p->log = host->get_extension(host, CLAP_EXT_LOG);
  p->host_params = host->get_extension(host, CLAP_EXT_PARAMS);
  p->host_state = host->get_extension(host, CLAP_EXT_STATE);
  const clap_host_note_ports_t *ports = host->get_extension(host, CLAP_EXT_NOTE_PORTS);
  uint32_t taken = ports && ports->supported_dialects ? ports->supported_dialects(host) : CLAP_NOTE_DIALECT_CLAP;
  p->dialects = taken & (CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI);
  if (p->dialects == 0) p->dialects = CLAP_NOTE_DIALECT_CLAP;
  p->rate = 48000;
  p->model = -1;
  for (int i = 0; i < PARAMETERS; i++) atomic_init(&p->value[i], parameter_describe(i).initial);
  if (!(p->instance = instance_create(p->rate))) return false;
  plugin_load_model(p);
  return true;
}

static void destroy(const clap_plugin_t *clap) {
  plugin *p = plugin_of(clap);
  instance_free(p->instance);
  free(p);
}

static bool activate(const clap_plugin_t *clap, double rate, uint32_t least, uint32_t most) {
  plugin *p = plugin_of(clap);
  (void)least;
  (void)most;
  if (!plugin_is_on_main(p, "activate") || !(rate >= 1 && rate < 1e9)) return false;
  plugin_load_model(p);
  plugin_take(p);
  instance_set_rate(p->instance, rate);
  plugin_give_back(p);
  p->rate = rate;
  p->is_active = true;
  return true;
}

/* There is no block that could carry the ends of notes: they go out with the next. */
static void deactivate(const clap_plugin_t *clap) {
  plugin *p = plugin_of(clap);
  plugin_take(p);
  if (!p->is_fresh) instance_reset(p->instance);
  plugin_give_back(p);
  p->is_active = false;
}

static bool start_processing(const clap_plugin_t *clap) {
  (void)clap;
  return true;
}

/* Audio threads do not wait: if the main thread has the instance, what was to be done is done with the next block. */
static void stop(plugin *p, bool forgets) {
  if (!plugin_try_take(p)) {
    p->deferred.is_full = true;
    return;
  }
  if (!p->is_fresh && forgets) instance_forget(p->instance);
  if (!p->is_fresh && !forgets) instance_reset(p->instance);
  memset(p->is_held, 0, sizeof p->is_held);
  p->deferred.frames = 0;
  p->deferred.count = 0;
  plugin_give_back(p);
}

static void stop_processing(const clap_plugin_t *clap) { stop(plugin_of(clap), false); }

static void reset(const clap_plugin_t *clap) { stop(plugin_of(clap), true); }

static void on_main_thread(const clap_plugin_t *clap) {
  plugin *p = plugin_of(clap);
  if (plugin_is_on_main(p, "on_main_thread")) plugin_load_model(p);
}

/* ---- The factory ---- */

static const char *const features[] = {CLAP_PLUGIN_FEATURE_NOTE_EFFECT, NULL};

static const clap_plugin_descriptor_t descriptor = {
    .clap_version = CLAP_VERSION_INIT,
    .id = "org.libretto.libretto",
    .name = "Libretto",
    .vendor = "Libretto",
    .url = "",
    .manual_url = "",
    .support_url = "",
    .version = RETTO_VERSION_STRING,
    .description = "A GRU language model plays: alone, in answer to you, in turns, or along with you.",
    .features = features,
};

static uint32_t count_plugins(const clap_plugin_factory_t *factory) {
  (void)factory;
  return 1;
}

static const clap_plugin_descriptor_t *describe(const clap_plugin_factory_t *factory, uint32_t index) {
  (void)factory;
  return index == 0 ? &descriptor : NULL;
}

static const clap_plugin_t *create(const clap_plugin_factory_t *factory, const clap_host_t *host, const char *id) {
  (void)factory;
  if (!host || host->clap_version.major < 1 || !id || strcmp(id, descriptor.id) != 0) return NULL;
  plugin *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->host = host;
  p->clap = (clap_plugin_t){.desc = &descriptor,
                            .plugin_data = p,
                            .init = init,
                            .destroy = destroy,
                            .activate = activate,
                            .deactivate = deactivate,
                            .start_processing = start_processing,
                            .stop_processing = stop_processing,
                            .reset = reset,
                            .process = plugin_process,
                            .get_extension = get_extension,
                            .on_main_thread = on_main_thread};
  return &p->clap;
}

static const clap_plugin_factory_t factory = {count_plugins, describe, create};

static bool init_entry(const char *path) {
  (void)path;
  return true;
}

static void deinit_entry(void) {}

static const void *get_factory(const char *id) { return strcmp(id, CLAP_PLUGIN_FACTORY_ID) ? NULL : &factory; }

__attribute__((visibility("default"))) extern const clap_plugin_entry_t clap_entry;
const clap_plugin_entry_t clap_entry = {CLAP_VERSION_INIT, init_entry, deinit_entry, get_factory};
