/* live.h - what the live programs share: options, models, signals, the keyboard, a status line. */
#ifndef LIVE_H
#define LIVE_H

#include "alsa_out.h"
#include <libretto.h>

/* Ends the program with the status of a wrong command line, after one sentence. */
void usage_error(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Ends the program with status 1, after one sentence. Nothing may be sounding yet. */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The number an option was given, or a usage error if it is none or out of its range. */
double number_of(const char *option, const char *text, double least, double most);
long whole_of(const char *option, const char *text, long least, long most);

/* A time signature such as 3/4. */
void time_signature_of(const char *option, const char *text, int *numerator, int *denominator);

/* The programs of parts, each 0 to 127 or "drums", with commas between them; gives their number. */
size_t parts_of(const char *option, const char *text, int32_t programs[RETTO_MAX_PARTS]);

/* Keys by number: 0 is any pitch, then 12 major and 12 minor keys from C upwards. */
enum { KEYS = 25 };
const char *key_name(int key);
uint32_t key_scale(int key);
int key_of(const char *option, const char *text);

/* A session over a model of music, from a file or by its name; gives up where it is no such model. `model` takes
 * the model itself, to be freed; or is NULL. */
retto_session *open_session(const char *path, uint64_t seed, retto_model **model,
                            int *ticks_per_quarter, bool *has_bars);

/* As retto_session_set_memory; changes nothing for a model that has no memory. */
retto_status set_memory(retto_session *session, double strength);

/* Connects a client with ports to play to, or with those of ALSA_OUTPUT_PORTS if `ports` is NULL,
 * and to listen to; gives up where one is not there, and says so where none is named to play to or, if
 * the program `listens`, to listen to. */
void connect_ports(alsa_out *out, const char *ports, const char *inputs, bool listens);

/* ---- The terminal ---- */

/* Blocks the signals that end or stop a program; they are read from the descriptor that is returned
 * instead. Call it before the program starts threads. */
int open_signals(void);
/* The signal that came; 0 for none. */
int read_signal(int descriptor);

/* Ctrl-Z: stops the program, with nothing sounding, until it is told to go on. `paused` says that
 * the queue does not run. */
void suspend_program(alsa_out *out, bool paused);

/* Waits for what comes from these descriptors or the keyboard, and says from which: the sum of
 * these. In the background nothing comes from the keyboard. */
enum { FROM_PORT = 1, FROM_SIGNALS = 2, FROM_KEYBOARD = 4 };
unsigned wait_for_input(int port, int signals);
/* The key that was pressed; 0 for none. They come at once and unseen from the first wait on. */
int read_key(void);
void close_keyboard(void);

/* A line that is written over and over; shown on a terminal alone, and not in the background. */
void show_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line that stays. */
void show_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- How it went ---- */

/* A sentence on stderr, or an object of JSON on stdout. `times` are those of drawing an event. */
void report(const alsa_out_stats *stats, const histogram *times, bool json);

#endif
