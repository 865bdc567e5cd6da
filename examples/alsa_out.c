#define _GNU_SOURCE
#include "alsa_out.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNELS = 16, PITCHES = 128, MOST_PORTS = 16, NAME = 64 };
enum { POOL = 2000 }; /* events the kernel keeps for a client: the most it allows */

/* What the guardian must know. */
struct guarded {
  pid_t pid;
  int client;
  bool closed;
  bool used[CHANNELS];
  uint8_t count[CHANNELS][PITCHES];
  int ports;
  snd_seq_addr_t port[MOST_PORTS];
};

/* A port that was asked for, and where it was found. */
struct wanted {
  bool input, connected;
  snd_seq_addr_t address;
  char client[NAME], port[NAME];
};

struct alsa_out {
  snd_seq_t *seq;
  int client, out, in, monitor, queue;
  struct guarded *guarded;
  int lifeline; /* to the guardian */
  alsa_out_time time;
  unsigned tempo;     /* microseconds a quarter note */
  uint8_t generation; /* tags events; silence begins another, so that it can tell old news */
  struct wanted wanted[MOST_PORTS];
  int wanted_count;
  alsa_out_stats stats;
  char error[256];
};

const char *alsa_out_message(const alsa_out *out) {
  return out ? out->error : "there is no memory";
}

static int say(alsa_out *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(out->error, sizeof out->error, format, arguments);
  va_end(arguments);
  return -1;
}

/* Hands an event to the buffer, which leaves for the kernel when it is full. */
static int put(snd_seq_t *seq, snd_seq_event_t *event) {
  int error = snd_seq_event_output(seq, event);
  /* A kernel that cannot take all of the buffer may have taken some. */
  return error == -EAGAIN ? snd_seq_event_output_buffer(seq, event) : error;
}

/* ---- Ending notes ---- */

static void send_now(snd_seq_t *seq, int port, const snd_seq_addr_t *to, snd_seq_event_t *event) {
  snd_seq_ev_set_source(event, port);
  if (to)
    snd_seq_ev_set_dest(event, to->client, to->port);
  else
    snd_seq_ev_set_subs(event);
  snd_seq_ev_set_direct(event);
  put(seq, event);
}

/* Sends the note-offs of a table. Nothing else: on these channels others may play too. */
static void end_notes(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
                      uint8_t count[CHANNELS][PITCHES]) {
  for (int channel = 0; channel < CHANNELS; channel++)
    for (int pitch = 0; pitch < PITCHES; pitch++)
      for (int i = 0; i < count[channel][pitch]; i++) {
        snd_seq_event_t event = {0};
        snd_seq_ev_set_noteoff(&event, channel, pitch, 64);
        send_now(seq, port, to, &event);
      }
}

/* At the end of a program, to be certain: sustain off and all notes off. */
static void end_channels(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
                         const bool used[CHANNELS]) {
  for (int channel = 0; channel < CHANNELS; channel++) {
    if (!used[channel]) continue;
    snd_seq_event_t event = {0};
    snd_seq_ev_set_controller(&event, channel, MIDI_CTL_SUSTAIN, 0);
    send_now(seq, port, to, &event);
    snd_seq_ev_set_controller(&event, channel, MIDI_CTL_ALL_NOTES_OFF, 0);
    send_now(seq, port, to, &event);
  }
}

/* Sends the note-offs to one port, which may be no longer connected; at the end of the program also
 * what ends its channels. A raw MIDI port is open only while it is connected. */
static void end_notes_at(snd_seq_t *seq, int port, snd_seq_addr_t to, struct guarded *guarded,
                         bool end) {
  int connected = snd_seq_connect_to(seq, port, to.client, to.port);
  end_notes(seq, port, &to, guarded->count);
  if (end) end_channels(seq, port, &to, guarded->used);
  snd_seq_drain_output(seq);
  if (connected == 0) snd_seq_disconnect_to(seq, port, to.client, to.port);
}

/* ---- The guardian ---- */

/* Whether the client that is guarded is still there: its number may already be another's. */
static bool is_there(snd_seq_t *seq, const struct guarded *guarded) {
  snd_seq_client_info_t *info;
  snd_seq_client_info_alloca(&info);
  return snd_seq_get_any_client_info(seq, guarded->client, info) == 0 &&
         snd_seq_client_info_get_pid(info) == guarded->pid;
}

/* Where the arguments of the program lie, and where the kernel reads them from for ps and pkill. */
static char *arguments;
static size_t arguments_size;

#ifdef __GLIBC__ /* which passes them */
__attribute__((constructor)) static void find_arguments(int argc, char **argv) {
  if (argc > 0) arguments = argv[0];
  for (int i = 0; i < argc && argv[i] == arguments + arguments_size; i++)
    arguments_size += strlen(argv[i]) + 1;
}
#endif

static void rename_process(const char *name) {
  prctl(PR_SET_NAME, name);
  if (!arguments_size) return;
  memset(arguments, 0, arguments_size);
  memcpy(arguments, name, strnlen(name, arguments_size - 1));
}

/* Waits until the other end of the lifeline is closed, and ends what sounds unless all is well. It
 * has a name, a session and a parent of its own: who ends the program by its name, with its group or
 * with its children does not end it. */
static void guard(int lifeline, struct guarded *guarded) {
  sigset_t all;
  char byte = 0;
  ssize_t size;
  snd_seq_t *seq;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  setsid();
  rename_process("alsa-guardian");
  dup2(lifeline, 0);
  closefrom(1); /* nobody is to wait for the end of our output */
  if (open("/dev/null", O_RDWR) == 1) dup(1);
  if (write(0, &byte, 1) < 0) _exit(1); /* it guards */
  while ((size = read(0, &byte, 1)) > 0 || (size < 0 && errno == EINTR)) continue;
  if (guarded->closed || snd_seq_open(&seq, "default", SND_SEQ_OPEN_DUPLEX, 0) < 0) _exit(0);
  /* Until the kernel has removed the client its queue may still begin notes. */
  for (int i = 0; i < 1000 && is_there(seq, guarded); i++) usleep(1000);
  int port = snd_seq_create_simple_port(seq, "guardian", SND_SEQ_PORT_CAP_NO_EXPORT, 0);
  for (int i = 0; i < guarded->ports; i++)
    end_notes_at(seq, port, guarded->port[i], guarded, true);
  snd_seq_close(seq);
  _exit(0);
}

/* Waits for a byte from the guardian, or for its end. */
static bool hear_guardian(const alsa_out *out) {
  char byte;
  ssize_t size;
  while ((size = read(out->lifeline, &byte, 1)) < 0 && errno == EINTR) continue;
  return size == 1;
}

static int start_guardian(alsa_out *out) {
  int ends[2];
  out->guarded = mmap(NULL, sizeof *out->guarded, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (out->guarded == MAP_FAILED) return out->guarded = NULL, say(out, "there is no memory");
  out->guarded->pid = getpid();
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return say(out, "cannot make a pair of sockets: %s", strerror(errno));
  out->lifeline = ends[1];
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    if (fork() == 0) guard(ends[0], out->guarded);
    _exit(0);
  }
  close(ends[0]);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  if (child < 0 || !hear_guardian(out)) return say(out, "cannot start the guardian process");
  return 0;
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
    return say(out, "cannot open the ALSA sequencer: %s; is the module snd-seq loaded?",
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
  if (out->queue < 0) return say(out, "cannot have a queue: %s", snd_strerror(out->queue));
  out->out = make_port(out, "out", SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ);
  out->in = make_port(out, "in", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE);
  out->monitor = make_port(out, "monitor", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_NO_EXPORT);
  if (out->out < 0 || out->in < 0 || out->monitor < 0 ||
      snd_seq_connect_to(out->seq, out->out, out->client, out->monitor) < 0 ||
      snd_seq_connect_from(out->seq, out->monitor, SND_SEQ_CLIENT_SYSTEM,
                           SND_SEQ_PORT_SYSTEM_ANNOUNCE) < 0)
    return say(out, "cannot make the ports");
  return alsa_out_set_tempo(out, 120);
}

int alsa_out_open(const char *name, alsa_out **result) {
  alsa_out *out = *result = calloc(1, sizeof *out);
  if (!out) return -1;
  out->lifeline = -1;
  return start_guardian(out) || open_client(out, name) ? -1 : 0;
}

void alsa_out_close(alsa_out *out) {
  if (!out) return;
  if (out->seq) {
    alsa_out_silence(out);
    end_channels(out->seq, out->out, NULL, out->guarded->used);
    drain(out);
    snd_seq_close(out->seq);
  }
  if (out->guarded) out->guarded->closed = true;
  if (out->lifeline >= 0) {
    shutdown(out->lifeline, SHUT_WR);
    hear_guardian(out); /* until it has ended */
    close(out->lifeline);
  }
  if (out->guarded) munmap(out->guarded, sizeof *out->guarded);
  free(out);
}

/* ---- Ports ---- */

typedef bool each_port(alsa_out *out, const snd_seq_client_info_t *client,
                       const snd_seq_port_info_t *port, void *user);

/* Calls `each` for all ports of others that can be played to, or listened to, until it is true. */
static bool find_port(alsa_out *out, bool input, each_port *each, void *user) {
  unsigned needed = input ? SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ
                          : SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE;
  snd_seq_client_info_t *client;
  snd_seq_port_info_t *port;
  snd_seq_client_info_alloca(&client);
  snd_seq_port_info_alloca(&port);
  snd_seq_client_info_set_client(client, -1);
  while (snd_seq_query_next_client(out->seq, client) >= 0) {
    int number = snd_seq_client_info_get_client(client);
    if (number == SND_SEQ_CLIENT_SYSTEM || number == out->client) continue;
    snd_seq_port_info_set_client(port, number);
    snd_seq_port_info_set_port(port, -1);
    while (snd_seq_query_next_port(out->seq, port) >= 0) {
      unsigned has = snd_seq_port_info_get_capability(port);
      if ((has & needed) == needed && !(has & SND_SEQ_PORT_CAP_NO_EXPORT) &&
          each(out, client, port, user))
        return true;
    }
  }
  return false;
}

static bool print_port(alsa_out *out, const snd_seq_client_info_t *client,
                       const snd_seq_port_info_t *port, void *user) {
  (void)out;
  fprintf(user, "%3d:%-3d  %-28s  %s\n", snd_seq_port_info_get_client(port),
          snd_seq_port_info_get_port(port), snd_seq_client_info_get_name((void *)client),
          snd_seq_port_info_get_name(port));
  return false;
}

int alsa_out_list(alsa_out *out, bool inputs, FILE *file) {
  fprintf(file, " Port    Client name                   Port name\n");
  find_port(out, inputs, print_port, file);
  return 0;
}

/* Tells the guardian what `out` is connected with. */
static void note_connections(alsa_out *out) {
  snd_seq_query_subscribe_t *query;
  snd_seq_query_subscribe_alloca(&query);
  snd_seq_query_subscribe_set_client(query, out->client);
  snd_seq_query_subscribe_set_port(query, out->out);
  snd_seq_query_subscribe_set_type(query, SND_SEQ_QUERY_SUBS_READ);
  int count = 0;
  for (int i = 0; count < MOST_PORTS; i++) {
    snd_seq_query_subscribe_set_index(query, i);
    if (snd_seq_query_port_subscribers(out->seq, query) < 0) break;
    snd_seq_addr_t address = *snd_seq_query_subscribe_get_addr(query);
    if (address.client != out->client) out->guarded->port[count++] = address;
  }
  out->guarded->ports = count;
}

static int connect_port(alsa_out *out, snd_seq_addr_t address, bool input) {
  int error = input ? snd_seq_connect_from(out->seq, out->in, address.client, address.port)
                    : snd_seq_connect_to(out->seq, out->out, address.client, address.port);
  note_connections(out);
  return error == -EBUSY ? 0 : error; /* it was connected already */
}

static void name_port(alsa_out *out, snd_seq_addr_t address, struct wanted *wanted) {
  snd_seq_client_info_t *client;
  snd_seq_port_info_t *port;
  snd_seq_client_info_alloca(&client);
  snd_seq_port_info_alloca(&port);
  snd_seq_get_any_client_info(out->seq, address.client, client);
  snd_seq_get_any_port_info(out->seq, address.client, address.port, port);
  snprintf(wanted->client, NAME, "%s", snd_seq_client_info_get_name(client));
  snprintf(wanted->port, NAME, "%s", snd_seq_port_info_get_name(port));
}

struct search {
  const struct wanted *wanted;
  snd_seq_addr_t found;
  int count;
};

/* The length of a name without the process or client number that many programs add: "FLUID Synth
 * (12)". */
static size_t length_of(const char *name) {
  const char *bracket = strstr(name, " (");
  if (!bracket) return strlen(name);
  const char *end = bracket + 2 + strspn(bracket + 2, "0123456789:");
  return strcmp(end, ")") == 0 ? (size_t)(bracket - name) : strlen(name);
}

static bool is_same_name(const char *a, const char *b) {
  return length_of(a) == length_of(b) && strncmp(a, b, length_of(a)) == 0;
}

static bool match_port(alsa_out *out, const snd_seq_client_info_t *client,
                       const snd_seq_port_info_t *port, void *user) {
  (void)out;
  struct search *search = user;
  if (is_same_name(snd_seq_client_info_get_name((void *)client), search->wanted->client) &&
      is_same_name(snd_seq_port_info_get_name(port), search->wanted->port)) {
    search->found = *snd_seq_port_info_get_addr(port);
    search->count++;
  }
  return false;
}

/* Finds a port by the names "client:port", or by "client:number" or "client" as ALSA reads them. */
static int find_address(alsa_out *out, const char *text, bool input, snd_seq_addr_t *address) {
  struct wanted names = {0};
  struct search search = {.wanted = &names};
  const char *colon = strrchr(text, ':');
  if (colon) {
    snprintf(names.client, NAME, "%.*s", (int)(colon - text), text);
    snprintf(names.port, NAME, "%s", colon + 1);
    find_port(out, input, match_port, &search);
    if (search.count > 1)
      return say(out, "%d ports are named \"%s\"; say which by number", search.count, text);
    if (search.count == 1) return *address = search.found, 0;
  }
  bool number = !colon || (colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1));
  if (!number || snd_seq_parse_address(out->seq, address, text) < 0)
    return say(out, "there is no port \"%s\"; -l lists those there are", text);
  return 0;
}

static int connect_name(alsa_out *out, const char *name, bool input) {
  snd_seq_addr_t address;
  if (find_address(out, name, input, &address)) return -1;
  if (out->wanted_count == MOST_PORTS) return say(out, "there are more than %d ports", MOST_PORTS);
  int error = connect_port(out, address, input);
  if (error < 0) return say(out, "cannot connect with \"%s\": %s", name, snd_strerror(error));
  struct wanted *wanted = &out->wanted[out->wanted_count++];
  *wanted = (struct wanted){.input = input, .connected = true, .address = address};
  name_port(out, address, wanted);
  return 0;
}

int alsa_out_connect(alsa_out *out, const char *ports, bool input) {
  char list[1024], *rest = list;
  if (strlen(ports) >= sizeof list) return say(out, "the list of ports is too long");
  strcpy(list, ports);
  for (char *name; (name = strsep(&rest, ","));)
    if (connect_name(out, name, input)) return -1;
  return 0;
}

int alsa_out_ports(const alsa_out *out) { return out->guarded->ports; }

/* A port came or changed its name: connects it if it is one that went away. */
static bool reconnect(alsa_out *out) {
  bool news = false;
  for (int i = 0; i < out->wanted_count; i++) {
    struct wanted *wanted = &out->wanted[i];
    struct search search = {.wanted = wanted};
    if (wanted->connected) continue;
    find_port(out, wanted->input, match_port, &search);
    if (search.count == 0) continue;
    news = true;
    if (search.count > 1) {
      say(out, "%d ports are named %s:%s; none is connected", search.count, wanted->client,
          wanted->port);
    } else if (connect_port(out, search.found, wanted->input) == 0) {
      wanted->connected = true;
      wanted->address = search.found;
      say(out, "%s:%s is back", wanted->client, wanted->port);
    }
  }
  return news;
}

static bool is_connected(alsa_out *out, const struct wanted *wanted) {
  snd_seq_port_subscribe_t *subscription;
  snd_seq_port_subscribe_alloca(&subscription);
  snd_seq_addr_t own = {.client = out->client, .port = wanted->input ? out->in : out->out};
  snd_seq_port_subscribe_set_sender(subscription, wanted->input ? &wanted->address : &own);
  snd_seq_port_subscribe_set_dest(subscription, wanted->input ? &own : &wanted->address);
  return snd_seq_get_port_subscription(out->seq, subscription) == 0;
}

/* Whether something that was asked for is no longer there. */
static bool look_for_lost(alsa_out *out) {
  bool news = false;
  note_connections(out);
  for (int i = 0; i < out->wanted_count; i++) {
    struct wanted *wanted = &out->wanted[i];
    if (!wanted->connected || is_connected(out, wanted)) continue;
    wanted->connected = false;
    news = true;
    say(out, "%s:%s is gone; it will be connected when it is back", wanted->client, wanted->port);
  }
  return news;
}

static bool is_at(snd_seq_addr_t address, int client, int port) {
  return address.client == client && address.port == port;
}

/* Somebody has disconnected a port that is still there: it gets no note-offs any more, and is not
 * to be connected again. */
static void let_go(alsa_out *out, const snd_seq_connect_t *connection) {
  bool input = is_at(connection->dest, out->client, out->in);
  if (!input && !is_at(connection->sender, out->client, out->out)) return;
  snd_seq_addr_t other = input ? connection->sender : connection->dest;
  if (!input) end_notes_at(out->seq, out->monitor, other, out->guarded, false);
  int kept = 0;
  for (int i = 0; i < out->wanted_count; i++) {
    const struct wanted *wanted = &out->wanted[i];
    if (wanted->input != input || !is_at(wanted->address, other.client, other.port) ||
        is_connected(out, wanted))
      out->wanted[kept++] = *wanted;
  }
  out->wanted_count = kept;
}

static bool hear_announcement(alsa_out *out, const snd_seq_event_t *event) {
  bool lost;
  switch (event->type) {
  case SND_SEQ_EVENT_PORT_START:
  case SND_SEQ_EVENT_PORT_CHANGE:
  case SND_SEQ_EVENT_CLIENT_CHANGE: return event->data.addr.client != out->client && reconnect(out);
  case SND_SEQ_EVENT_PORT_EXIT:
  case SND_SEQ_EVENT_CLIENT_EXIT:
    lost = look_for_lost(out);
    return reconnect(out) || lost; /* of two that had its name one may be left */
  case SND_SEQ_EVENT_PORT_UNSUBSCRIBED: let_go(out, &event->data.connect); /* fall through */
  case SND_SEQ_EVENT_PORT_SUBSCRIBED: note_connections(out); return false;
  default: return false;
  }
}

struct choice {
  snd_seq_addr_t before, found;
  bool passed, any;
};

/* Takes the first port, or the first after the one before. */
static bool choose_next(alsa_out *out, const snd_seq_client_info_t *client,
                        const snd_seq_port_info_t *port, void *user) {
  (void)out, (void)client;
  struct choice *choice = user;
  snd_seq_addr_t address = *snd_seq_port_info_get_addr(port);
  if (!choice->any) choice->found = address;
  choice->any = true;
  if (choice->passed) return choice->found = address, true;
  choice->passed = address.client == choice->before.client && address.port == choice->before.port;
  return false;
}

int alsa_out_next_port(alsa_out *out) {
  struct choice choice = {.passed = out->guarded->ports == 0};
  if (!choice.passed) choice.before = out->guarded->port[0];
  find_port(out, false, choose_next, &choice);
  if (!choice.any) return say(out, "there is no port to play to");
  int kept = 0;
  for (int i = 0; i < out->wanted_count; i++)
    if (out->wanted[i].input) out->wanted[kept++] = out->wanted[i];
  out->wanted_count = kept;
  int ports = out->guarded->ports;
  snd_seq_addr_t old[MOST_PORTS];
  memcpy(old, out->guarded->port, sizeof old);
  for (int i = 0; i < ports; i++)
    snd_seq_disconnect_to(out->seq, out->out, old[i].client, old[i].port);
  char name[32];
  snprintf(name, sizeof name, "%d:%d", choice.found.client, choice.found.port);
  if (connect_name(out, name, false)) return -1;
  say(out, "playing to %s:%s", out->wanted[kept].client, out->wanted[kept].port);
  return 0;
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
  end_notes(out->seq, out->out, NULL, out->guarded->count);
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
  if (error < 0) return say(out, "cannot set the tempo %g: %s", tempo, snd_strerror(error));
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
  event->tag = out->generation;
  if (tick < 0)
    snd_seq_ev_set_direct(event);
  else
    snd_seq_ev_schedule_tick(event, out->queue, 0, (snd_seq_tick_time_t)tick);
  out->stats.lost += put(out->seq, event) < 0;
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
  out->stats.lost += put(out->seq, &event) < 0;
}

void alsa_out_flush(alsa_out *out) { drain(out); }

void alsa_out_silence(alsa_out *out) {
  snd_seq_remove_events_t *queued;
  snd_seq_remove_events_alloca(&queued);
  snd_seq_drop_output_buffer(out->seq);
  snd_seq_remove_events_set_condition(queued, SND_SEQ_REMOVE_OUTPUT);
  snd_seq_remove_events(out->seq, queued);
  out->generation++;
  end_notes(out->seq, out->out, NULL, out->guarded->count);
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
      *news |= hear_announcement(out, event);
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
