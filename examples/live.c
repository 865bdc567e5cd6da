#define _GNU_SOURCE
#include "live.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static bool status_shown;

static void print_error(const char *format, va_list arguments) {
  fprintf(stderr, "%s: ", program_invocation_short_name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

void usage_error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_error(format, arguments);
  exit(64);
}

void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_error(format, arguments);
  exit(1);
}

double number_of(const char *option, const char *text, double least, double most) {
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end || !(number >= least && number <= most))
    usage_error("%s is \"%s\"; it must be a number from %g to %g", option, text, least, most);
  return number;
}

long whole_of(const char *option, const char *text, long least, long most) {
  char *end;
  errno = 0;
  long number = strtol(text, &end, 10);
  if (end == text || *end || errno || number < least || number > most)
    usage_error("%s is \"%s\"; it must be a whole number from %ld to %ld", option, text, least,
                most);
  return number;
}

void time_signature_of(const char *option, const char *text, int *numerator, int *denominator) {
  char rest;
  if (sscanf(text, "%d/%d%c", numerator, denominator, &rest) != 2 || *numerator < 1 ||
      *numerator > 99 || *denominator < 1 || *denominator > 64)
    usage_error("%s is \"%s\"; write it such as 3/4", option, text);
}

size_t parts_of(const char *option, const char *text, int32_t programs[RETTO_MAX_PARTS]) {
  for (size_t count = 0; count < RETTO_MAX_PARTS; text++) {
    char *end;
    long program = strtol(text, &end, 10);
    if (strncmp(text, "drums", 5) == 0) {
      program = RETTO_DRUMS;
      end = (char *)text + 5;
    } else if (end == text || program < 0 || program > 127) {
      break;
    }
    programs[count++] = (int32_t)program;
    text = end;
    if (*text == 0) return count;
    if (*text != ',') break;
  }
  usage_error("%s names at most %d programs, each 0 to 127 or drums, such as 73,32,drums", option,
              RETTO_MAX_PARTS);
}

const char *key_name(int key) {
  static const char *const names[KEYS] = {
      "any",      "C",       "Db",       "D",       "Eb",       "E",       "F",
      "F#",       "G",       "Ab",       "A",       "Bb",       "B",       "C minor",
      "C# minor", "D minor", "Eb minor", "E minor", "F minor",  "F# minor", "G minor",
      "G# minor", "A minor", "Bb minor", "B minor"};
  return names[key];
}

uint32_t key_scale(int key) {
  uint32_t scale = 0xFFF;
  if (key > 0 && retto_scale_from_key(key_name(key), &scale)) return 0xFFF;
  return scale;
}

int key_of(const char *option, const char *text) {
  uint32_t scale;
  if (!retto_scale_from_key(text, &scale))
    for (int key = 1; key < KEYS; key++)
      if (key_scale(key) == scale) return key;
  usage_error("%s is \"%s\"; write it such as G, \"F# minor\" or Bb", option, text);
}

/* A file, or the name of a model where no file has that name. */
static retto_status load_model(const char *path, retto_model **model) {
  bool is_name = !strchr(path, '/') && access(path, F_OK) != 0;
  return is_name ? retto_model_load_named(path, model) : retto_model_load(path, model);
}

retto_session *open_session(const char *path, uint64_t seed, retto_model **kept,
                            int *ticks_per_quarter, bool *has_bars) {
  retto_model *model;
  retto_session *session;
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  if (load_model(path, &model) || retto_model_get_info(model, &info))
    give_up("%s", retto_last_error());
  if (info.kind != RETTO_KIND_MUSIC)
    give_up("%s is a model of %s, which cannot be played; expected one of music", path,
            info.encoding);
  options.seed = seed;
  if (retto_session_create(model, &options, &session)) give_up("%s", retto_last_error());
  *ticks_per_quarter = info.ticks_per_quarter;
  *has_bars = strcmp(info.encoding, "performance") != 0;
  if (kept)
    *kept = model;
  else
    retto_model_free(model);
  return session;
}

retto_status set_memory(retto_session *session, double strength) {
  retto_status status = retto_session_set_memory(session, (float)strength);
  return status == RETTO_ERROR_UNSUPPORTED ? RETTO_OK : status;
}

void connect_ports(alsa_out *out, const char *ports, const char *inputs, bool listens) {
  if (!ports) ports = getenv("ALSA_OUTPUT_PORTS");
  if (ports && *ports && alsa_out_connect(out, ports, false)) give_up("%s", alsa_out_message(out));
  if (inputs && alsa_out_connect(out, inputs, true)) give_up("%s", alsa_out_message(out));
  if (!alsa_out_ports(out))
    show_line("no port to play to yet: give -p PORT (-l lists them), or use aconnect");
  if (listens && !inputs)
    show_line("no port to listen to yet: give -i PORT (aconnect -i lists them), or use aconnect");
}

/* ---- The terminal ---- */

int open_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGQUIT);
  sigaddset(&signals, SIGTSTP);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
  /* In the background the terminal is another's; that is no reason to stop. */
  signal(SIGTTIN, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) give_up("cannot wait for signals: %s", strerror(errno));
  return descriptor;
}

int read_signal(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static struct termios terminal;
static bool keyboard_open, keyboard_ended;

static bool in_background(int descriptor) {
  pid_t group = tcgetpgrp(descriptor);
  return group >= 0 && group != getpgrp();
}

void suspend_program(alsa_out *out, bool paused) {
  if (!paused) alsa_out_pause(out);
  close_keyboard();
  raise(SIGSTOP);
  if (!paused) alsa_out_run(out);
}

/* Keys come at once and unseen while the keyboard is open. */
static void open_keyboard(void) {
  if (keyboard_open || tcgetattr(STDIN_FILENO, &terminal) < 0) return;
  struct termios raw = terminal;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  keyboard_open = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void close_keyboard(void) {
  if (keyboard_open) tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
  keyboard_open = false;
  if (status_shown) fputc('\n', stderr);
  status_shown = false;
}

unsigned wait_for_input(int port, int signals) {
  bool away = in_background(STDIN_FILENO);
  struct pollfd polled[3] = {{.fd = port, .events = POLLIN},
                             {.fd = signals, .events = POLLIN},
                             {.fd = away || keyboard_ended ? -1 : STDIN_FILENO, .events = POLLIN}};
  if (!away && !keyboard_ended) open_keyboard();
  /* Nothing says that the program is in the foreground again. */
  if (poll(polled, 3, away ? 200 : -1) <= 0) return 0;
  return (polled[0].revents ? FROM_PORT : 0) | (polled[1].revents ? FROM_SIGNALS : 0) |
         (polled[2].revents ? FROM_KEYBOARD : 0);
}

int read_key(void) {
  unsigned char key;
  ssize_t count = read(STDIN_FILENO, &key, 1);
  if (count == 1) return key;
  bool later = count < 0 && (errno == EAGAIN || errno == EINTR || in_background(STDIN_FILENO));
  keyboard_ended = !later;
  return 0;
}

void show_status(const char *format, ...) {
  static char shown[256];
  char line[256];
  va_list arguments;
  if (!isatty(STDERR_FILENO) || in_background(STDERR_FILENO)) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (status_shown && strcmp(line, shown) == 0) return;
  strcpy(shown, line);
  fprintf(stderr, "%s%s", status_shown ? "\r\033[K" : "", line);
  status_shown = true;
}

void show_line(const char *format, ...) {
  va_list arguments;
  if (status_shown) fputs("\r\033[K", stderr);
  status_shown = false;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

/* ---- How it went ---- */

static double ms(const histogram *h, double share) { return histogram_quantile(h, share) / 1e6; }

void report(const alsa_out_stats *s, const histogram *times, bool json) {
  if (json) {
    printf("{\"events\": %llu, \"late\": %llu, \"late_note_ons\": %llu, \"lost\": %llu, "
           "\"worst_lateness_ms\": %.3f, "
           "\"delivery_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f}, "
           "\"generation_ms\": {\"events\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"p99.9\": %.4f, "
           "\"worst\": %.4f}}\n",
           (unsigned long long)s->events, (unsigned long long)s->late,
           (unsigned long long)s->late_note_ons, (unsigned long long)s->lost,
           s->delivery.worst / 1e6, ms(&s->delivery, 0.5), ms(&s->delivery, 0.9),
           ms(&s->delivery, 0.99), ms(&s->delivery, 0.999), (unsigned long long)times->count,
           ms(times, 0.5), ms(times, 0.99), ms(times, 0.999), times->worst / 1e6);
    fflush(stdout);
  } else {
    show_line("%llu events, %llu late; delivered within %.1f ms (99 %%), %.1f ms at worst",
              (unsigned long long)s->events, (unsigned long long)s->late, ms(&s->delivery, 0.99),
              s->delivery.worst / 1e6);
  }
}
