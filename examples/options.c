#define _GNU_SOURCE
#include "options.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
      *numerator > 99 || *denominator < 1 || *denominator > 64 || (*denominator & (*denominator - 1)))
    usage_error("%s is \"%s\"; write it such as 3/4", option, text);
}

void clock_of(const char *text, bool *in, bool *out) {
  *in = strcmp(text, "in") == 0;
  *out = strcmp(text, "out") == 0;
  if (!*in && !*out) usage_error("--clock is \"%s\"; it must be in or out", text);
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

static uint32_t key_scale(int key) {
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
