#include "engine.h"

/* ---- Parameters ---- */

static const live_parameter_info parameters[LIVE_PARAMETERS] = {
    [LIVE_MODE] = {"mode", 0, LIVE_MODES - 1, LIVE_PLAY, true},
    [LIVE_TEMPERATURE] = {"temperature", 0, 2, 0.8, false},
    [LIVE_TOP_P] = {"top-p", 0.01, 1, 1, false},
    [LIVE_DENSITY] = {"density", -8, 8, 0, false},
    [LIVE_MEMORY] = {"memory", 0, 4, 1, false},
    [LIVE_KEY] = {"key", 0, 24, 0, true},
    [LIVE_FOLLOW_KEY] = {"follow-key", 0, 1, 1, true},
    [LIVE_FOLLOW_TEMPO] = {"follow-tempo", 0, 1, 1, true},
    [LIVE_FOLLOW_LOUDNESS] = {"follow-loudness", 0, 1, 1, true},
    [LIVE_LOWEST] = {"lowest", 0, 127, 0, true},
    [LIVE_HIGHEST] = {"highest", 0, 127, 127, true},
    [LIVE_VOICES] = {"voices", 1, 128, 128, true},
    [LIVE_BARS] = {"bars", 0, 10000, 0, true},
    [LIVE_NUMERATOR] = {"numerator", 0, 99, 0, true},
    [LIVE_DENOMINATOR] = {"denominator", 1, 64, 4, true},
    [LIVE_ANSWER_AFTER] = {"answer-after", 100, 10000, 600, true},
    [LIVE_TRADE_BARS] = {"trade-bars", 1, 64, 4, true},
    [LIVE_CHANNEL] = {"channel", 0, 16, 0, true},
};

const live_parameter_info *live_get_parameter_info(live_parameter parameter) {
  return (int)parameter >= 0 && parameter < LIVE_PARAMETERS ? &parameters[parameter] : NULL;
}

bool take_setting(live *l, live_parameter parameter) {
  retto_session *s = l->session;
  const double *v = l->value;
  bool is_piece = v[LIVE_MODE] == LIVE_PLAY;
  retto_status status = RETTO_OK;
  switch (parameter) {
  case LIVE_TEMPERATURE: status = retto_session_set_temperature(s, (float)v[parameter]); break;
  case LIVE_TOP_P: status = retto_session_set_top_p(s, (float)v[parameter]); break;
  case LIVE_DENSITY: status = retto_session_set_density(s, (float)v[parameter]); break;
  case LIVE_MEMORY: status = retto_session_set_memory(s, (float)v[parameter]); break;
  case LIVE_LOWEST:
  case LIVE_HIGHEST:
    status = retto_session_set_pitch_range(s, (int32_t)fmin(v[LIVE_LOWEST], v[LIVE_HIGHEST]),
                                           (int32_t)fmax(v[LIVE_LOWEST], v[LIVE_HIGHEST]));
    break;
  case LIVE_VOICES: status = retto_session_set_voices(s, (int32_t)v[parameter]); break;
  case LIVE_MODE:
    /* What two play together is one piece. */
    status = retto_session_set_ending(s, !is_piece       ? RETTO_ENDING_NEVER
                                         : l->has_bars ? RETTO_ENDING_BAR_LINE
                                                       : RETTO_ENDING_ANYWHERE);
    take_setting(l, LIVE_BARS);
    take_setting(l, LIVE_NUMERATOR);
    break;
  case LIVE_BARS: status = retto_session_set_bars(s, is_piece ? (int32_t)v[LIVE_BARS] : 0); break;
  case LIVE_NUMERATOR:
  case LIVE_DENOMINATOR: {
    int32_t numerator = is_piece ? (int32_t)v[LIVE_NUMERATOR] : 0;
    status = retto_session_set_time_signature(s, numerator, numerator ? (int32_t)v[LIVE_DENOMINATOR] : 0);
    break;
  }
  case LIVE_KEY:
  case LIVE_FOLLOW_KEY:
    follow_key(l);
    return parameter != LIVE_KEY || v[LIVE_KEY] == 0 || l->applied_key == v[LIVE_KEY];
  default: break;
  }
  return status == RETTO_OK;
}

void take_settings(live *l) {
  for (int i = 0; i < LIVE_PARAMETERS; i++) take_setting(l, (live_parameter)i);
}

/* What comes next is the first that is played. */
static void start_anew(live *l, double tick) {
  l->began = l->finished = l->plays = l->plans = l->reads = l->waits = l->is_compound = false;
  l->player.call_count = l->player.read = l->mark_count = 0;
  l->bars = l->bar_line = l->reached = 0;
  l->scale = 1;
  follow_key(l);
  l->stands = false;
  if (l->value[LIVE_MODE] == LIVE_PLAY && l->has_transport)
    piece_locate(l, tick, l->transport.position + (runs(l) ? tick - l->told : 0));
}

bool live_set(live *l, live_parameter parameter, double value) {
  const live_parameter_info *info = live_get_parameter_info(parameter);
  if (!info || isnan(value)) return false;
  value = fmax(info->least, fmin(info->most, info->is_whole ? rint(value) : value));
  bool changes = l->value[parameter] != value;
  if (parameter == LIVE_MODE && changes) live_silence(l, l->now);
  if (changes) recent_do(l, (session_step){.kind = STEP_SET, .number = (int)parameter, .value = value});
  l->value[parameter] = value;
  bool has = take_setting(l, parameter);
  if (parameter == LIVE_MODE && changes)
    start_anew(l, l->now);
  else if (changes)
    piece_forget_ahead(l);
  return has;
}

double live_get(const live *l, live_parameter parameter) {
  return (int)parameter >= 0 && parameter < LIVE_PARAMETERS ? l->value[parameter] : 0;
}

/* ---- Making ---- */

static size_t aligned(size_t size) { return (size + 63) / 64 * 64; }

/* 0 if there is none. */
static size_t snapshot_size(const retto_session *session) {
  size_t size = 0;
  retto_status status = retto_session_snapshot(session, NULL, 0, &size);
  return status && status != RETTO_ERROR_BUFFER ? 0 : size;
}

size_t live_size(const retto_session *session, int bars) {
  size_t size = snapshot_size(session);
  if (size == 0 || bars < 1 || bars > 4096) return 0;
  size_t marks = (size_t)bars + 1; /* and the beginning */
  return aligned(sizeof(live) + marks * sizeof(bar_mark)) + (OWN_SNAPSHOTS + marks) * aligned(size) + 64;
}

live *live_open(void *memory, const retto_model *model, retto_session *session, int bars, uint64_t seed,
                const live_sink *sink) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  size_t marks = (size_t)bars + 1;
  live *l = memory;
  if (!live_size(session, bars) || retto_model_get_info(model, &info) || info.kind != RETTO_KIND_MUSIC)
    return NULL;
  memset(l, 0, sizeof *l);
  l->session = session;
  l->sink = *sink;
  l->seed = seed;
  l->ticks_per_quarter = info.ticks_per_quarter;
  l->is_drums = strcmp(info.encoding, "drums") == 0;
  l->reads_drums = l->is_drums || strcmp(info.encoding, "ensemble") == 0;
  l->has_bars = strcmp(info.encoding, "performance") != 0;
  l->tempo = 120;
  l->scale = 1;
  l->bar = 4 * (int64_t)info.ticks_per_quarter;
  l->mark_spacing = 1;
  l->most_marks = (int)marks;
  l->snapshot_size = snapshot_size(session);
  l->snapshot_stride = aligned(l->snapshot_size);
  l->snapshots = (unsigned char *)memory + aligned(sizeof(live) + marks * sizeof(bar_mark));
  for (int i = 0; i < LIVE_PARAMETERS; i++) l->value[i] = parameters[i].initial;
  recent_begin(l);
  take_settings(l);
  recent_forget(l);
  l->status = RETTO_OK;
  return l;
}

/* ---- Time ---- */

void live_set_tempo(live *l, double tempo) {
  if (tempo > 0 && isfinite(tempo)) l->tempo = tempo;
}

void live_transport(live *l, double tick, const live_transport_state *t) {
  const double same = 2; /* ticks: hosts round positions to frames */
  double expected = l->transport.position + (l->transport.is_running ? tick - l->told : 0);
  bool starts = t->is_running && (!l->has_transport || !l->transport.is_running);
  bool stops = !t->is_running && l->has_transport && l->transport.is_running;
  bool jumps = !l->has_transport || fabs(t->position - expected) > same;
  bool is_piece = l->value[LIVE_MODE] == LIVE_PLAY;
  live_set_tempo(l, t->tempo);
  if (stops || (jumps && t->is_running && !starts)) live_silence(l, tick);
  l->has_transport = true;
  l->transport = *t;
  l->told = tick;
  if (is_piece && (starts || stops || jumps)) piece_locate(l, tick, t->position);
}

double live_advance(live *l, double now, double horizon, int draws) {
  if (now > l->now) l->now = now;
  if (horizon > l->horizon) l->horizon = horizon;
  notes_pass(&l->notes, (int64_t)floor(l->now));
  return l->value[LIVE_MODE] == LIVE_PLAY ? piece_advance(l, l->now, horizon, draws)
                                          : turn_advance(l, l->now, horizon, draws);
}

/* ---- The player ---- */

void live_hear(live *l, double tick, unsigned source, const uint8_t *bytes, size_t count) {
  player_hear(l, tick, source, bytes, count, turn_hear);
  if (l->player.onset_count % 4 == 0) l->player.key = key_find(l->player.classes, l->player.key);
}

void live_let_go(live *l, double tick, int source) { player_let_go(l, tick, source, -1, turn_hear); }

void live_silence(live *l, double tick) {
  if (l->value[LIVE_MODE] == LIVE_PLAY) {
    end_notes(l, tick);
  } else {
    turn_end(l, tick);
  }
}

void live_set_seed(live *l, uint64_t seed) { l->seed = seed; }

void live_forget(live *l, double tick) {
  live_silence(l, tick);
  memset(&l->player, 0, sizeof l->player);
  start_anew(l, tick);
}

void live_get_state(const live *l, live_state *state) {
  *state = (live_state){.is_playing = l->plays,
                        .is_finished = l->finished,
                        .holding = l->player.holding,
                        .sounding = notes_open(&l->notes),
                        .key = l->player.key,
                        .tempo = l->tempo / l->scale,
                        .bar = l->bars + (l->reached > l->bar_line ? (l->reached - l->bar_line) / l->bar : 0),
                        .late = l->late,
                        .status = l->status,
                        .drawn = l->drawn,
                        .end = l->finished ? tick_at(l, l->reached) : INFINITY};
}
