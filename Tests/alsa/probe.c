/* probe.c - a sequencer client for tests: writes down what arrives, and sends what it is told to.
 *
 * What arrives is stamped by the probe's queue when it is delivered, and what is sent is scheduled
 * on the same queue, so that both are on one line of time, in nanoseconds. A line on standard
 * output for each event that arrives:
 *
 *     NS CLIENT KIND CHANNEL A B
 *
 * and for each line on standard input, when NS has come (-1: at once):
 *
 *     NS KIND [CHANNEL A B]      to whoever the port `out` is connected with
 *     leave PORT                 disconnects `in` from this port
 *     drop PORT                  disconnects `out` from this port
 *     now                        answers "now NS" */
#include <alsa/asoundlib.h>
#include <stdio.h>

static snd_seq_t *seq;
static int in, out, queue;

static const struct {
  const char *name;
  int type;
} kinds[] = {{"on", SND_SEQ_EVENT_NOTEON},        {"off", SND_SEQ_EVENT_NOTEOFF},
             {"cc", SND_SEQ_EVENT_CONTROLLER},    {"program", SND_SEQ_EVENT_PGMCHANGE},
             {"clock", SND_SEQ_EVENT_CLOCK},      {"start", SND_SEQ_EVENT_START},
             {"continue", SND_SEQ_EVENT_CONTINUE}, {"stop", SND_SEQ_EVENT_STOP},
             {"songpos", SND_SEQ_EVENT_SONGPOS},  {"reset", SND_SEQ_EVENT_RESET}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void need(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "probe: %s: %s\n", what, snd_strerror(result));
  exit(1);
}

static int make_port(const char *name, unsigned capability) {
  snd_seq_port_info_t *info;
  snd_seq_port_info_alloca(&info);
  snd_seq_port_info_set_name(info, name);
  snd_seq_port_info_set_capability(info, capability);
  snd_seq_port_info_set_type(info, SND_SEQ_PORT_TYPE_MIDI_GENERIC | SND_SEQ_PORT_TYPE_APPLICATION);
  snd_seq_port_info_set_timestamping(info, 1);
  snd_seq_port_info_set_timestamp_real(info, 1);
  snd_seq_port_info_set_timestamp_queue(info, queue);
  need(snd_seq_create_port(seq, info), "port");
  return snd_seq_port_info_get_port(info);
}

static void print_event(const snd_seq_event_t *e) {
  const char *name = NULL;
  int channel = 0, a = 0, b = 0;
  for (int i = 0; i < KINDS; i++)
    if (kinds[i].type == e->type) name = kinds[i].name;
  if (!name) return;
  if (e->type == SND_SEQ_EVENT_NOTEON || e->type == SND_SEQ_EVENT_NOTEOFF) {
    channel = e->data.note.channel, a = e->data.note.note, b = e->data.note.velocity;
    /* A note-on of velocity 0 is a note-off, also where it comes from raw MIDI. */
    if (e->type == SND_SEQ_EVENT_NOTEON && b == 0) name = "off";
  } else if (snd_seq_ev_is_control_type(e) || e->type == SND_SEQ_EVENT_SONGPOS) {
    channel = e->data.control.channel, a = (int)e->data.control.param, b = e->data.control.value;
  }
  printf("%lld %d %s %d %d %d\n", e->time.time.tv_sec * 1000000000LL + e->time.time.tv_nsec,
         e->source.client, name, channel, a, b);
}

static void send(long long ns, int type, int channel, int a, int b) {
  snd_seq_event_t e = {0};
  snd_seq_real_time_t time = {.tv_sec = (unsigned)(ns / 1000000000),
                              .tv_nsec = (unsigned)(ns % 1000000000)};
  snd_seq_ev_set_fixed(&e);
  e.type = (snd_seq_event_type_t)type;
  if (type == SND_SEQ_EVENT_NOTEON || type == SND_SEQ_EVENT_NOTEOFF) {
    e.data.note.channel = (unsigned char)channel;
    e.data.note.note = (unsigned char)a;
    e.data.note.velocity = (unsigned char)b;
  } else {
    e.data.control.channel = (unsigned char)channel;
    e.data.control.param = (unsigned)a;
    e.data.control.value = b;
  }
  snd_seq_ev_set_source(&e, out);
  snd_seq_ev_set_subs(&e);
  if (ns < 0)
    snd_seq_ev_set_direct(&e);
  else
    snd_seq_ev_schedule_real(&e, queue, 0, &time);
  need(snd_seq_event_output(seq, &e), "output");
}

static long long now(void) {
  snd_seq_queue_status_t *status;
  snd_seq_queue_status_alloca(&status);
  need(snd_seq_get_queue_status(seq, queue, status), "queue");
  const snd_seq_real_time_t *t = snd_seq_queue_status_get_real_time(status);
  return t->tv_sec * 1000000000LL + t->tv_nsec;
}

static void obey(const char *line) {
  char word[64], port[64];
  long long ns;
  int channel = 0, a = 0, b = 0;
  snd_seq_addr_t address;
  if (strcmp(line, "now\n") == 0) {
    printf("now %lld\n", now());
  } else if (sscanf(line, "leave %63[^\n]", port) == 1) {
    need(snd_seq_parse_address(seq, &address, port), port);
    need(snd_seq_disconnect_from(seq, in, address.client, address.port), "leave");
  } else if (sscanf(line, "drop %63[^\n]", port) == 1) {
    need(snd_seq_parse_address(seq, &address, port), port);
    need(snd_seq_disconnect_to(seq, out, address.client, address.port), "drop");
  } else if (sscanf(line, "%lld %63s %d %d %d", &ns, word, &channel, &a, &b) >= 2) {
    for (int i = 0; i < KINDS; i++)
      if (strcmp(kinds[i].name, word) == 0) send(ns, kinds[i].type, channel, a, b);
  }
  need(snd_seq_drain_output(seq), "drain");
}

int main(int argc, char **argv) {
  snd_seq_event_t *event;
  char line[256];
  need(snd_seq_open(&seq, "default", SND_SEQ_OPEN_DUPLEX, 0), "sequencer");
  need(snd_seq_set_client_name(seq, argc > 1 ? argv[1] : "probe"), "name");
  need(snd_seq_set_client_pool_input(seq, 2000), "pool");
  need(snd_seq_set_client_pool_output(seq, 2000), "pool");
  queue = snd_seq_alloc_queue(seq);
  need(queue, "queue");
  in = make_port("in", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE);
  out = make_port("out", SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ);
  need(snd_seq_start_queue(seq, queue, NULL), "start");
  need(snd_seq_drain_output(seq), "drain");
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  printf("ready %d\n", snd_seq_client_id(seq));
  struct pollfd polled[2] = {{.fd = 0, .events = POLLIN}};
  need(snd_seq_poll_descriptors(seq, &polled[1], 1, POLLIN), "poll");
  for (;;) {
    poll(polled, 2, -1);
    while (snd_seq_event_input_pending(seq, 1) > 0) {
      int result = snd_seq_event_input(seq, &event);
      if (result == -ENOSPC) printf("lost\n");
      if (result >= 0) print_event(event);
    }
    if (polled[0].revents) {
      if (!fgets(line, sizeof line, stdin)) break;
      obey(line);
    }
  }
  snd_seq_close(seq);
  return 0;
}
