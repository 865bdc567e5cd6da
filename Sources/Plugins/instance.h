/* instance.h - what a plugin of any format does with the live engine.
 *
 * An instance has a model, if one was loaded, and plays it block by block: MIDI messages go in and out at frames of the
 * block, the host's position comes at frames, parameters are set by number. A plugin of a format converts its events to
 * these calls and does nothing else.
 *
 *     worker    instance_voice *v = instance_load("folk", message, sizeof message);
 *     audio     old = instance_swap(i, v);
 *               instance_begin(i, frames, false, send, user);
 *               instance_set(i, LIVE_TEMPERATURE, 0.9);        // in any order of frames that does not go back
 *               instance_locate(i, frame, &position);
 *               instance_hear(i, frame, bytes, count);
 *               instance_end(i);
 *     worker    instance_unload(old);
 *
 * Calls tagged [audio] neither allocate nor lock nor wait. */
#ifndef LIBRETTO_INSTANCE_H
#define LIBRETTO_INSTANCE_H

#include "../Live/live.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Parameters: those of the engine, and after them those of a plugin ---- */

enum {
  INSTANCE_SEED = LIVE_PARAMETERS,
  INSTANCE_TEMPO, /* where the host gives none */
  INSTANCE_FREE,  /* 1: does not follow the host's transport, but its tempo */
  INSTANCE_THRU,  /* 1: what is heard goes out too */
  INSTANCE_PANIC, /* ends everything when it goes from 0 to 1 */
  INSTANCE_ENABLED, /* 0: the model is silent, and time goes on */
  INSTANCE_PARAMETERS
};

typedef enum instance_kind { INSTANCE_NUMBER, INSTANCE_CHOICE, INSTANCE_SWITCH, INSTANCE_TRIGGER } instance_kind;

typedef struct instance_parameter {
  const char *symbol; /* such as "answer_after": letters, digits and _, and the same in every version */
  const char *label;
  const char *comment; /* one sentence; NULL if the label says it */
  instance_kind kind;
  double least, most, initial;
  bool is_whole;
  const char *const *choices; /* of INSTANCE_CHOICE: most + 1 names, from value 0 on */
} instance_parameter;

/* [any-thread] */
instance_parameter instance_describe(int parameter);

/* ---- A model with its session and its engine ---- */

typedef struct instance_voice instance_voice;

/* Reads a model of music: one by name if there is no slash in the path, else a file; if there is no such file, the model
 * with its name that is installed. NULL with a sentence in `message`.
 * [any thread but that of audio] */
instance_voice *instance_load(const char *path, char *message, size_t size);
/* Does nothing for NULL. [any thread but that of audio] */
void instance_unload(instance_voice *voice);
/* As it was given to instance_load. [audio] */
const char *instance_path(const instance_voice *voice);

/* ---- An instance ---- */

typedef struct instance instance;

/* Takes a message at a frame of the block, of 1 to 3 bytes or as long as one that was heard. False if there is no room
 * left: it comes again in the next block, or at least its note's end does. */
typedef bool (*instance_send)(void *user, uint32_t frame, const uint8_t *bytes, uint32_t count);

/* NULL if there is no memory. [any-thread] */
instance *instance_create(double rate);
/* Unloads its voice too. [any thread but that of audio] */
void instance_free(instance *i);

/* Gives it another voice, or none for NULL, and returns the one it had. What sounds is ended in the next block. [audio] */
instance_voice *instance_swap(instance *i, instance_voice *voice);
const instance_voice *instance_get_voice(const instance *i);

/* Sets a parameter to the nearest value in its range, from the frame that was reached on. [audio] */
void instance_set(instance *i, int parameter, double value);
double instance_get(const instance *i, int parameter);

/* The host's song. What the host does not say is NAN, or 0 for the time signature. */
typedef struct instance_position {
  double tempo;  /* quarter notes a minute */
  double speed;  /* 0 stopped, 1 rolling */
  double quarter; /* quarter notes since the beginning of the song */
  double bar;     /* the bar line at or before it, in quarter notes since the beginning of the song */
  int numerator, denominator;
} instance_position;

/* A block of so many frames begins; there may be none. Until instance_end frames do not go back. If the host `waits`, as
 * when it exports, any number of events is drawn; else at most 8 in a block, and one more for each 64 frames above 512,
 * and one for each call. [audio] */
void instance_begin(instance *i, uint32_t frames, bool waits, instance_send send, void *user);
/* All that is due before the frame goes out: for a parameter that is set there. [audio] */
void instance_advance(instance *i, uint32_t frame);
void instance_locate(instance *i, uint32_t frame, const instance_position *position); /* [audio] */
/* One message with its status. [audio] */
void instance_hear(instance *i, uint32_t frame, const uint8_t *bytes, uint32_t count);
void instance_end(instance *i); /* [audio] */

/* What sounds is ended in the next block, and keys that are held are forgotten: for a plugin that is stopped and may be
 * started again. [audio] */
void instance_reset(instance *i);

/* Whether a note went out that has not ended. [audio] */
bool instance_sounds(const instance *i);
/* Of the engine; all zeros without a voice. [audio] */
live_state instance_get_state(const instance *i);

#ifdef __cplusplus
}
#endif
#endif
