/* bundle FOLDER MODEL.safetensors...: writes what describes the plugin to hosts, in Turtle: manifest.ttl, libretto.ttl
 * and presets.ttl, with a preset for each of these models that is one of music. */
#include "../Plugins/instance.h"
#include "uris.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static FILE *create(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  if (!f) fail(path);
  return f;
}

static void finish(FILE *f) {
  if (ferror(f) || fclose(f)) fail("cannot write the bundle");
}

/* ---- libretto.ttl ---- */

static const char *unit_of(int parameter) {
  switch (parameter) {
  case INSTANCE_TEMPO: return "units:bpm";
  case LIVE_ANSWER_AFTER: return "units:ms";
  case LIVE_BARS:
  case LIVE_TRADE_BARS: return "units:bar";
  case LIVE_LOWEST:
  case LIVE_HIGHEST: return "units:midiNote";
  default: return NULL;
  }
}

static void write_parameter(FILE *f, int parameter) {
  instance_parameter about = instance_describe(parameter);
  const char *unit = unit_of(parameter);
  fprintf(f,
          " , [\n    a lv2:InputPort , lv2:ControlPort ;\n    lv2:index %d ;\n    lv2:symbol \"%s\" ;\n"
          "    lv2:name \"%s\" ;\n    lv2:minimum %.10g ;\n    lv2:maximum %.10g ;\n    lv2:default %.10g",
          PORT_PARAMETERS + parameter, about.symbol, about.label, about.least, about.most, about.initial);
  if (about.comment) fprintf(f, " ;\n    rdfs:comment \"%s\"", about.comment);
  if (unit) fprintf(f, " ;\n    units:unit %s", unit);
  if (parameter == INSTANCE_ENABLED) fprintf(f, " ;\n    lv2:designation lv2:enabled");
  if (about.kind == INSTANCE_SWITCH) fprintf(f, " ;\n    lv2:portProperty lv2:toggled");
  if (about.kind == INSTANCE_TRIGGER) fprintf(f, " ;\n    lv2:portProperty lv2:toggled , pprop:trigger");
  if (about.kind == INSTANCE_NUMBER && about.is_whole) fprintf(f, " ;\n    lv2:portProperty lv2:integer");
  if (about.kind == INSTANCE_CHOICE) {
    fprintf(f, " ;\n    lv2:portProperty lv2:integer , lv2:enumeration");
    for (int i = 0; i <= (int)about.most; i++)
      fprintf(f, " ;\n    lv2:scalePoint [ rdfs:label \"%s\" ; rdf:value %d ]", about.choices[i], i);
  }
  fprintf(f, "\n  ]");
}

static void write_plugin(const char *folder) {
  FILE *f = create(folder, "libretto.ttl");
  fprintf(f, "@prefix atom: <http://lv2plug.in/ns/ext/atom#> .\n"
             "@prefix doap: <http://usefulinc.com/ns/doap#> .\n"
             "@prefix log: <http://lv2plug.in/ns/ext/log#> .\n"
             "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
             "@prefix midi: <http://lv2plug.in/ns/ext/midi#> .\n"
             "@prefix patch: <http://lv2plug.in/ns/ext/patch#> .\n"
             "@prefix pprop: <http://lv2plug.in/ns/ext/port-props#> .\n"
             "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
             "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
             "@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .\n"
             "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n"
             "@prefix time: <http://lv2plug.in/ns/ext/time#> .\n"
             "@prefix units: <http://lv2plug.in/ns/extensions/units#> .\n"
             "@prefix urid: <http://lv2plug.in/ns/ext/urid#> .\n"
             "@prefix work: <http://lv2plug.in/ns/ext/worker#> .\n\n");
  fprintf(f, "<" LIBRETTO_MODEL ">\n  a lv2:Parameter ;\n  rdfs:label \"Model file\" ;\n"
             "  rdfs:comment \"A .safetensors file of Libretto with a model of music.\" ;\n  rdfs:range atom:Path .\n\n"
             "<" LIBRETTO_NAME ">\n  a lv2:Parameter ;\n  rdfs:label \"Model\" ;\n"
             "  rdfs:comment \"The name of a model that is installed, such as folk.\" ;\n  rdfs:range atom:String .\n\n");
  fprintf(f,
          "<" LIBRETTO_URI ">\n  a lv2:Plugin , lv2:MIDIPlugin ;\n  doap:name \"Libretto\" ;\n"
          "  doap:license <http://www.apache.org/licenses/LICENSE-2.0> ;\n"
          "  rdfs:comment \"A neural network plays along: alone with the transport, in answer, in turns or together.\" ;\n"
          "  lv2:minorVersion %d ;\n  lv2:microVersion %d ;\n  lv2:requiredFeature urid:map ;\n"
          "  lv2:optionalFeature lv2:hardRTCapable , work:schedule , log:log , state:threadSafeRestore ;\n"
          "  lv2:extensionData work:interface , state:interface ;\n"
          "  patch:writable <" LIBRETTO_MODEL "> , <" LIBRETTO_NAME "> ;\n",
          RETTO_VERSION_MINOR, RETTO_VERSION_PATCH);
  fprintf(f,
          "  lv2:port [\n    a lv2:InputPort , atom:AtomPort ;\n    lv2:index %d ;\n    lv2:symbol \"in\" ;\n"
          "    lv2:name \"MIDI in\" ;\n    lv2:designation lv2:control ;\n    atom:bufferType atom:Sequence ;\n"
          "    atom:supports midi:MidiEvent , time:Position , patch:Message ;\n    rsz:minimumSize 65536\n  ] , [\n"
          "    a lv2:OutputPort , atom:AtomPort ;\n    lv2:index %d ;\n    lv2:symbol \"out\" ;\n"
          "    lv2:name \"MIDI out\" ;\n    lv2:designation lv2:control ;\n    atom:bufferType atom:Sequence ;\n"
          "    atom:supports midi:MidiEvent , patch:Message ;\n    rsz:minimumSize 65536\n  ]",
          PORT_IN, PORT_OUT);
  for (int i = 0; i < INSTANCE_PARAMETERS; i++) write_parameter(f, i);
  fprintf(f,
          " , [\n    a lv2:InputPort , lv2:ControlPort ;\n    lv2:index %d ;\n    lv2:symbol \"freewheel\" ;\n"
          "    lv2:name \"Freewheel\" ;\n    lv2:minimum 0 ;\n    lv2:maximum 1 ;\n    lv2:default 0 ;\n"
          "    lv2:designation lv2:freeWheeling ;\n    lv2:portProperty lv2:toggled , pprop:notOnGUI\n  ] .\n",
          PORT_PARAMETERS + INSTANCE_PARAMETERS);
  finish(f);
}

/* ---- Presets ---- */

/* Whether a file is a model of music; writes its name. */
static bool is_music(const char *path, char *name, size_t size) {
  retto_model *model = NULL;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  const char *slash = strrchr(path, '/');
  if (retto_model_load(path, &model) || retto_model_get_info(model, &info)) {
    fprintf(stderr, "%s\n", retto_last_error());
    exit(1);
  }
  retto_model_free(model);
  snprintf(name, size, "%s", slash ? slash + 1 : path);
  char *dot = strstr(name, ".safetensors");
  if (dot) *dot = 0;
  return info.kind == RETTO_KIND_MUSIC;
}

static void write_presets(const char *folder, FILE *manifest, int count, char **models) {
  FILE *f = create(folder, "presets.ttl");
  char name[256];
  const char *prefixes = "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
                         "@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"
                         "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
                         "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n";
  fprintf(f, "%s", prefixes);
  for (int i = 0; i < count; i++) {
    if (!is_music(models[i], name, sizeof name)) continue;
    fprintf(manifest,
            "\n<" LIBRETTO_URI "#preset-%s>\n  a pset:Preset ;\n  lv2:appliesTo <" LIBRETTO_URI "> ;\n"
            "  rdfs:label \"%s\" ;\n  rdfs:seeAlso <presets.ttl> .\n",
            name, name);
    fprintf(f,
            "\n<" LIBRETTO_URI "#preset-%s>\n  a pset:Preset ;\n  lv2:appliesTo <" LIBRETTO_URI "> ;\n"
            "  rdfs:label \"%s\" ;\n  state:state [ <" LIBRETTO_NAME "> \"%s\" ] .\n",
            name, name, name);
  }
  finish(f);
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: bundle FOLDER MODEL.safetensors...\n");
    return 64;
  }
  const char *folder = arguments[1];
  write_plugin(folder);
  FILE *manifest = create(folder, "manifest.ttl");
  fprintf(manifest, "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
                    "@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"
                    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n\n"
                    "<" LIBRETTO_URI ">\n  a lv2:Plugin ;\n  lv2:binary <libretto_lv2.so> ;\n"
                    "  rdfs:seeAlso <libretto.ttl> .\n");
  write_presets(folder, manifest, count - 2, arguments + 2);
  finish(manifest);
  return 0;
}
