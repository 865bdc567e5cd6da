#include "plugin.h"
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ---- */

static void map_all(urids *u, LV2_URID_Map *map) {
#define MAP(member, uri) u->member = map->map(map->handle, uri)
  MAP(atom_path, LV2_ATOM__Path);
  MAP(atom_string, LV2_ATOM__String);
  MAP(atom_urid, LV2_ATOM__URID);
  MAP(atom_object, LV2_ATOM__Object);
  MAP(atom_blank, LV2_ATOM__Blank);
  MAP(atom_int, LV2_ATOM__Int);
  MAP(atom_long, LV2_ATOM__Long);
  MAP(atom_float, LV2_ATOM__Float);
  MAP(atom_double, LV2_ATOM__Double);
  MAP(midi_event, LV2_MIDI__MidiEvent);
  MAP(patch_get, LV2_PATCH__Get);
  MAP(patch_set, LV2_PATCH__Set);
  MAP(patch_property, LV2_PATCH__property);
  MAP(patch_value, LV2_PATCH__value);
  MAP(time_position, LV2_TIME__Position);
  MAP(time_speed, LV2_TIME__speed);
  MAP(time_tempo, LV2_TIME__beatsPerMinute);
  MAP(time_beat, LV2_TIME__beat);
  MAP(time_bar, LV2_TIME__bar);
  MAP(time_bar_beat, LV2_TIME__barBeat);
  MAP(time_unit, LV2_TIME__beatUnit);
  MAP(time_per_bar, LV2_TIME__beatsPerBar);
  MAP(time_frame, LV2_TIME__frame);
  MAP(model, LIBRETTO_MODEL);
  MAP(name, LIBRETTO_NAME);
#undef MAP
}

static LV2_Handle instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                              const LV2_Feature *const *features) {
  plugin *p = calloc(1, sizeof *p);
  LV2_Log_Log *log = NULL;
  (void)descriptor;
  (void)bundle;
  if (!p) return NULL;
  for (; features && *features; features++) {
    if (!strcmp((*features)->URI, LV2_URID__map)) p->map = (*features)->data;
    if (!strcmp((*features)->URI, LV2_WORKER__schedule)) p->schedule = (*features)->data;
    if (!strcmp((*features)->URI, LV2_LOG__log)) log = (*features)->data;
  }
  if (!p->map || !(p->instance = instance_create(rate))) {
    free(p);
    return NULL;
  }
  lv2_log_logger_init(&p->logger, p->map, log);
  pthread_mutex_init(&p->models.lock, NULL);
  map_all(&p->urids, p->map);
  lv2_atom_forge_init(&p->forge, p->map);
  p->position.rate = rate;
  for (int i = 0; i < INSTANCE_PARAMETERS; i++) p->set[i] = (float)instance_get(p->instance, i);
  models_begin(p, LIBRETTO_FIRST_MODEL);
  return p;
}

static void cleanup(LV2_Handle handle) {
  plugin *p = handle;
  models_end(p);
  instance_free(p->instance);
  pthread_mutex_destroy(&p->models.lock);
  free(p);
}

static void connect_port(LV2_Handle handle, uint32_t port, void *data) {
  plugin *p = handle;
  if (port == PORT_IN)
    p->in = data;
  else if (port == PORT_OUT)
    p->out = data;
  else if (port < PORT_PARAMETERS + INSTANCE_PARAMETERS)
    p->control[port - PORT_PARAMETERS] = data;
  else
    p->freewheel = data;
}

/* ---- Playing ---- */

static bool has_room(const plugin *p, uint32_t size) {
  return p->forge.size - p->forge.offset >= sizeof(LV2_Atom_Event) + lv2_atom_pad_size(size);
}

static bool send(void *user, uint32_t frame, const uint8_t *bytes, uint32_t count) {
  plugin *p = user;
  if (!has_room(p, count)) return false;
  lv2_atom_forge_frame_time(&p->forge, frame);
  lv2_atom_forge_atom(&p->forge, count, p->urids.midi_event);
  lv2_atom_forge_write(&p->forge, bytes, count);
  return true;
}

/* Tells the host which model there is. */
static void notify(plugin *p, uint32_t frame) {
  const instance_voice *voice = instance_get_voice(p->instance);
  const char *path = voice ? instance_path(voice) : "";
  uint32_t length = (uint32_t)strlen(path);
  bool is_file = strchr(path, '/') != NULL;
  if (!has_room(p, 128 + length)) return;
  LV2_Atom_Forge_Frame frame_of_set;
  lv2_atom_forge_frame_time(&p->forge, frame);
  lv2_atom_forge_object(&p->forge, &frame_of_set, 0, p->urids.patch_set);
  lv2_atom_forge_key(&p->forge, p->urids.patch_property);
  lv2_atom_forge_urid(&p->forge, is_file ? p->urids.model : p->urids.name);
  lv2_atom_forge_key(&p->forge, p->urids.patch_value);
  if (is_file)
    lv2_atom_forge_path(&p->forge, path, length);
  else
    lv2_atom_forge_string(&p->forge, path, length);
  lv2_atom_forge_pop(&p->forge, &frame_of_set);
  p->notifies = false;
}

/* patch:Set of the model, by file or by name. */
static void set(plugin *p, const LV2_Atom_Object *object) {
  const urids *u = &p->urids;
  const LV2_Atom *property = NULL, *value = NULL;
  lv2_atom_object_get(object, u->patch_property, &property, u->patch_value, &value, 0);
  if (!property || property->type != u->atom_urid || property->size != sizeof(LV2_URID) || !value) return;
  LV2_URID key = ((const LV2_Atom_URID *)property)->body;
  if (key != u->model && key != u->name) return;
  if (value->type != u->atom_path && value->type != u->atom_string) return;
  const char *text = LV2_ATOM_BODY_CONST(value);
  models_request(p, text, (uint32_t)strnlen(text, value->size));
}

static void take(plugin *p, uint32_t frame, const LV2_Atom *atom) {
  const urids *u = &p->urids;
  if (atom->type == u->midi_event) {
    instance_hear(p->instance, frame, LV2_ATOM_BODY_CONST(atom), atom->size);
    return;
  }
  if ((atom->type != u->atom_object && atom->type != u->atom_blank) || atom->size < sizeof(LV2_Atom_Object_Body)) return;
  const LV2_Atom_Object *object = (const LV2_Atom_Object *)atom;
  if (object->body.otype == u->time_position) {
    instance_position position = position_read(&p->position, u, object, p->played + frame);
    instance_locate(p->instance, frame, &position);
  } else if (object->body.otype == u->patch_set) {
    set(p, object);
  } else if (object->body.otype == u->patch_get) {
    p->notifies = true;
  }
}

static void run(LV2_Handle handle, uint32_t frames) {
  plugin *p = handle;
  if (!p->in || !p->out) return;
  lv2_atom_forge_set_buffer(&p->forge, (uint8_t *)p->out, p->out->atom.size);
  lv2_atom_forge_sequence_head(&p->forge, &p->sequence, 0);
  instance_begin(p->instance, frames, p->freewheel && *p->freewheel > 0.5f, send, p);
  for (int i = 0; i < INSTANCE_PARAMETERS; i++) {
    if (!p->control[i] || *p->control[i] == p->set[i]) continue;
    p->set[i] = *p->control[i];
    instance_set(p->instance, i, (double)p->set[i]);
  }
  LV2_ATOM_SEQUENCE_FOREACH(p->in, event) {
    int64_t at = event->time.frames;
    take(p, at < 0 ? 0 : at > frames ? frames : (uint32_t)at, &event->body);
  }
  instance_end(p->instance);
  models_discard(p);
  if (p->notifies) notify(p, frames > 0 ? frames - 1 : 0);
  lv2_atom_forge_pop(&p->forge, &p->sequence);
  p->played += frames;
}

/* There is nowhere to send note-offs to: they are the first that is sent when the plugin goes on. */
static void deactivate(LV2_Handle handle) { instance_reset(((plugin *)handle)->instance); }

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index) {
  static const LV2_Descriptor descriptor = {LIBRETTO_URI, instantiate, connect_port, NULL,
                                            run,          deactivate,  cleanup,      models_extension};
  return index == 0 ? &descriptor : NULL;
}
