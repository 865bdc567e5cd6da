#include "parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

instance_voice *instance_load(const char *path, char *message, size_t size) {
  enum { BARS = 128 }; /* that can be gone back to */
  size_t length = strlen(path) + 1;
  instance_voice *v = calloc(1, sizeof *v + length);
  const char *reason = "not enough memory";
  if (!v) goto failed;
  memcpy(v->path, path, length);
  if (strchr(path, '/') ? retto_model_load(path, &v->model) : retto_model_load_named(path, &v->model)) {
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
