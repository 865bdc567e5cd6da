/* duet.c - a model plays with somebody: listens, and answers, trades bars, or accompanies.
 *
 * What the player plays is fed to the session as it is played, what the session draws is played,
 * and both are its memory. One thread does all of it: drawing an event takes much less time than
 * playing it, and neither allocates nor locks. The queue's own wakes keep the time.
 *
 * With --learn the model goes on learning from what the player plays, in a thread of its own (learner.c).
 *
 * The session knows which notes are its own, for it drew them; to the network both players are one
 * stream. Tests/music/roles.py measured that over held-out tunes, in nats per step of the answers:
 * one stream 0.79, its own answers forgotten 0.79, all but the last call forgotten 0.80, and calls
 * marked by a register of their own, in training too, 0.91. */
#include "live.h"
#include "learner.h"
#include <getopt.h>
#include <math.h>
#include <signal.h>
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
    "      --answer-after MS   answer when you have let go for so long, 100 to 10000\n"
    "                          (default: 600), for as long as you played, 1 to 8 seconds; play\n"
    "                          again and the answer ends\n"
    "      --trade N           instead, N bars are yours and N are the model's, in turns; your\n"
    "                          first note is the first beat\n"
    "      --accompany         instead, play along from your first note on until you have let go\n"
    "                          for four bars\n"
    "      --tempo N           quarter notes a minute, 20 to 300 (default: 120)\n"
    "      --time-signature N/D, --metre N/D  such as 3/4 (default: 4/4)\n"
    "      --seed N            answers the same to the same\n"
    "      --ahead MS          schedule so far ahead, 10 to 500 (default: 100)\n"
    "      --temperature X     0 to 2; below 1 the likely becomes likelier (default: 0.8)\n"
    "      --density X         -8 to 8; above 0 more notes (default: 0)\n"
    "      --memory X          0 to 4; above 1 it repeats more of what was played, below 1 less\n"
    "                          (default: 1)\n"
    "      --learn             go on learning, from what you play; n forgets that too\n"
    "      --key KEY           notes of this key alone, such as G or \"F# minor\" (default: any)\n"
    "      --lowest N          the model begins no note below this pitch (default: 0)\n"
    "      --highest N         nor above this one; 60 is middle C (default: 127)\n"
    "      --channel N         play on this channel, 1 to 16 (default: the first that you do not\n"
    "                          play on, drums on 10); on yours its note-offs may end your notes\n"
    "      --program N         the instrument, 0 to 127 (default: what the port has)\n"
    "      --stats             at the end say how it went, as JSON\n"
    "      --help              this\n"
    "\n"
    "Keys: t T temperature, d D density, r R memory; small is down, capital up. n forgets what\n"
    "      was played, q ends.\n";

typedef enum mode { ANSWER, TRADE, ACCOMPANY } mode;

/* What wakes say, beside the number of turns before them. */
enum { BEGIN = 1, WAKE = 2 };

static struct {
  const char *ports, *inputs, *name;
  bool list, stats, seeded, learn;
  int answer_after, trade, channel, program, numerator, denominator, lowest, highest;
  mode mode;
  double ahead, tempo, temperature, density, memory;
  int key;
  uint64_t seed;
} options = {.name = "Libretto", .answer_after = 600, .channel = -1, .program = -1, .numerator = 4,
             .denominator = 4, .highest = 127, .ahead = 100, .tempo = 120, .temperature = 0.8,
             .memory = 1};

static struct {
  alsa_out *out;
  retto_session *session;
  retto_model *model;
  learner *learner; /* NULL without --learn */
  int ticks_per_quarter;
  histogram times; /* of drawing an event */
  bool finished;

  /* The session's time: its tick 0 is at `origin` of the queue, and it has been fed or has drawn
   * all up to `reached`. */
  bool began;
  double origin, beat; /* beat: when the first note came */
  int64_t reached;

  /* What the player does, in ticks of the queue. */
  uint16_t held[16][128]; /* by which port, see port_of; 0 if by none */
  int holding;
  bool heard[16]; /* the channels that notes came on */
  bool calls;
  double call_began, last;

  /* What the session does: from `due` it plays, and begins no note from `until` on. */
  bool plays;
  double due, until;
  bool first;       /* its first note has not come yet */
  bool waits;       /* `next` was drawn and was not yet scheduled */
  retto_event next;
  uint8_t sounds[16][128]; /* of the model's channel and pitch: the channel it is on, from 1 */
  int channel;             /* that its last note was played on; -1 before */
  unsigned turn;    /* wakes of earlier turns count no more */
  double next_turn; /* of a trade: when it is due */

  /* From before the answer. */
  void *snapshot;
  size_t snapshot_size;
  int64_t snapshot_reached;
  double snapshot_origin;
} duet;

/* ---- Time ---- */

static double ticks_of_ms(double ms) { return ms * options.tempo * ALSA_OUT_PPQ / 60e3; }

static double ticks_of_bars(double bars) {
  return bars * 4 * ALSA_OUT_PPQ * options.numerator / options.denominator;
}

/* Where the session is, by the queue. */
static double reached(void) {
  return duet.origin + (double)duet.reached * ALSA_OUT_PPQ / duet.ticks_per_quarter;
}

static void wake(double tick, int what) {
  alsa_out_wake(duet.out, llrint(tick), duet.turn << 2 | (unsigned)what);
  alsa_out_flush(duet.out);
}

/* ---- The session ---- */

static void check(retto_status status) {
  if (!status) return;
  show_line("%s", retto_last_error());
  duet.finished = true;
}

/* Lets the session read what happened at a time of the queue. If it is further already, as it is
 * while it plays along, it reads it as if it happened now. */
static void feed(double tick, int kind, int channel, int pitch, int velocity) {
  int64_t at = llrint((tick - duet.origin) * duet.ticks_per_quarter / ALSA_OUT_PPQ);
  int64_t delta = at > duet.reached ? at - duet.reached : 0;
  retto_event event = {.delta = (uint32_t)delta,
                       .kind = (uint8_t)kind,
                       .channel = (uint8_t)channel,
                       .pitch = (uint8_t)pitch,
                       .velocity = (uint8_t)velocity};
  duet.reached += delta;
  check(retto_session_feed_event(duet.session, &event));
}

static void begin_piece(double tick) {
  duet.began = true;
  duet.origin = tick;
  duet.reached = 0;
  check(retto_session_reset(duet.session, options.seed));
  feed(tick, RETTO_EVENT_TIME_SIGNATURE, 0, options.numerator, options.denominator);
}

static void draw(void) {
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  check(retto_session_next_event(duet.session, &duet.next));
  clock_gettime(CLOCK_MONOTONIC, &after);
  histogram_add(&duet.times, (double)(after.tv_sec - before.tv_sec) * 1e9 +
                                 (double)(after.tv_nsec - before.tv_nsec));
  duet.reached += duet.next.delta;
  duet.waits = true;
}

/* ---- Playing ---- */

/* The model's own channel, or the first that the player does not use: on his a note-off would end
 * his note. Drums have one channel alone. */
static int channel_of(const retto_event *e) {
  enum { DRUMS = 9 };
  if (options.channel >= 0) return options.channel;
  if (e->channel == DRUMS || !duet.heard[e->channel]) return e->channel;
  for (int channel = 0; channel < 16; channel++)
    if (channel != DRUMS && !duet.heard[channel]) return channel;
  return e->channel;
}

static void send_program(void) {
  if (options.program >= 0 && duet.channel >= 0)
    alsa_out_program(duet.out, -1, duet.channel, options.program);
  alsa_out_flush(duet.out);
}

static void use_channel(int channel) {
  if (channel == duet.channel) return;
  duet.channel = channel;
  if (options.channel < 0)
    show_line("plays on channel %d; --channel chooses another", channel + 1);
  send_program();
}

static void play_next(void) {
  const retto_event *e = &duet.next;
  uint8_t *sounds = &duet.sounds[e->channel & 15][e->pitch & 127];
  duet.waits = false;
  if (e->kind == RETTO_EVENT_NOTE_ON) {
    int channel = channel_of(e);
    /* An answer begins when it is due: the rests before its first note are passed over. */
    if (duet.first && options.mode == ANSWER) duet.origin += duet.due - reached();
    duet.first = false;
    if (duet.held[channel][e->pitch]) return; /* it sounds, and is the player's to end */
    use_channel(channel);
    alsa_out_note_on(duet.out, llrint(reached()), channel, e->pitch, e->velocity);
    *sounds = (uint8_t)(channel + 1);
  } else if (e->kind == RETTO_EVENT_NOTE_OFF && *sounds) {
    alsa_out_note_off(duet.out, llrint(reached()), *sounds - 1, e->pitch);
    *sounds = 0;
  }
}

/* Hands over what was played, and takes what was learned from it. */
static void learn(void) {
  if (!duet.learner) return;
  learner_hear(duet.learner, duet.session);
  learner_use(duet.learner, duet.session);
}

static void start(double due, double until) {
  learn();
  size_t size = duet.snapshot_size;
  check(retto_session_snapshot(duet.session, duet.snapshot, size, &size));
  duet.snapshot_reached = duet.reached;
  duet.snapshot_origin = duet.origin;
  duet.plays = duet.first = true;
  duet.waits = false;
  duet.due = due;
  duet.until = until;
  feed(due, RETTO_EVENT_TIME, 0, 0, 0); /* the time in which nobody played */
}

/* Its notes were ended, and it does not play. */
static void forget_sounds(void) {
  check(retto_session_forget_sounding(duet.session));
  memset(duet.sounds, 0, sizeof duet.sounds);
  duet.plays = false;
}

/* The notes it holds end at `tick`. */
static void stop(double tick) {
  for (int channel = 0; channel < 16; channel++)
    for (int pitch = 0; pitch < 128; pitch++)
      if (duet.sounds[channel][pitch])
        alsa_out_note_off(duet.out, llrint(tick), duet.sounds[channel][pitch] - 1, pitch);
  forget_sounds();
}

/* Ends what it plays at once. What nobody has heard of it was never played. */
static void interrupt(double tick) {
  alsa_out_silence(duet.out);
  forget_sounds();
  if (tick >= duet.due) return;
  check(retto_session_restore(duet.session, duet.snapshot, duet.snapshot_size));
  duet.reached = duet.snapshot_reached;
  duet.origin = duet.snapshot_origin;
}

static bool is_over(double now) {
  /* Who plays along ends when the player has for long. */
  if (options.mode == ACCOMPANY) return !duet.holding && now - duet.last > ticks_of_bars(4);
  /* A rest of four bars is an answer too. The bar line counts as reached half a tick before: what was
   * added up to get there may fall short of it by the last bit. */
  return reached() >= (duet.first ? duet.due + ticks_of_bars(4) : duet.until) - 0.5;
}

/* Draws and schedules what is due within the look-ahead. */
static void go_on(void) {
  double now = alsa_out_now(duet.out), horizon = now + ticks_of_ms(options.ahead);
  learn();
  while (duet.plays && !duet.finished) {
    if (!duet.waits) draw();
    if (is_over(now))
      stop(fmin(reached(), duet.until));
    else if (reached() <= horizon || (duet.first && options.mode == ANSWER))
      play_next();
    else
      break;
  }
  if (duet.plays) wake(now + ticks_of_ms(options.ahead) / 4, WAKE);
  alsa_out_flush(duet.out);
}

/* ---- Turns ---- */

static void begin_turn_at(double due) { wake(due - ticks_of_ms(options.ahead), BEGIN); }

/* Its turns are the odd ones since the first note, however late a wake comes: what is too late to
 * begin is left out. */
static void trade(void) {
  double now = alsa_out_now(duet.out), length = ticks_of_bars(options.trade);
  if (now < duet.next_turn + ticks_of_ms(options.ahead))
    start(duet.next_turn, duet.next_turn + length);
  do duet.next_turn += 2 * length;
  while (duet.next_turn < now);
  begin_turn_at(duet.next_turn);
}

static void begin_turn(void) {
  if (options.mode == TRADE) {
    trade();
  } else {
    double due = duet.last + ticks_of_ms(options.answer_after);
    double length = fmax(ticks_of_ms(1000), fmin(ticks_of_ms(8000), duet.last - duet.call_began));
    duet.calls = false;
    start(due, due + length);
  }
  go_on();
}

static void hear_note(double tick, uint16_t port, int channel, int pitch, int velocity) {
  bool on = velocity > 0, held = duet.held[channel][pitch] != 0;
  if (!on && !held) return; /* it has ended already */
  duet.holding += on - held;
  duet.held[channel][pitch] = on ? port : 0;
  duet.heard[channel] |= on;
  if (!duet.began) {
    if (!on) return;
    begin_piece(tick);
    duet.beat = tick;
    duet.next_turn = tick + ticks_of_bars(options.trade);
    if (options.mode == TRADE) begin_turn_at(duet.next_turn);
  }
  if (options.mode == ANSWER && on) {
    if (duet.plays) interrupt(tick);
    if (!duet.calls) duet.call_began = tick;
    duet.calls = true;
  }
  duet.last = tick;
  feed(tick, on ? RETTO_EVENT_NOTE_ON : RETTO_EVENT_NOTE_OFF, channel, pitch, velocity);
  if (options.mode == ANSWER && !duet.plays) {
    duet.turn++; /* what was to begin waits again */
    if (!duet.holding && duet.calls) begin_turn_at(tick + ticks_of_ms(options.answer_after));
  } else if (options.mode == ACCOMPANY && on && !duet.plays) {
    /* On the next beat there is time for. */
    double since = alsa_out_now(duet.out) + ticks_of_ms(options.ahead) - duet.beat;
    start(duet.beat + ceil(since / ALSA_OUT_PPQ) * ALSA_OUT_PPQ, INFINITY);
    go_on();
  }
}

static uint16_t port_of(snd_seq_addr_t address) {
  return (uint16_t)((address.client << 8 | address.port) + 1);
}

/* Note-offs will not come: ends what this port holds, or any if it is 0, on this channel, or on any
 * if it is below 0. */
static void let_go(double tick, uint16_t port, int channel) {
  for (int c = 0; c < 16; c++)
    for (int pitch = 0; pitch < 128; pitch++)
      if (duet.held[c][pitch] && (!port || duet.held[c][pitch] == port) &&
          (channel < 0 || channel == c))
        hear_note(tick, 0, c, pitch, 0);
}

static void hear_controller(double tick, const snd_seq_ev_ctrl_t *control) {
  enum { ALL_SOUND_OFF = 120, ALL_NOTES_OFF = 123 }; /* and the modes above it */
  if (control->param == ALL_SOUND_OFF || control->param >= ALL_NOTES_OFF)
    let_go(tick, 0, control->channel & 15);
}

static void hear_port(void) {
  bool news = false;
  for (const snd_seq_event_t *event; (event = alsa_out_read(duet.out, &news));) {
    double ns = event->time.time.tv_sec * 1e9 + event->time.time.tv_nsec;
    double tick = alsa_out_tick_at(duet.out, ns);
    const snd_seq_ev_note_t *note = &event->data.note;
    unsigned value = event->data.raw32.d[0];
    if (event->type == SND_SEQ_EVENT_NOTEON)
      hear_note(tick, port_of(event->source), note->channel & 15, note->note & 127,
                note->velocity & 127);
    else if (event->type == SND_SEQ_EVENT_NOTEOFF)
      hear_note(tick, port_of(event->source), note->channel & 15, note->note & 127, 0);
    else if (event->type == SND_SEQ_EVENT_CONTROLLER)
      hear_controller(tick, &event->data.control);
    else if (event->type == SND_SEQ_EVENT_RESET)
      let_go(alsa_out_now(duet.out), 0, -1);
    else if (event->type == SND_SEQ_EVENT_PORT_UNSUBSCRIBED)
      let_go(tick, port_of(event->data.connect.sender), -1);
    else if (event->type == SND_SEQ_EVENT_ECHO && value == (duet.turn << 2 | BEGIN))
      begin_turn();
    else if (event->type == SND_SEQ_EVENT_ECHO && value == (duet.turn << 2 | WAKE))
      go_on();
  }
  if (!news) return;
  show_line("%s", alsa_out_message(duet.out));
  send_program(); /* a port that is back knows nothing */
}

/* ---- The keyboard ---- */

static void show_state(void) {
  show_status("%s  temperature %.2f  density %+.1f  memory %.2f  key %s  you hold %d  %llu late",
              duet.plays ? "|> plays" : "   listens", options.temperature, options.density,
              options.memory, key_name(options.key), duet.holding,
              (unsigned long long)alsa_out_get_stats(duet.out)->late);
}

static void press(int key) {
  switch (key) {
  case 't': options.temperature = fmax(0, options.temperature - 0.05); break;
  case 'T': options.temperature = fmin(2, options.temperature + 0.05); break;
  case 'd': options.density = fmax(-8, options.density - 0.5); break;
  case 'D': options.density = fmin(8, options.density + 0.5); break;
  case 'r': options.memory = fmax(0, options.memory - 0.25); break;
  case 'R': options.memory = fmin(4, options.memory + 0.25); break;
  case 'n':
    interrupt(INFINITY);
    duet.turn++;
    if (duet.learner) learner_forget(duet.learner);
    duet.began = duet.calls = false;
    duet.holding = 0;
    memset(duet.held, 0, sizeof duet.held);
    break;
  case 'q': duet.finished = true; break;
  }
  check(retto_session_set_temperature(duet.session, (float)options.temperature));
  check(retto_session_set_density(duet.session, (float)options.density));
  check(set_memory(duet.session, options.memory));
}

static void run(int signals) {
  while (!duet.finished) {
    show_state();
    unsigned ready = wait_for_input(alsa_out_descriptor(duet.out), signals);
    if (ready & FROM_PORT) hear_port();
    if (ready & FROM_SIGNALS) {
      if (read_signal(signals) == SIGTSTP)
        suspend_program(duet.out, false);
      else
        duet.finished = true;
    }
    if (ready & FROM_KEYBOARD) {
      int key = read_key();
      if (key) press(key);
    }
  }
}

static void show_learned(void) {
  double loss;
  uint64_t count;
  learner_loss(duet.learner, &loss, &count);
  if (count > 0)
    fprintf(stderr, "learned from %llu tokens, at %.3f nats each before that\n", (unsigned long long)count, loss);
}

/* ---- Setting up ---- */

static void parse(int argc, char **argv) {
  enum { NAME = 256, ANSWER_AFTER, TRADE_BARS, ALONG, TEMPO, TIME_SIGNATURE, SEED, AHEAD, TEMPERATURE,
         DENSITY, MEMORY, LEARN, KEY, LOWEST, HIGHEST, CHANNEL, PROGRAM, STATS, HELP };
  static const struct option list[] = {
      {"input", 1, NULL, 'i'},          {"port", 1, NULL, 'p'},
      {"list", 0, NULL, 'l'},           {"name", 1, NULL, NAME},
      {"answer-after", 1, NULL, ANSWER_AFTER},
      {"trade", 1, NULL, TRADE_BARS},   {"accompany", 0, NULL, ALONG},
      {"tempo", 1, NULL, TEMPO},
      {"time-signature", 1, NULL, TIME_SIGNATURE},
      {"metre", 1, NULL, TIME_SIGNATURE},
      {"seed", 1, NULL, SEED},          {"ahead", 1, NULL, AHEAD},
      {"temperature", 1, NULL, TEMPERATURE},
      {"density", 1, NULL, DENSITY},    {"key", 1, NULL, KEY},
      {"memory", 1, NULL, MEMORY},      {"learn", 0, NULL, LEARN},
      {"lowest", 1, NULL, LOWEST},      {"highest", 1, NULL, HIGHEST},
      {"channel", 1, NULL, CHANNEL},    {"program", 1, NULL, PROGRAM},
      {"stats", 0, NULL, STATS},        {"help", 0, NULL, HELP},
      {NULL, 0, NULL, 0}};
  bool answers = false, trades = false, along = false;
  for (int option; (option = getopt_long(argc, argv, "i:p:l", list, NULL)) != -1;) {
    switch (option) {
    case 'i': options.inputs = optarg; break;
    case 'p': options.ports = optarg; break;
    case 'l': options.list = true; break;
    case NAME: options.name = optarg; break;
    case ANSWER_AFTER:
      answers = true;
      options.answer_after = (int)whole_of("--answer-after", optarg, 100, 10000);
      break;
    case TRADE_BARS:
      trades = true;
      options.trade = (int)whole_of("--trade", optarg, 1, 64);
      break;
    case ALONG: along = true; break;
    case TEMPO: options.tempo = number_of("--tempo", optarg, 20, 300); break;
    case TIME_SIGNATURE:
      time_signature_of("--time-signature", optarg, &options.numerator, &options.denominator);
      break;
    case SEED:
      options.seed = (uint64_t)whole_of("--seed", optarg, 0, INT64_MAX);
      options.seeded = true;
      break;
    case AHEAD: options.ahead = number_of("--ahead", optarg, 10, 500); break;
    case TEMPERATURE: options.temperature = number_of("--temperature", optarg, 0, 2); break;
    case DENSITY: options.density = number_of("--density", optarg, -8, 8); break;
    case MEMORY: options.memory = number_of("--memory", optarg, 0, 4); break;
    case LEARN: options.learn = true; break;
    case KEY: options.key = key_of("--key", optarg); break;
    case LOWEST: options.lowest = (int)whole_of("--lowest", optarg, 0, 127); break;
    case HIGHEST: options.highest = (int)whole_of("--highest", optarg, 0, 127); break;
    case CHANNEL: options.channel = (int)whole_of("--channel", optarg, 1, 16) - 1; break;
    case PROGRAM: options.program = (int)whole_of("--program", optarg, 0, 127); break;
    case STATS: options.stats = true; break;
    case HELP: fputs(help, stdout); exit(0);
    default: exit(64); /* getopt has said what is wrong */
    }
  }
  if (answers + trades + along > 1)
    usage_error("--answer-after, --trade and --accompany are different ways to play; choose one");
  options.mode = trades ? TRADE : along ? ACCOMPANY : ANSWER;
  if (!options.list && argc - optind != 1)
    usage_error("it takes one model, and there are %d; libretto-duet --help says more",
                argc - optind);
}

static void open_model(const char *path) {
  bool has_bars;
  if (!options.seeded) options.seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
  duet.session = open_session(path, options.seed, &duet.model, &duet.ticks_per_quarter, &has_bars);
  /* All that is played is one piece. */
  if (retto_session_set_ending(duet.session, RETTO_ENDING_NEVER) ||
      retto_session_set_pitch_range(duet.session, options.lowest, options.highest) ||
      retto_session_set_temperature(duet.session, (float)options.temperature) ||
      retto_session_set_density(duet.session, (float)options.density) ||
      set_memory(duet.session, options.memory) ||
      retto_session_set_scale(duet.session, key_scale(options.key)))
    usage_error("%s", retto_last_error());
  check(retto_session_snapshot(duet.session, NULL, 0, &duet.snapshot_size));
  duet.snapshot = malloc(duet.snapshot_size);
  if (!duet.snapshot) give_up("there is no memory");
}

int main(int argc, char **argv) {
  parse(argc, argv);
  if (!options.list) open_model(argv[optind]);
  if (alsa_out_open(options.name, &duet.out)) give_up("%s", alsa_out_message(duet.out));
  if (options.list) {
    alsa_out_list(duet.out, true, stdout);
    alsa_out_list(duet.out, false, stdout);
    alsa_out_close(duet.out);
    return 0;
  }
  connect_ports(duet.out, options.ports, options.inputs, true);
  int signals = open_signals();
  if (options.learn && !(duet.learner = learner_start(duet.model))) give_up("%s", retto_last_error());
  alsa_out_set_tempo(duet.out, options.tempo);
  duet.channel = options.channel;
  send_program();
  alsa_out_run(duet.out);
  run(signals);
  alsa_out_silence(duet.out);
  close_keyboard();
  report(alsa_out_get_stats(duet.out), &duet.times, options.stats);
  if (duet.learner) show_learned();
  learner_stop(duet.learner);
  alsa_out_close(duet.out);
  retto_session_free(duet.session);
  retto_model_free(duet.model);
  free(duet.snapshot);
  return 0;
}
