#include "plugin.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const model_names[] = {"tunes", "folk", "chorale", "pop", "drums"};

instance_parameter parameter_describe(int parameter) {
  if (parameter != PARAMETER_MODEL) return instance_describe(parameter);
  return (instance_parameter){.symbol = "model",
                              .label = "Model",
                              .kind = INSTANCE_CHOICE,
                              .most = MODELS - 1,
                              .initial = 1,
                              .is_whole = true,
                              .choices = model_names};
}

/* FNV-1a of its symbol: others may be added anywhere. */
clap_id parameter_id(int parameter) {
  uint32_t hash = 0x811C9DC5;
  for (const char *c = parameter_describe(parameter).symbol; *c; c++) hash = (hash ^ (unsigned char)*c) * 0x01000193;
  return hash;
}

int parameter_find(clap_id id) {
  for (int i = 0; i < PARAMETERS; i++)
    if (parameter_id(i) == id) return i;
  return -1;
}

double parameter_nearest(int parameter, double value) {
  instance_parameter about = parameter_describe(parameter);
  if (isnan(value)) return about.initial;
  value = fmax(about.least, fmin(about.most, value));
  return about.is_whole ? trunc(value) : value; /* as CLAP has it for stepped ones */
}

static uint32_t count(const clap_plugin_t *clap) {
  (void)clap;
  return PARAMETERS;
}

static bool get_info(const clap_plugin_t *clap, uint32_t index, clap_param_info_t *info) {
  (void)clap;
  if (index >= PARAMETERS) return false;
  instance_parameter about = parameter_describe((int)index);
  *info = (clap_param_info_t){.id = parameter_id((int)index),
                              .min_value = about.least,
                              .max_value = about.most,
                              .default_value = about.initial};
  if (about.is_whole) info->flags |= CLAP_PARAM_IS_STEPPED;
  if (about.kind == INSTANCE_CHOICE) info->flags |= CLAP_PARAM_IS_ENUM;
  /* A model takes a moment to be loaded: too long for automation. */
  if (index != PARAMETER_MODEL) info->flags |= CLAP_PARAM_IS_AUTOMATABLE;
  snprintf(info->name, sizeof info->name, "%s", about.label);
  return true;
}

static bool get_value(const clap_plugin_t *clap, clap_id id, double *value) {
  int parameter = parameter_find(id);
  if (parameter < 0) return false;
  *value = atomic_load(&plugin_of(clap)->value[parameter]);
  return true;
}

/* ---- Text: with a point, whatever the locale ---- */

static const char *const switches[] = {"Off", "On"};
static const char *const triggers[] = {"-", "End notes"};

static const char *const *names_of(const instance_parameter *about) {
  if (about->kind == INSTANCE_CHOICE) return about->choices;
  if (about->kind == INSTANCE_SWITCH) return switches;
  return about->kind == INSTANCE_TRIGGER ? triggers : NULL;
}

/* What 0 stands for where it is no number. */
static const char *name_of_zero(int parameter) {
  switch (parameter) {
  case LIVE_BARS: return "No end";
  case LIVE_NUMERATOR:
  case LIVE_CHANNEL: return "Auto";
  default: return NULL;
  }
}

static bool is_pitch(int parameter) { return parameter == LIVE_LOWEST || parameter == LIVE_HIGHEST; }

static const char *unit_of(int parameter) {
  if (parameter == LIVE_ANSWER_AFTER) return " ms";
  return parameter == INSTANCE_TEMPO ? " bpm" : "";
}

static bool value_to_text(const clap_plugin_t *clap, clap_id id, double value, char *text, uint32_t capacity) {
  static const char *const pitches[] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  (void)clap;
  int parameter = parameter_find(id);
  if (parameter < 0 || !text || capacity == 0) return false;
  instance_parameter about = parameter_describe(parameter);
  value = parameter_nearest(parameter, value);
  const char *const *names = names_of(&about);
  int whole = (int)value, hundredths = (int)lrint(fabs(value) * 100);
  if (names)
    snprintf(text, capacity, "%s", names[whole]);
  else if (whole == 0 && name_of_zero(parameter))
    snprintf(text, capacity, "%s", name_of_zero(parameter));
  else if (is_pitch(parameter))
    snprintf(text, capacity, "%d (%s%d)", whole, pitches[whole % 12], whole / 12 - 1);
  else if (about.is_whole)
    snprintf(text, capacity, "%d%s", whole, unit_of(parameter));
  else
    snprintf(text, capacity, "%s%d.%02d%s", value < 0 && hundredths ? "-" : "", hundredths / 100, hundredths % 100,
             unit_of(parameter));
  return true;
}

static bool equals(const char *a, const char *b) {
  while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) a++, b++;
  return *a == *b;
}

/* A number at the beginning of a text. */
static bool read_number(const char *text, double *value) {
  double sign = 1, number = 0, place = 1;
  bool has_digit = false;
  while (isspace((unsigned char)*text)) text++;
  if (*text == '-' || *text == '+') sign = *text++ == '-' ? -1 : 1;
  for (; isdigit((unsigned char)*text); text++, has_digit = true) number = number * 10 + (*text - '0');
  if (*text == '.' || *text == ',')
    for (text++; isdigit((unsigned char)*text); text++, has_digit = true) number += (*text - '0') * (place /= 10);
  *value = sign * number;
  return has_digit;
}

static bool text_to_value(const clap_plugin_t *clap, clap_id id, const char *text, double *value) {
  (void)clap;
  int parameter = parameter_find(id);
  double number;
  if (parameter < 0 || !text || !value) return false;
  instance_parameter about = parameter_describe(parameter);
  const char *const *names = names_of(&about);
  for (int i = 0; names && i <= (int)about.most; i++)
    if (equals(text, names[i])) {
      *value = i;
      return true;
    }
  if (name_of_zero(parameter) && equals(text, name_of_zero(parameter))) {
    *value = 0;
    return true;
  }
  if (!read_number(text, &number)) return false;
  *value = parameter_nearest(parameter, number);
  return true;
}

const clap_plugin_params_t plugin_params = {count, get_info, get_value, value_to_text, text_to_value, plugin_flush};
