/* duet.c - a model plays with somebody: listens, and answers, trades bars, or accompanies.
 *
 * With --learn the model goes on learning from what the player plays, in a thread of its own (learner.c).
 *
 * The session knows which notes are its own, for it drew them; to the network both players are one
 * stream. Tests/music/roles.py measured that over held-out tunes, in nats per step of the answers:
 * one stream 0.79, its own answers forgotten 0.79, all but the last call forgotten 0.80, and calls
 * marked by a register of their own, in training too, 0.91. */
#include "controls.h"
#include "learner.h"
#include "options.h"
#include "terminal.h"
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *const help =
    "libretto-duet [OPTION...] MODEL: a model of music plays with you\n"
    "\n"
    "  -i, --input PORT[,...]  listen to these, by number (128:0) or name; or connect later\n"
    "  -p, --port PORT[,...]   play to these; else to those of the variable ALSA_OUTPUT_PORTS\n"
    "  -l, --list              list the ports to listen to, and those to play to\n"
    "      --name NAME         name of the client (default: Libretto)\n"
    "      --answer-after MS   answer when you have not played for so long, 100 to 10000\n"
    "                          (default: 600), from your next beat on and for as long as you\n"
    "                          played; play again and the answer ends\n"
    "      --trade N           instead, N bars are yours and N are the model's, in turns; your\n"
    "                          first note is the first beat\n"
    "      --accompany         instead, play along from your first note on until you have let go\n"
    "                          for four bars\n"
    "      --no-follow-key     play any notes; else those of your key, once it is heard\n"
    "      --no-follow-tempo   play at --tempo; else at your tempo and on your beat\n"
    "      --no-follow-loudness  play as loud as the model does; else as loud as you\n"
    "      --time-signature N/D, --metre N/D  such as 3/4 (default: 4/4, or 6/8 if you play it)\n"
    "      --clock out         send MIDI clock, by which the model plays; play to it too\n"
    "      --clock in          play by the MIDI clock that comes to the port in while it runs\n"
    "      --seed N            answers the same to the same\n"
    "      --ahead MS          schedule so far ahead, 10 to 500 (default: 100)\n"
    CONTROLS_OPTIONS
    "      --learn             go on learning, from what you play; n forgets that too\n"
    "      --lowest N          the model begins no note below this pitch (default: 0)\n"
    "      --highest N         nor above this one; 60 is middle C (default: 127)\n"
    "      --channel N         play on this channel, 1 to 16 (default: the first that you do not\n"
    "                          play on, drums on 10); on yours its note-offs may end your notes\n"
    "      --program N         the instrument, 0 to 127 (default: what the port has)\n"
    "      --stats             at the end say how it went, as JSON\n"
    "      --help              this\n"
    "\n"
    CONTROLS_KEYS
    "      n forgets what was played, o goes to the next port, q ends.\n"
    CONTROLS_CONTROLLERS;

static performer duet = {
    .name = "Libretto", .ahead = 100, .tempo = 120, .channel = -1, .program = -1, .listens = true,
    .says_channel = true};
static bool lists, learns;
static learner *the_learner; /* NULL without --learn */

/* ---- Options ---- */

static void give_whole(live_parameter parameter, const char *option, const char *text, long least, long most) {
  performer_give(&duet, parameter, (double)whole_of(option, text, least, most));
}

/* Gives where the model is. */
static int parse(int argc, char **argv) {
  enum { NAME = 256, ANSWER_AFTER, TRADE, ACCOMPANY, NO_FOLLOW_KEY, NO_FOLLOW_TEMPO, NO_FOLLOW_LOUDNESS, TIME_SIGNATURE,
         CLOCK, SEED, AHEAD, CONTROL, CC, LEARN, LOWEST, HIGHEST, CHANNEL, PROGRAM, STATS, HELP };
  static const struct option list[] = {
      {"input", 1, NULL, 'i'},          {"port", 1, NULL, 'p'},
      {"list", 0, NULL, 'l'},           {"name", 1, NULL, NAME},
      {"answer-after", 1, NULL, ANSWER_AFTER},
      {"trade", 1, NULL, TRADE},        {"accompany", 0, NULL, ACCOMPANY},
      {"no-follow-key", 0, NULL, NO_FOLLOW_KEY},
      {"no-follow-tempo", 0, NULL, NO_FOLLOW_TEMPO},
      {"no-follow-loudness", 0, NULL, NO_FOLLOW_LOUDNESS},
      {"time-signature", 1, NULL, TIME_SIGNATURE},
      {"metre", 1, NULL, TIME_SIGNATURE},
      {"clock", 1, NULL, CLOCK},        {"seed", 1, NULL, SEED},
      {"ahead", 1, NULL, AHEAD},        {"tempo", 1, NULL, CONTROL},
      {"temperature", 1, NULL, CONTROL},
      {"density", 1, NULL, CONTROL},    {"key", 1, NULL, CONTROL},
      {"memory", 1, NULL, CONTROL},     {"cc", 1, NULL, CC},
      {"learn", 0, NULL, LEARN},
      {"lowest", 1, NULL, LOWEST},      {"highest", 1, NULL, HIGHEST},
      {"channel", 1, NULL, CHANNEL},    {"program", 1, NULL, PROGRAM},
      {"stats", 0, NULL, STATS},        {"help", 0, NULL, HELP},
      {NULL, 0, NULL, 0}};
  int which = 0, modes = 0;
  live_mode mode = LIVE_ANSWER;
  duet.seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
  for (int option; (option = getopt_long(argc, argv, "i:p:l", list, &which)) != -1;) {
    modes += option == ANSWER_AFTER || option == TRADE || option == ACCOMPANY;
    switch (option) {
    case 'i': duet.inputs = optarg; break;
    case 'p': duet.ports = optarg; break;
    case 'l': lists = true; break;
    case NAME: duet.name = optarg; break;
    case ANSWER_AFTER: give_whole(LIVE_ANSWER_AFTER, "--answer-after", optarg, 100, 10000); break;
    case TRADE:
      mode = LIVE_TRADE;
      give_whole(LIVE_TRADE_BARS, "--trade", optarg, 1, 64);
      break;
    case ACCOMPANY: mode = LIVE_ACCOMPANY; break;
    case NO_FOLLOW_KEY: performer_give(&duet, LIVE_FOLLOW_KEY, 0); break;
    case NO_FOLLOW_TEMPO: performer_give(&duet, LIVE_FOLLOW_TEMPO, 0); break;
    case NO_FOLLOW_LOUDNESS: performer_give(&duet, LIVE_FOLLOW_LOUDNESS, 0); break;
    case TIME_SIGNATURE: performer_give_time_signature(&duet, optarg); break;
    case CLOCK: clock_of(optarg, &duet.song.follows, &duet.song.leads); break;
    case SEED: duet.seed = (uint64_t)whole_of("--seed", optarg, 0, INT64_MAX); break;
    case AHEAD: duet.ahead = number_of("--ahead", optarg, 10, 500); break;
    case CONTROL: controls_give(&duet, list[which].name, optarg); break;
    case CC: controls_assign(optarg); break;
    case LEARN: learns = true; break;
    case LOWEST: give_whole(LIVE_LOWEST, "--lowest", optarg, 0, 127); break;
    case HIGHEST: give_whole(LIVE_HIGHEST, "--highest", optarg, 0, 127); break;
    case CHANNEL: duet.channel = (int)whole_of("--channel", optarg, 1, 16) - 1; break;
    case PROGRAM: duet.program = (int)whole_of("--program", optarg, 0, 127); break;
    case STATS: duet.stats = true; break;
    case HELP: fputs(help, stdout); exit(0);
    default: exit(64); /* getopt has said what is wrong */
    }
  }
  performer_give(&duet, LIVE_MODE, mode);
  performer_give(&duet, LIVE_CHANNEL, duet.channel + 1);
  if (modes > 1) usage_error("--answer-after, --trade and --accompany are different ways to play; choose one");
  double lowest = duet.given[LIVE_LOWEST], highest = duet.is_given[LIVE_HIGHEST] ? duet.given[LIVE_HIGHEST] : 127;
  if (lowest > highest)
    usage_error("the pitches are %g to %g; the lowest must not be above the highest", lowest, highest);
  if (!lists && argc - optind != 1)
    usage_error("it takes one model, and there are %d; libretto-duet --help says more", argc - optind);
  return optind;
}

/* ---- What happens ---- */

/* Of a port, for the engine. */
static unsigned source_of(snd_seq_addr_t address) { return (unsigned)address.client << 7 | (address.port & 127); }

static void hear_message(double tick, snd_seq_addr_t source, int status, int channel, unsigned first, int second) {
  uint8_t bytes[] = {(uint8_t)(status | (channel & 15)), (uint8_t)(first & 127), (uint8_t)(second & 127)};
  live_hear(duet.live, tick, source_of(source), bytes, sizeof bytes);
}

static void hear(const snd_seq_event_t *e, double tick) {
  enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROLLER = 0xB0 };
  const snd_seq_ev_note_t *note = &e->data.note;
  const snd_seq_ev_ctrl_t *control = &e->data.control;
  switch (e->type) {
  case SND_SEQ_EVENT_NOTEON: hear_message(tick, e->source, NOTE_ON, note->channel, note->note, note->velocity); break;
  case SND_SEQ_EVENT_NOTEOFF: hear_message(tick, e->source, NOTE_OFF, note->channel, note->note, 0); break;
  case SND_SEQ_EVENT_CONTROLLER:
    hear_message(tick, e->source, CONTROLLER, control->channel, control->param, control->value);
    controls_hear(&duet, control);
    break;
  case SND_SEQ_EVENT_RESET: live_let_go(duet.live, alsa_out_now(duet.out), -1); break;
  case SND_SEQ_EVENT_PORT_UNSUBSCRIBED: live_let_go(duet.live, tick, (int)source_of(e->data.connect.sender)); break;
  }
}

static void press(int key) {
  if (controls_press(&duet, key)) return;
  if (key == 'o') performer_next_port(&duet);
  if (key != 'n') return;
  live_forget(duet.live, alsa_out_now(duet.out));
  if (the_learner) learner_forget(the_learner);
}

/* Hands over what was played, and takes what was learned from it: where a turn begins or ends, so that what is read
 * again is not learned twice. Who plays along has no turns. */
static void learn(const live_state *state) {
  static bool played;
  bool is_turn = state->is_playing != played || duet.given[LIVE_MODE] == LIVE_ACCOMPANY;
  played = state->is_playing;
  if (!the_learner || !is_turn) return;
  learner_hear(the_learner, duet.sessions[0]);
  learner_use(the_learner, duet.sessions[0]);
}

static void show(const live_state *state) {
  char controls[200];
  unsigned long long late = alsa_out_get_stats(duet.out)->late + state->late;
  controls_show(controls, sizeof controls, state->tempo);
  show_status("%s  you: %s, hold %d  %s  %llu late", state->is_playing ? "|>" : "..",
              state->key ? key_name(state->key) : "no key yet", state->holding, controls, late);
}

static void show_learned(void) {
  double loss;
  uint64_t count;
  learner_loss(the_learner, &loss, &count);
  if (count > 0)
    fprintf(stderr, "learned from %llu tokens, at %.3f nats each before that\n", (unsigned long long)count, loss);
}

int main(int argc, char **argv) {
  int first = parse(argc, argv);
  if (lists) {
    performer_list(&duet, true);
    return 0;
  }
  duet.hear = hear;
  duet.press = press;
  duet.show = show;
  duet.prepare = learn;
  performer_open_models(&duet, argv + first, 1);
  performer_open_ports(&duet);
  if (learns && !(the_learner = learner_start(duet.models[0]))) give_up("%s", retto_last_error());
  performer_run(&duet);
  if (the_learner) show_learned();
  learner_stop(the_learner);
  return performer_close(&duet);
}
