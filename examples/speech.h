/* The front end of words.c: recordings of words to sequences of small numbers. */
#ifndef SPEECH_H
#define SPEECH_H

#include <stddef.h>
#include <stdint.h>

/* A recording: one channel, samples from -1 to 1. */
typedef struct {
  float *samples;
  size_t count;
  int rate;
} speech_recording;

/* Reads a WAV file of PCM with 8, 16, 24 or 32 bits or of 32-bit floats, of any rate from 8000 Hz on; several channels
 * are averaged. Gives NULL, or what is wrong with the file. Free the samples. */
const char *speech_read(const char *path, speech_recording *recording);

/* Numbers that describe a moment: cepstrum and energy, then their slopes. */
enum { SPEECH_STATIC = 13, SPEECH_FEATURES = 2 * SPEECH_STATIC };

/* Describes each moment of a recording. Gives the number of moments, and their features in `*features`, which is to be
 * freed; 0 where there is no memory or no sound.
 *
 * - warp: 1; other values, 0.8 to 1.25, stretch the frequencies as another speaker's vocal tract would.
 * - hop: seconds from a moment to the next. */
size_t speech_features(const speech_recording *recording, double warp, double hop,
                       float (**features)[SPEECH_FEATURES]);

/* Codebooks, each of which replaces some of the features by the number of the nearest of some typical values (product
 * vector quantisation): one for the coarse shape of the spectrum and the energy, one for the fine shape, one for the
 * slopes of both. */
enum { SPEECH_STREAMS = 3, SPEECH_CODES = 128, SPEECH_VOCABULARY = SPEECH_STREAMS * SPEECH_CODES };

typedef struct {
  float scale[SPEECH_FEATURES]; /* one over the standard deviation */
  float codes[SPEECH_STREAMS][SPEECH_CODES][SPEECH_STATIC];
} speech_codebook;

/* Finds typical features among `count` of them (k-means). */
void speech_learn(speech_codebook *codebook, float (*features)[SPEECH_FEATURES], size_t count);

/* Writes SPEECH_STREAMS tokens for each moment, below SPEECH_VOCABULARY. */
void speech_encode(const speech_codebook *codebook, float (*features)[SPEECH_FEATURES],
                   size_t count, int32_t *tokens);

#endif
