#include "writer.h"
#include "live.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 4096 };

struct writer {
  pthread_t thread;
  retto_session *const *sessions;
  const int *ticks_per_quarter;

  /* Under the lock, which is held for moments only and never while a session draws. */
  pthread_mutex_t lock;
  pthread_cond_t work, rest;
  bool stop, failed, rests;
  struct {
    bool waits;
    int session;
    uint64_t seed;
    int64_t position;
  } request;
  bool settings_changed;
  writer_settings settings;
  int64_t limit; /* how far to write */
  written ring[RING];
  unsigned first, count;
  char error[256];

  histogram times; /* the thread's */
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static retto_status apply(retto_session *session, const writer_settings *settings) {
  retto_status status = retto_session_set_temperature(session, settings->temperature);
  if (!status) status = retto_session_set_density(session, settings->density);
  if (!status) status = set_memory(session, settings->memory);
  if (!status) status = retto_session_set_scale(session, settings->scale);
  return status;
}

static void *run(void *user) {
  writer *w = user;
  retto_session *session = NULL;
  int ticks_per_quarter = 1;
  int64_t position = 0; /* what comes before is not wanted */
  uint64_t ticks = 0;   /* of the session */
  int64_t tick = 0;     /* the same in ours */
  pthread_mutex_lock(&w->lock);
  while (!w->stop) {
    bool ready = session && !w->failed && tick < w->limit && w->count < RING;
    if (!ready && !w->request.waits) {
      w->rests = true;
      pthread_cond_signal(&w->rest);
      pthread_cond_wait(&w->work, &w->lock);
      continue;
    }
    w->rests = false;
    bool begins = w->request.waits, changed = begins || w->settings_changed;
    writer_settings settings = w->settings;
    uint64_t seed = w->request.seed;
    if (begins) {
      session = w->sessions[w->request.session];
      ticks_per_quarter = w->ticks_per_quarter[w->request.session];
      position = w->request.position;
      ticks = tick = 0;
      w->failed = false;
    }
    w->request.waits = w->settings_changed = false;
    pthread_mutex_unlock(&w->lock);

    retto_event event;
    /* Whoever asked for another piece has ended the notes of the last one. */
    retto_status status = begins ? retto_session_forget_sounding(session) : RETTO_OK;
    if (begins && !status) status = retto_session_reset(session, seed);
    if (!status && changed) status = apply(session, &settings);
    double start = now();
    if (!status) status = retto_session_next_event(session, &event);
    histogram_add(&w->times, now() - start);

    pthread_mutex_lock(&w->lock);
    if (w->request.waits) continue; /* nobody wants it any more */
    if (status) {
      snprintf(w->error, sizeof w->error, "%s", retto_last_error());
      w->failed = true;
      continue;
    }
    ticks += event.delta;
    tick = (int64_t)(ticks * ALSA_OUT_PPQ / ticks_per_quarter);
    /* Of what is passed over the end of the piece and its time signature still count. */
    if (event.kind == RETTO_EVENT_TIME ||
        (tick < position && event.kind != RETTO_EVENT_END && event.kind != RETTO_EVENT_TIME_SIGNATURE &&
         event.kind != RETTO_EVENT_PROGRAM))
      continue;
    w->ring[(w->first + w->count++) % RING] = (written){tick, event};
  }
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

writer *writer_start(retto_session *const *sessions, const int *ticks_per_quarter, int count,
                     const writer_settings *settings) {
  writer *w = count > 0 ? calloc(1, sizeof *w) : NULL;
  if (!w) return NULL;
  w->sessions = sessions;
  w->ticks_per_quarter = ticks_per_quarter;
  w->settings = *settings;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->work, NULL);
  pthread_cond_init(&w->rest, NULL);
  if (pthread_create(&w->thread, NULL, run, w)) return free(w), NULL;
  return w;
}

void writer_stop(writer *w) {
  pthread_mutex_lock(&w->lock);
  w->stop = true;
  pthread_cond_signal(&w->work);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
}

void writer_free(writer *w) { free(w); }

void writer_begin(writer *w, int session, uint64_t seed, int64_t position) {
  pthread_mutex_lock(&w->lock);
  w->request.waits = true;
  w->request.session = session;
  w->request.seed = seed;
  w->request.position = position;
  w->limit = position + 1;
  w->count = 0;
  w->rests = false;
  pthread_cond_signal(&w->work);
  pthread_mutex_unlock(&w->lock);
}

void writer_set(writer *w, const writer_settings *settings) {
  pthread_mutex_lock(&w->lock);
  w->settings = *settings;
  w->settings_changed = true;
  pthread_mutex_unlock(&w->lock);
}

void writer_go_to(writer *w, int64_t tick) {
  pthread_mutex_lock(&w->lock);
  if (tick > w->limit) {
    w->limit = tick;
    w->rests = false;
    pthread_cond_signal(&w->work);
  }
  pthread_mutex_unlock(&w->lock);
}

void writer_wait(writer *w) {
  pthread_mutex_lock(&w->lock);
  while (!w->rests) pthread_cond_wait(&w->rest, &w->lock);
  pthread_mutex_unlock(&w->lock);
}

bool writer_take(writer *w, int64_t tick, written *next) {
  pthread_mutex_lock(&w->lock);
  bool any = w->count > 0 && w->ring[w->first].tick < tick;
  if (any) {
    *next = w->ring[w->first];
    w->first = (w->first + 1) % RING;
    w->count--;
  }
  pthread_mutex_unlock(&w->lock);
  return any;
}

const char *writer_error(writer *w) {
  pthread_mutex_lock(&w->lock);
  bool failed = w->failed;
  pthread_mutex_unlock(&w->lock);
  return failed ? w->error : NULL;
}

const histogram *writer_times(const writer *w) { return &w->times; }
