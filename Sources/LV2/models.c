#include "plugin.h"
#include <stdlib.h>
#include <string.h>

/* What goes to the worker and comes back. */
typedef struct job {
  loaded *model;        /* to unload, or that was loaded; NULL if it could not be */
  char path[MOST_PATH]; /* to load; "" for none. Only what is used of it is sent. */
} job;

static uint32_t size_of(const job *j) { return (uint32_t)(offsetof(job, path) + strlen(j->path) + 1); }

static void keep(plugin *p, const char *path) {
  pthread_mutex_lock(&p->models.lock);
  strcpy(p->models.path, path);
  pthread_mutex_unlock(&p->models.lock);
}

static void unload(loaded *l) {
  if (l) instance_unload(l->voice);
  free(l);
}

static loaded *load(plugin *p, const char *path) {
  char message[1024] = "not enough memory";
  loaded *l = calloc(1, sizeof *l);
  if (l && (l->voice = instance_load(path, message, sizeof message))) {
    keep(p, path);
    return l;
  }
  lv2_log_error(&p->logger, "libretto: %s\n", message);
  unload(l);
  return NULL;
}

/* What played before is discarded. */
static void play(plugin *p, loaded *l) {
  models *m = &p->models;
  instance_swap(p->instance, l->voice);
  if (m->current) {
    m->current->next = m->discarded;
    m->discarded = m->current;
  }
  m->current = l;
  p->notifies = true;
}

/* ---- In run() ---- */

void models_request(plugin *p, const char *path, uint32_t length) {
  models *m = &p->models;
  job j = {.model = NULL};
  if (!p->schedule || length == 0 || length >= MOST_PATH || m->expected >= MOST_EXPECTED) return;
  memcpy(j.path, path, length);
  if (j.path[0] && p->schedule->schedule_work(p->schedule->handle, size_of(&j), &j) == LV2_WORKER_SUCCESS) m->expected++;
}

void models_discard(plugin *p) {
  models *m = &p->models;
  while (m->discarded && p->schedule) {
    job j = {.model = m->discarded};
    loaded *next = m->discarded->next; /* the worker may be done with it before schedule_work returns */
    if (p->schedule->schedule_work(p->schedule->handle, size_of(&j), &j) != LV2_WORKER_SUCCESS) return;
    m->discarded = next;
  }
}

/* ---- The worker ---- */

static LV2_Worker_Status work(LV2_Handle handle, LV2_Worker_Respond_Function respond, LV2_Worker_Respond_Handle to,
                              uint32_t size, const void *data) {
  plugin *p = handle;
  job j = {.model = NULL};
  if (size > sizeof j) return LV2_WORKER_ERR_UNKNOWN;
  memcpy(&j, data, size);
  if (!j.path[0]) {
    unload(j.model);
    return LV2_WORKER_SUCCESS;
  }
  job done = {.model = load(p, j.path)};
  LV2_Worker_Status status = respond(to, size_of(&done), &done);
  if (status) unload(done.model);
  return status;
}

static LV2_Worker_Status work_response(LV2_Handle handle, uint32_t size, const void *data) {
  plugin *p = handle;
  models *m = &p->models;
  job j = {.model = NULL};
  if (size > sizeof j) return LV2_WORKER_ERR_UNKNOWN;
  memcpy(&j, data, size);
  if (m->expected > 0) m->expected--;
  p->notifies = true;
  if (j.model) play(p, j.model);
  return LV2_WORKER_SUCCESS;
}

void models_begin(plugin *p, const char *path) {
  loaded *l = load(p, path);
  if (l) play(p, l);
}

void models_end(plugin *p) {
  models *m = &p->models;
  instance_swap(p->instance, NULL);
  unload(m->current);
  while (m->discarded) {
    loaded *next = m->discarded->next;
    unload(m->discarded);
    m->discarded = next;
  }
}

/* ---- The state ---- */

static const void *feature(const LV2_Feature *const *features, const char *uri) {
  for (; features && *features; features++)
    if (!strcmp((*features)->URI, uri)) return (*features)->data;
  return NULL;
}

static void give_back(const LV2_Feature *const *features, char *path) {
  const LV2_State_Free_Path *f = feature(features, LV2_STATE__freePath);
  if (f)
    f->free_path(f->handle, path);
  else
    free(path);
}

static LV2_State_Status save(LV2_Handle handle, LV2_State_Store_Function store, LV2_State_Handle to, uint32_t flags,
                             const LV2_Feature *const *features) {
  plugin *p = handle;
  const LV2_State_Map_Path *map = feature(features, LV2_STATE__mapPath);
  char path[MOST_PATH];
  (void)flags;
  pthread_mutex_lock(&p->models.lock);
  strcpy(path, p->models.path);
  pthread_mutex_unlock(&p->models.lock);
  if (!path[0]) return LV2_STATE_SUCCESS;
  if (!strchr(path, '/'))
    return store(to, p->urids.name, path, strlen(path) + 1, p->urids.atom_string,
                 LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
  char *abstract = map ? map->abstract_path(map->handle, path) : NULL;
  const char *kept = abstract ? abstract : path;
  LV2_State_Status status = store(to, p->urids.model, kept, strlen(kept) + 1, p->urids.atom_path,
                                  LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
  if (abstract) give_back(features, abstract);
  return status;
}

/* A text of the state that ends with a NUL, or NULL. */
static const char *text(LV2_State_Retrieve_Function retrieve, LV2_State_Handle from, LV2_URID key, LV2_URID kind) {
  size_t size = 0;
  uint32_t type = 0, flags = 0;
  const char *value = retrieve(from, key, &size, &type, &flags);
  return value && type == kind && size > 1 && size <= MOST_PATH && value[size - 1] == 0 ? value : NULL;
}

static LV2_State_Status restore(LV2_Handle handle, LV2_State_Retrieve_Function retrieve, LV2_State_Handle from,
                                uint32_t flags, const LV2_Feature *const *features) {
  plugin *p = handle;
  const LV2_State_Map_Path *map = feature(features, LV2_STATE__mapPath);
  /* With a worker of its own the host may call run() meanwhile. */
  const LV2_Worker_Schedule *schedule = feature(features, LV2_WORKER__schedule);
  const char *path = text(retrieve, from, p->urids.model, p->urids.atom_path);
  const char *name = text(retrieve, from, p->urids.name, p->urids.atom_string);
  char *absolute = path && map ? map->absolute_path(map->handle, path) : NULL;
  job j = {.model = NULL};
  (void)flags;
  if (absolute) path = absolute;
  if (!path) path = name;
  if (path && strlen(path) < MOST_PATH) {
    strcpy(j.path, path);
    if (!schedule || schedule->schedule_work(schedule->handle, size_of(&j), &j) != LV2_WORKER_SUCCESS)
      models_begin(p, j.path);
  }
  if (absolute) give_back(features, absolute);
  return LV2_STATE_SUCCESS;
}

const void *models_extension(const char *uri) {
  static const LV2_Worker_Interface worker = {work, work_response, NULL};
  static const LV2_State_Interface state = {save, restore};
  if (!strcmp(uri, LV2_WORKER__interface)) return &worker;
  if (!strcmp(uri, LV2_STATE__interface)) return &state;
  return NULL;
}
