/* play.c - lets a model play on ALSA sequencer ports without end, in time, while it writes.
 *
 * One thread draws events (writer.h); this one hands them to the queue a little before they are
 * due, woken by the queue itself, and listens to ports, the keyboard and signals. */
#include "clock_in.h"
#include "live.h"
#include "writer.h"
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
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
    "      --tempo N           quarter notes a minute, 20 to 300 (default: 120)\n"
    "      --temperature X     0 to 2; below 1 the likely becomes likelier (default: 0.8)\n"
    "      --density X         -8 to 8; above 0 more notes (default: 0)\n"
    "      --memory X          0 to 4; above 1 it repeats more, below 1 less (default: 1)\n"
    "      --key KEY           notes of this key alone, such as G or \"F# minor\" (default: any)\n"
    "      --time-signature N/D, --metre N/D  such as 3/4 (default: the model's choice)\n"
    "      --parts LIST        the parts of a model with parts, by program, such as 73,32,drums\n"
    "      --channel N         play on this channel, 1 to 16 (default: the model's; parts have one each)\n"
    "      --program N         the instrument, 0 to 127 (default: what the port has, or that of each part)\n"
    "      --clock out         send MIDI clock: Start, Continue, Stop, 24 clocks a quarter note\n"
    "      --clock in          follow MIDI clock that comes to the port in, its Start, Continue,\n"
    "                          Stop and song position; when it is lost for a bar, stop\n"
    "      --cc WHAT=N[,...]   change temperature, density, tempo, key or memory with controller N,\n"
    "                          0 to 127, of any channel; WHAT=learn takes the first one that moves\n"
    "      --stats             at the end say how it went, as JSON\n"
    "      --help              this\n"
    "\n"
    "Keys: t T temperature, d D density, b B tempo, k K key, r R memory; small is down,\n"
    "      capital up.\n"
    "      space pauses, m goes to the next model, o to the next port, q ends.\n"
    "      l and then t, d, b, k or r: the next controller that moves will change that.\n"
    "Temperature 0 to 2, density -8 to 8, tempo 20 to 300, memory 0 to 4 and key (any, 12 major,\n"
    "12 minor) are spread over the 128 values of a controller.\n";

/* What can be changed while it plays. */
enum { TEMPERATURE, DENSITY, TEMPO, KEY, MEMORY, PARAMETERS };

static const struct {
  const char *name;
  char letter;
  double least, most, step;
} parameters[PARAMETERS] = {{"temperature", 't', 0, 2, 0.05},
                            {"density", 'd', -8, 8, 0.5},
                            {"tempo", 'b', 20, 300, 2},
                            {"key", 'k', 0, KEYS - 1, 1},
                            {"memory", 'r', 0, 4, 0.25}};

enum { NO_CONTROLLER = -1, LEARN = -2 };
enum { MOST_MODELS = 16 };
enum { WAKE = 1, FINISH = 2 }; /* what wakes say, beside the number of silences before them */

static struct {
  const char *ports, *inputs, *name;
  bool list, stats, clock_out, clock_in, seeded;
  int bars, channel, program, numerator, denominator;
  int32_t parts[RETTO_MAX_PARTS];
  size_t part_count;
  double ahead; /* ms */
  uint64_t seed;
} options = {.name = "Libretto", .channel = -1, .program = -1, .ahead = 100};

static struct {
  alsa_out *out;
  writer *writer;
  retto_session *sessions[MOST_MODELS];
  int ticks_per_quarter[MOST_MODELS];
  int models, model;

  double value[PARAMETERS];
  int controller[PARAMETERS];
  bool learns; /* l was pressed: the next letter says what */

  bool playing, paused, finished;
  bool fresh;        /* nothing of the piece that was begun has been taken */
  int64_t origin;    /* the queue's tick at which the piece begins */
  int64_t next_clock;
  int64_t continues; /* when those who follow were last told to go on */
  int64_t end;       /* of the last piece; -1 if it is not known yet */
  int64_t bar_line, bar, bars; /* a bar line of the piece, ticks of a bar, bars before the line */
  unsigned silences;

  clock_in master;
  int64_t first_clock; /* of the master's song, at which the piece begins */
} play = {.end = -1, .bar = 4 * ALSA_OUT_PPQ};

/* ---- Options ---- */

static void parse_controllers(char *text) {
  for (char *item; (item = strsep(&text, ","));) {
    char *number = item;
    const char *name = strsep(&number, "=");
    int which = 0;
    while (which < PARAMETERS && strcmp(name, parameters[which].name)) which++;
    if (which == PARAMETERS || !number)
      usage_error("--cc has \"%s\"; write it such as temperature=1,tempo=3 or key=learn", name);
    play.controller[which] =
        strcmp(number, "learn") ? (int)whole_of("--cc", number, 0, 127) : LEARN;
  }
}

static void set_default(int which, const char *option, const char *text) {
  play.value[which] = number_of(option, text, parameters[which].least, parameters[which].most);
}

static void parse(int argc, char **argv) {
  enum { NAME = 256, BARS, SEED, AHEAD, TEMPO_OPTION, TEMPERATURE_OPTION, DENSITY_OPTION,
         KEY_OPTION, MEMORY_OPTION, TIME_SIGNATURE, PARTS, CHANNEL, PROGRAM, CLOCK, CC, STATS,
         HELP };
  static const struct option list[] = {
      {"port", 1, NULL, 'p'},         {"input", 1, NULL, 'i'},
      {"list", 0, NULL, 'l'},         {"name", 1, NULL, NAME},
      {"bars", 1, NULL, BARS},        {"seed", 1, NULL, SEED},
      {"ahead", 1, NULL, AHEAD},      {"tempo", 1, NULL, TEMPO_OPTION},
      {"temperature", 1, NULL, TEMPERATURE_OPTION},
      {"density", 1, NULL, DENSITY_OPTION},
      {"key", 1, NULL, KEY_OPTION},
      {"memory", 1, NULL, MEMORY_OPTION},
      {"time-signature", 1, NULL, TIME_SIGNATURE},
      {"metre", 1, NULL, TIME_SIGNATURE},
      {"parts", 1, NULL, PARTS},
      {"channel", 1, NULL, CHANNEL},  {"program", 1, NULL, PROGRAM},
      {"clock", 1, NULL, CLOCK},      {"cc", 1, NULL, CC},
      {"stats", 0, NULL, STATS},      {"help", 0, NULL, HELP},
      {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "p:i:l", list, NULL)) != -1;) {
    switch (option) {
    case 'p': options.ports = optarg; break;
    case 'i': options.inputs = optarg; break;
    case 'l': options.list = true; break;
    case NAME: options.name = optarg; break;
    case BARS: options.bars = (int)whole_of("--bars", optarg, 1, 10000); break;
    case SEED:
      options.seed = (uint64_t)whole_of("--seed", optarg, 0, INT64_MAX);
      options.seeded = true;
      break;
    case AHEAD: options.ahead = number_of("--ahead", optarg, 10, 2000); break;
    case TEMPO_OPTION: set_default(TEMPO, "--tempo", optarg); break;
    case TEMPERATURE_OPTION: set_default(TEMPERATURE, "--temperature", optarg); break;
    case DENSITY_OPTION: set_default(DENSITY, "--density", optarg); break;
    case MEMORY_OPTION: set_default(MEMORY, "--memory", optarg); break;
    case KEY_OPTION: play.value[KEY] = key_of("--key", optarg); break;
    case TIME_SIGNATURE:
      time_signature_of("--time-signature", optarg, &options.numerator, &options.denominator);
      break;
    case PARTS: options.part_count = parts_of("--parts", optarg, options.parts); break;
    case CHANNEL: options.channel = (int)whole_of("--channel", optarg, 1, 16) - 1; break;
    case PROGRAM: options.program = (int)whole_of("--program", optarg, 0, 127); break;
    case CLOCK:
      options.clock_in = strcmp(optarg, "in") == 0;
      options.clock_out = strcmp(optarg, "out") == 0;
      if (!options.clock_in && !options.clock_out)
        usage_error("--clock is \"%s\"; it must be in or out", optarg);
      break;
    case CC: parse_controllers(optarg); break;
    case STATS: options.stats = true; break;
    case HELP: fputs(help, stdout); exit(0);
    default: exit(64); /* getopt has said what is wrong */
    }
  }
  if (options.list) return;
  play.models = argc - optind;
  if (play.models < 1) usage_error("there is no model to play; libretto-play --help says more");
  if (play.models > MOST_MODELS) usage_error("there are more than %d models", MOST_MODELS);
}

/* ---- Settings ---- */

static writer_settings settings(void) {
  return (writer_settings){.temperature = (float)play.value[TEMPERATURE],
                           .density = (float)play.value[DENSITY],
                           .memory = (float)play.value[MEMORY],
                           .scale = key_scale((int)play.value[KEY])};
}

static void show_state(void) {
  char controls[PARAMETERS][24];
  for (int i = 0; i < PARAMETERS; i++) {
    controls[i][0] = 0;
    if (play.controller[i] >= 0)
      snprintf(controls[i], sizeof controls[i], " (cc %d)", play.controller[i]);
    if (play.controller[i] == LEARN) snprintf(controls[i], sizeof controls[i], " (move one)");
  }
  double now = alsa_out_now(play.out);
  int64_t bars = play.bars + (int64_t)floor((now - (double)play.bar_line) / (double)play.bar);
  show_status("%s bar %lld  %.1f bpm%s  temperature %.2f%s  density %+.1f%s  key %s%s  memory %.2f%s  "
              "%d notes  "
              "%llu late",
              play.paused ? "||" : play.playing ? "|>" : "..", (long long)(bars < 0 ? 0 : bars) + 1,
              alsa_out_tempo(play.out), controls[TEMPO], play.value[TEMPERATURE],
              controls[TEMPERATURE], play.value[DENSITY], controls[DENSITY],
              key_name((int)play.value[KEY]), controls[KEY], play.value[MEMORY], controls[MEMORY],
              alsa_out_sounding(play.out),
              (unsigned long long)alsa_out_get_stats(play.out)->late);
}

static void set(int which, double value) {
  play.value[which] = fmax(parameters[which].least, fmin(parameters[which].most, value));
  if (which != TEMPO) {
    writer_settings new = settings();
    writer_set(play.writer, &new);
  } else if (!options.clock_in) {
    alsa_out_set_tempo(play.out, play.value[TEMPO]);
  }
}

static void hear_controller(const snd_seq_ev_ctrl_t *control) {
  for (int i = 0; i < PARAMETERS; i++)
    if (play.controller[i] == LEARN) play.controller[i] = (int)control->param;
  for (int i = 0; i < PARAMETERS; i++) {
    double width = parameters[i].most - parameters[i].least;
    if (play.controller[i] != (int)control->param) continue;
    /* A key has 128 / 25 values of its own, a number one. */
    set(i, i == KEY ? control->value * KEYS / 128
                    : parameters[i].least + width * control->value / 127);
  }
}

/* ---- From the ring to the queue ---- */

static int64_t ticks_of_ms(double ms) {
  return (int64_t)ceil(ms * alsa_out_tempo(play.out) * ALSA_OUT_PPQ / 60e3);
}

static void schedule(const written *w) {
  int64_t tick = play.origin + w->tick;
  int channel = options.channel >= 0 ? options.channel : w->event.channel;
  switch (w->event.kind) {
  case RETTO_EVENT_NOTE_ON:
    alsa_out_note_on(play.out, tick, channel, w->event.pitch, w->event.velocity);
    break;
  case RETTO_EVENT_NOTE_OFF: alsa_out_note_off(play.out, tick, channel, w->event.pitch); break;
  case RETTO_EVENT_PROGRAM: /* of a model with parts, each on a channel of its own */
    if (options.channel < 0 && options.program < 0)
      alsa_out_program(play.out, tick, channel, w->event.pitch);
    break;
  case RETTO_EVENT_TIME_SIGNATURE:
    if (tick > play.bar_line) play.bars += (tick - play.bar_line) / play.bar;
    play.bar_line = tick;
    play.bar = 4 * ALSA_OUT_PPQ * w->event.pitch / (w->event.velocity ? w->event.velocity : 4);
    break;
  case RETTO_EVENT_END:
    if (!options.bars) break; /* another piece follows */
    play.end = tick;
    if (options.clock_out) alsa_out_sync(play.out, tick, SND_SEQ_EVENT_STOP, 0);
    alsa_out_wake(play.out, tick, play.silences << 2 | FINISH);
    break;
  }
}

static void schedule_clocks(int64_t end) {
  for (; options.clock_out && play.next_clock < end; play.next_clock += ALSA_OUT_CLOCK)
    alsa_out_sync(play.out, play.next_clock, SND_SEQ_EVENT_CLOCK, 0);
}

static void feed_queue(void) {
  written next;
  int64_t now = (int64_t)alsa_out_now(play.out), ahead = ticks_of_ms(options.ahead);
  int64_t horizon = now + ahead;
  writer_go_to(play.writer, horizon - play.origin + ALSA_OUT_PPQ);
  while (play.end < 0 && writer_take(play.writer, horizon - play.origin, &next)) {
    play.fresh = false;
    /* The clock of a moment comes before the notes that begin then; at the end there is none. */
    schedule_clocks(play.origin + next.tick + (next.event.kind == RETTO_EVENT_NOTE_ON));
    schedule(&next);
  }
  if (play.end < 0) schedule_clocks(horizon);
  alsa_out_wake(play.out, now + ahead / 4 + 1, play.silences << 2 | WAKE);
  alsa_out_flush(play.out);
}

static void silence(void) {
  alsa_out_silence(play.out);
  play.silences++; /* wakes from before count no more */
}

/* Begins the piece of the seed, which is silent up to `position`, so that this comes at `tick`. */
static void begin(int64_t tick, int64_t position) {
  play.origin = tick - position;
  play.bar_line = play.origin;
  play.bars = 0;
  play.end = -1;
  play.next_clock = tick;
  if (!play.fresh || position > 0) writer_begin(play.writer, play.model, options.seed, position);
  writer_go_to(play.writer, position + ticks_of_ms(options.ahead) + ALSA_OUT_PPQ);
  play.fresh = position == 0;
}

/* Song positions are sixteenths: who follows goes on with the next, and hears no clock before. */
static void sync_continue(void) {
  enum { SIXTEENTH = ALSA_OUT_PPQ / 4 };
  int64_t now = (int64_t)alsa_out_now(play.out), since = now - play.origin;
  int64_t position = since < 0 ? 0 : since / SIXTEENTH + 1;
  int64_t tick = play.origin + position * SIXTEENTH;
  alsa_out_unsync(play.out, SND_SEQ_EVENT_CLOCK);
  alsa_out_unsync(play.out, SND_SEQ_EVENT_SONGPOS);
  alsa_out_unsync(play.out, SND_SEQ_EVENT_CONTINUE);
  if (play.end >= 0 && tick >= play.end) return;
  alsa_out_sync(play.out, tick - 1, SND_SEQ_EVENT_SONGPOS, position & 0x3FFF);
  alsa_out_sync(play.out, tick - 1, SND_SEQ_EVENT_CONTINUE, 0);
  play.next_clock = play.continues = tick;
  schedule_clocks(play.end >= 0 ? play.end : now + ticks_of_ms(options.ahead));
}

static void toggle_pause(void) {
  if (options.clock_in) return; /* the master says when */
  play.paused = !play.paused;
  if (options.clock_out && play.paused) alsa_out_sync(play.out, -1, SND_SEQ_EVENT_STOP, 0);
  if (options.clock_out && !play.paused) sync_continue();
  if (play.paused)
    alsa_out_pause(play.out);
  else
    alsa_out_run(play.out);
}

/* Where the piece is at the master's next clock. */
static int64_t next_position(void) {
  return (play.master.position - play.first_clock) * ALSA_OUT_CLOCK;
}

static void next_model(void) {
  if (play.models == 1) return;
  play.model = (play.model + 1) % play.models;
  silence();
  play.fresh = false;
  if (!play.playing) return begin(0, next_position());
  /* On the next beat that leaves time to write. */
  int64_t since = (int64_t)alsa_out_now(play.out) + ticks_of_ms(options.ahead) - play.origin;
  int64_t clock = play.next_clock;
  int64_t beats = (since + ALSA_OUT_PPQ - 1) / ALSA_OUT_PPQ;
  play.first_clock += beats * 24;
  begin(play.origin + beats * ALSA_OUT_PPQ, 0);
  /* Clocks that were queued are gone too, and come again. */
  while (clock - ALSA_OUT_CLOCK > (int64_t)alsa_out_now(play.out)) clock -= ALSA_OUT_CLOCK;
  play.next_clock = clock;
  feed_queue();
  if (play.continues > (int64_t)alsa_out_now(play.out)) sync_continue(); /* this is gone too */
}

/* ---- Following a master's clock ---- */

static void stop_following(void) {
  clock_in_stop(&play.master);
  if (next_position() < 0) play.first_clock = play.master.position;
  if (!play.playing) return;
  play.playing = false;
  silence();
}

static void start_song(void) {
  stop_following();
  play.first_clock = 0;
  clock_in_start(&play.master);
  begin(0, 0);
}

static void continue_song(void) {
  if (play.master.running) return;
  clock_in_continue(&play.master);
  begin(0, next_position());
}

static void locate_song(int sixteenths) {
  if (play.playing) return;
  play.first_clock = 0;
  clock_in_locate(&play.master, sixteenths);
  begin(0, next_position());
}

static void hear_clock(double ns) {
  clock_in_hear(&play.master, ns);
  int64_t position = next_position() - ALSA_OUT_CLOCK; /* of the piece, at this clock */
  double now = alsa_out_tick_at(play.out, play.master.ns);
  bool first = play.master.running && !play.playing;
  if (first) {
    play.playing = true;
    play.origin = play.bar_line = (int64_t)now - position;
  }
  if (clock_in_is_steady(&play.master)) {
    /* The tempo of the master, and a little more or less to make up an error in half a beat. */
    double error = play.playing ? (double)(play.origin + position) - now : 0;
    double correction = fmax(-0.25, fmin(0.25, error / (12 * ALSA_OUT_CLOCK)));
    double tempo = 60e9 / (24 * play.master.period) * (1 + correction);
    tempo = fmax(10, fmin(600, tempo));
    if (fabs(tempo / alsa_out_tempo(play.out) - 1) > 2e-4) alsa_out_set_tempo(play.out, tempo);
  }
  if (first) feed_queue();
}

/* Goes on without the clock for a bar. */
static void look_for_loss(void) {
  double last = alsa_out_tick_at(play.out, play.master.ns);
  if (!play.playing || alsa_out_now(play.out) - last < (double)play.bar) return;
  stop_following();
  show_line("the clock is lost; waiting for Start or Continue");
}

static void hear(const snd_seq_event_t *event) {
  double ns = event->time.time.tv_sec * 1e9 + event->time.time.tv_nsec;
  if (event->type == SND_SEQ_EVENT_CONTROLLER) hear_controller(&event->data.control);
  if (!options.clock_in) return;
  switch (event->type) {
  case SND_SEQ_EVENT_CLOCK: hear_clock(ns); break;
  case SND_SEQ_EVENT_START: start_song(); break;
  case SND_SEQ_EVENT_CONTINUE: continue_song(); break;
  case SND_SEQ_EVENT_STOP: stop_following(); break;
  case SND_SEQ_EVENT_SONGPOS: locate_song(event->data.control.value); break;
  }
}

/* ---- What happens ---- */

static void hear_wake(unsigned value) {
  if (value >> 2 != play.silences) return;
  if ((value & 3) == FINISH) {
    play.finished = true;
  } else {
    feed_queue();
    if (options.clock_in) look_for_loss();
    show_state();
  }
}

static void send_program(void) {
  if (options.program >= 0)
    alsa_out_program(play.out, -1, options.channel >= 0 ? options.channel : 0, options.program);
  alsa_out_flush(play.out);
}

static void hear_port(void) {
  bool news = false;
  for (const snd_seq_event_t *event; (event = alsa_out_read(play.out, &news));) {
    if (event->type == SND_SEQ_EVENT_ECHO)
      hear_wake(event->data.raw32.d[0]);
    else
      hear(event);
  }
  if (!news) return;
  show_line("%s", alsa_out_message(play.out));
  send_program(); /* a port that is back knows nothing */
}

static void press(int key) {
  for (int i = 0; i < PARAMETERS; i++) {
    if ((key | 32) != parameters[i].letter) continue;
    if (play.learns)
      play.controller[i] = LEARN;
    else
      set(i, play.value[i] + (key & 32 ? -1 : 1) * parameters[i].step);
    play.learns = false;
    return show_state();
  }
  play.learns = key == 'l';
  switch (key) {
  case 'l': show_status("learn: t, d, b, k or r, and then move a controller"); return;
  case ' ': toggle_pause(); break;
  case 'm': next_model(); break;
  case 'o':
    alsa_out_next_port(play.out);
    show_line("%s", alsa_out_message(play.out));
    send_program();
    break;
  case 'q': play.finished = true; break;
  }
  show_state();
}

static void run(int signals) {
  while (!play.finished) {
    unsigned ready = wait_for_input(alsa_out_descriptor(play.out), signals);
    if (ready & FROM_PORT) hear_port();
    if (ready & FROM_SIGNALS) {
      if (read_signal(signals) == SIGTSTP)
        suspend_program(play.out, play.paused);
      else
        play.finished = true;
    }
    if (ready & FROM_KEYBOARD) {
      int key = read_key();
      if (key) press(key);
    }
    const char *error = writer_error(play.writer);
    if (error) {
      show_line("%s", error);
      play.finished = true;
    }
  }
}

/* ---- Setting up ---- */

static void open_models(char **paths) {
  for (int i = 0; i < play.models; i++) {
    bool has_bars;
    play.sessions[i] = open_session(paths[i], options.seed, NULL, &play.ticks_per_quarter[i], &has_bars);
    retto_session *session = play.sessions[i];
    if (!has_bars && options.bars)
      usage_error("--bars is not for %s, a model of performances: these have no bars", paths[i]);
    if ((has_bars && retto_session_set_ending(session, RETTO_ENDING_BAR_LINE)) ||
        retto_session_set_bars(session, options.bars) ||
        retto_session_set_time_signature(session, options.numerator, options.denominator) ||
        (options.part_count && retto_session_set_parts(session, options.parts, options.part_count)))
      usage_error("%s", retto_last_error());
  }
}

int main(int argc, char **argv) {
  play.value[TEMPERATURE] = 0.8;
  play.value[MEMORY] = 1;
  play.value[TEMPO] = 120;
  for (int i = 0; i < PARAMETERS; i++) play.controller[i] = NO_CONTROLLER;
  parse(argc, argv);
  if (!options.seeded) options.seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
  if (!options.list) open_models(argv + optind);
  if (alsa_out_open(options.name, &play.out)) give_up("%s", alsa_out_message(play.out));
  if (options.list) {
    alsa_out_list(play.out, false, stdout);
    alsa_out_close(play.out);
    return 0;
  }
  connect_ports(play.out, options.ports, options.inputs, options.clock_in);
  if (options.clock_in) show_line("waiting for Start or Continue");
  int signals = open_signals();
  writer_settings first = settings();
  play.writer = writer_start(play.sessions, play.ticks_per_quarter, play.models, &first);
  if (!play.writer) give_up("there is no memory, or no thread, to write with");
  alsa_out_set_tempo(play.out, play.value[TEMPO]);
  send_program();

  /* The beginning waits in the queue before time begins, so that nothing of it is late. */
  begin(0, 0);
  writer_wait(play.writer);
  if (!options.clock_in) {
    play.playing = true;
    if (options.clock_out) alsa_out_sync(play.out, 0, SND_SEQ_EVENT_START, 0);
    feed_queue();
  }
  alsa_out_run(play.out);
  run(signals);

  if (options.clock_out && !play.paused && play.end < 0)
    alsa_out_sync(play.out, -1, SND_SEQ_EVENT_STOP, 0);
  alsa_out_flush(play.out);
  silence();
  writer_stop(play.writer);
  close_keyboard();
  report(alsa_out_get_stats(play.out), writer_times(play.writer), options.stats);
  alsa_out_close(play.out);
  writer_free(play.writer);
  for (int i = 0; i < play.models; i++) retto_session_free(play.sessions[i]);
  return 0;
}
