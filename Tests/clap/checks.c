/* What clap-validator checks, and more: each is a function that must leave `failures` as it is. */
#include "host.h"
#include <pthread.h>
#include <time.h>

static uint8_t state_a[MOST_STATE], state_b[MOST_STATE];

/* After this nothing sounds. */
static void end(host *h) {
  h->room = -1;
  if (h->is_processing) {
    host_set(h, 0, "Panic", 1);
    host_run(h, 64);
    host_stop(h);
    host_start(h);
    host_set(h, 0, "Enabled", 0); /* and begins nothing else */
    host_run(h, 64);
  }
  CHECK(host_sounding(h) == 0, "%d notes sound at the end", host_sounding(h));
  CHECK(h->bad == 0, "%d", h->bad);
  host_close(h);
}

/* Some notes, sensible and not. */
static void fuzz_notes(host *h, uint32_t frames, int most) {
  for (int i = (int)(host_random() % (uint32_t)(most + 1)); i > 0; i--) {
    uint32_t at = frames ? host_random() % frames : 0;
    int channel = (int)(host_random() % 4), key = 40 + (int)(host_random() % 30), id = (int)(host_random() % 9) - 1;
    switch (host_random() % 10) {
    case 0: host_note(h, at, CLAP_EVENT_NOTE_OFF, -1, key, -1, 0); break;
    case 1: host_note(h, at, CLAP_EVENT_NOTE_CHOKE, channel, -1, id, 0); break;
    case 2: host_note(h, at, CLAP_EVENT_NOTE_OFF, -1, -1, -1, 0); break;
    case 3: host_midi(h, at, 0x80 | (int)(host_random() % 128), (int)(host_random() % 256), (int)(host_random() % 256)); break;
    case 4: host_note(h, at, CLAP_EVENT_NOTE_ON, -1, key, -1, 0.5); break;
    case 5: host_note(h, at, CLAP_EVENT_NOTE_ON, 20, 200, -1, 7); break;
    case 6:
    case 7: host_note(h, at, CLAP_EVENT_NOTE_OFF, channel, key, id, 0.1); break;
    default: host_note(h, at, CLAP_EVENT_NOTE_ON, channel, key, id, host_uniform()); break;
    }
  }
}

static clap_event_transport_t fuzzed_transport(void) {
  clap_event_transport_t t = host_song(host_uniform() * 64, 30 + 300 * host_uniform(), host_random() % 4 != 0);
  if (host_random() % 3 == 0) t.flags = host_random();
  if (host_random() % 5 == 0) t.tempo = (double[]){0, -1, NAN, INFINITY, 1e300, 1e-9}[host_random() % 6];
  if (host_random() % 5 == 0) t.tempo_inc = (double[]){0.001, -0.01, NAN, 1e30}[host_random() % 4];
  if (host_random() % 5 == 0) t.song_pos_beats = (int64_t)((uint64_t)host_random() << 32 | host_random());
  if (host_random() % 5 == 0) t.bar_start = (int64_t)((uint64_t)host_random() << 32 | host_random());
  if (host_random() % 5 == 0) t.song_pos_seconds = (int64_t)((uint64_t)host_random() << 32 | host_random());
  if (host_random() % 4 == 0) t.tsig_num = (uint16_t)host_random();
  if (host_random() % 4 == 0) t.tsig_denom = (uint16_t)host_random();
  return t;
}

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

/* Values come in blocks and by flush, with and without cookies, automated or at random. */
static void check_parameter_fuzz(void) {
  for (int round = 0; round < 6; round++) {
    host *h = host_open(48000, 512);
    h->allows_doubles = true;
    uint32_t count = h->params->count(h->plugin);
    for (int i = 0; i < 400; i++) {
      uint32_t frames = 1 + host_random() % 512;
      for (int k = (int)(host_random() % 6); k > 0; k--) {
        clap_param_info_t info;
        h->params->get_info(h->plugin, host_random() % count, &info);
        double value = info.min_value + host_uniform() * (info.max_value - info.min_value);
        if (host_random() % 10 == 0) value = (double[]){NAN, INFINITY, -INFINITY, 1e300, -1e300}[host_random() % 5];
        clap_event_param_value_t e = {{sizeof e, host_random() % frames, 0, CLAP_EVENT_PARAM_VALUE, 0},
                                      info.id, round % 2 ? info.cookie : NULL, -1, -1, -1, -1, value};
        if (host_random() % 30 == 0) e.param_id = host_random();
        host_add(h, &e);
      }
      fuzz_notes(h, frames, 2);
      if (i % 7 == 3) {
        is_audio = true;
        h->params->flush(h->plugin, &h->in_events, &h->out_events);
        is_audio = false;
        h->in_count = 0;
      }
      host_run(h, frames);
      for (uint32_t k = 0; k < count; k++) {
        clap_param_info_t info;
        double value = NAN;
        h->params->get_info(h->plugin, k, &info);
        h->params->get_value(h->plugin, info.id, &value);
        CHECK(value >= info.min_value && value <= info.max_value, "%s is %g", info.name, value);
      }
    }
    end(h);
  }
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
  end(h);
}

static void check_blocks(void) {
  const double rates[] = {44100, 48000, 96000, 8000, 22050, 192000, 44100.5, 768000, 1000};
  for (int r = 0; r < 9; r++)
    for (int mode = 0; mode < 4; mode++) {
      host *h = host_open(rates[r], 8192);
      h->allows_doubles = true;
      host_set(h, 0, "Mode", mode);
      if (r % 2) host_set(h, 0, "Thru", 1);
      for (int64_t until = (int64_t)(rates[r] * 6); h->played < until;) {
        uint32_t frames = host_random() % 5 == 0 ? host_random() % 4 : 1 + host_random() % 8192;
        if (r % 3 == 0) {
          h->has_transport = true;
          h->transport = host_song((double)h->played / rates[r] * 2, 120, true);
        }
        fuzz_notes(h, frames, 6);
        host_run(h, frames);
      }
      end(h);
    }
}

static void check_transport_fuzz(void) {
  for (int round = 0; round < 24; round++) {
    host *h = host_open(48000, 1024);
    h->allows_doubles = true;
    host_set(h, 0, "Mode", round % 4);
    for (int i = 0; i < 500; i++) {
      uint32_t frames = 1 + host_random() % 1024;
      h->has_transport = host_random() % 8 != 0;
      h->transport = fuzzed_transport();
      for (int k = round % 2 ? (int)(host_random() % 4) : 0; k > 0; k--) {
        clap_event_transport_t t = fuzzed_transport();
        t.header.time = host_random() % frames;
        host_add(h, &t);
      }
      fuzz_notes(h, frames, 3);
      host_run(h, frames);
    }
    end(h);
  }
}

static void check_reset_and_reactivate(void) {
  host *h = host_open(48000, 512);
  h->allows_doubles = true;
  for (int i = 0; i < 60; i++) {
    host_set(h, 0, "Mode", (double)(host_random() % 4));
    for (int k = 0; k < 80; k++) {
      fuzz_notes(h, 512, 2);
      host_run(h, 1 + host_random() % 512);
    }
    switch (host_random() % 4) {
    case 0: host_reset(h); break;
    case 1:
      host_stop(h);
      host_start(h);
      break;
    case 2:
      host_stop(h);
      host_deactivate(h);
      host_activate(h, (double[]){44100, 48000, 96000}[host_random() % 3], 512);
      host_start(h);
      break;
    case 3: /* it sleeps */
      host_stop(h);
      h->played += 48000;
      host_start(h);
      break;
    }
    host_set(h, 0, "Enabled", 0);
    host_run(h, 32);
    host_set(h, 0, "Enabled", 1);
    CHECK(host_sounding(h) == 0, "%d notes sound after a stop", host_sounding(h));
  }
  end(h);
}

/* After a reset the same comes again. */
static void check_reset(void) {
  host *h = host_open(48000, 512);
  int count[2];
  for (int round = 0; round < 2; round++) {
    int first = h->note_count;
    int64_t from = h->played;
    for (int i = 0; i < 800; i++) host_run(h, 512);
    count[round] = h->note_count - first;
    for (int i = 0; round == 1 && i < count[0] && i < count[1]; i++) {
      note a = h->notes[i], b = h->notes[first + i];
      CHECK(llabs(a.frame - (b.frame - from)) <= 1 && a.key == b.key, "note %d", i);
    }
    host_reset(h);
    host_set(h, 0, "Enabled", 1);
    if (round == 0) { /* ends go out in a block that is not counted */
      int kept = h->note_count;
      host_set(h, 0, "Enabled", 0);
      host_run(h, 1);
      host_reset(h);
      h->note_count = kept;
      host_set(h, 0, "Enabled", 1);
    }
  }
  CHECK(count[0] > 20, "%d", count[0]);
  end(h);
}

static void check_wildcards(void) {
  host *h = host_open(48000, 512);
  host_set(h, 0, "Mode", 1);
  host_set(h, 0, "Thru", 1);
  host_run(h, 512);
  host_note(h, 0, CLAP_EVENT_NOTE_ON, 0, 60, 1, 0.5);
  host_note(h, 9, CLAP_EVENT_NOTE_ON, 0, 64, 2, 0.5);
  host_note(h, 9, CLAP_EVENT_NOTE_ON, 3, 60, 3, 0.5);
  host_run(h, 512);
  CHECK(host_sounding(h) == 3, "%d", host_sounding(h));
  host_note(h, 0, CLAP_EVENT_NOTE_OFF, -1, 60, 3, 0); /* by its id */
  host_run(h, 512);
  CHECK(host_sounding(h) == 2 && h->sounding[3][60] == 0, "%d", host_sounding(h));
  host_note(h, 0, CLAP_EVENT_NOTE_CHOKE, 0, -1, -1, 0);
  host_run(h, 512);
  CHECK(host_sounding(h) == 0, "%d", host_sounding(h));
  h->allows_doubles = true;
  host_note(h, 0, CLAP_EVENT_NOTE_ON, 0, 60, 4, 0.5); /* one over the other */
  host_note(h, 5, CLAP_EVENT_NOTE_ON, 0, 60, 5, 0.5);
  host_note(h, 6, CLAP_EVENT_NOTE_OFF, 0, 60, 4, 0);
  host_run(h, 512);
  CHECK(h->sounding[0][60] == 1, "the second sounds");
  host_note(h, 6, CLAP_EVENT_NOTE_OFF, 0, 60, 5, 0);
  host_run(h, 512);
  CHECK(host_sounding(h) == 0, "%d", host_sounding(h));
  end(h);
}

static void check_dialects(void) {
  for (uint32_t dialects = 0; dialects < 4; dialects++) {
    host *h = host_new();
    h->dialects = dialects;
    h->has_dialects = dialects != 0;
    host_init(h);
    host_activate(h, 48000, 512);
    host_start(h);
    for (int i = 0; i < 400; i++) host_run(h, 512);
    CHECK(h->note_count > 4, "%d", h->note_count);
    CHECK(h->raw_count == (dialects == CLAP_NOTE_DIALECT_MIDI ? h->note_count : 0), "%d of %d", h->raw_count, h->note_count);
    end(h);
  }
}

/* A host whose queue is full: notes may be lost, ends come later. */
static void check_full_host(void) {
  host *h = host_open(48000, 512);
  host_set(h, 0, "Model", 2);
  for (int i = 0; i < 3000; i++) {
    h->room = (int)(host_random() % 3);
    host_run(h, 512);
  }
  CHECK(h->note_count > 20, "%d", h->note_count);
  end(h);
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
  end(h);
  end(other);
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
    end(h);
    end(other);
  }
}

/* The transport starts, stops and jumps at frames within a block. */
static void check_transport_in_blocks(void) {
  host *h = host_open(48000, 8192);
  clap_event_transport_t t;
  host_set(h, 0, "Model", 2); /* chords from the first beat on */
  h->has_transport = true;
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  CHECK(h->note_count == 0, "%d notes while the song stands", h->note_count);
  int64_t begin = h->played + 1234, stop = begin + 48000 + 77;
  h->transport = host_song(0, 120, false);
  t = host_song(0, 120, true);
  t.header.time = 1234;
  host_add(h, &t);
  host_run(h, 8192);
  while (h->played + 8192 < stop) {
    h->transport = host_song((double)(h->played - begin) / 24000, 120, true);
    host_run(h, 8192);
  }
  h->transport = host_song((double)(h->played - begin) / 24000, 120, true);
  t = host_song((double)(stop - begin) / 24000, 120, false);
  t.header.time = (uint32_t)(stop - h->played);
  host_add(h, &t);
  host_run(h, 8192);
  CHECK(h->note_count > 8 && h->notes[0].frame == begin, "the first note is at %lld, not %lld",
        (long long)h->notes[0].frame, (long long)begin);
  CHECK(host_sounding(h) == 0 && h->notes[h->note_count - 1].frame == stop, "the last end is at %lld, not %lld",
        (long long)h->notes[h->note_count - 1].frame, (long long)stop);
  /* A loop of two bars, each round in the same frames of it. */
  int first[4], count = 0;
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  for (int round = 0; round < 3; round++) {
    first[round] = h->note_count;
    host_play(h, 192000, 1000, 8, 120);
  }
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  for (int i = first[1], k = first[2]; i < first[2] && k < h->note_count; i++, k++, count++)
    CHECK(h->notes[i].key == h->notes[k].key && h->notes[i].frame + 192000 == h->notes[k].frame, "event %d of the loop", count);
  CHECK(count > 20, "%d", count);
  end(h);
}

/* The old model's notes end when the new one comes, which plays on from the same place. */
static void check_models(void) {
  host *h = host_open(48000, 512);
  double quarter = 0;
  for (int i = 0; i < 40; i++) {
    int before = h->note_count; /* of drums a whole bar may be a rest */
    quarter = host_play(h, 60000 + (int64_t)(host_random() % 9000), 512, quarter, 120);
    CHECK(i % 5 == 0 || h->note_count > before, "model %d plays at %g", i, quarter);
    if (i % 10 == 9) quarter = i; /* back, or where it has never been */
    host_set(h, 100, "Model", (double)(i % 5));
    quarter = host_play(h, 512, 512, quarter, 120);
    host_set(h, 0, "Enabled", 0); /* the ends of its notes are all there is */
    quarter = host_play(h, 512, 512, quarter, 120);
    CHECK(host_sounding(h) == 0, "%d notes of the old model sound", host_sounding(h));
    host_set(h, 0, "Enabled", 1);
  }
  end(h);
  /* Far in the song it plays at once, and what it had played there from the beginning on. */
  host *whole = host_open(48000, 512);
  h = host_open(48000, 512);
  host_set(whole, 0, "Model", 2);
  quarter = host_play(whole, 100 * 24000, 512, 0, 120);
  host_play(h, 80 * 24000, 512, 0, 120);
  int64_t from = h->played + 1024;
  host_set(h, 0, "Model", 2);
  host_play(h, 20 * 24000, 512, 80, 120);
  int i = 0, k = 0, same = 0;
  while (i < whole->note_count && whole->notes[i].frame < from) i++;
  while (k < h->note_count && h->notes[k].frame < from) k++;
  for (; i < whole->note_count && k < h->note_count; i++) {
    if (whole->notes[i].velocity == 0) continue;
    while (k < h->note_count && h->notes[k].velocity == 0) k++;
    CHECK(h->notes[k].frame == whole->notes[i].frame && h->notes[k].key == whole->notes[i].key, "note %d", same);
    k++;
    same++;
  }
  CHECK(same > 20, "%d", same);
  end(h);
  end(whole);
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
  end(h);
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
  end(s.h);
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
