#include "speech.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/* ---- WAV files ---------------------------------------------------------------------------------- */

static uint32_t number(const unsigned char *p, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; i++)
    value |= (uint32_t)p[i] << 8 * i;
  return value;
}

static float sample(const unsigned char *p, int bits, int is_float) {
  if (is_float) {
    uint32_t word = number(p, 4);
    float value;
    memcpy(&value, &word, 4);
    return isfinite(value) ? fmaxf(-1, fminf(1, value)) : 0;
  }
  if (bits == 8)
    return ((float)p[0] - 128) / 128;
  return (float)(int32_t)(number(p, bits / 8) << (32 - bits)) / 2147483648.0f;
}

static const char *parse(const unsigned char *data, size_t size, speech_recording *recording) {
  int channels = 0, bits = 0, is_float = 0;
  if (size < 12 || memcmp(data, "RIFF", 4) || memcmp(data + 8, "WAVE", 4))
    return "not a WAV file";
  for (size_t at = 12; at + 8 <= size;) {
    const unsigned char *chunk = data + at + 8;
    size_t length = number(data + at + 4, 4), left = size - at - 8;
    length = length < left ? length : left;
    if (!memcmp(data + at, "fmt ", 4) && length >= 16) {
      uint32_t format = number(chunk, 2);
      if (format == 0xFFFE && length >= 26)
        format = number(chunk + 24, 2);
      channels = (int)number(chunk + 2, 2);
      recording->rate = (int)number(chunk + 4, 4);
      bits = (int)number(chunk + 14, 2);
      is_float = format == 3;
      if (!((format == 1 && (bits == 8 || bits == 16 || bits == 24 || bits == 32)) ||
            (format == 3 && bits == 32)))
        return "a WAV file of another format than PCM or 32-bit floats";
      if (channels < 1 || channels > 64 || recording->rate < 8000 || recording->rate > 768000)
        return "a WAV file with less than 8000 samples a second, or with too many channels";
    } else if (!memcmp(data + at, "data", 4) && channels) {
      size_t frame = (size_t)channels * (size_t)bits / 8;
      recording->count = length / frame;
      recording->samples = malloc((recording->count + 1) * sizeof *recording->samples);
      if (!recording->samples)
        return "out of memory";
      for (size_t i = 0; i < recording->count; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++)
          sum += sample(chunk + i * frame + (size_t)c * (size_t)bits / 8, bits, is_float);
        recording->samples[i] = sum / (float)channels;
      }
      return NULL;
    }
    at += 8 + length + length % 2;
  }
  return "a WAV file without sound";
}

const char *speech_read(const char *path, speech_recording *recording) {
  *recording = (speech_recording){0};
  FILE *file = fopen(path, "rb");
  if (!file)
    return "cannot be opened";
  enum { MOST = 1 << 26 };
  unsigned char *data = malloc(MOST);
  size_t size = data ? fread(data, 1, MOST, file) : 0;
  fclose(file);
  const char *problem = data ? parse(data, size, recording) : "out of memory";
  free(data);
  return problem;
}

/* ---- Features ----------------------------------------------------------------------------------- */

enum { LONGEST = 1024, BANDS = 22 };

/* The power spectrum of a power of two of samples, up to half of it (Cooley and Tukey 1965). */
static void spectrum(const float *x, size_t n, float *power) {
  static _Thread_local double re[LONGEST], im[LONGEST];
  for (size_t i = 0, j = 0; i < n; i++) {
    re[j] = x[i];
    im[j] = 0;
    size_t bit = n >> 1;
    while (bit && j & bit) {
      j ^= bit;
      bit >>= 1;
    }
    j |= bit;
  }
  for (size_t half = 1; half < n; half *= 2)
    for (size_t k = 0; k < half; k++) {
      double c = cos(PI * (double)k / (double)half), s = -sin(PI * (double)k / (double)half);
      for (size_t i = k; i < n; i += 2 * half) {
        double a = re[i + half] * c - im[i + half] * s, b = re[i + half] * s + im[i + half] * c;
        re[i + half] = re[i] - a;
        im[i + half] = im[i] - b;
        re[i] += a;
        im[i] += b;
      }
    }
  for (size_t i = 0; i <= n / 2; i++)
    power[i] = (float)(re[i] * re[i] + im[i] * im[i]);
}

static double mel(double hertz) { return 1127 * log(1 + hertz / 700); }

/* The logarithms of the energies in bands of equal width on the mel scale, from 100 to 3800 Hz. */
static void energies(const float *power, size_t n, int rate, double warp, double *bands) {
  double first = mel(100), step = (mel(3800) - first) / (BANDS + 1);
  memset(bands, 0, BANDS * sizeof *bands);
  for (size_t i = 1; i <= n / 2; i++) {
    double place = (mel(warp * (double)i * rate / (double)n) - first) / step;
    if (place <= 0 || place >= BANDS + 1)
      continue;
    int below = (int)place;
    double share = place - below;
    if (below >= 1)
      bands[below - 1] += (1 - share) * power[i];
    if (below < BANDS)
      bands[below] += share * power[i];
  }
  for (int b = 0; b < BANDS; b++)
    bands[b] = log(bands[b] + 1e-6);
}

size_t speech_features(const speech_recording *recording, double warp, double hop,
                       float (**features)[SPEECH_FEATURES]) {
  size_t window = (size_t)(0.025 * recording->rate), step = (size_t)(hop * recording->rate), n = 1;
  *features = NULL;
  while (n < window && n < LONGEST)
    n *= 2;
  window = window < n ? window : n;
  if (recording->count < window || step < 1)
    return 0;
  size_t count = (recording->count - window) / step + 1;
  float (*rows)[SPEECH_FEATURES] = calloc(count, sizeof *rows);
  if (!rows)
    return 0;
  double mean[SPEECH_STATIC] = {0}, loudest = -1e9;
  for (size_t t = 0; t < count; t++) {
    float x[LONGEST] = {0}, power[LONGEST / 2 + 1];
    double bands[BANDS];
    const float *from = recording->samples + t * step;
    for (size_t i = 0; i < window; i++) {
      float before = t * step + i > 0 ? from[(ptrdiff_t)i - 1] : 0;
      double hamming = 0.54 - 0.46 * cos(2 * PI * (double)i / (double)(window - 1));
      x[i] = (float)((from[i] - 0.97f * before) * hamming);
    }
    spectrum(x, n, power);
    energies(power, n, recording->rate, warp, bands);
    /* The cepstrum: how the energies go up and down over the bands. */
    for (int k = 0; k < SPEECH_STATIC; k++) {
      double sum = 0;
      for (int b = 0; b < BANDS; b++)
        sum += bands[b] * cos(PI * k * (b + 0.5) / BANDS);
      rows[t][k] = (float)sum;
      mean[k] += sum / (double)count;
    }
    loudest = rows[t][0] > loudest ? rows[t][0] : loudest;
  }
  /* What microphone and speaker add to all moments is taken away; the energy is told beside that of the loudest. */
  for (size_t t = 0; t < count; t++)
    for (int k = 0; k < SPEECH_STATIC; k++)
      rows[t][k] -= (float)(k ? mean[k] : loudest);
  for (size_t t = 0; t < count; t++)
    for (int k = 0; k < SPEECH_STATIC; k++) {
      size_t a = t >= 2 ? t - 2 : 0, b = t + 2 < count ? t + 2 : count - 1;
      rows[t][SPEECH_STATIC + k] = rows[b][k] - rows[a][k];
    }
  *features = rows;
  return count;
}

/* ---- Codebooks ---------------------------------------------------------------------------------- */

/* The features of each stream. */
static const int first_of[SPEECH_STREAMS + 1] = {0, 6, SPEECH_STATIC, SPEECH_FEATURES};

/* The nearest of a stream's codes to the features of a moment. */
static int nearest(const speech_codebook *codebook, int stream, const float *features, float *distance) {
  int best = 0, first = first_of[stream], count = first_of[stream + 1] - first;
  float least = INFINITY;
  for (int c = 0; c < SPEECH_CODES; c++) {
    float sum = 0;
    for (int k = 0; k < count; k++) {
      float d = (features[first + k] - codebook->codes[stream][c][k]) * codebook->scale[first + k];
      sum += d * d;
    }
    if (sum < least) {
      least = sum;
      best = c;
    }
  }
  if (distance)
    *distance = least;
  return best;
}

/* k-means from codes spread over the material; a code that nothing is near to takes the farthest moment. */
static void learn(speech_codebook *codebook, int stream, float (*features)[SPEECH_FEATURES],
                  size_t count) {
  int first = first_of[stream], width = first_of[stream + 1] - first;
  float (*codes)[SPEECH_STATIC] = codebook->codes[stream];
  for (int c = 0; c < SPEECH_CODES; c++) {
    size_t at = (size_t)((double)c * (double)count / SPEECH_CODES);
    memcpy(codes[c], features[at] + first, (size_t)width * sizeof *codes[c]);
  }
  for (int round = 0; round < 12; round++) {
    double sums[SPEECH_CODES][SPEECH_STATIC] = {{0}};
    size_t members[SPEECH_CODES] = {0}, farthest = 0;
    float most = -1;
    for (size_t t = 0; t < count; t++) {
      float distance;
      int c = nearest(codebook, stream, features[t], &distance);
      members[c]++;
      for (int k = 0; k < width; k++)
        sums[c][k] += features[t][first + k];
      if (distance > most) {
        most = distance;
        farthest = t;
      }
    }
    for (int c = 0; c < SPEECH_CODES; c++)
      for (int k = 0; k < width; k++)
        codes[c][k] =
            members[c] ? (float)(sums[c][k] / (double)members[c]) : features[farthest][first + k];
  }
}

void speech_learn(speech_codebook *codebook, float (*features)[SPEECH_FEATURES], size_t count) {
  for (int k = 0; k < SPEECH_FEATURES; k++) {
    double sum = 0, squares = 0;
    for (size_t t = 0; t < count; t++) {
      sum += features[t][k];
      squares += (double)features[t][k] * features[t][k];
    }
    double mean = sum / (double)count, variance = squares / (double)count - mean * mean;
    codebook->scale[k] = (float)(1 / sqrt(variance > 1e-9 ? variance : 1e-9));
  }
  for (int stream = 0; stream < SPEECH_STREAMS; stream++)
    learn(codebook, stream, features, count);
}

void speech_encode(const speech_codebook *codebook, float (*features)[SPEECH_FEATURES],
                   size_t count, int32_t *tokens) {
  for (size_t t = 0; t < count; t++)
    for (int stream = 0; stream < SPEECH_STREAMS; stream++)
      *tokens++ = stream * SPEECH_CODES + nearest(codebook, stream, features[t], NULL);
}
