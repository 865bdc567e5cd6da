/* Finds ports by their names, connects them, and connects those again that come back. */
#define _GNU_SOURCE
#include "alsa_out_parts.h"
#include <errno.h>
#include <stdlib.h>

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
  snd_seq_addr_t found; /* the last of the ports; the first of a client */
  int count;            /* of ports, or of clients */
  bool begins;          /* it is enough that a client's name begins so */
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

static bool match_client(alsa_out *out, const snd_seq_client_info_t *client,
                         const snd_seq_port_info_t *port, void *user) {
  (void)out;
  struct search *search = user;
  const char *name = snd_seq_client_info_get_name((void *)client), *wanted = search->wanted->client;
  snd_seq_addr_t address = *snd_seq_port_info_get_addr(port);
  bool matches = search->begins ? strncmp(name, wanted, strlen(wanted)) == 0 : is_same_name(name, wanted);
  if (!matches || (search->count && search->found.client == address.client)) return false;
  search->found = address;
  search->count++;
  return false;
}

static bool is_number(const char *text) {
  return *text && strspn(text, "0123456789") == strlen(text);
}

/* Finds a port by the names "client:port", by "client:number", or the first of a client; numbers may stand for names.
 * A client is also found by how its name begins. Where two have the name, neither is meant. */
static int find_address(alsa_out *out, const char *text, bool input, snd_seq_addr_t *address) {
  struct wanted names = {0};
  struct search search = {.wanted = &names};
  const char *colon = strrchr(text, ':');
  snprintf(names.client, NAME, "%.*s", colon ? (int)(colon - text) : NAME - 1, text);
  if (colon) {
    snprintf(names.port, NAME, "%s", colon + 1);
    find_port(out, input, match_port, &search);
  }
  bool by_client = search.count == 0 && *names.client && !is_number(names.client) && (!colon || is_number(names.port));
  if (by_client) find_port(out, input, match_client, &search);
  search.begins = search.count == 0;
  if (search.begins && by_client) find_port(out, input, match_client, &search);
  if (search.count > 1)
    return alsa_out_say(out, "%d %s are named \"%s\"; say which by number", search.count,
                        by_client ? "clients" : "ports", text);
  *address = search.found;
  if (search.count == 1 && by_client && colon) address->port = (unsigned char)atoi(names.port);
  if (search.count == 1) return 0;
  if ((colon && !is_number(names.port)) || snd_seq_parse_address(out->seq, address, text) < 0)
    return alsa_out_say(out, "there is no port \"%s\"; -l lists those there are", text);
  return 0;
}

static int connect_name(alsa_out *out, const char *name, bool input) {
  snd_seq_addr_t address;
  if (find_address(out, name, input, &address)) return -1;
  if (out->wanted_count == MOST_PORTS) return alsa_out_say(out, "there are more than %d ports", MOST_PORTS);
  int error = connect_port(out, address, input);
  if (error < 0) return alsa_out_say(out, "cannot connect with \"%s\": %s", name, snd_strerror(error));
  struct wanted *wanted = &out->wanted[out->wanted_count++];
  *wanted = (struct wanted){.input = input, .connected = true, .address = address};
  name_port(out, address, wanted);
  return 0;
}

int alsa_out_connect(alsa_out *out, const char *ports, bool input) {
  char list[1024], *rest = list;
  if (strlen(ports) >= sizeof list) return alsa_out_say(out, "the list of ports is too long");
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
      alsa_out_say(out, "%d ports are named %s:%s; none is connected", search.count, wanted->client,
          wanted->port);
    } else if (connect_port(out, search.found, wanted->input) == 0) {
      wanted->connected = true;
      wanted->address = search.found;
      alsa_out_say(out, "%s:%s is back", wanted->client, wanted->port);
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
    alsa_out_say(out, "%s:%s is gone; it will be connected when it is back", wanted->client, wanted->port);
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
  if (!input) alsa_out_end_notes_at(out->seq, out->monitor, other, out->guarded, false);
  int kept = 0;
  for (int i = 0; i < out->wanted_count; i++) {
    const struct wanted *wanted = &out->wanted[i];
    if (wanted->input != input || !is_at(wanted->address, other.client, other.port) ||
        is_connected(out, wanted))
      out->wanted[kept++] = *wanted;
  }
  out->wanted_count = kept;
}

bool alsa_out_hear_announcement(alsa_out *out, const snd_seq_event_t *event) {
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
  if (!choice.any) return alsa_out_say(out, "there is no port to play to");
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
  alsa_out_say(out, "playing to %s:%s", out->wanted[kept].client, out->wanted[kept].port);
  return 0;
}
