#include "host.h"
#include <dlfcn.h>

_Thread_local bool is_audio;
int failures;

/* ---- Random numbers: xorshift64* ---- */

static uint64_t generator = 1;

void host_seed(uint64_t seed) { generator = seed * 0x9E3779B97F4A7C15 | 1; }

uint32_t host_random(void) {
  generator ^= generator >> 12;
  generator ^= generator << 25;
  generator ^= generator >> 27;
  return (uint32_t)(generator * 0x2545F4914F6CDD1D >> 32);
}

double host_uniform(void) { return host_random() / 4294967296.0; }

/* ---- The host as the plugin sees it ---- */

static host *host_of(const clap_host_t *clap) { return clap->host_data; }

static void bad(host *h, const char *what) {
  h->bad++;
  failures++;
  fprintf(stderr, "the plugin %s\n", what);
}

static bool is_main_thread(const clap_host_t *clap) {
  (void)clap;
  return !is_audio;
}

static bool is_audio_thread(const clap_host_t *clap) {
  (void)clap;
  return is_audio;
}

static uint32_t dialects(const clap_host_t *clap) {
  if (is_audio) bad(host_of(clap), "asks for dialects on the audio thread");
  return host_of(clap)->dialects;
}

static void rescan(const clap_host_t *clap, uint32_t flags) {
  if (is_audio) bad(host_of(clap), "rescans on the audio thread");
  if (flags & ~(CLAP_PARAM_RESCAN_VALUES | CLAP_PARAM_RESCAN_TEXT)) bad(host_of(clap), "rescans too much");
  host_of(clap)->saw_rescan = true;
}

static void clear(const clap_host_t *clap, clap_id id, uint32_t flags) {
  (void)id;
  (void)flags;
  bad(host_of(clap), "clears parameters");
}

static void request_flush(const clap_host_t *clap) {
  if (is_audio) bad(host_of(clap), "requests a flush on the audio thread");
}

static void ports_rescan(const clap_host_t *clap, uint32_t flags) {
  (void)flags;
  bad(host_of(clap), "rescans its ports");
}

static void mark_dirty(const clap_host_t *clap) {
  if (is_audio) bad(host_of(clap), "marks its state dirty on the audio thread");
}

static void log_line(const clap_host_t *clap, clap_log_severity severity, const char *line) {
  host *h = host_of(clap);
  if (severity == CLAP_LOG_HOST_MISBEHAVING) {
    h->misused++;
    if (!h->expects_misuse) bad(h, line);
  }
}

static void request(const clap_host_t *clap) { bad(host_of(clap), "requests a restart"); }
static void request_process(const clap_host_t *clap) { (void)clap; }
static void request_callback(const clap_host_t *clap) { host_of(clap)->callbacks++; }

static const void *get_extension(const clap_host_t *clap, const char *id) {
  static const clap_host_thread_check_t thread_check = {is_main_thread, is_audio_thread};
  static const clap_host_note_ports_t ports = {dialects, ports_rescan};
  static const clap_host_params_t params = {rescan, clear, request_flush};
  static const clap_host_state_t state = {mark_dirty};
  static const clap_host_log_t log = {log_line};
  host *h = host_of(clap);
  if (!strcmp(id, CLAP_EXT_THREAD_CHECK)) return h->has_thread_check ? &thread_check : NULL;
  if (!strcmp(id, CLAP_EXT_NOTE_PORTS)) return h->has_dialects ? &ports : NULL;
  if (!strcmp(id, CLAP_EXT_PARAMS)) return &params;
  if (!strcmp(id, CLAP_EXT_STATE)) return &state;
  if (!strcmp(id, CLAP_EXT_LOG)) return &log;
  return NULL;
}

static uint32_t in_size(const clap_input_events_t *list) { return (uint32_t)((host *)list->ctx)->in_count; }

static const clap_event_header_t *in_get(const clap_input_events_t *list, uint32_t index) {
  return &((host *)list->ctx)->in[index].header;
}

static void keep(host *h, uint32_t time, int channel, int key, double velocity) {
  if (h->note_count < MOST_NOTES)
    h->notes[h->note_count++] = (note){h->played + time, (uint8_t)channel, (uint8_t)key, velocity};
  int *sounding = &h->sounding[channel][key];
  if (velocity > 0 && *sounding > 0 && !h->allows_doubles) bad(h, "begins a note that sounds");
  if (velocity == 0 && *sounding == 0) bad(h, "ends a note that does not sound");
  *sounding = velocity > 0;
}

static bool try_push(const clap_output_events_t *list, const clap_event_header_t *e) {
  host *h = list->ctx;
#ifdef ALLOCATES /* what the sanitizer must find */
  static void *volatile allocated;
  free(allocated);
  allocated = malloc(8);
#endif
  if (h->room == 0) return false;
  h->room -= h->room > 0;
  if (e->space_id != CLAP_CORE_EVENT_SPACE_ID) bad(h, "sends an event of another space");
  if (e->time >= h->frames && h->frames > 0) bad(h, "sends an event after the block");
  if (e->time < h->last_time) bad(h, "sends events out of order");
  h->last_time = e->time;
  if (e->type == CLAP_EVENT_NOTE_ON || e->type == CLAP_EVENT_NOTE_OFF) {
    const clap_event_note_t *n = (const clap_event_note_t *)e;
    bool is_right = e->size == sizeof *n && n->port_index == 0 && n->channel >= 0 && n->channel < 16 && n->key >= 0 &&
                    n->key < 128 && n->velocity >= 0 && n->velocity <= 1;
    if (!is_right || (e->type == CLAP_EVENT_NOTE_ON && n->velocity == 0)) bad(h, "sends a wrong note");
    if (h->has_dialects && !(h->dialects & CLAP_NOTE_DIALECT_CLAP)) bad(h, "sends CLAP notes to a host of MIDI");
    if (is_right) keep(h, e->time, n->channel, n->key, e->type == CLAP_EVENT_NOTE_ON ? n->velocity : 0);
  } else if (e->type == CLAP_EVENT_MIDI) {
    const clap_event_midi_t *m = (const clap_event_midi_t *)e;
    int kind = m->data[0] & 0xF0;
    if (e->size != sizeof *m || m->port_index != 0 || m->data[0] < 0x80 || m->data[1] > 127 || m->data[2] > 127)
      bad(h, "sends wrong MIDI");
    if (h->has_dialects && !(h->dialects & CLAP_NOTE_DIALECT_MIDI)) bad(h, "sends MIDI to a host of CLAP notes");
    bool is_note = kind == 0x80 || kind == 0x90;
    h->raw_count += is_note;
    if (is_note) keep(h, e->time, m->data[0] & 15, m->data[1], kind == 0x90 ? m->data[2] / 127.0 : 0);
  } else if (e->type == CLAP_EVENT_PARAM_VALUE) {
    const clap_event_param_value_t *v = (const clap_event_param_value_t *)e;
    if (e->size != sizeof *v || !isfinite(v->value)) bad(h, "sends a wrong value");
    h->told++;
  } else {
    bad(h, "sends an event of an unknown type");
  }
  return true;
}

/* ---- Life ---- */

/* Of the file CLAP_PLUGIN, or of a plugin that is linked in, so that sanitizers see all of it. */
static const clap_plugin_factory_t *factory_of_file(void) {
  static const clap_plugin_factory_t *factory;
#ifdef LINKED
  extern const clap_plugin_entry_t clap_entry;
  return factory = clap_entry.get_factory(CLAP_PLUGIN_FACTORY_ID);
#endif
  const char *path = getenv("CLAP_PLUGIN");
  if (factory) return factory;
  void *file = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  const clap_plugin_entry_t *entry = file ? dlsym(file, "clap_entry") : NULL;
  if (!entry || !entry->init(path)) {
    fprintf(stderr, "%s\n", file || !path ? "CLAP_PLUGIN is no CLAP plugin" : dlerror());
    exit(2);
  }
  return factory = entry->get_factory(CLAP_PLUGIN_FACTORY_ID);
}

host *host_new(void) {
  const clap_plugin_factory_t *factory = factory_of_file();
  host *h = calloc(1, sizeof *h);
  if (!h || factory->get_plugin_count(factory) != 1) exit(2);
  h->clap = (clap_host_t){.clap_version = CLAP_VERSION_INIT,
                          .host_data = h,
                          .name = "Test",
                          .vendor = "Test",
                          .url = "",
                          .version = "1",
                          .get_extension = get_extension,
                          .request_restart = request,
                          .request_process = request_process,
                          .request_callback = request_callback};
  h->in_events = (clap_input_events_t){h, in_size, in_get};
  h->out_events = (clap_output_events_t){h, try_push};
  h->has_thread_check = h->has_dialects = true;
  h->dialects = CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI;
  h->room = -1;
  h->plugin = factory->create_plugin(factory, &h->clap, factory->get_plugin_descriptor(factory, 0)->id);
  if (!h->plugin) exit(2);
  return h;
}

void host_init(host *h) {
  if (!h->plugin->init(h->plugin)) exit(2);
  h->params = h->plugin->get_extension(h->plugin, CLAP_EXT_PARAMS);
  h->state = h->plugin->get_extension(h->plugin, CLAP_EXT_STATE);
  if (!h->params || !h->state) exit(2);
}

void host_activate(host *h, double rate, uint32_t most_frames) {
  h->rate = rate;
  h->is_active = h->plugin->activate(h->plugin, rate, 1, most_frames);
  CHECK(h->is_active, "activate at %g", rate);
}

void host_start(host *h) {
  is_audio = true;
  h->is_processing = h->plugin->start_processing(h->plugin);
  is_audio = false;
  CHECK(h->is_processing, "start_processing");
}

void host_stop(host *h) {
  is_audio = true;
  h->plugin->stop_processing(h->plugin);
  is_audio = false;
  h->is_processing = false;
}

void host_deactivate(host *h) {
  h->plugin->deactivate(h->plugin);
  h->is_active = false;
}

void host_reset(host *h) {
  is_audio = true;
  h->plugin->reset(h->plugin);
  is_audio = false;
}

host *host_open(double rate, uint32_t most_frames) {
  host *h = host_new();
  host_init(h);
  host_activate(h, rate, most_frames);
  host_start(h);
  return h;
}

void host_close(host *h) {
  if (h->is_processing) host_stop(h);
  if (h->is_active) host_deactivate(h);
  h->plugin->destroy(h->plugin);
  free(h);
}

/* ---- Blocks ---- */

void host_run(host *h, uint32_t frames) {
  h->frames = frames;
  h->last_time = 0;
  clap_process_t block = {.steady_time = h->played,
                          .frames_count = frames,
                          .transport = h->has_transport ? &h->transport : NULL,
                          .in_events = &h->in_events,
                          .out_events = &h->out_events};
  is_audio = true;
  clap_process_status status = h->plugin->process(h->plugin, &block);
  is_audio = false;
  if (status < CLAP_PROCESS_CONTINUE || status > CLAP_PROCESS_SLEEP) bad(h, "gives an unknown status");
  h->played += frames;
  h->in_count = 0;
  while (h->callbacks > 0) {
    h->callbacks--;
    h->plugin->on_main_thread(h->plugin);
  }
}

double host_play(host *h, int64_t frames, uint32_t block, double quarter, double tempo) {
  double per_frame = tempo / 60 / h->rate;
  for (int64_t done = 0; done < frames;) {
    uint32_t count = (uint32_t)(frames - done < block ? frames - done : block);
    h->has_transport = true;
    h->transport = host_song(quarter + (double)done * per_frame, tempo, true);
    host_run(h, count);
    done += count;
  }
  return quarter + (double)frames * per_frame;
}

int host_sounding(const host *h) {
  int count = 0;
  for (int channel = 0; channel < 16; channel++)
    for (int key = 0; key < 128; key++) count += h->sounding[channel][key];
  return count;
}
