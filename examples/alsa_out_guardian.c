/* Ends what sounds: at once, and by a process that outlives this one. */
#define _GNU_SOURCE
#include "alsa_out_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Hands an event to the buffer, which leaves for the kernel when it is full. */
int alsa_out_put(snd_seq_t *seq, snd_seq_event_t *event) {
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
  alsa_out_put(seq, event);
}

/* Sends the note-offs of a table. Nothing else: on these channels others may play too. */
void alsa_out_end_notes(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
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
void alsa_out_end_channels(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
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
void alsa_out_end_notes_at(snd_seq_t *seq, int port, snd_seq_addr_t to, struct guarded *guarded,
                         bool end) {
  int connected = snd_seq_connect_to(seq, port, to.client, to.port);
  alsa_out_end_notes(seq, port, &to, guarded->count);
  if (end) alsa_out_end_channels(seq, port, &to, guarded->used);
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
    alsa_out_end_notes_at(seq, port, guarded->port[i], guarded, true);
  snd_seq_close(seq);
  _exit(0);
}

/* Waits for a byte from the guardian, or for its end. */
bool alsa_out_hear_guardian(const alsa_out *out) {
  char byte;
  ssize_t size;
  while ((size = read(out->lifeline, &byte, 1)) < 0 && errno == EINTR) continue;
  return size == 1;
}

int alsa_out_start_guardian(alsa_out *out) {
  int ends[2];
  out->guarded = mmap(NULL, sizeof *out->guarded, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (out->guarded == MAP_FAILED) return out->guarded = NULL, alsa_out_say(out, "there is no memory");
  out->guarded->pid = getpid();
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return alsa_out_say(out, "cannot make a pair of sockets: %s", strerror(errno));
  out->lifeline = ends[1];
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    if (fork() == 0) guard(ends[0], out->guarded);
    _exit(0);
  }
  close(ends[0]);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  if (child < 0 || !alsa_out_hear_guardian(out)) return alsa_out_say(out, "cannot start the guardian process");
  return 0;
}
