#include "engine.h"

/* How regular the onsets are: each is a hand of a clock that turns once in a period, and the mean hand is long if they
 * point the same way (Fisher, Statistical Analysis of Circular Data, 1993). The longer it is until the next onset, the
 * more one counts: long notes begin on beats more often than short ones (Parncutt 1994). */
typedef struct hand {
  double x, y;
} hand;

typedef struct rhythm {
  double tick[MOST_ONSETS], weight[MOST_ONSETS];
  double sum;
  int count;
} rhythm;

/* The mean hands of a period, its half and its quarter. */
typedef struct hands {
  hand whole, half, quarter;
} hands;

static void add(hand *h, double weight, double x, double y) {
  h->x += weight * x;
  h->y += weight * y;
}

static hands mean_hands(const rhythm *r, double period) {
  hands h = {{0, 0}, {0, 0}, {0, 0}};
  for (int i = 0; i < r->count; i++) {
    double angle = TURN * r->tick[i] / period, weight = r->weight[i] / r->sum;
    double x = cos(angle), y = sin(angle), x2 = x * x - y * y, y2 = 2 * x * y;
    add(&h.whole, weight, x, y);
    add(&h.half, weight, x2, y2); /* twice the angle */
    add(&h.quarter, weight, x2 * x2 - y2 * y2, 2 * x2 * y2);
  }
  return h;
}

/* The time at which the hand points up, beside that from which the ticks count. */
static double phase_of(hand h, double period) { return atan2(h.y, h.x) / TURN * period; }

static double length_of(hand h) { return sqrt(h.x * h.x + h.y * h.y); }

/* Onsets that belong together, as those of a chord, are one. */
static void take(rhythm *r, const player *p, double together, double longest) {
  double ticks[MOST_ONSETS];
  int count = (int)(p->onset_count < MOST_ONSETS ? p->onset_count : MOST_ONSETS);
  double end = p->onsets[(p->onset_count - 1) % MOST_ONSETS];
  *r = (rhythm){.count = 0};
  for (uint64_t i = p->onset_count - (uint64_t)count; i < p->onset_count; i++) {
    double tick = p->onsets[i % MOST_ONSETS];
    if (r->count && tick - ticks[r->count - 1] < together) continue;
    /* After a long rest another phrase begins. */
    if (r->count && tick - ticks[r->count - 1] > longest) r->count = 0;
    ticks[r->count++] = tick;
  }
  for (int i = 0; i < r->count; i++) {
    double until = i + 1 < r->count ? ticks[i + 1] - ticks[i] : together * 8;
    r->tick[i] = ticks[i] - end; /* near 0, so that the period's error turns the hands little */
    r->weight[i] = sqrt(until);
    r->sum += r->weight[i];
  }
}

/* A beat has onsets on it, and those beside it lie on halves or quarters. Tempi around 110 are likelier (van Noorden
 * and Moelants 1999). */
static double fitness(const rhythm *r, double period, double minute) {
  double octaves = log2(minute / period / 110);
  double likely = exp(-0.5 * octaves * octaves / (0.55 * 0.55));
  hands h = mean_hands(r, period);
  return likely * (length_of(h.whole) + 0.6 * length_of(h.half) + 0.3 * length_of(h.quarter));
}

bool beat_find(const player *p, double tempo, beat *found) {
  enum { LEAST = 5 };
  const double minute = tempo * LIVE_PPQ, slowest = 60, fastest = 180;
  rhythm r;
  if (p->onset_count < LEAST) return false;
  take(&r, p, minute / 60 * 0.05, minute / 60 * 3);
  if (r.count < LEAST) return false;
  double best = 0, period = 0;
  for (double rate = slowest; rate <= fastest; rate *= 1.012) {
    double fit = fitness(&r, minute / rate, minute);
    if (fit > best) best = fit, period = minute / rate;
  }
  for (double step = 0.006; step > 0.0002; step /= 2)
    for (int side = -1; side <= 1; side += 2) {
      double fit = fitness(&r, period * (1 + side * step), minute);
      if (fit > best) best = fit, period *= 1 + side * step;
    }
  hands simple = mean_hands(&r, period), compound = mean_hands(&r, 1.5 * period);
  /* Long notes that are three halves apart more often than one whole make a beat of three parts. */
  bool is_compound = length_of(compound.whole) > length_of(simple.whole) + 0.1;
  hand beat = is_compound ? compound.whole : simple.whole;
  double end = p->onsets[(p->onset_count - 1) % MOST_ONSETS];
  found->quarter = period;
  found->period = is_compound ? 1.5 * period : period;
  found->is_compound = is_compound;
  found->phase = end + phase_of(beat, found->period);
  if (length_of(beat) < 0.3 && length_of(simple.half) > 0.5) {
    /* Notes come on all halves alike: the first of them is on a beat. */
    double half = period / 2, first = end + r.tick[0];
    found->phase = end + phase_of(simple.half, half);
    found->phase += rint((first - found->phase) / half) * half;
  }
  return fmax(length_of(beat), length_of(simple.half)) > 0.6;
}
