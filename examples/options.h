/* options.h - what the live programs read from their command lines. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <libretto.h>
#include <stdbool.h>

/* Ends the program with the status of a wrong command line, after one sentence. */
void usage_error(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Ends the program with status 1, after one sentence. Nothing may be sounding yet. */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The number an option was given, or a usage error if it is none or out of its range. */
double number_of(const char *option, const char *text, double least, double most);
long whole_of(const char *option, const char *text, long least, long most);

/* A time signature such as 3/4. */
void time_signature_of(const char *option, const char *text, int *numerator, int *denominator);

/* MIDI clock: "in" or "out". */
void clock_of(const char *text, bool *in, bool *out);

/* The programs of parts, each 0 to 127 or "drums", with commas between them; gives their number. */
size_t parts_of(const char *option, const char *text, int32_t programs[RETTO_MAX_PARTS]);

/* Keys by number: 0 is any pitch, then 12 major and 12 minor keys from C upwards. */
enum { KEYS = 25 };
const char *key_name(int key);
int key_of(const char *option, const char *text);

#endif
