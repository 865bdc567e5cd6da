#define _GNU_SOURCE
#include "alsa_out_parts.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POOL = 2000 }; /* events the kernel keeps for a client: the most it allows */

const char *alsa_out_message(const alsa_out *out) {
  return out ? out->error : "there is no memory";
}

int alsa_out_say(alsa_out *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(out->error, sizeof out->error, format, arguments);
  va_end(arguments);
  return -1;
}

/* ---- Opening and closing ---- */

/* A port whose events are stamped with the queue's time when they are delivered. */
static int make_port(alsa_out *out, const char *name, unsigned capability) {
  snd_seq_port_info_t *info;
  snd_seq_port_info_alloca(&info);
  snd_seq_port_info_set_name(info, name);
  snd_seq_port_info_set_capability(info, capability);
  snd_seq_port_info_set_type(info, SND_SEQ_PORT_TYPE_MIDI_GENERIC | SND_SEQ_PORT_TYPE_APPLICATION);
  snd_seq_port_info_set_midi_channels(info, CHANNELS);
  snd_seq_port_info_set_timestamping(info, 1);
  snd_seq_port_info_set_timestamp_real(info, 1);
  snd_seq_port_info_set_timestamp_queue(info, out->queue);
  int error = snd_seq_create_port(out->seq, info);
  return error < 0 ? error : snd_seq_port_info_get_port(info);
}

static void say_nothing(const char *file, int line, const char *function, int error,
                        const char *format, ...) {
  (void)file, (void)line, (void)function, (void)error, (void)format;
}

static void drain(alsa_out *out) {
  /* If the kernel has no room now, the rest leaves with the next flush. */
  snd_seq_drain_output(out->seq);
}

static int open_client(alsa_out *out, const char *name) {
  /* The library would print an error of its own. */
  snd_lib_error_set_handler(say_nothing);
  int error = snd_seq_open(&out->seq, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK);
  snd_lib_error_set_handler(NULL);
  if (error < 0) {
    out->seq = NULL;
    return alsa_out_say(out, "cannot open the ALSA sequencer: %s; is the module snd-seq loaded?",
               snd_strerror(error));
  }
  /* The name first: who watches for ports looks at it when one appears. */
  snd_seq_set_client_name(out->seq, name);
  out->client = out->guarded->client = snd_seq_client_id(out->seq);
  snd_seq_client_pool_t *pool;
  snd_seq_client_pool_alloca(&pool);
  snd_seq_get_client_pool(out->seq, pool);
  snd_seq_client_pool_set_output_pool(pool, POOL);
  snd_seq_client_pool_set_input_pool(pool, POOL);
  snd_seq_set_client_pool(out->seq, pool);
  snd_seq_set_output_buffer_size(out->seq, POOL * sizeof(snd_seq_event_t));
  out->queue = snd_seq_alloc_named_queue(out->seq, name);
  if (out->queue < 0) return alsa_out_say(out, "cannot have a queue: %s", snd_strerror(out->queue));
  out->out = make_port(out, "out", SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ);
  out->in = make_port(out, "in", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE);
  out->monitor = make_port(out, "monitor", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_NO_EXPORT);
  if (out->out < 0 || out->in < 0 || out->monitor < 0 ||
      snd_seq_connect_to(out->seq, out->out, out->client, out->monitor) < 0 ||
      snd_seq_connect_from(out->seq, out->monitor, SND_SEQ_CLIENT_SYSTEM,
                           SND_SEQ_PORT_SYSTEM_ANNOUNCE) < 0)
    return alsa_out_say(out, "cannot make the ports");
  return alsa_out_set_tempo(out, 120);
}

int alsa_out_open(const char *name, alsa_out **result) {
  alsa_out *out = *result = calloc(1, sizeof *out);
  if (!out) return -1;
  out->lifeline = -1;
  out->generation = 1;
  return alsa_out_start_guardian(out) || open_client(out, name) ? -1 : 0;
}

void alsa_out_close(alsa_out *out) {
  if (!out) return;
  if (out->seq) {
    alsa_out_silence(out);
    alsa_out_end_channels(out->seq, out->out, NULL, out->guarded->used);
    drain(out);
    snd_seq_close(out->seq);
  }
  if (out->guarded) out->guarded->closed = true;
  if (out->lifeline >= 0) {
    shutdown(out->lifeline, SHUT_WR);
    alsa_out_hear_guardian(out); /* until it has ended */
    close(out->lifeline);
  }
  if (out->guarded) munmap(out->guarded, sizeof *out->guarded);
  free(out);
}

/* ---- The queue ---- */

void alsa_out_run(alsa_out *out) {
  /* Not start, which empties the queue. */
  snd_seq_continue_queue(out->seq, out->queue, NULL);
  drain(out);
}

void alsa_out_pause(alsa_out *out) {
  snd_seq_stop_queue(out->seq, out->queue, NULL);
  drain(out);
  alsa_out_end_notes(out->seq, out->out, NULL, out->guarded->count);
  drain(out);
}

static double queue_ns(alsa_out *out) {
  snd_seq_queue_status_t *status;
  snd_seq_queue_status_alloca(&status);
  if (snd_seq_get_queue_status(out->seq, out->queue, status) < 0) return out->time.ns;
  const snd_seq_real_time_t *time = snd_seq_queue_status_get_real_time(status);
  return time->tv_sec * 1e9 + time->tv_nsec;
}

double alsa_out_tick_at(const alsa_out *out, double ns) {
  return out->time.tick + (ns - out->time.ns) / out->time.ns_per_tick;
}

double alsa_out_now(alsa_out *out) { return alsa_out_tick_at(out, queue_ns(out)); }

int alsa_out_set_tempo(alsa_out *out, double tempo) {
  snd_seq_queue_tempo_t *info;
  unsigned micros = (unsigned)lrint(60e6 / tempo);
  if (micros == out->tempo) return 0;
  snd_seq_queue_tempo_alloca(&info);
  snd_seq_get_queue_tempo(out->seq, out->queue, info);
  snd_seq_queue_tempo_set_tempo(info, micros);
  snd_seq_queue_tempo_set_ppq(info, ALSA_OUT_PPQ);
  int error = snd_seq_set_queue_tempo(out->seq, out->queue, info);
  if (error < 0) return alsa_out_say(out, "cannot set the tempo %g: %s", tempo, snd_strerror(error));
  double ns = queue_ns(out);
  if (out->tempo) out->time.tick = alsa_out_tick_at(out, ns);
  out->time.ns = ns;
  /* Whole nanoseconds, as the kernel has it. */
  out->time.ns_per_tick = floor(micros * 1000.0 / ALSA_OUT_PPQ);
  out->tempo = micros;
  return 0;
}

double alsa_out_tempo(const alsa_out *out) { return 60e6 / out->tempo; }

/* ---- Playing ---- */

static void schedule(alsa_out *out, int64_t tick, snd_seq_event_t *event) {
  snd_seq_ev_set_source(event, out->out);
  snd_seq_ev_set_subs(event);
  if (tick < 0)
    snd_seq_ev_set_direct(event);
  else
    snd_seq_ev_schedule_tick(event, out->queue, 0, (snd_seq_tick_time_t)tick);
  out->stats.lost += alsa_out_put(out->seq, event) < 0;
}

/* Half of the buffer is kept for what ends notes, if the kernel takes no more. */
static bool has_room(alsa_out *out) {
  int most = POOL / 2 * (int)sizeof(snd_seq_event_t);
  if (snd_seq_event_output_pending(out->seq) >= most) drain(out);
  return snd_seq_event_output_pending(out->seq) < most;
}

static void schedule_note(alsa_out *out, int64_t tick, snd_seq_event_t *event) {
  bool late = tick >= 0 && (double)tick < alsa_out_now(out);
  out->stats.events++;
  out->stats.late += late;
  out->stats.late_note_ons += late && event->type == SND_SEQ_EVENT_NOTEON;
  /* A field that note-on and note-off do not use carries the due time, plus 1, to the monitor. */
  event->data.note.duration = (unsigned)(tick < 0 ? 0 : tick + 1);
  event->tag = out->generation;
  schedule(out, tick, event);
}

void alsa_out_note_on(alsa_out *out, int64_t tick, int channel, int pitch, int velocity) {
  snd_seq_event_t event = {0};
  uint8_t *count = &out->guarded->count[channel][pitch];
  if (!has_room(out)) {
    out->stats.lost++;
    return;
  }
  if (*count < UINT8_MAX) ++*count;
  out->guarded->used[channel] = true;
  snd_seq_ev_set_noteon(&event, channel, pitch, velocity);
  schedule_note(out, tick, &event);
}

void alsa_out_note_off(alsa_out *out, int64_t tick, int channel, int pitch) {
  snd_seq_event_t event = {0};
  if (!out->guarded->count[channel][pitch]) return; /* silence has ended it */
  snd_seq_ev_set_noteoff(&event, channel, pitch, 64);
  schedule_note(out, tick, &event);
}

void alsa_out_program(alsa_out *out, int64_t tick, int channel, int program) {
  snd_seq_event_t event = {0};
  snd_seq_ev_set_pgmchange(&event, channel, program);
  event.tag = out->generation;
  schedule(out, tick, &event);
}

void alsa_out_sync(alsa_out *out, int64_t tick, int type, int value) {
  snd_seq_event_t event = {0};
  snd_seq_ev_set_fixed(&event);
  event.type = type;
  event.data.control.value = value;
  schedule(out, tick, &event);
}

void alsa_out_unsync(alsa_out *out, int type) {
  snd_seq_remove_events_t *queued;
  snd_seq_remove_events_alloca(&queued);
  snd_seq_remove_events_set_condition(queued, SND_SEQ_REMOVE_OUTPUT | SND_SEQ_REMOVE_EVENT_TYPE);
  snd_seq_remove_events_set_event_type(queued, type);
  snd_seq_remove_events(out->seq, queued);
}

void alsa_out_wake(alsa_out *out, int64_t tick, unsigned value) {
  snd_seq_event_t event = {0};
  snd_seq_ev_set_fixed(&event);
  event.type = SND_SEQ_EVENT_ECHO;
  event.data.raw32.d[0] = value;
  snd_seq_ev_set_source(&event, out->monitor);
  snd_seq_ev_set_dest(&event, out->client, out->monitor);
  snd_seq_ev_schedule_tick(&event, out->queue, 0, (snd_seq_tick_time_t)(tick < 0 ? 0 : tick));
  out->stats.lost += alsa_out_put(out->seq, &event) < 0;
}

void alsa_out_flush(alsa_out *out) { drain(out); }

void alsa_out_silence(alsa_out *out) {
  snd_seq_remove_events_t *queued;
  snd_seq_remove_events_alloca(&queued);
  snd_seq_remove_events_set_condition(queued, SND_SEQ_REMOVE_OUTPUT | SND_SEQ_REMOVE_TAG_MATCH);
  snd_seq_remove_events_set_tag(queued, out->generation);
  snd_seq_remove_events(out->seq, queued);
  out->generation = out->generation % UINT8_MAX + 1;
  alsa_out_end_notes(out->seq, out->out, NULL, out->guarded->count);
  drain(out);
  memset(out->guarded->count, 0, sizeof out->guarded->count);
}

int alsa_out_sounding(const alsa_out *out) {
  int sounding = 0;
  for (int channel = 0; channel < CHANNELS; channel++)
    for (int pitch = 0; pitch < PITCHES; pitch++) sounding += out->guarded->count[channel][pitch];
  return sounding;
}

/* ---- Listening ---- */

/* One of our notes was delivered. */
static void hear_delivery(alsa_out *out, const snd_seq_event_t *event) {
  if (event->tag != out->generation || !event->data.note.duration) return;
  uint8_t *count = &out->guarded->count[event->data.note.channel & 15][event->data.note.note & 127];
  if (event->type == SND_SEQ_EVENT_NOTEOFF && *count) --*count;
  double tick = event->data.note.duration - 1.0;
  double due = out->time.ns + (tick - out->time.tick) * out->time.ns_per_tick;
  histogram_add(&out->stats.delivery,
                event->time.time.tv_sec * 1e9 + event->time.time.tv_nsec - due);
}

int alsa_out_descriptor(const alsa_out *out) {
  struct pollfd descriptor;
  snd_seq_poll_descriptors(out->seq, &descriptor, 1, POLLIN);
  return descriptor.fd;
}

const snd_seq_event_t *alsa_out_read(alsa_out *out, bool *news) {
  static const snd_seq_event_t lost = {.type = SND_SEQ_EVENT_RESET};
  snd_seq_event_t *event;
  for (;;) {
    int result = snd_seq_event_input(out->seq, &event);
    if (result == -ENOSPC) {
      out->stats.lost++;
      return &lost;
    }
    if (result < 0 || !event) return NULL;
    if (event->dest.port == out->in && event->dest.client == out->client) return event;
    if (event->type == SND_SEQ_EVENT_ECHO) return event;
    if (event->source.client == SND_SEQ_CLIENT_SYSTEM)
      *news |= alsa_out_hear_announcement(out, event);
    else if (event->type == SND_SEQ_EVENT_NOTEON || event->type == SND_SEQ_EVENT_NOTEOFF)
      hear_delivery(out, event);
  }
}

/* ---- How it went ---- */

/* 64 buckets to each doubling. */
static double bucket_of(double ns) { return ns < 1 ? 0 : log2(ns) * 64; }

void histogram_add(histogram *h, double ns) {
  int bucket = (int)bucket_of(ns), most = (int)(sizeof h->buckets / sizeof *h->buckets) - 1;
  h->buckets[bucket < most ? bucket : most]++;
  h->count++;
  if (ns > h->worst) h->worst = ns;
}

double histogram_quantile(const histogram *h, double share) {
  uint64_t before = 0;
  int most = (int)(sizeof h->buckets / sizeof *h->buckets);
  for (int i = 0; i < most; i++)
    if ((before += h->buckets[i]) >= (uint64_t)ceil(share * h->count) && before)
      return fmin(exp2((i + 1) / 64.0), h->worst);
  return 0;
}

const alsa_out_stats *alsa_out_get_stats(const alsa_out *out) { return &out->stats; }
