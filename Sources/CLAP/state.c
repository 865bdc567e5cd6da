#include "../Live/bytes.h"
#include "../Plugins/prepare.h"
#include "plugin.h"
#include <stdio.h>
#include <stdlib.h>

/* A plugin as bytes: what bytes.h seals. The name of the model, the parameters by their ids, and the instance with all
 * that it needs to go on in mid-phrase, which a model of another version does not take. */

enum { VERSION = 1, NAME = 32, ENTRY = 16, FIXED = BYTES_HEADER + NAME + 16, MOST = 1 << 26 };

static const char magic[8] = {'R', 'E', 'T', 'T', 'O', 'C', 'L', 'P'};

/* ---- The model ---- */

static instance_voice *load_voice(plugin *p, int model) {
  char message[1024], line[1200];
  instance_voice *voice = instance_load(model_names[model], message, sizeof message);
  if (voice) return voice;
  snprintf(line, sizeof line, "model %s: %s", model_names[model], message);
  plugin_log(p, CLAP_LOG_ERROR, line);
  return NULL;
}

void plugin_load_model(plugin *p) {
  int model = (int)atomic_load(&p->value[PARAMETER_MODEL]);
  if (model == p->model) return;
  instance_voice *voice = load_voice(p, model);
  p->model = model; /* not to be tried again and again */
  if (!voice) return;
  instance_place place;
  plugin_take(p);
  instance_get_place(p->instance, &place);
  plugin_give_back(p);
  instance_prepare(voice, &place);
  plugin_take(p);
  instance_voice *old = instance_swap(p->instance, voice);
  plugin_give_back(p);
  instance_unload(old);
}

/* ---- Saving ---- */

static bool write_all(const clap_ostream_t *stream, const unsigned char *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    int64_t count = stream->write(stream, bytes + done, size - done);
    if (count <= 0 || (uint64_t)count > size - done) return false;
    done += (size_t)count;
  }
  return true;
}

static bool save(const clap_plugin_t *clap, const clap_ostream_t *stream) {
  plugin *p = plugin_of(clap);
  size_t begin = FIXED + PARAMETERS * ENTRY, capacity = 0, length = 0;
  unsigned char *bytes = NULL;
  if (!plugin_is_on_main(p, "state.save")) return false;
  plugin_load_model(p);
  do { /* it grows while it plays */
    capacity = length + 4096;
    free(bytes);
    if (!(bytes = calloc(1, begin + capacity))) return false;
    plugin_take(p);
    length = instance_save(p->instance, bytes + begin, capacity);
    for (int i = 0; i < PARAMETERS; i++) {
      double value = i < INSTANCE_PARAMETERS ? instance_get(p->instance, i) : p->model;
      unsigned char *entry = bytes + FIXED + i * ENTRY;
      uint64_t bits;
      memcpy(&bits, &value, 8);
      bytes_put(entry, parameter_id(i));
      bytes_put(entry + 8, bits);
    }
    plugin_give_back(p);
  } while (length > capacity);
  strncpy((char *)bytes + BYTES_HEADER, model_names[p->model], NAME - 1);
  bytes_put(bytes + BYTES_HEADER + NAME, PARAMETERS);
  bytes_put(bytes + BYTES_HEADER + NAME + 8, length);
  bytes_seal(bytes, magic, VERSION, begin + length);
  bool done = write_all(stream, bytes, begin + length);
  free(bytes);
  return done;
}

/* ---- Loading ---- */

/* NULL if there is an error. */
static unsigned char *read_all(const clap_istream_t *stream, size_t *size) {
  size_t capacity = 1 << 16;
  unsigned char *bytes = malloc(capacity);
  for (*size = 0; bytes;) {
    if (*size == capacity) {
      unsigned char *more = capacity < MOST ? realloc(bytes, capacity *= 2) : NULL;
      if (!more) break;
      bytes = more;
    }
    int64_t count = stream->read(stream, bytes + *size, capacity - *size);
    if (count == 0) return bytes;
    if (count < 0 || (uint64_t)count > capacity - *size) break;
    *size += (size_t)count;
  }
  free(bytes);
  return NULL;
}

/* Sets what was saved in a new instance; false if the values are not numbers. */
static bool take_values(instance *i, double value[PARAMETERS], const unsigned char *entries, uint64_t count) {
  for (int n = 0; n < PARAMETERS; n++) value[n] = parameter_describe(n).initial;
  for (uint64_t n = 0; n < count; n++) {
    uint64_t id = bytes_get(entries + n * ENTRY), bits = bytes_get(entries + n * ENTRY + 8);
    int parameter = id <= UINT32_MAX ? parameter_find((clap_id)id) : -1;
    double v;
    memcpy(&v, &bits, 8);
    if (v != v) return false;
    if (parameter < 0 || parameter == PARAMETER_MODEL) continue; /* of a later version; by its name */
    value[parameter] = parameter_nearest(parameter, v);
  }
  for (int n = 0; n < INSTANCE_PARAMETERS; n++) instance_set(i, n, value[n]);
  return true;
}

static int find_model(const unsigned char name[NAME]) {
  for (int i = 0; i < MODELS; i++)
    if (!strncmp((const char *)name, model_names[i], NAME)) return i;
  return -1;
}

/* A new instance of what was saved; NULL if that is not possible. */
static instance *make(plugin *p, const unsigned char *bytes, size_t size, double value[PARAMETERS]) {
  if (size < FIXED || !bytes_are_sealed(bytes, size, magic, VERSION)) return NULL;
  const unsigned char *entries = bytes + FIXED;
  uint64_t count = bytes_get(bytes + BYTES_HEADER + NAME), length = bytes_get(bytes + BYTES_HEADER + NAME + 8);
  int model = find_model(bytes + BYTES_HEADER);
  if (model < 0 || count > size / ENTRY || size - FIXED < count * ENTRY || size - FIXED - count * ENTRY != length)
    return NULL;
  instance *i = instance_create(p->rate);
  instance_voice *voice = i ? load_voice(p, model) : NULL;
  if (voice) instance_swap(i, voice);
  if (!voice || !take_values(i, value, entries, count)) {
    instance_free(i);
    return NULL;
  }
  value[PARAMETER_MODEL] = model;
  if (length > 0 && !instance_restore(i, entries + count * ENTRY, length))
    plugin_log(p, CLAP_LOG_WARNING, "the music was saved with another version of the model; it begins anew");
  instance_set_rate(i, p->rate);
  return i;
}

static bool load(const clap_plugin_t *clap, const clap_istream_t *stream) {
  plugin *p = plugin_of(clap);
  double value[PARAMETERS];
  size_t size;
  if (!plugin_is_on_main(p, "state.load")) return false;
  unsigned char *bytes = read_all(stream, &size);
  instance *made = bytes ? make(p, bytes, size, value) : NULL;
  free(bytes);
  if (!made) {
    plugin_log(p, CLAP_LOG_ERROR, "the state is damaged, or of another version; nothing has changed");
    return false;
  }
  plugin_take(p);
  instance *old = p->instance;
  instance_inherit(made, old);
  p->instance = made;
  p->is_fresh = true;
  for (int i = 0; i < PARAMETERS; i++) atomic_store(&p->value[i], value[i]);
  plugin_give_back(p);
  p->model = (int)value[PARAMETER_MODEL];
  instance_free(old);
  if (p->host_params && p->host_params->rescan) p->host_params->rescan(p->host, CLAP_PARAM_RESCAN_VALUES);
  return true;
}

const clap_plugin_state_t plugin_state = {save, load};
