/* What clap-validator checks, and more. */
#include "checks.h"
#include <pthread.h>
#include <time.h>

static uint8_t state_a[MOST_STATE], state_b[MOST_STATE];

static void check_descriptor(void) {
  host *h = host_new();
  const clap_plugin_descriptor_t *d = h->plugin->desc;
  CHECK(d->id && *d->id && d->name && *d->name && d->clap_version.major == 1, "descriptor");
  CHECK(!strcmp(d->features[0], "note-effect") && !d->features[1], "features");
  host_init(h);
  const clap_plugin_note_ports_t *ports = h->plugin->get_extension(h->plugin, CLAP_EXT_NOTE_PORTS);
  for (int is_input = 0; is_input < 2; is_input++) {
    clap_note_port_info_t info;
    CHECK(ports->count(h->plugin, is_input) == 1 && ports->get(h->plugin, 0, is_input, &info), "port");
    CHECK(info.preferred_dialect == CLAP_NOTE_DIALECT_CLAP && info.supported_dialects == 3 && *info.name, "dialects");
    CHECK(!ports->get(h->plugin, 1, is_input, &info), "another port");
  }
  const clap_plugin_latency_t *latency = h->plugin->get_extension(h->plugin, CLAP_EXT_LATENCY);
  const clap_plugin_tail_t *tail = h->plugin->get_extension(h->plugin, CLAP_EXT_TAIL);
  CHECK(latency->get(h->plugin) == 0 && tail->get(h->plugin) >= INT32_MAX, "latency and tail");
  CHECK(!h->plugin->get_extension(h->plugin, "clap.unknown"), "unknown extension");
  host_close(h);
}

static void check_parameters(void) {
  host *h = host_new();
  host_init(h);
  uint32_t count = h->params->count(h->plugin);
  clap_param_info_t info, other;
  CHECK(!h->params->get_info(h->plugin, count, &info), "one more");
  for (uint32_t i = 0; i < count; i++) {
    double value = NAN, again = NAN;
    char text[64], second[64];
    CHECK(h->params->get_info(h->plugin, i, &info) && *info.name, "%u", i);
    CHECK(info.min_value <= info.default_value && info.default_value <= info.max_value, "%s", info.name);
    for (uint32_t k = 0; k < i; k++)
      CHECK(h->params->get_info(h->plugin, k, &other) && other.id != info.id, "%s has the id of %s", info.name, other.name);
    CHECK(h->params->get_value(h->plugin, info.id, &value) && value == info.default_value, "%s", info.name);
    CHECK(!(info.flags & CLAP_PARAM_IS_ENUM) || info.flags & CLAP_PARAM_IS_STEPPED, "%s", info.name);
    for (int k = 0; k <= 40; k++) {
      value = info.min_value + (info.max_value - info.min_value) * k / 40;
      if (info.flags & CLAP_PARAM_IS_STEPPED) value = trunc(value);
      CHECK(h->params->value_to_text(h->plugin, info.id, value, text, sizeof text) && *text, "%s", info.name);
      CHECK(h->params->text_to_value(h->plugin, info.id, text, &again), "%s %s", info.name, text);
      CHECK(fabs(again - value) <= (info.flags & CLAP_PARAM_IS_STEPPED ? 0 : 0.0051), "%s %s %g %g", info.name, text, value, again);
      CHECK(h->params->value_to_text(h->plugin, info.id, again, second, sizeof second) && !strcmp(text, second), "%s", text);
    }
    CHECK(h->params->value_to_text(h->plugin, info.id, 1e30, text, 4), "%s", info.name);
    CHECK(h->params->value_to_text(h->plugin, info.id, NAN, text, sizeof text), "%s", info.name);
    CHECK(!h->params->text_to_value(h->plugin, info.id, "nothing of it", &again), "%s", info.name);
  }
  CHECK(!h->params->get_value(h->plugin, 12345, &(double){0}), "unknown");
  double value;
  clap_id mode = host_find(h, "Mode")->id, key = host_find(h, "Key")->id;
  CHECK(h->params->text_to_value(h->plugin, mode, "trade", &value) && value == 2, "trade");
  CHECK(h->params->text_to_value(h->plugin, key, "A minor", &value) && value == 22, "A minor is %g", value);
  host_close(h);
}

static void check_values_by_flush(void) {
  host *h = host_new();
  host_init(h);
  host_set(h, 0, "Mode", 2);
  host_set(h, 0, "Model", 3);
  h->params->flush(h->plugin, &h->in_events, &h->out_events);
  h->in_count = 0;
  CHECK(host_get(h, "Mode") == 2 && host_get(h, "Model") == 3 && h->callbacks == 1, "flush");
  h->callbacks = 0;
  h->plugin->on_main_thread(h->plugin);
  host_activate(h, 44100, 512);
  host_start(h);
  host_run(h, 512);
  host_set(h, 0, "Panic", 1);
  host_run(h, 0);
  CHECK(host_get(h, "Panic") == 0 && h->told == 1, "panic comes out again");
  end_checked(h);
}

static void check_states(void) {
  host *h = host_open(48000, 512), *other = host_new();
  host_init(other);
  for (int i = 0; i < 700; i++) host_run(h, 512);
  size_t size = host_save(h, state_a, 1 << 20);
  CHECK(size > 1000, "%zu", size);
  CHECK(host_save(h, state_b, 17) == size && !memcmp(state_a, state_b, size), "saved again");
  CHECK(host_load(other, state_a, size, 1) && host_save(other, state_b, 999) == size, "loaded");
  CHECK(!memcmp(state_a, state_b, size), "saved, loaded, and saved again");
  CHECK(other->saw_rescan, "the host is told of the values");
  /* Damaged, truncated, random: refused, and nothing has changed. */
  for (int i = 0; i < 300; i++) {
    size_t length = size;
    memcpy(state_b, state_a, size);
    if (i % 3 == 0)
      length = i < 30 ? (size_t)i : host_random() % size;
    else if (i % 3 == 1)
      state_b[host_random() % size] ^= (uint8_t)(1 << host_random() % 8);
    else
      for (size_t k = 0; k < (length = host_random() % 4096); k++) state_b[k] = (uint8_t)host_random();
    if (i % 6 == 5 && length > 8) memcpy(state_b, "RETTOCLP", 8);
    CHECK(!host_load(other, state_b, length, 1 << 20), "damaged state %d", i);
  }
  CHECK(host_save(other, state_b, 999) == size && !memcmp(state_a, state_b, size), "nothing has changed");
  host_activate(other, 48000, 512);
  host_start(other);
  for (int i = 0; i < 500; i++) host_run(other, 512);
  CHECK(other->note_count > 4, "%d", other->note_count);
  end_checked(h);
  end_checked(other);
  /* Each model and all values at random. */
  for (int round = 0; round < 10; round++) {
    h = host_open(48000, 512);
    other = host_new();
    host_init(other);
    for (uint32_t i = 0; i < h->params->count(h->plugin); i++) {
      clap_param_info_t info;
      h->params->get_info(h->plugin, i, &info);
      double value = info.min_value + host_uniform() * (info.max_value - info.min_value);
      host_set(h, 0, info.name, value);
    }
    host_set(h, 0, "Panic", 0);
    for (int i = 0; i < 50; i++) host_run(h, 512);
    size = host_save(h, state_a, 1 << 20);
    CHECK(host_load(other, state_a, size, 1 << 20) && host_save(other, state_b, 1 << 20) == size, "round %d", round);
    CHECK(!memcmp(state_a, state_b, size), "round %d", round);
    for (uint32_t i = 0; i < h->params->count(h->plugin); i++) {
      clap_param_info_t info;
      h->params->get_info(h->plugin, i, &info);
      CHECK(host_get(h, info.name) == host_get(other, info.name), "%s", info.name);
    }
    end_checked(h);
    end_checked(other);
  }
}

/* A host that calls on the wrong thread is told so, and nothing happens. */
static void check_threads(void) {
  host *h = host_open(48000, 512);
  h->expects_misuse = true;
  is_audio = true;
  CHECK(host_save(h, state_a, 1000) == 0, "save on the audio thread");
  CHECK(!host_load(h, state_a, 100, 1000), "load on the audio thread");
  h->plugin->on_main_thread(h->plugin);
  is_audio = false;
  CHECK(h->misused == 3, "%d", h->misused);
  end_checked(h);
  h = host_new(); /* without the extension all goes */
  h->has_thread_check = false;
  host_init(h);
  CHECK(host_save(h, state_a, 1000) > 0, "save");
  host_close(h);
}

/* The main thread saves, loads and changes the model while the audio thread plays. */
typedef struct shared {
  host *h;
  atomic_bool ends;
  long blocks;
} shared;

static void *play_blocks(void *argument) {
  shared *s = argument;
  is_audio = true;
  while (!s->ends) {
    host *h = s->h;
    h->frames = 256;
    h->last_time = 0;
    clap_process_t block = {h->played, 256, NULL, NULL, NULL, 0, 0, &h->in_events, &h->out_events};
    if (s->blocks % 900 == 0) host_set(h, 0, "Model", (double)(s->blocks / 900 % 5));
    host_note(h, 3, s->blocks % 2 ? CLAP_EVENT_NOTE_OFF : CLAP_EVENT_NOTE_ON, 0, 60, -1, 0.5);
    h->plugin->process(h->plugin, &block);
    h->played += 256;
    h->in_count = 0;
    s->blocks++;
    struct timespec pause = {0, 20000};
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static void check_two_threads(void) {
  shared s = {.h = host_open(48000, 256)};
  pthread_t thread;
  s.h->allows_doubles = true;
  pthread_create(&thread, NULL, play_blocks, &s);
  for (int i = 0; i < 60; i++) {
    size_t size = host_save(s.h, state_a, 1 << 20);
    CHECK(size > 0, "save");
    if (i % 3 == 0) CHECK(host_load(s.h, state_a, size, 1 << 20), "load");
    while (s.h->callbacks > 0) {
      s.h->callbacks--;
      s.h->plugin->on_main_thread(s.h->plugin);
    }
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
  }
  s.ends = true;
  pthread_join(thread, NULL);
  printf("    %ld blocks beside the main thread\n", s.blocks);
  CHECK(s.blocks > 50, "%ld", s.blocks);
  end_checked(s.h);
}

int main(int count, char **names) {
  static const struct {
    const char *name;
    void (*check)(void);
  } checks[] = {{"descriptor", check_descriptor},
                {"parameters", check_parameters},
                {"values-by-flush", check_values_by_flush},
                {"parameter-fuzz", check_parameter_fuzz},
                {"blocks-and-rates", check_blocks},
                {"transport-fuzz", check_transport_fuzz},
                {"reset", check_reset},
                {"reset-and-reactivate", check_reset_and_reactivate},
                {"wildcards", check_wildcards},
                {"dialects", check_dialects},
                {"full-host", check_full_host},
                {"transport-in-blocks", check_transport_in_blocks},
                {"models", check_models},
                {"states", check_states},
                {"threads", check_threads},
                {"two-threads", check_two_threads}};
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    bool is_asked = count < 2;
    for (int n = 1; n < count; n++) is_asked |= !strcmp(names[n], checks[i].name);
    if (!is_asked) continue;
    int before = failures;
    clock_t begin = clock();
    host_seed(i + 1);
    checks[i].check();
    printf("%s %s (%.1f s)\n", failures == before ? "ok" : "FAILED", checks[i].name,
           (double)(clock() - begin) / CLOCKS_PER_SEC);
    fflush(stdout);
  }
  return failures != 0;
}
