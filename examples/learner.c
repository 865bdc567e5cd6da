/* learner.c - an adapter in a thread of its own. The two threads meet at a lock that neither holds for longer than
 * it takes to copy some tokens; the thread that plays only tries it. */
#include "learner.h"
#include <pthread.h>
#include <stdlib.h>

struct learner {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t news;
  retto_adapter *adapter;
  /* Under the lock: what is to be read, and what is to be done. */
  int32_t tokens[RETTO_TAKEN_TOKENS];
  uint8_t fed[RETTO_TAKEN_TOKENS];
  size_t count;
  bool forgets, ends;
  /* Under the lock: what was learned and nobody uses yet, and what nobody uses any more. */
  retto_model *ready, *old;
  double loss;
  uint64_t learned;
  /* Of the thread that plays: what the session has. */
  retto_model *used;
};

/* Learns from what there is; what goes wrong, for want of memory, is left out. */
static retto_model *learn(learner *l, const int32_t *tokens, const uint8_t *fed, size_t count, bool forgets) {
  retto_model *model = NULL;
  if (forgets && retto_adapter_reset(l->adapter)) return NULL;
  if (retto_adapter_read(l->adapter, tokens, fed, count)) return NULL;
  return retto_adapter_model(l->adapter, &model) ? NULL : model;
}

static void *run(void *argument) {
  learner *l = argument;
  static const size_t least = 16; /* tokens it is worth to make a model for */
  int32_t *tokens = malloc(sizeof l->tokens);
  uint8_t *fed = malloc(sizeof l->fed);
  pthread_mutex_lock(&l->lock);
  while (!l->ends && tokens && fed) {
    if (l->count < least && !l->forgets && !l->old) {
      pthread_cond_wait(&l->news, &l->lock);
      continue;
    }
    size_t count = l->count < least && !l->forgets ? 0 : l->count;
    bool forgets = l->forgets;
    retto_model *old = l->old;
    for (size_t i = 0; i < count; i++) tokens[i] = l->tokens[i], fed[i] = l->fed[i];
    l->count -= count;
    l->forgets = false;
    l->old = NULL;
    pthread_mutex_unlock(&l->lock);
    retto_model_free(old);
    retto_model *model = count || forgets ? learn(l, tokens, fed, count, forgets) : NULL;
    double loss = 0;
    uint64_t learned = 0;
    (void)!retto_adapter_loss(l->adapter, &loss, &learned);
    pthread_mutex_lock(&l->lock);
    l->loss = loss;
    l->learned = learned;
    if (!model) continue;
    retto_model_free(l->ready); /* nobody has used it */
    l->ready = model;
  }
  pthread_mutex_unlock(&l->lock);
  free(tokens);
  free(fed);
  return NULL;
}

learner *learner_start(const retto_model *model) {
  learner *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->news, NULL);
  if (!retto_adapter_create(model, NULL, &l->adapter) && !pthread_create(&l->thread, NULL, run, l)) return l;
  retto_adapter_free(l->adapter);
  free(l);
  return NULL;
}

void learner_hear(learner *l, retto_session *session) {
  size_t count = 0;
  if (pthread_mutex_trylock(&l->lock)) return; /* the session keeps them until the next call */
  if (!retto_session_take_tokens(session, l->tokens + l->count, l->fed + l->count,
                                 RETTO_TAKEN_TOKENS - l->count, &count)) {
    l->count += count;
    if (count) pthread_cond_signal(&l->news);
  }
  pthread_mutex_unlock(&l->lock);
}

bool learner_use(learner *l, retto_session *session) {
  bool news = false;
  if (pthread_mutex_trylock(&l->lock)) return false;
  /* The thread frees what was used before: to free is not real-time. */
  if (l->ready && !l->old && !retto_session_set_model(session, l->ready)) {
    l->old = l->used;
    l->used = l->ready;
    l->ready = NULL;
    news = true;
    pthread_cond_signal(&l->news);
  }
  pthread_mutex_unlock(&l->lock);
  return news;
}

void learner_forget(learner *l) {
  pthread_mutex_lock(&l->lock);
  l->count = 0;
  l->forgets = true;
  pthread_cond_signal(&l->news);
  pthread_mutex_unlock(&l->lock);
}

void learner_loss(learner *l, double *loss, uint64_t *count) {
  pthread_mutex_lock(&l->lock);
  *loss = l->loss;
  *count = l->learned;
  pthread_mutex_unlock(&l->lock);
}

void learner_stop(learner *l) {
  if (!l) return;
  pthread_mutex_lock(&l->lock);
  l->ends = true;
  pthread_cond_signal(&l->news);
  pthread_mutex_unlock(&l->lock);
  pthread_join(l->thread, NULL);
  retto_adapter_free(l->adapter);
  retto_model_free(l->ready);
  retto_model_free(l->old);
  retto_model_free(l->used);
  pthread_cond_destroy(&l->news);
  pthread_mutex_destroy(&l->lock);
  free(l);
}
