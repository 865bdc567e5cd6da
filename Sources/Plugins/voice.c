#include "parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file that is not there is one of another machine, where a model of this name may be installed. */
static retto_status load(const char *path, retto_model **model) {
  static const char suffix[] = ".safetensors";
  const char *slash = strrchr(path, '/'), *end = path + strlen(path) - (sizeof suffix - 1);
  char name[256];
  if (!slash) return retto_model_load_named(path, model);
  retto_status status = retto_model_load(path, model);
  if (status != RETTO_ERROR_FILE || end <= slash || strcmp(end, suffix) || end - slash > (long)sizeof name) return status;
  memcpy(name, slash + 1, (size_t)(end - slash - 1));
  name[end - slash - 1] = 0;
  if (!retto_model_load_named(name, model)) return RETTO_OK;
  return retto_model_load(path, model); /* for its message */
}

instance_voice *instance_load(const char *path, char *message, size_t size) {
  enum { BARS = 128 }; /* that can be gone back to */
  size_t length = strlen(path) + 1;
  instance_voice *v = calloc(1, sizeof *v + length);
  const char *reason = "not enough memory";
  if (!v) goto failed;
  memcpy(v->path, path, length);
  if (load(path, &v->model)) {
    reason = retto_last_error();
    goto failed;
  }
  if (retto_session_create(v->model, NULL, &v->session)) {
    reason = retto_last_error();
    goto failed;
  }
  size_t bytes = live_size(v->session, BARS);
  if (bytes == 0) {
    reason = "the model is not one of music";
    goto failed;
  }
  live_sink sink = sink_of(v);
  /* Written to, so that its pages are there before the audio thread comes to them. */
  if (!(v->memory = malloc(bytes))) goto failed;
  memset(v->memory, 0, bytes);
  v->live = live_open(v->memory, v->model, v->session, BARS, 0, &sink);
  if (v->live) return v;
  reason = "the model is not one of music";
failed:
  if (size > 0) snprintf(message, size, "%s", reason);
  instance_unload(v);
  return NULL;
}

void instance_unload(instance_voice *v) {
  if (!v) return;
  retto_session_free(v->session);
  retto_model_free(v->model);
  free(v->memory);
  free(v);
}

const char *instance_path(const instance_voice *v) { return v->path; }
