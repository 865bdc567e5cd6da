/* jack_recorder PORT TEMPO LIKE.mid OUT.mid [SECONDS]: rolls JACK's transport from 0 as its timebase master, for as long as LIKE
 * lasts, and writes what the port sends as a MIDI file in its ticks; then it stops the transport, and fails if a note
 * goes on sounding. With SECONDS it leaves the transport alone: a host with one of its own plays and stops in this
 * time, and time is counted from the first note. */
#include <jack/jack.h>
#include <jack/midiport.h>
#include <libretto.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 100000 };

static jack_client_t *client;
static jack_port_t *port;
static double tempo;
static int ticks;
static bool is_alone; /* time is counted from the first note */
static struct recorded {
  double frame;
  uint8_t bytes[3];
} list[MOST];
static volatile int count, sounding;
static bool held[16][128];

static int process(jack_nframes_t frames, void *user) {
  (void)user;
  static int64_t played, first = -1;
  jack_position_t position;
  bool rolls = jack_transport_query(client, &position) == JackTransportRolling || is_alone;
  void *buffer = jack_port_get_buffer(port, frames);
  for (uint32_t i = 0; i < jack_midi_get_event_count(buffer); i++) {
    jack_midi_event_t e;
    if (jack_midi_event_get(&e, buffer, i) || e.size != 3 || e.buffer[0] >= 0xA0) continue;
    bool on = e.buffer[0] >= 0x90 && e.buffer[2] > 0, *note = &held[e.buffer[0] & 15][e.buffer[1] & 127];
    sounding += on - *note;
    *note = on;
    if (!rolls || count == MOST) continue;
    if (first < 0) first = played + e.time;
    list[count].frame = is_alone ? (double)(played + e.time - first) : position.frame + e.time;
    memcpy(list[count++].bytes, e.buffer, 3);
  }
  played += frames;
  return 0;
}

static void timebase(jack_transport_state_t state, jack_nframes_t frames, jack_position_t *p, int is_new, void *user) {
  (void)state, (void)frames, (void)is_new, (void)user;
  double beat = p->frame * tempo / 60 / p->frame_rate;
  p->valid = JackPositionBBT;
  p->beats_per_bar = 4;
  p->beat_type = 4;
  p->ticks_per_beat = 1920;
  p->beats_per_minute = tempo;
  p->bar = 1 + (int32_t)(beat / 4);
  p->beat = 1 + (int32_t)beat % 4;
  p->tick = (int32_t)((beat - floor(beat)) * 1920);
  p->bar_start_tick = (p->bar - 1) * 4 * 1920.0;
}

static int write_file(const char *path, double rate) {
  static retto_event events[MOST];
  int64_t before = 0;
  for (int i = 0; i < count; i++) {
    int64_t tick = llrint(list[i].frame / rate * tempo / 60 * ticks);
    bool on = list[i].bytes[0] >= 0x90 && list[i].bytes[2] > 0;
    events[i] = (retto_event){.delta = (uint32_t)(tick - before),
                              .kind = on ? RETTO_EVENT_NOTE_ON : RETTO_EVENT_NOTE_OFF,
                              .channel = list[i].bytes[0] & 15,
                              .pitch = list[i].bytes[1],
                              .velocity = list[i].bytes[2]};
    before = tick;
  }
  retto_midi *midi = NULL;
  if (retto_midi_create(events, (size_t)count, ticks, tempo, &midi) || retto_midi_write(midi, path)) {
    fprintf(stderr, "%s\n", retto_last_error());
    return 1;
  }
  retto_midi_free(midi);
  return 0;
}

/* Quarter notes of a file. */
static double length_of(const char *path) {
  static retto_event events[MOST];
  retto_midi *midi = NULL;
  retto_midi_info info = RETTO_MIDI_INFO_INIT;
  size_t many = 0;
  int64_t tick = 0;
  if (retto_midi_read(path, &midi) || retto_midi_get_info(midi, &info) ||
      retto_midi_get_events(midi, events, MOST, &many)) {
    fprintf(stderr, "%s\n", retto_last_error());
    exit(1);
  }
  retto_midi_free(midi);
  for (size_t i = 0; i < many; i++) tick += events[i].delta;
  ticks = info.ticks_per_quarter;
  return (double)tick / ticks;
}

int main(int arguments, char **argument) {
  if (arguments != 5 && arguments != 6) return 64;
  is_alone = arguments == 6;
  tempo = atof(argument[2]);
  double quarters = length_of(argument[3]);
  client = jack_client_open("recorder", JackNoStartServer, NULL);
  if (!client) return 1;
  port = jack_port_register(client, "in", JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 0);
  jack_set_process_callback(client, process, NULL);
  if (!is_alone) {
    jack_set_timebase_callback(client, 0, timebase, NULL);
    jack_transport_stop(client);
    jack_transport_locate(client, 0);
  }
  if (jack_activate(client) || jack_connect(client, argument[1], "recorder:in")) {
    fprintf(stderr, "cannot connect %s\n", argument[1]);
    return 1;
  }
  if (is_alone) {
    usleep((useconds_t)(atof(argument[5]) * 1e6));
  } else {
    usleep(500000);
    count = 0;
    jack_transport_start(client);
    usleep((useconds_t)(quarters * 60e6 / tempo + 5e5));
    jack_transport_stop(client);
    usleep(500000);
  }
  double rate = jack_get_sample_rate(client);
  int left = sounding;
  jack_client_close(client);
  printf("%d events, %d notes sound after the stop\n", count, left);
  return write_file(argument[4], rate) || left > 0 || count == 0;
}
