/* Hosts that do anything. */
#include "checks.h"

void end_checked(host *h) {
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

void fuzz_notes(host *h, uint32_t frames, int most) {
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

/* Values come in blocks and by flush, with and without cookies, automated or at random. */
void check_parameter_fuzz(void) {
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
    end_checked(h);
  }
}

void check_blocks(void) {
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
      end_checked(h);
    }
}

void check_transport_fuzz(void) {
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
    end_checked(h);
  }
}

void check_reset_and_reactivate(void) {
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
  end_checked(h);
}
