/* What a performer is made of, and what it says at the end. */
#include "options.h"
#include "performer.h"
#include "terminal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Models ---- */

enum { BARS_KEPT = 64 }; /* to go back to */

/* A file, or the name of a model where no file has that name. */
static retto_status load_model(const char *path, retto_model **model) {
  bool is_name = !strchr(path, '/') && access(path, F_OK) != 0;
  return is_name ? retto_model_load_named(path, model) : retto_model_load(path, model);
}

static void open_model(performer *p, const char *path, retto_model_info *info) {
  int i = p->count;
  live_sink sink = performer_sink(p);
  *info = (retto_model_info)RETTO_MODEL_INFO_INIT;
  if (load_model(path, &p->models[i]) || retto_model_get_info(p->models[i], info)) give_up("%s", retto_last_error());
  if (info->kind != RETTO_KIND_MUSIC)
    give_up("%s is a model of %s, which cannot be played; expected one of music", path, info->encoding);
  if (retto_session_create(p->models[i], NULL, &p->sessions[i])) give_up("%s", retto_last_error());
  if (p->part_count && retto_session_set_parts(p->sessions[i], p->parts, p->part_count))
    usage_error("%s", retto_last_error());
  p->memory[i] = malloc(live_size(p->sessions[i], BARS_KEPT));
  if (!p->memory[i]) give_up("there is no memory");
  p->lives[i] = live_open(p->memory[i], p->models[i], p->sessions[i], BARS_KEPT, p->seed, &sink);
  p->count++;
}

/* What is given for the models must be of use for each. */
static void configure(performer *p, const char *path, const retto_model_info *info) {
  live *l = p->lives[p->count - 1];
  int numerator = (int)p->given[LIVE_NUMERATOR], denominator = (int)p->given[LIVE_DENOMINATOR];
  bool has_bars = strcmp(info->encoding, "performance") != 0, is_piece = p->given[LIVE_MODE] == LIVE_PLAY;
  if (p->is_given[LIVE_BARS] && !has_bars)
    usage_error("--bars is not for %s, a model of performances: these have no bars", path);
  if (numerator && (has_bars || is_piece) &&
      retto_session_set_time_signature(p->sessions[p->count - 1], numerator, denominator))
    usage_error("%s", retto_last_error());
  if (numerator) live_set(l, LIVE_DENOMINATOR, denominator); /* first, so that no other is asked for in between */
  for (int i = 0; i < LIVE_PARAMETERS; i++)
    if (p->is_given[i] && !live_set(l, (live_parameter)i, p->given[i]) && i != LIVE_MEMORY)
      usage_error("--%s is not for %s, a model of %s", live_get_parameter_info((live_parameter)i)->name, path,
                  info->encoding);
  live_set_tempo(l, p->tempo);
}

void performer_give(performer *p, live_parameter parameter, double value) {
  p->is_given[parameter] = true;
  p->given[parameter] = value;
}

void performer_give_time_signature(performer *p, const char *text) {
  int numerator, denominator;
  time_signature_of("--time-signature", text, &numerator, &denominator);
  performer_give(p, LIVE_NUMERATOR, numerator);
  performer_give(p, LIVE_DENOMINATOR, denominator);
}

void performer_open_models(performer *p, char **paths, int count) {
  for (int i = 0; i < count; i++) {
    retto_model_info info;
    open_model(p, paths[i], &info);
    configure(p, paths[i], &info);
  }
  p->live = p->lives[0];
  memset(p->programs, -1, sizeof p->programs);
  p->next = -INFINITY;
  p->wake = INFINITY;
}

/* ---- Ports ---- */

void performer_list(performer *p, bool inputs) {
  if (alsa_out_open(p->name, &p->out)) give_up("%s", alsa_out_message(p->out));
  if (inputs) alsa_out_list(p->out, true, stdout);
  alsa_out_list(p->out, false, stdout);
  alsa_out_close(p->out);
}

void performer_open_ports(performer *p) {
  const char *ports = p->ports ? p->ports : getenv("ALSA_OUTPUT_PORTS");
  if (alsa_out_open(p->name, &p->out)) give_up("%s", alsa_out_message(p->out));
  if (ports && *ports && alsa_out_connect(p->out, ports, false)) give_up("%s", alsa_out_message(p->out));
  if (p->inputs && alsa_out_connect(p->out, p->inputs, true)) give_up("%s", alsa_out_message(p->out));
  if (!alsa_out_ports(p->out)) show_line("no port to play to yet: give -p PORT (-l lists them), or use aconnect");
  if ((p->listens || p->song.follows) && !p->inputs)
    show_line("no port to listen to yet: give -i PORT (aconnect -i lists them), or use aconnect");
  if (p->song.follows) show_line("waiting for Start or Continue");
  alsa_out_set_tempo(p->out, p->tempo);
  p->signals = open_signals();
}

/* ---- How it went ---- */

static double ms(const histogram *h, double share) { return histogram_quantile(h, share) / 1e6; }

static void print_json(const alsa_out_stats *s, const histogram *times, unsigned long long left_out) {
  printf("{\"events\": %llu, \"late\": %llu, \"late_note_ons\": %llu, \"left_out\": %llu, \"lost\": %llu, "
         "\"worst_lateness_ms\": %.3f, "
         "\"delivery_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f}, "
         "\"generation_ms\": {\"events\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"p99.9\": %.4f, "
         "\"worst\": %.4f}}\n",
         (unsigned long long)s->events, s->late + left_out, s->late_note_ons + left_out, left_out,
         (unsigned long long)s->lost, s->delivery.worst / 1e6, ms(&s->delivery, 0.5), ms(&s->delivery, 0.9),
         ms(&s->delivery, 0.99), ms(&s->delivery, 0.999), (unsigned long long)times->count, ms(times, 0.5),
         ms(times, 0.99), ms(times, 0.999), times->worst / 1e6);
}

/* Notes that were left out because their time was over. */
static unsigned long long count_left_out(const performer *p) {
  unsigned long long left_out = 0;
  for (int i = 0; i < p->count; i++) {
    live_state state;
    live_get_state(p->lives[i], &state);
    left_out += state.late;
  }
  return left_out;
}

static int report(const performer *p) {
  const alsa_out_stats *s = alsa_out_get_stats(p->out);
  unsigned long long left_out = count_left_out(p);
  if (!p->stats) {
    show_line("%llu events, %llu late; delivered within %.1f ms (99 %%), %.1f ms at worst",
              (unsigned long long)s->events, s->late + left_out, ms(&s->delivery, 0.99), s->delivery.worst / 1e6);
    return 0;
  }
  print_json(s, &p->times, left_out);
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  show_line("cannot write to standard output");
  return 1;
}

int performer_close(performer *p) {
  int status = report(p);
  alsa_out_close(p->out);
  for (int i = 0; i < p->count; i++) {
    retto_session_free(p->sessions[i]);
    retto_model_free(p->models[i]);
    free(p->memory[i]);
  }
  return status;
}
