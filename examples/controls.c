#define _GNU_SOURCE
#include "controls.h"
#include "options.h"
#include "terminal.h"
#include <math.h>
#include <string.h>

enum { TEMPERATURE, DENSITY, TEMPO, KEY, MEMORY, CONTROLS };
enum { NO_CONTROLLER = -1, LEARN = -2 };

static struct control {
  const char *name;
  char letter;
  int parameter; /* -1 for the tempo */
  double least, most, step, value;
  int controller;
  bool heard, holds; /* holds: the controller is where the value is */
  double last;       /* that the controller stood for */
} controls[CONTROLS] = {
    {"temperature", 't', LIVE_TEMPERATURE, 0, 2, 0.05, 0.8, NO_CONTROLLER, false, false, 0},
    {"density", 'd', LIVE_DENSITY, -4, 4, 0.5, 0, NO_CONTROLLER, false, false, 0},
    {"tempo", 'b', -1, 20, 300, 2, 120, NO_CONTROLLER, false, false, 0},
    {"key", 'k', LIVE_KEY, 0, KEYS - 1, 1, 0, NO_CONTROLLER, false, false, 0},
    {"memory", 'r', LIVE_MEMORY, 0, 4, 0.25, 1, NO_CONTROLLER, false, false, 0}};

static bool learns; /* l was pressed: the next letter says what */

/* ---- Options ---- */

void controls_assign(char *text) {
  for (char *item; (item = strsep(&text, ","));) {
    char *number = item;
    const char *name = strsep(&number, "=");
    int which = 0;
    while (which < CONTROLS && strcmp(name, controls[which].name)) which++;
    if (which == CONTROLS || !number)
      usage_error("--cc has \"%s\"; write it such as temperature=1,tempo=3 or key=learn", name);
    controls[which].controller = strcmp(number, "learn") ? (int)whole_of("--cc", number, 0, 127) : LEARN;
  }
}

void controls_give(performer *p, const char *name, const char *text) {
  char option[32];
  int which = 0;
  while (strcmp(name, controls[which].name)) which++;
  struct control *c = &controls[which];
  snprintf(option, sizeof option, "--%s", name);
  c->value = which == KEY ? key_of(option, text) : number_of(option, text, c->least, c->most);
  if (which == TEMPO)
    p->tempo = c->value;
  else
    performer_give(p, (live_parameter)c->parameter, c->value);
}

/* ---- Changing ---- */

static void set(performer *p, struct control *c, double value) {
  c->value = fmax(c->least, fmin(c->most, value));
  if (c->parameter >= 0)
    performer_set(p, (live_parameter)c->parameter, c->value);
  else if (!p->song.follows)
    performer_set_tempo(p, c->value);
}

bool controls_press(performer *p, int key) {
  for (int i = 0; i < CONTROLS; i++) {
    struct control *c = &controls[i];
    if ((key | 32) != c->letter) continue;
    c->holds = c->heard = false;
    if (learns)
      c->controller = LEARN;
    else
      set(p, c, c->value + (key & 32 ? -1 : 1) * c->step);
    learns = false;
    return true;
  }
  learns = key == 'l';
  return learns;
}

/* A controller takes hold when it comes to the value or passes it; before that it would make the value jump. */
static bool takes_hold(struct control *c, double value, double unit) {
  bool passes = c->heard && (c->last - c->value) * (value - c->value) <= 0;
  c->holds |= passes || fabs(value - c->value) <= 1.5 * unit;
  c->heard = true;
  c->last = value;
  return c->holds;
}

void controls_hear(performer *p, const snd_seq_ev_ctrl_t *controller) {
  for (int i = 0; i < CONTROLS; i++)
    if (controls[i].controller == LEARN) controls[i].controller = (int)controller->param;
  for (int i = 0; i < CONTROLS; i++) {
    struct control *c = &controls[i];
    if (c->controller != (int)controller->param) continue;
    double unit = (c->most - c->least) / 127, value = c->least + unit * controller->value;
    /* A key has 128 / 25 values of its own, a number one. */
    if (i == KEY) unit = 1, value = controller->value * KEYS / 128;
    if (takes_hold(c, value, unit)) set(p, c, value);
  }
}

/* ---- Showing ---- */

static const char *assigned(const struct control *c, char *text, size_t size) {
  const char *waits = !c->heard || c->holds ? "" : c->last < c->value ? ", turn up" : ", turn down";
  if (c->controller == NO_CONTROLLER) return "";
  if (c->controller == LEARN) return " (move one)";
  snprintf(text, size, " (cc %d%s)", c->controller, waits);
  return text;
}

void controls_show(char *line, size_t size, double tempo) {
  char text[CONTROLS][32];
  const char *is[CONTROLS];
  for (int i = 0; i < CONTROLS; i++) is[i] = assigned(&controls[i], text[i], sizeof text[i]);
  if (learns)
    snprintf(line, size, "learn: t, d, b, k or r, and then move a controller");
  else
    snprintf(line, size, "%.1f bpm%s  temperature %.2f%s  density %+.1f%s  key %s%s  memory %.2f%s", tempo, is[TEMPO],
             controls[TEMPERATURE].value, is[TEMPERATURE], controls[DENSITY].value, is[DENSITY],
             key_name((int)controls[KEY].value), is[KEY], controls[MEMORY].value, is[MEMORY]);
}
