/* clap.h - what Libretto's plugin needs of CLAP, the CLever Audio Plugin interface, version 1.2.
 *
 * Written for this project from the facts of the specification (https://github.com/free-audio/clap, MIT): names,
 * layouts and numbers are its, and all that a plugin without sound and window does not use is left out. Tags tell the
 * thread on which a function is called. */
#ifndef LIBRETTO_CLAP_H
#define LIBRETTO_CLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Basics ---- */

typedef uint32_t clap_id;
#define CLAP_INVALID_ID UINT32_MAX

enum { CLAP_NAME_SIZE = 256, CLAP_PATH_SIZE = 1024 };

typedef struct clap_version {
  uint32_t major, minor, revision;
} clap_version_t;

#define CLAP_VERSION_INIT {1, 2, 0}

/* Beats and seconds in fixed point. */
typedef int64_t clap_beattime, clap_sectime;
#define CLAP_BEATTIME_FACTOR ((int64_t)1 << 31)
#define CLAP_SECTIME_FACTOR ((int64_t)1 << 31)

/* ---- Events ---- */

typedef struct clap_event_header {
  uint32_t size; /* of the whole event */
  uint32_t time; /* frame of the block */
  uint16_t space_id, type;
  uint32_t flags;
} clap_event_header_t;

#define CLAP_CORE_EVENT_SPACE_ID ((uint16_t)0)

enum {
  CLAP_EVENT_NOTE_ON = 0,
  CLAP_EVENT_NOTE_OFF = 1,
  CLAP_EVENT_NOTE_CHOKE = 2,
  CLAP_EVENT_NOTE_END = 3,
  CLAP_EVENT_NOTE_EXPRESSION = 4,
  CLAP_EVENT_PARAM_VALUE = 5,
  CLAP_EVENT_PARAM_MOD = 6,
  CLAP_EVENT_PARAM_GESTURE_BEGIN = 7,
  CLAP_EVENT_PARAM_GESTURE_END = 8,
  CLAP_EVENT_TRANSPORT = 9,
  CLAP_EVENT_MIDI = 10,
  CLAP_EVENT_MIDI_SYSEX = 11,
  CLAP_EVENT_MIDI2 = 12
};

/* On, off, choke and end. -1 stands for any, but in a note-on for the id alone. */
typedef struct clap_event_note {
  clap_event_header_t header;
  int32_t note_id;
  int16_t port_index, channel, key;
  double velocity; /* 0 to 1 */
} clap_event_note_t;

typedef struct clap_event_param_value {
  clap_event_header_t header;
  clap_id param_id;
  void *cookie; /* of clap_param_info, or NULL */
  int32_t note_id;
  int16_t port_index, channel, key;
  double value;
} clap_event_param_value_t;

enum {
  CLAP_TRANSPORT_HAS_TEMPO = 1 << 0,
  CLAP_TRANSPORT_HAS_BEATS_TIMELINE = 1 << 1,
  CLAP_TRANSPORT_HAS_SECONDS_TIMELINE = 1 << 2,
  CLAP_TRANSPORT_HAS_TIME_SIGNATURE = 1 << 3,
  CLAP_TRANSPORT_IS_PLAYING = 1 << 4,
  CLAP_TRANSPORT_IS_RECORDING = 1 << 5,
  CLAP_TRANSPORT_IS_LOOP_ACTIVE = 1 << 6,
  CLAP_TRANSPORT_IS_WITHIN_PRE_ROLL = 1 << 7
};

typedef struct clap_event_transport {
  clap_event_header_t header;
  uint32_t flags;
  clap_beattime song_pos_beats;
  clap_sectime song_pos_seconds;
  double tempo;     /* beats a minute */
  double tempo_inc; /* more of it in each frame until the next such event */
  clap_beattime loop_start_beats, loop_end_beats;
  clap_sectime loop_start_seconds, loop_end_seconds;
  clap_beattime bar_start;
  int32_t bar_number;
  uint16_t tsig_num, tsig_denom;
} clap_event_transport_t;

typedef struct clap_event_midi {
  clap_event_header_t header;
  uint16_t port_index;
  uint8_t data[3];
} clap_event_midi_t;

typedef struct clap_input_events {
  void *ctx;
  uint32_t (*size)(const struct clap_input_events *list);
  const clap_event_header_t *(*get)(const struct clap_input_events *list, uint32_t index);
} clap_input_events_t;

typedef struct clap_output_events {
  void *ctx;
  /* In the order of their times; copies the event. False if there is no room. */
  bool (*try_push)(const struct clap_output_events *list, const clap_event_header_t *event);
} clap_output_events_t;

/* ---- The host ---- */

typedef struct clap_host {
  clap_version_t clap_version;
  void *host_data;
  const char *name, *vendor, *url, *version;
  const void *(*get_extension)(const struct clap_host *host, const char *extension_id); /* [any-thread] */
  void (*request_restart)(const struct clap_host *host);                               /* [any-thread] */
  void (*request_process)(const struct clap_host *host);                               /* [any-thread] */
  void (*request_callback)(const struct clap_host *host);                              /* [any-thread] */
} clap_host_t;

/* ---- The plugin ---- */

struct clap_audio_buffer;

enum {
  CLAP_PROCESS_ERROR = 0,
  CLAP_PROCESS_CONTINUE = 1,
  CLAP_PROCESS_CONTINUE_IF_NOT_QUIET = 2,
  CLAP_PROCESS_TAIL = 3,
  CLAP_PROCESS_SLEEP = 4
};
typedef int32_t clap_process_status;

typedef struct clap_process {
  int64_t steady_time; /* in frames; -1 if there is none */
  uint32_t frames_count;
  const clap_event_transport_t *transport; /* at the first frame; NULL if the host has none */
  const struct clap_audio_buffer *audio_inputs;
  struct clap_audio_buffer *audio_outputs;
  uint32_t audio_inputs_count, audio_outputs_count;
  const clap_input_events_t *in_events; /* in the order of their times */
  const clap_output_events_t *out_events;
} clap_process_t;

#define CLAP_PLUGIN_FEATURE_NOTE_EFFECT "note-effect"

typedef struct clap_plugin_descriptor {
  clap_version_t clap_version;
  const char *id, *name, *vendor, *url, *manual_url, *support_url, *version, *description;
  const char *const *features; /* ends with NULL */
} clap_plugin_descriptor_t;

typedef struct clap_plugin {
  const clap_plugin_descriptor_t *desc;
  void *plugin_data;
  bool (*init)(const struct clap_plugin *plugin);    /* [main-thread] */
  void (*destroy)(const struct clap_plugin *plugin); /* [main-thread & !active] */
  bool (*activate)(const struct clap_plugin *plugin, double sample_rate, uint32_t min_frames_count,
                   uint32_t max_frames_count);         /* [main-thread & !active] */
  void (*deactivate)(const struct clap_plugin *plugin); /* [main-thread & active] */
  bool (*start_processing)(const struct clap_plugin *plugin); /* [audio-thread & active & !processing] */
  void (*stop_processing)(const struct clap_plugin *plugin);  /* [audio-thread & active & processing] */
  void (*reset)(const struct clap_plugin *plugin);            /* [audio-thread & active] */
  clap_process_status (*process)(const struct clap_plugin *plugin,
                                 const clap_process_t *process); /* [audio-thread & active & processing] */
  const void *(*get_extension)(const struct clap_plugin *plugin, const char *id); /* [any-thread] */
  void (*on_main_thread)(const struct clap_plugin *plugin);                       /* [main-thread] */
} clap_plugin_t;

#define CLAP_PLUGIN_FACTORY_ID "clap.plugin-factory"

typedef struct clap_plugin_factory { /* [any-thread] */
  uint32_t (*get_plugin_count)(const struct clap_plugin_factory *factory);
  const clap_plugin_descriptor_t *(*get_plugin_descriptor)(const struct clap_plugin_factory *factory, uint32_t index);
  const clap_plugin_t *(*create_plugin)(const struct clap_plugin_factory *factory, const clap_host_t *host,
                                        const char *plugin_id);
} clap_plugin_factory_t;

/* What a plugin's file exports, as `clap_entry`. */
typedef struct clap_plugin_entry {
  clap_version_t clap_version;
  bool (*init)(const char *plugin_path);
  void (*deinit)(void);
  const void *(*get_factory)(const char *factory_id);
} clap_plugin_entry_t;

/* ---- Extension: note ports ---- */

#define CLAP_EXT_NOTE_PORTS "clap.note-ports"

enum {
  CLAP_NOTE_DIALECT_CLAP = 1 << 0,
  CLAP_NOTE_DIALECT_MIDI = 1 << 1,
  CLAP_NOTE_DIALECT_MIDI_MPE = 1 << 2,
  CLAP_NOTE_DIALECT_MIDI2 = 1 << 3
};

typedef struct clap_note_port_info {
  clap_id id;
  uint32_t supported_dialects, preferred_dialect;
  char name[CLAP_NAME_SIZE];
} clap_note_port_info_t;

typedef struct clap_plugin_note_ports { /* [main-thread] */
  uint32_t (*count)(const clap_plugin_t *plugin, bool is_input);
  bool (*get)(const clap_plugin_t *plugin, uint32_t index, bool is_input, clap_note_port_info_t *info);
} clap_plugin_note_ports_t;

typedef struct clap_host_note_ports { /* [main-thread] */
  uint32_t (*supported_dialects)(const clap_host_t *host);
  void (*rescan)(const clap_host_t *host, uint32_t flags);
} clap_host_note_ports_t;

/* ---- Extension: parameters ---- */

#define CLAP_EXT_PARAMS "clap.params"

enum {
  CLAP_PARAM_IS_STEPPED = 1 << 0,
  CLAP_PARAM_IS_PERIODIC = 1 << 1,
  CLAP_PARAM_IS_HIDDEN = 1 << 2,
  CLAP_PARAM_IS_READONLY = 1 << 3,
  CLAP_PARAM_IS_BYPASS = 1 << 4,
  CLAP_PARAM_IS_AUTOMATABLE = 1 << 5,
  CLAP_PARAM_IS_MODULATABLE = 1 << 10,
  CLAP_PARAM_REQUIRES_PROCESS = 1 << 15,
  CLAP_PARAM_IS_ENUM = 1 << 16
};

typedef struct clap_param_info {
  clap_id id;
  uint32_t flags;
  void *cookie;
  char name[CLAP_NAME_SIZE];
  char module[CLAP_PATH_SIZE];
  double min_value, max_value, default_value;
} clap_param_info_t;

typedef struct clap_plugin_params {
  uint32_t (*count)(const clap_plugin_t *plugin);                                                /* [main-thread] */
  bool (*get_info)(const clap_plugin_t *plugin, uint32_t param_index, clap_param_info_t *info);  /* [main-thread] */
  bool (*get_value)(const clap_plugin_t *plugin, clap_id param_id, double *out_value);           /* [main-thread] */
  bool (*value_to_text)(const clap_plugin_t *plugin, clap_id param_id, double value, char *out_buffer,
                        uint32_t out_buffer_capacity); /* [main-thread] */
  bool (*text_to_value)(const clap_plugin_t *plugin, clap_id param_id, const char *param_value_text,
                        double *out_value); /* [main-thread] */
  void (*flush)(const clap_plugin_t *plugin, const clap_input_events_t *in,
                const clap_output_events_t *out); /* [active ? audio-thread : main-thread] */
} clap_plugin_params_t;

enum { CLAP_PARAM_RESCAN_VALUES = 1 << 0, CLAP_PARAM_RESCAN_TEXT = 1 << 1 };

typedef struct clap_host_params {
  void (*rescan)(const clap_host_t *host, uint32_t flags);                   /* [main-thread] */
  void (*clear)(const clap_host_t *host, clap_id param_id, uint32_t flags); /* [main-thread] */
  void (*request_flush)(const clap_host_t *host);                            /* [any-thread but audio] */
} clap_host_params_t;

/* ---- Extension: state ---- */

#define CLAP_EXT_STATE "clap.state"

/* Bytes read or written, at most `size`; 0 at the end, -1 for an error. */
typedef struct clap_istream {
  void *ctx;
  int64_t (*read)(const struct clap_istream *stream, void *buffer, uint64_t size);
} clap_istream_t;

typedef struct clap_ostream {
  void *ctx;
  int64_t (*write)(const struct clap_ostream *stream, const void *buffer, uint64_t size);
} clap_ostream_t;

typedef struct clap_plugin_state { /* [main-thread] */
  bool (*save)(const clap_plugin_t *plugin, const clap_ostream_t *stream);
  bool (*load)(const clap_plugin_t *plugin, const clap_istream_t *stream);
} clap_plugin_state_t;

typedef struct clap_host_state { /* [main-thread] */
  void (*mark_dirty)(const clap_host_t *host);
} clap_host_state_t;

/* ---- Extensions: latency, tail, render, thread check, log ---- */

#define CLAP_EXT_LATENCY "clap.latency"

typedef struct clap_plugin_latency { /* [main-thread & (being activated | active)] */
  uint32_t (*get)(const clap_plugin_t *plugin);
} clap_plugin_latency_t;

#define CLAP_EXT_TAIL "clap.tail"

typedef struct clap_plugin_tail { /* [main-thread, audio-thread] */
  uint32_t (*get)(const clap_plugin_t *plugin);
} clap_plugin_tail_t;

#define CLAP_EXT_RENDER "clap.render"

enum { CLAP_RENDER_REALTIME = 0, CLAP_RENDER_OFFLINE = 1 };
typedef int32_t clap_plugin_render_mode;

typedef struct clap_plugin_render { /* [main-thread] */
  bool (*has_hard_realtime_requirement)(const clap_plugin_t *plugin);
  bool (*set)(const clap_plugin_t *plugin, clap_plugin_render_mode mode);
} clap_plugin_render_t;

#define CLAP_EXT_THREAD_CHECK "clap.thread-check"

typedef struct clap_host_thread_check { /* [any-thread] */
  bool (*is_main_thread)(const clap_host_t *host);
  bool (*is_audio_thread)(const clap_host_t *host);
} clap_host_thread_check_t;

#define CLAP_EXT_LOG "clap.log"

enum {
  CLAP_LOG_DEBUG = 0,
  CLAP_LOG_INFO = 1,
  CLAP_LOG_WARNING = 2,
  CLAP_LOG_ERROR = 3,
  CLAP_LOG_FATAL = 4,
  CLAP_LOG_HOST_MISBEHAVING = 5,
  CLAP_LOG_PLUGIN_MISBEHAVING = 6
};
typedef int32_t clap_log_severity;

typedef struct clap_host_log { /* [any-thread] */
  void (*log)(const clap_host_t *host, clap_log_severity severity, const char *msg);
} clap_host_log_t;

#ifdef __cplusplus
}
#endif
#endif
