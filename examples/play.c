/* play.c - lets a model play on ALSA sequencer ports without end, in time, while it writes. */
#include "controls.h"
#include "options.h"
#include "terminal.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const help =
    "libretto-play [OPTION...] MODEL...: lets a model of music play without end\n"
    "\n"
    "  -p, --port PORT[,...]   play to these, by number (128:0) or name; else to those of the\n"
    "                          variable ALSA_OUTPUT_PORTS; else connect later, with aconnect\n"
    "  -i, --input PORT[,...]  listen to these, for --cc and --clock in\n"
    "  -l, --list              list the ports there are\n"
    "      --name NAME         name of the client (default: Libretto)\n"
    "      --bars N            end after so many bars (default: never)\n"
    "      --seed N            the same music each time, that of libretto sample --seed N\n"
    "      --ahead MS          schedule so far ahead, 10 to 2000 (default: 100)\n"
    CONTROLS_OPTIONS
    "      --time-signature N/D, --metre N/D  such as 3/4 (default: the model's choice)\n"
    "      --parts LIST        the parts of a model with parts, by program, such as 73,32,drums\n"
    "      --channel N         play on this channel, 1 to 16 (default: the model's; parts have one each)\n"
    "      --program N         the instrument, 0 to 127 (default: what the port has, or that of each part)\n"
    "      --clock out         send MIDI clock: Start, Continue, Stop, 24 clocks a quarter note\n"
    "      --clock in          follow MIDI clock that comes to the port in, its Start, Continue,\n"
    "                          Stop and song position; when it is lost for a bar, stop\n"
    "      --stats             at the end say how it went, as JSON\n"
    "      --help              this\n"
    "\n"
    CONTROLS_KEYS
    "      space pauses, m goes to the next model, o to the next port, q ends.\n"
    CONTROLS_CONTROLLERS;

static performer play = {
    .name = "Libretto", .ahead = 100, .tempo = 120, .channel = -1, .program = -1, .song = {.runs_alone = true}};
static bool lists;

/* ---- Options ---- */

/* Gives where the models begin. */
static int parse(int argc, char **argv) {
  enum { NAME = 256, BARS, SEED, AHEAD, CONTROL, TIME_SIGNATURE, PARTS, CHANNEL, PROGRAM, CLOCK, CC, STATS, HELP };
  static const struct option list[] = {
      {"port", 1, NULL, 'p'},         {"input", 1, NULL, 'i'},
      {"list", 0, NULL, 'l'},         {"name", 1, NULL, NAME},
      {"bars", 1, NULL, BARS},        {"seed", 1, NULL, SEED},
      {"ahead", 1, NULL, AHEAD},      {"tempo", 1, NULL, CONTROL},
      {"temperature", 1, NULL, CONTROL},
      {"density", 1, NULL, CONTROL},  {"key", 1, NULL, CONTROL},
      {"memory", 1, NULL, CONTROL},
      {"time-signature", 1, NULL, TIME_SIGNATURE},
      {"metre", 1, NULL, TIME_SIGNATURE},
      {"parts", 1, NULL, PARTS},
      {"channel", 1, NULL, CHANNEL},  {"program", 1, NULL, PROGRAM},
      {"clock", 1, NULL, CLOCK},      {"cc", 1, NULL, CC},
      {"stats", 0, NULL, STATS},      {"help", 0, NULL, HELP},
      {NULL, 0, NULL, 0}};
  int which = 0;
  play.seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
  for (int option; (option = getopt_long(argc, argv, "p:i:l", list, &which)) != -1;) {
    switch (option) {
    case 'p': play.ports = optarg; break;
    case 'i': play.inputs = optarg; break;
    case 'l': lists = true; break;
    case NAME: play.name = optarg; break;
    case BARS: performer_give(&play, LIVE_BARS, (double)whole_of("--bars", optarg, 1, 10000)); break;
    case SEED: play.seed = (uint64_t)whole_of("--seed", optarg, 0, INT64_MAX); break;
    case AHEAD: play.ahead = number_of("--ahead", optarg, 10, 2000); break;
    case CONTROL: controls_give(&play, list[which].name, optarg); break;
    case TIME_SIGNATURE: performer_give_time_signature(&play, optarg); break;
    case PARTS: play.part_count = parts_of("--parts", optarg, play.parts); break;
    case CHANNEL: play.channel = (int)whole_of("--channel", optarg, 1, 16) - 1; break;
    case PROGRAM: play.program = (int)whole_of("--program", optarg, 0, 127); break;
    case CLOCK: clock_of(optarg, &play.song.follows, &play.song.leads); break;
    case CC: controls_assign(optarg); break;
    case STATS: play.stats = true; break;
    case HELP: fputs(help, stdout); exit(0);
    default: exit(64); /* getopt has said what is wrong */
    }
  }
  performer_give(&play, LIVE_CHANNEL, play.channel + 1);
  if (lists) return optind;
  if (argc == optind) usage_error("there is no model to play; libretto-play --help says more");
  if (argc - optind > MOST_MODELS) usage_error("there are more than %d models", MOST_MODELS);
  return optind;
}

/* ---- What happens ---- */

static void hear(const snd_seq_event_t *event, double tick) {
  (void)tick;
  if (event->type == SND_SEQ_EVENT_CONTROLLER) controls_hear(&play, &event->data.control);
}

static void press(int key) {
  if (controls_press(&play, key)) return;
  switch (key) {
  case ' ': performer_toggle_pause(&play); break;
  case 'm': performer_next_model(&play); break;
  case 'o': performer_next_port(&play); break;
  }
}

static void show(const live_state *state) {
  char controls[200];
  unsigned long long late = alsa_out_get_stats(play.out)->late + state->late;
  controls_show(controls, sizeof controls, alsa_out_tempo(play.out));
  show_status("%s bar %lld  %s  %llu late", play.paused ? "||" : play.song.runs ? "|>" : "..",
              (long long)state->bar + 1, controls, late);
}

int main(int argc, char **argv) {
  int first = parse(argc, argv);
  if (lists) {
    performer_list(&play, false);
    return 0;
  }
  play.hear = hear;
  play.press = press;
  play.show = show;
  performer_open_models(&play, argv + first, argc - first);
  performer_open_ports(&play);
  performer_run(&play);
  return performer_close(&play);
}
