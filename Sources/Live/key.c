#include "engine.h"

/* How much of each pitch class there is in a key, from the tonic upwards (Albrecht and Shanahan, The Use of Large
 * Corpora to Train a New Type of Key-Finding Algorithm, 2013). */
static const double major[12] = {0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081};
static const double minor[12] = {0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052};

static double fit(const double *classes, const double *profile, int tonic) {
  double sum = 0;
  for (int i = 0; i < 12; i++) sum += classes[(tonic + i) % 12] * log(profile[i]);
  return sum;
}

int key_find(const double classes[12], int known) {
  const double least = 6, margin = 2; /* notes; nats by which another key must be better */
  double sum = 0, best = -INFINITY;
  int key = 0;
  for (int i = 0; i < 12; i++) sum += classes[i];
  if (sum < least) return known;
  for (int tonic = 0; tonic < 12; tonic++)
    for (int kind = 0; kind < 2; kind++) {
      double found = fit(classes, kind ? minor : major, tonic);
      if (found > best) best = found, key = 1 + tonic + 12 * kind;
    }
  if (!known) return key;
  double before = fit(classes, known > 12 ? minor : major, (known - 1) % 12);
  return best > before + margin ? key : known;
}
