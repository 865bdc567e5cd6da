/* controls.h - what can be changed while it plays, by keys and by MIDI controllers. */
#ifndef CONTROLS_H
#define CONTROLS_H

#include "performer.h"

/* Takes the text of --cc, such as "temperature=1,key=learn". */
void controls_assign(char *text);

/* What the options say of a control, whose name is the option's. */
void controls_give(performer *p, const char *name, const char *text);

/* Whether a key is one of theirs: t T, d D, b B, k K, r R, and l before one of these. */
bool controls_press(performer *p, int key);
void controls_hear(performer *p, const snd_seq_ev_ctrl_t *controller);

/* Writes what they are, for the status line. `tempo` is what the music has, quarter notes a minute. */
void controls_show(char *line, size_t size, double tempo);

#define CONTROLS_OPTIONS                                                                              \
  "      --tempo N           quarter notes a minute, 20 to 300 (default: 120)\n"                      \
  "      --temperature X     0 to 2; below 1 the likely becomes likelier (default: 0.8)\n"            \
  "      --density X         -4 to 4; above 0 more notes (default: 0)\n"                              \
  "      --memory X          0 to 4; above 1 it repeats more, below 1 less (default: 1)\n"            \
  "      --key KEY           notes of this key alone, such as G or \"F# minor\" (default: any)\n"     \
  "      --cc WHAT=N[,...]   change temperature, density, tempo, key or memory with controller N,\n"  \
  "                          0 to 127, of any channel; WHAT=learn takes the first one that moves\n"

#define CONTROLS_KEYS                                                                                 \
  "Keys: t T temperature, d D density, b B tempo, k K key, r R memory; small is down, capital\n"      \
  "      up. l and then one of these letters: the next controller that moves will change that.\n"

#define CONTROLS_CONTROLLERS                                                                          \
  "A controller's 128 values are spread over temperature 0 to 2, density -4 to 4, tempo 20 to 300,\n" \
  "memory 0 to 4, or the keys (any, 12 major, 12 minor). It has an effect once it was moved to where\n" \
  "the setting is.\n"

#endif
