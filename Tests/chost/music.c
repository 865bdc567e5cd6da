/* Music through the C API: files and events, training, sessions with a musician's wishes, snapshots;
 * and every call's refusals. Counts allocations and locks in the calls that promise none. */
#include "check.h"
#include "counters.h"

static const char *const encodings[] = {"melody", "polyphony", "drums", "performance", "ensemble"};

/* Eight bars of a scale up and down, as events of 480 ticks per quarter note. */
static retto_midi *scale_file(int transpose, int channel) {
  static const int steps[] = {0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0, 7};
  retto_event events[600];
  size_t n = 0;
  events[n++] = (retto_event){0, RETTO_EVENT_TIME_SIGNATURE, 0, 4, 4};
  for (int i = 0; i < 128; i++) {
    int pitch = channel == 9 ? 36 + steps[i % 16] % 7 : 60 + transpose + steps[i % 16];
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, (uint8_t)channel, (uint8_t)pitch, 80};
    events[n++] = (retto_event){240, RETTO_EVENT_NOTE_OFF, (uint8_t)channel, (uint8_t)pitch, 0};
  }
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, n, 480, 120, &midi));
  return midi;
}

static retto_model *train(const char *encoding) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  options.encoding = encoding;
  options.embedding = 16;
  options.hidden = 32;
  options.layers = 1;
  options.batch = 4;
  options.sequence = 32;
  options.threads = 1;
  options.steps = 180;
  options.learning_rate = 0.02;
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  MUST(retto_trainer_create(&options, &trainer));
  for (int i = 0; i < 8; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s%d.mid", encoding, i);
    retto_midi *midi = scale_file(i - 4, strcmp(encoding, "drums") ? 0 : 9);
    OK(retto_midi_write(midi, path));
    const retto_role role = i ? RETTO_TRAINING : RETTO_VALIDATION;
    if (i % 2) {
      OK(retto_trainer_add_piece(trainer, midi, role));
    } else {
      OK(retto_trainer_add_midi(trainer, path, role));
    }
    retto_midi_free(midi);
    remove(path); /* neither is needed any more */
  }
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_add_text(trainer, "text", 4, RETTO_TRAINING));
  retto_progress end = RETTO_PROGRESS_INIT;
  MUST(retto_trainer_run(trainer, NULL, NULL, &end));
  CHECK(end.loss < 3);
  CHECK(end.bits_per_character != end.bits_per_character);
  MUST(retto_trainer_model(trainer, &model));
  GIVES(RETTO_ERROR_STATE, retto_trainer_add_midi(trainer, "any.mid", RETTO_TRAINING));
  retto_trainer_free(trainer);
  return model;
}

/* A piece of so many bars: its events, each note closed, the wishes kept. */
static void check_piece(const retto_model *model, int grid, int drums, int bars) {
  retto_session *session = NULL;
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  options.seed = (uint64_t)bars;
  MUST(retto_session_create(model, &options, &session));
  uint32_t scale = 0;
  OK(retto_scale_from_key("D minor", &scale));
  if (!drums) {
    OK(retto_session_set_scale(session, scale));
    OK(retto_session_set_pitch_range(session, 48, 80));
  }
  OK(retto_session_set_voices(session, 2));
  OK(retto_session_set_density(session, 1));
  if (grid) {
    OK(retto_session_set_bars(session, bars));
    OK(retto_session_set_time_signature(session, 3, 4));
  }
  retto_constraints set = RETTO_CONSTRAINTS_INIT;
  OK(retto_session_get_constraints(session, &set));
  if (!drums)
    CHECK(set.lowest_pitch == 48 && set.highest_pitch == 80 && set.pitch_classes == scale);
  CHECK(set.voices == 2 && set.density == 1 && set.ending == RETTO_ENDING_ANYWHERE);
  int sounding[128] = {0}, open = 0;
  uint64_t now = 0, complete = 0;
  retto_event event = {0, 0, 0, 0, 0};
  for (int i = 0; i < 20000 && event.kind != RETTO_EVENT_END; i++) {
    MUST(retto_session_next_event(session, &event));
    now += event.delta;
    if (event.kind == RETTO_EVENT_NOTE_ON) {
      CHECK(!sounding[event.pitch]++);
      CHECK(++open <= 2 || event.channel == 9);
      CHECK(event.velocity > 0);
      if (event.channel != 9)
        CHECK(event.pitch >= 48 && event.pitch <= 80 && (scale >> event.pitch % 12 & 1));
    } else if (event.kind == RETTO_EVENT_NOTE_OFF) {
      CHECK(sounding[event.pitch]--);
      open--;
    }
  }
  CHECK(event.kind == RETTO_EVENT_END || !grid);
  CHECK(open == 0 || !grid);
  if (grid) {
    retto_model_info info = RETTO_MODEL_INFO_INIT;
    OK(retto_model_get_info(model, &info));
    CHECK(now == (uint64_t)bars * 3 * (uint64_t)info.ticks_per_quarter);
    OK(retto_session_get_bars(session, &complete));
  }
  retto_session_free(session);
}

/* Tokens of a file, their score, and the file of the tokens. */
static void check_tokens(const retto_model *model, const char *encoding) {
  retto_midi *midi = scale_file(0, strcmp(encoding, "drums") ? 0 : 9), *again = NULL;
  size_t count = 0, more = 0;
  OK(retto_model_encode_midi(model, midi, NULL, 0, &count));
  int32_t *tokens = malloc(count * sizeof *tokens), *twice = malloc(count * sizeof *twice);
  float *scores = malloc(count * sizeof *scores);
  GIVES(RETTO_ERROR_BUFFER, retto_model_encode_midi(model, midi, tokens, count - 1, &more));
  OK(retto_model_encode_midi(model, midi, tokens, count, &more));
  OK(retto_model_score(model, tokens, count, scores));
  double sum = 0;
  for (size_t i = 1; i < count; i++)
    sum += scores[i];
  CHECK(sum / (double)count > -3);
  OK(retto_model_decode_midi(model, tokens, count, 120, &again));
  OK(retto_model_encode_midi(model, again, twice, count, &more));
  CHECK(more == count && !memcmp(tokens, twice, count * sizeof *tokens));
  retto_midi_info a = RETTO_MIDI_INFO_INIT, b = RETTO_MIDI_INFO_INIT;
  OK(retto_midi_get_info(midi, &a));
  OK(retto_midi_get_info(again, &b));
  CHECK(a.notes == 128 && b.notes == 128 && a.ticks_per_quarter == 480);
  CHECK(a.seconds > 31.9 && a.seconds < 32.1);
  CHECK(a.tempo == 120 && a.program == 0 && a.velocity == 80);
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_model_encode(model, "x", 1, tokens, count, &more));
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_decode_midi(model, tokens, count, 0, &again));
  CHECK(!again);
  tokens[0] = 100000;
  GIVES(RETTO_ERROR_ARGUMENT, retto_model_decode_midi(model, tokens, count, 120, &again));
  free(tokens), free(twice), free(scores);
  retto_midi_free(midi);
}

/* Events out of a file are those that went in. */
static void check_events(void) {
  retto_midi *midi = scale_file(0, 3), *copy = NULL;
  size_t count = 0, length = 0;
  OK(retto_midi_get_events(midi, NULL, 0, &count));
  retto_event *events = malloc(count * sizeof *events);
  OK(retto_midi_get_events(midi, events, count, &count));
  CHECK(count == 1 + 2 * 128 + 1);
  CHECK(events[0].kind == RETTO_EVENT_TIME_SIGNATURE && events[0].pitch == 4 && events[0].velocity == 4);
  CHECK(events[1].kind == RETTO_EVENT_NOTE_ON && events[1].channel == 3 && events[1].pitch == 60);
  CHECK(events[2].kind == RETTO_EVENT_NOTE_OFF && events[2].delta == 240);
  CHECK(events[count - 1].kind == RETTO_EVENT_END);
  OK(retto_midi_create(events, count, 480, 120, &copy));
  OK(retto_midi_write(copy, "copy.mid"));
  retto_midi_free(copy);
  OK(retto_midi_read("copy.mid", &copy));
  char text[1000];
  OK(retto_midi_get_warnings(copy, text, sizeof text, &length));
  CHECK(length == 1 && text[0] == 0);
  retto_midi_free(copy);
  /* A file that stops in the middle is read as far as it goes, and says so. */
  FILE *file = fopen("copy.mid", "rb");
  unsigned char bytes[4096];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  OK(retto_midi_read_memory(bytes, size / 2, &copy));
  OK(retto_midi_get_warnings(copy, text, sizeof text, &length));
  CHECK(length > 10 && !strncmp(text, "byte ", 5));
  GIVES(RETTO_ERROR_BUFFER, retto_midi_get_warnings(copy, text, length - 1, &length));
  retto_midi_free(copy);
  for (size_t cut = 0; cut < size; cut += 7) {
    retto_status status = retto_midi_read_memory(bytes, cut, &copy);
    CHECK(status == RETTO_OK || status == RETTO_ERROR_FORMAT);
    retto_midi_free(copy);
  }
  free(events);
  retto_midi_free(midi);
}

static void check_refusals(const retto_model *music, int grid) {
  retto_session *session = NULL;
  retto_midi *midi = NULL;
  retto_event event = {0, 0, 0, 0, 0};
  uint64_t bars;
  uint32_t scale;
  MUST(retto_session_create(music, NULL, &session));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_next_event(NULL, &event));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_next_event(session, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_feed_event(session, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_get_bars(session, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_get_bars(NULL, &bars));
  static const retto_event wrong[] = {{0, 99, 0, 0, 0}, {0, 1, 16, 0, 0}, {0, 1, 0, 128, 0},
                                      {0, 1, 0, 0, 200}};
  static const retto_event metres[] = {{0, 3, 0, 4, 0}, {0, 3, 0, 6, 5}, {0, 3, 0, 0, 4}};
  for (size_t i = 0; i < sizeof metres / sizeof *metres; i++)
    GIVES(RETTO_ERROR_ARGUMENT, retto_midi_create(&metres[i], 1, 480, 120, &midi));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    GIVES(RETTO_ERROR_ARGUMENT, retto_session_feed_event(session, &wrong[i]));
    GIVES(RETTO_ERROR_ARGUMENT, retto_midi_create(&wrong[i], 1, 480, 120, &midi));
  }
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_pitch_range(session, 60, 59));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_pitch_range(session, -1, 59));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_scale(session, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_scale(session, 0x10001));
  CHECK(strstr(retto_last_error(), " 65537;"));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_voices(session, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_density(session, 1e9f));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_bars(session, -1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_time_signature(session, 3, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_ending(session, (retto_ending)77));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_force_note(session, UINT64_MAX, 1, 60));
  CHECK(strstr(retto_last_error(), " 18446744073709551615,"));
  if (grid)
    GIVES(RETTO_ERROR_ARGUMENT, retto_session_force_note(session, 0, 0, 60));
  GIVES(RETTO_ERROR_ARGUMENT, retto_scale_from_key("H major", &scale));
  int32_t key = 0;
  OK(retto_key_from_name("D dorian", &key));
  CHECK(key == 15);
  OK(retto_key_from_name("Bb", &key));
  CHECK(key == 11);
  GIVES(RETTO_ERROR_ARGUMENT, retto_key_from_name("H major", &key));
  GIVES(RETTO_ERROR_ARGUMENT, retto_key_from_name("C", NULL));
  OK(retto_scale_from_key("Cbbbbbbbbbbbbb", &scale));
  CHECK(scale == 0xD5A);
  OK(retto_scale_from_key("D dorian", &scale));
  CHECK(scale == 0xAB5);
  OK(retto_scale_from_key("a minor pentatonic", &scale));
  CHECK(scale == 0x295);
  GIVES(RETTO_ERROR_ARGUMENT, retto_scale_from_key("D dorien", &scale));
  CHECK(strstr(retto_last_error(), "mixolydian"));
  GIVES(RETTO_ERROR_ARGUMENT, retto_scale_from_key(NULL, &scale));
  GIVES(RETTO_ERROR_ARGUMENT, retto_scale_from_key("C", NULL));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_feed_text(session, "x", 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_create(NULL, 5, 480, 120, &midi));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_create(&event, 1, 0, 120, &midi));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_create(&event, 1, 480, 0.0 / 0.0, &midi));
  GIVES(RETTO_ERROR_FILE, retto_midi_read("nowhere.mid", &midi));
  GIVES(RETTO_ERROR_FORMAT, retto_midi_read_memory("not midi at all", 15, &midi));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_write(NULL, "x.mid"));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_get_info(NULL, NULL));
  retto_midi_free(NULL);
  CHECK(!midi);
  retto_session_free(session);
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = NULL;
  options.encoding = "characters";
  MUST(retto_trainer_create(&options, &trainer));
  GIVES(RETTO_ERROR_CORPUS, retto_trainer_add_midi(trainer, "copy.mid", RETTO_TRAINING));
  retto_trainer_free(trainer);
  options.encoding = NULL;
  options.steps_per_quarter = 25;
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_create(&options, &trainer));
  options.steps_per_quarter = 0;
  MUST(retto_trainer_create(&options, &trainer));
  GIVES(RETTO_ERROR_FILE, retto_trainer_add_midi(trainer, "nowhere.mid", RETTO_TRAINING));
  GIVES(RETTO_ERROR_FORMAT, retto_trainer_add_midi_memory(trainer, "x", 1, RETTO_TRAINING));
  OK(retto_trainer_add_midi(trainer, "copy.mid", RETTO_TRAINING));
  retto_trainer_free(trainer);
}

/* The events of the next steps of a session, but for the ends of notes that began before: each with the
 * tick it comes at in `delta`. */
static size_t future(retto_session *session, retto_event *events, size_t count) {
  uint32_t now = 0;
  int sounding[128] = {0};
  OK(retto_session_forget_sounding(session));
  for (size_t n = 0; n < count;) {
    retto_event event;
    MUST(retto_session_next_event(session, &event));
    now += event.delta;
    if (event.kind == RETTO_EVENT_NOTE_ON)
      sounding[event.pitch] = 1;
    else if (event.kind == RETTO_EVENT_NOTE_OFF)
      CHECK(sounding[event.pitch]--);
    if (event.kind == RETTO_EVENT_TIME)
      continue;
    event.delta = now;
    events[n++] = event;
  }
  return count;
}

/* A snapshot goes on the same way wherever it is taken, also between the notes of a chord. */
static void check_snapshots(const retto_model *model) {
  retto_session *a = NULL, *b = NULL;
  MUST(retto_session_create(model, NULL, &a));
  MUST(retto_session_create(model, NULL, &b));
  size_t size = 0;
  OK(retto_session_snapshot(a, NULL, 0, &size));
  unsigned char *bytes = malloc(size);
  for (int i = 0; i < 150; i++) {
    retto_event x[20], y[20];
    OK(retto_session_snapshot(a, bytes, size, &size));
    OK(retto_session_restore(b, bytes, size));
    future(a, x, 20);
    future(b, y, 20);
    CHECK(!memcmp(x, y, sizeof x));
    OK(retto_session_restore(a, bytes, size));
    OK(retto_session_forget_sounding(a));
    OK(retto_session_next_event(a, x));
  }
  free(bytes);
  retto_session_free(a);
  retto_session_free(b);
}

static uint64_t number; /* for `any` */
static uint32_t any(uint32_t below) {
  number = number * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(number >> 33) % below;
}

/* What a host hears of a session: every note that begins ends, and nothing else does. */
typedef struct {
  retto_session *session;
  int on[16][128], count;
} host;

static void hear(host *host, const retto_event *event) {
  int *on = &host->on[event->channel][event->pitch];
  if (event->kind == RETTO_EVENT_NOTE_ON) {
    CHECK(!*on);
    *on = 1;
    host->count++;
  } else if (event->kind == RETTO_EVENT_NOTE_OFF) {
    CHECK(*on);
    *on = 0;
    host->count--;
  }
}

static void check_sounding(host *host) {
  retto_event events[128];
  size_t count = 0;
  OK(retto_session_get_sounding(host->session, NULL, 0, &count));
  CHECK(count == (size_t)host->count);
  if (count)
    GIVES(RETTO_ERROR_BUFFER, retto_session_get_sounding(host->session, events, count - 1, NULL));
  OK(retto_session_get_sounding(host->session, events, 128, &count));
  for (size_t i = 0; i < count; i++)
    CHECK(events[i].kind == RETTO_EVENT_NOTE_OFF && events[i].delta == 0 &&
          host->on[events[i].channel][events[i].pitch]);
}

/* After a reset the first calls end what sounds, and nothing else. */
static void check_ends(host *host) {
  retto_event event;
  for (int i = host->count; i; i--) {
    MUST(retto_session_next_event(host->session, &event));
    CHECK(event.kind == RETTO_EVENT_NOTE_OFF && event.delta == 0);
    hear(host, &event);
  }
  CHECK(host->count == 0);
}

/* Two sessions used in every way a host can mix: `what` has a bit for each way. */
static void check_mixed(const retto_model *model, unsigned what) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  host hosts[2] = {{0}, {0}};
  retto_session *both[2];
  for (int i = 0; i < 2; i++) {
    MUST(retto_session_create(model, NULL, &hosts[i].session));
    both[i] = hosts[i].session;
  }
  size_t size = 0;
  OK(retto_session_snapshot(both[0], NULL, 0, &size));
  void *bytes = malloc(size);
  OK(retto_session_snapshot(both[0], bytes, size, NULL));
  for (int i = 0; i < (under_tool() ? 300 : 6000); i++) {
    host *host = &hosts[any(2)];
    retto_session *session = host->session;
    retto_event event = {any(400), any(2) ? RETTO_EVENT_NOTE_ON : RETTO_EVENT_NOTE_OFF, 0,
                         (uint8_t)(30 + any(40)), (uint8_t)any(128)};
    int32_t tokens[2];
    unsigned way = any(24);
    if (!(what >> way & 1)) {
      retto_status status = retto_session_next_event(session, &event);
      if (what >> 11 & 1 ? status != RETTO_ERROR_EXHAUSTED : 1)
        MUST(status);
      if (status == RETTO_OK)
        hear(host, &event);
      continue;
    }
    switch (way) {
    case 0: OK(retto_session_feed_event(session, &event)); break;
    case 1: for (uint32_t n = any(9); n; n--) OK(retto_session_next(session, NULL, NULL)); break;
    case 2: OK(retto_sessions_next(both, 2, tokens, NULL)); break;
    case 3: OK(retto_session_reset(session, any(9))); check_ends(host); break;
    case 4: OK(retto_session_snapshot(session, bytes, size, NULL)); break;
    case 5: OK(retto_session_restore(session, bytes, size)); break;
    case 6: OK(retto_session_set_voices(session, 1 + (int32_t)any(6))); break;
    case 7: OK(retto_session_set_density(session, (float)any(9) - 4)); break;
    case 8: tokens[0] = (int32_t)any((uint32_t)info.vocabulary);
            OK(retto_session_feed(session, tokens, 1)); break;
    case 9: OK(retto_session_forget_sounding(session));
            memset(host->on, 0, sizeof host->on); host->count = 0; break;
    case 10: tokens[0] = any(2) ? 0 : 1;
             OK(retto_session_feed(session, tokens, 1)); break;
    case 11: OK(retto_session_set_grammar(session, any(2) != 0)); break;
    default: break;
    }
    check_sounding(host);
  }
  for (int i = 0; i < 2; i++) {
    OK(retto_session_reset(both[i], 1));
    check_ends(&hosts[i]);
    check_sounding(&hosts[i]);
    retto_session_free(both[i]);
  }
  free(bytes);
}

static void check_snapshot(const retto_model *model) {
  retto_session *a = NULL, *b = NULL;
  MUST(retto_session_create(model, NULL, &a));
  MUST(retto_session_create(model, NULL, &b));
  retto_event x, y;
  for (int i = 0; i < 57; i++)
    OK(retto_session_next_event(a, &x));
  x = (retto_event){30, RETTO_EVENT_NOTE_ON, 0, 64, 70};
  OK(retto_session_feed_event(a, &x));
  size_t size = 0;
  OK(retto_session_snapshot(a, NULL, 0, &size));
  unsigned char *bytes = malloc(size);
  OK(retto_session_snapshot(a, bytes, size, &size));
  OK(retto_session_restore(b, bytes, size));
  static retto_event one[300], two[300];
  future(a, one, 300);
  future(b, two, 300);
  CHECK(!memcmp(one, two, sizeof one));
  for (size_t i = 0; i < size; i += 3) {
    unsigned char before = bytes[i];
    bytes[i] ^= 0x81;
    retto_status status = retto_session_restore(b, bytes, size);
    CHECK(status == RETTO_OK || status == RETTO_ERROR_FORMAT);
    for (int k = 0; k < 5; k++)
      OK(retto_session_next_event(b, &y));
    bytes[i] = before;
  }
  free(bytes);
  retto_session_free(a);
  retto_session_free(b);
}

/* Whatever is fed when, what is drawn begins on the grid by the host's own count of ticks, or at once
 * if it belongs to the step that has just begun. */
static void check_time(const retto_model *model, uint64_t seed) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  CHECK((info.steps_per_quarter > 0) == (strcmp(info.encoding, "performance") != 0));
  uint64_t step = info.steps_per_quarter ? info.ticks_per_quarter / info.steps_per_quarter : 10;
  retto_session *session = NULL;
  retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
  options.seed = seed;
  MUST(retto_session_create(model, &options, &session));
  uint64_t now = 0;
  int notes = 0, fed = 0;
  for (int i = 0; i < 600; i++) {
    retto_event event = {(uint32_t)(i * 37 % 290), RETTO_EVENT_TIME, 0, 0, 0};
    if (i % 7 == 0) {
      OK(retto_session_feed_event(session, &event));
      fed = 1;
    } else {
      OK(retto_session_next_event(session, &event));
      fed = fed && event.delta == 0;
      notes += event.kind == RETTO_EVENT_NOTE_ON;
      CHECK(event.kind != RETTO_EVENT_NOTE_ON || fed || (now + event.delta) % step == 0);
    }
    now += event.delta;
  }
  CHECK(notes > 20);
  retto_session_free(session);
}

/* A piece that was fed up to its end is over: the next one is drawn from its beginning, as the constraints have it. */
static void check_fed_end(const retto_model *model, uint8_t pitch) {
  retto_session *session = NULL;
  retto_event event = {0, RETTO_EVENT_NOTE_ON, 0, pitch, 80};
  MUST(retto_session_create(model, NULL, &session));
  OK(retto_session_set_time_signature(session, 3, 4));
  OK(retto_session_feed_event(session, &event));
  event = (retto_event){960, RETTO_EVENT_END, 0, 0, 0};
  OK(retto_session_feed_event(session, &event));
  do
    OK(retto_session_next_event(session, &event));
  while (event.kind == RETTO_EVENT_PROGRAM);
  CHECK(event.kind == RETTO_EVENT_TIME_SIGNATURE && event.pitch == 3 && event.velocity == 4);
  retto_session_free(session);
}

/* An event that is fed after one that was drawn comes where its delta says: `steps` steps after it. */
static void check_fed_after_drawn(const retto_model *model, uint8_t pitch) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  const uint32_t step = (uint32_t)(info.ticks_per_quarter / info.steps_per_quarter);
  for (uint64_t seed = 0; seed < 8; seed++)
    for (uint32_t quarters = 0; quarters < 14; quarters++) {
      static int32_t tokens[4096];
      uint8_t fed[4096];
      size_t count = 0;
      uint64_t bars = 0, now = 0, then = 0;
      retto_session *session = NULL;
      retto_event event;
      MUST(retto_session_create(model, NULL, &session));
      OK(retto_session_reset(session, seed));
      OK(retto_session_set_time_signature(session, 4, 4));
      OK(retto_session_set_ending(session, RETTO_ENDING_NEVER));
      do {
        OK(retto_session_next_event(session, &event));
        now += event.delta;
      } while (now < 10 * step);
      OK(retto_session_take_tokens(session, tokens, fed, 4096, &count));
      /* A quarter of a step at a time; then time alone until the bar is over. */
      event = (retto_event){quarters * step / 4, RETTO_EVENT_NOTE_ON, 0, pitch, 80};
      OK(retto_session_feed_event(session, &event));
      now += event.delta;
      OK(retto_session_set_mask(session, NULL, NULL));
      then = now;
      OK(retto_session_get_bars(session, &bars));
      do {
        OK(retto_session_next_event(session, &event));
        then += event.delta;
        /* Drawn events are on the grid that the host counts, or at once after a late one. */
        CHECK(then % step == 0 || event.delta == 0);
        OK(retto_session_get_bars(session, &bars));
      } while (bars < 2);
      /* The event that came with the second bar line's token is on the step before it. */
      CHECK(then <= 32 * step && then + step >= 32 * step);
      retto_session_free(session);
    }
}

static void first_alone(void *user, uint8_t *allowed, size_t vocabulary) {
  (void)user;
  memset(allowed + 1, 0, vocabulary - 1);
}

/* Where no note may begin and nothing may end, time passes, a call at a time; and where not even that
 * may be, the call says so. */
static void check_no_way_out(const retto_model *model, int drums) {
  retto_session *session = NULL;
  retto_event event;
  MUST(retto_session_create(model, NULL, &session));
  for (int i = 0; i < 20; i++)
    OK(retto_session_next_event(session, &event));
  OK(retto_session_set_ending(session, RETTO_ENDING_NEVER));
  if (!drums) {
    OK(retto_session_set_pitch_range(session, 61, 61));
    OK(retto_session_set_scale(session, 0xAB5));
  }
  uint64_t now = 0;
  for (int i = 0; i < 400; i++) {
    OK(retto_session_next_event(session, &event));
    CHECK(drums || i < 50 || event.kind != RETTO_EVENT_NOTE_ON);
    CHECK(event.delta < 2000);
    now += event.delta;
  }
  CHECK(now > 4000);
  retto_session_free(session);
  MUST(retto_session_create(model, NULL, &session));
  OK(retto_session_set_grammar(session, 0));
  OK(retto_session_set_mask(session, first_alone, NULL));
  GIVES(RETTO_ERROR_EXHAUSTED, retto_session_next_event(session, &event));
  OK(retto_session_set_mask(session, NULL, NULL));
  retto_session_free(session);
}

/* Dictated notes outlive a restoring that fails, and a melody has one at a time. */
static void check_dictated(const retto_model *model, int melody) {
  retto_session *session = NULL;
  retto_event event;
  MUST(retto_session_create(model, NULL, &session));
  for (int i = 0; i < 5; i++)
    OK(retto_session_next_event(session, &event));
  size_t size = 0;
  OK(retto_session_snapshot(session, NULL, 0, &size));
  unsigned char *bytes = malloc(size);
  OK(retto_session_snapshot(session, bytes, size, &size));
  OK(retto_session_set_ending(session, RETTO_ENDING_NEVER));
  OK(retto_session_force_note(session, 9600, 480, 50));
  if (melody)
    GIVES(RETTO_ERROR_ARGUMENT, retto_session_force_note(session, 9840, 480, 54));
  bytes[size - 1] = 99;
  GIVES(RETTO_ERROR_FORMAT, retto_session_restore(session, bytes, size));
  uint64_t bars = 0;
  int came = 0;
  while (bars < 7) {
    OK(retto_session_next_event(session, &event));
    OK(retto_session_get_bars(session, &bars));
    came |= event.kind == RETTO_EVENT_NOTE_ON && event.pitch == 50;
  }
  CHECK(came);
  /* Between two pieces they are notes of the next. */
  event = (retto_event){0, RETTO_EVENT_END, 0, 0, 0};
  OK(retto_session_feed_event(session, &event));
  OK(retto_session_force_note(session, 0, 480, 50));
  came = 0;
  for (int i = 0; i < 20; i++) {
    OK(retto_session_next_event(session, &event));
    came |= event.kind == RETTO_EVENT_NOTE_ON && event.pitch == 50;
  }
  CHECK(came);
  free(bytes);
  retto_session_free(session);
}

/* Draws of single tokens leave no events behind, one session at a time or several; and what was fed
 * counts for tokens as it does for events. */
static void check_calls_mixed(const retto_model *model, uint8_t pitch) {
  retto_session *one = NULL, *two = NULL;
  retto_event a, b;
  int32_t token;
  MUST(retto_session_create(model, NULL, &one));
  MUST(retto_session_create(model, NULL, &two));
  /* Nor does the time of these tokens count, of which the last begins a bar. */
  uint64_t bars = 0;
  OK(retto_session_set_ending(one, RETTO_ENDING_NEVER));
  for (int i = 0; i < 500 && bars < 2; i++) {
    OK(retto_session_next(one, &token, NULL));
    OK(retto_session_get_bars(one, &bars));
  }
  OK(retto_session_next_event(one, &a));
  CHECK(bars < 2 || a.delta == 0);
  OK(retto_session_set_ending(one, RETTO_ENDING_ANYWHERE));
  OK(retto_session_reset(one, 0));
  OK(retto_session_forget_sounding(one));
  for (int i = 0; i < 100; i++) {
    OK(retto_session_next(one, &token, NULL));
    OK(retto_sessions_next(&two, 1, &token, NULL));
  }
  for (int i = 0; i < 20; i++) {
    OK(retto_session_next_event(one, &a));
    OK(retto_session_next_event(two, &b));
    CHECK(a.kind == b.kind && a.pitch == b.pitch);
  }
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  size_t count = (size_t)info.vocabulary;
  float *low = malloc(count * sizeof *low), *high = malloc(count * sizeof *high);
  OK(retto_session_reset(one, 0));
  OK(retto_session_reset(two, 0));
  OK(retto_session_forget_sounding(one));
  a = (retto_event){0, RETTO_EVENT_NOTE_ON, 0, pitch, 80};
  OK(retto_session_feed_event(one, &a));
  a.pitch = (uint8_t)(pitch + 2);
  OK(retto_session_feed_event(two, &a));
  OK(retto_session_log_probabilities(one, low, count));
  OK(retto_session_log_probabilities(two, high, count));
  CHECK(memcmp(low, high, count * sizeof *low) != 0);
  /* The end of a piece that was fed is its end. */
  bars = 1;
  a = (retto_event){1920, RETTO_EVENT_END, 0, 0, 0};
  OK(retto_session_feed_event(one, &a));
  OK(retto_session_next_event(one, &b));
  OK(retto_session_get_bars(one, &bars));
  CHECK(bars == 0);
  free(low), free(high);
  retto_session_free(one);
  retto_session_free(two);
}

/* Each constraint is kept to, or refused with nothing changed: before the piece, after a feed, within the
 * piece and after a reset. */
static void check_constraints(const retto_model *model, int grid, int drums) {
  retto_session *session = NULL;
  retto_event event = {0, RETTO_EVENT_NOTE_ON, 0, 36, 80};
  MUST(retto_session_create(model, NULL, &session));
  for (int when = 0; when < 4; when++) {
    if (when == 1)
      OK(retto_session_feed_event(session, &event));
    for (int i = 0; when == 2 && i < 50; i++)
      OK(retto_session_next_event(session, &event));
    if (when == 3)
      OK(retto_session_reset(session, 5));
    retto_status pitches = drums ? RETTO_ERROR_UNSUPPORTED : RETTO_OK;
    retto_status bars = grid ? RETTO_OK : RETTO_ERROR_UNSUPPORTED;
    GIVES(pitches, retto_session_set_pitch_range(session, 50, 70));
    GIVES(pitches, retto_session_set_scale(session, 0xAB5));
    GIVES(bars, retto_session_set_bars(session, 8));
    GIVES(bars, retto_session_set_time_signature(session, 6, 8));
    GIVES(bars, retto_session_set_ending(session, RETTO_ENDING_BAR_LINE));
    GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_set_time_signature(session, 11, 8));
    CHECK(grid ? strstr(retto_last_error(), "11/8") && strstr(retto_last_error(), "6/8") : 1);
    GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_set_time_signature(session, 7, 16 * 8));
    GIVES(grid ? RETTO_OK : RETTO_ERROR_UNSUPPORTED,
          retto_session_force_note(session, 1u << 30, 480, 36));
    OK(retto_session_clear_forced_notes(session));
    /* What asks for nothing is always taken. */
    OK(retto_session_set_pitch_range(session, 0, 127));
    OK(retto_session_set_scale(session, 0xFFF));
    OK(retto_session_set_bars(session, 0));
    OK(retto_session_set_time_signature(session, 0, 0));
    OK(retto_session_set_ending(session, RETTO_ENDING_NEVER));
    for (int i = 0; i < 500; i++) {
      OK(retto_session_next_event(session, &event));
      CHECK(event.kind != RETTO_EVENT_END);
      /* The material is in 4/4, so that the model draws nothing else. */
      CHECK(event.kind != RETTO_EVENT_TIME_SIGNATURE || (event.pitch == 4 && event.velocity == 4));
    }
    OK(retto_session_set_ending(session, RETTO_ENDING_ANYWHERE));
  }
  retto_session_free(session);
}

/* A run from a model keeps its grid. */
static void check_grid_kept(const retto_model *model) {
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = NULL;
  options.steps_per_quarter = 12;
  GIVES(RETTO_ERROR_ARGUMENT, retto_trainer_create_from(model, &options, &trainer));
  CHECK(!trainer);
}

/* Neither allocates nor locks: `count` events drawn and fed, with every wish. */
static void check_realtime(const retto_model *model, int grid, int count) {
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  int drums = !strcmp(info.encoding, "drums"), pitch = drums ? 36 : 60;
  retto_event sounding[128];
  size_t count_sounding = 0;
  retto_session *session = NULL;
  MUST(retto_session_create(model, NULL, &session));
  retto_event event;
  OK(retto_session_next_event(session, &event));
  counting(1);
  for (int i = 0; i < count; i++) {
    OK(retto_session_next_event(session, &event));
    if (i % 50 == 0) {
      retto_event played = {(uint32_t)(i % 300), RETTO_EVENT_NOTE_ON, 0, (uint8_t)(40 + i % 40), 64};
      OK(retto_session_feed_event(session, &played));
      played.kind = RETTO_EVENT_NOTE_OFF;
      OK(retto_session_feed_event(session, &played));
      OK(retto_session_set_scale(session, i % 100 || drums ? 0xFFF : 0xAB5));
      OK(retto_session_set_pitch_range(session, drums ? 0 : i % 30, 127));
      OK(retto_session_set_voices(session, 1 + i % 5));
      OK(retto_session_set_density(session, (float)(i % 3)));
      OK(retto_session_set_bars(session, i % 200 || !grid ? 0 : 8));
      OK(retto_session_set_time_signature(session, 0, 0));
      OK(retto_session_set_ending(session, grid ? RETTO_ENDING_BAR_LINE : RETTO_ENDING_ANYWHERE));
      OK(retto_session_get_sounding(session, sounding, 128, &count_sounding));
      if (i % 700 == 0)
        OK(retto_session_forget_sounding(session));
      if (grid && retto_session_force_note(session, 1u << 20, 480, pitch) == RETTO_OK)
        OK(retto_session_clear_forced_notes(session));
    }
  }
  counting(0);
  CHECK(counted() == 0);
  if (counted())
    fprintf(stderr, "%ld allocations or locks, the last by %s\n", counted(), counted_last());
  retto_session_free(session);
}

int main(void) {
  check_events();
  for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
    int grid = strcmp(encodings[i], "performance") != 0;
    retto_model *model = train(encodings[i]), *loaded = NULL;
    OK(retto_model_save(model, "model.safetensors"));
    retto_model_free(model);
    MUST(retto_model_load("model.safetensors", &loaded));
    retto_model_info info = RETTO_MODEL_INFO_INIT;
    counting(1);
    OK(retto_model_get_info(loaded, &info));
    counting(0);
    CHECK(counted() == 0);
    CHECK(!strcmp(info.encoding, encodings[i]) && !info.is_text && info.ticks_per_quarter > 0);
    check_tokens(loaded, encodings[i]);
    for (int bars = 1; bars <= 9; bars += 4)
      check_piece(loaded, grid, i == 2, bars);
    check_snapshots(loaded);
    for (uint64_t seed = 0; seed < (under_tool() ? 2 : 40); seed++)
      check_time(loaded, seed);
    check_snapshot(loaded);
    for (unsigned way = 0; way < 12; way++)
      check_mixed(loaded, 1u << way);
    check_mixed(loaded, 0x7FF);
    check_mixed(loaded, 0xFFF);
    check_refusals(loaded, grid);
    check_no_way_out(loaded, i == 2);
    if (grid) {
      check_fed_after_drawn(loaded, i == 2 ? 36 : 60);
      check_fed_end(loaded, i == 2 ? 36 : 60);
    }
    if (i < 2)
      check_dictated(loaded, i == 0);
    check_grid_kept(loaded);
    check_constraints(loaded, grid, i == 2);
    check_calls_mixed(loaded, i == 2 ? 36 : 60);
    check_realtime(loaded, grid, under_tool() ? 500 : 20000);
    retto_model_free(loaded);
  }
  return check_result();
}
