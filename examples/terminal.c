#define _GNU_SOURCE
#include "terminal.h"
#include "options.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static bool status_shown;

/* ---- Signals ---- */

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

/* ---- The keyboard ---- */

static struct termios terminal;
static bool keyboard_open, keyboard_ended;

static bool in_background(int descriptor) {
  pid_t group = tcgetpgrp(descriptor);
  return group >= 0 && group != getpgrp();
}

/* Keys come at once and unseen while the keyboard is open. */
static void open_keyboard(void) {
  if (keyboard_open || keyboard_ended || tcgetattr(STDIN_FILENO, &terminal) < 0) return;
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

unsigned wait_for_input(int port, int signals, bool at_once) {
  bool away = in_background(STDIN_FILENO);
  struct pollfd polled[3] = {{.fd = port, .events = POLLIN},
                             {.fd = signals, .events = POLLIN},
                             {.fd = away || keyboard_ended ? -1 : STDIN_FILENO, .events = POLLIN}};
  if (!away) open_keyboard();
  /* Nothing says that the program is in the foreground again. */
  if (poll(polled, 3, at_once ? 0 : away ? 200 : -1) <= 0) return 0;
  return (polled[0].revents ? FROM_PORT : 0) | (polled[1].revents ? FROM_SIGNALS : 0) |
         (polled[2].revents ? FROM_KEYBOARD : 0);
}

/* Arrows and the like send the bytes of a control sequence (ECMA-48, 5.4), which are no letters. */
static bool is_letter(unsigned char byte) {
  enum { ESCAPE = 0x1B, INTRODUCER = '[', SINGLE_SHIFT = 'O' };
  static unsigned char within; /* a sequence: its last byte, but for parameters */
  unsigned char before = within;
  within = 0;
  if (byte == ESCAPE) return within = ESCAPE, false;
  if (before == ESCAPE && (byte == INTRODUCER || byte == SINGLE_SHIFT)) return within = byte, false;
  /* The console's function keys have another [ first. */
  if (before == INTRODUCER && (byte < 0x40 || byte == INTRODUCER)) return within = INTRODUCER, false;
  return before != INTRODUCER && before != SINGLE_SHIFT;
}

int read_key(void) {
  unsigned char key;
  ssize_t count = read(STDIN_FILENO, &key, 1);
  if (count == 1) return is_letter(key) ? key : 0;
  bool later = count < 0 && (errno == EAGAIN || errno == EINTR || in_background(STDIN_FILENO));
  keyboard_ended = !later;
  return 0;
}

/* ---- Lines ---- */

static int width(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void show_status(const char *format, ...) {
  static char shown[256];
  char line[256];
  va_list arguments;
  if (!isatty(STDERR_FILENO) || in_background(STDERR_FILENO)) return;
  if (!in_background(STDIN_FILENO)) open_keyboard(); /* what is typed would be seen in the line */
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  /* What is as long as the terminal is wide may begin another line. */
  if (width() <= (int)sizeof line) line[width() - 1] = 0;
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
