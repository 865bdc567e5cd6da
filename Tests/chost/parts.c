/* Parts: files of several tracks, sessions that are told their parts, constraints of parts, and given parts. */
#include "tiny.h"

enum { QUARTER = 480, MOST = 4096 };

/* A tune, a bass and drums: two bars from a pitch on. */
static retto_midi *piece(int lowest) {
  retto_event events[256];
  size_t n = 0;
  events[n++] = (retto_event){0, RETTO_EVENT_PROGRAM, 0, 52, 0};
  events[n++] = (retto_event){0, RETTO_EVENT_PROGRAM, 1, 33, 0};
  events[n++] = (retto_event){0, RETTO_EVENT_PROGRAM, 9, 0, 0};
  for (int i = 0; i < 8; i++) {
    uint8_t high = (uint8_t)(lowest + i % 5), low = (uint8_t)(lowest - 24 + i / 4 * 5);
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, 0, high, 100};
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, 1, low, 70};
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, 9, i % 2 ? 38 : 36, 110};
    events[n++] = (retto_event){QUARTER, RETTO_EVENT_NOTE_OFF, 0, high, 0};
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_OFF, 1, low, 0};
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_OFF, 9, i % 2 ? 38 : 36, 0};
  }
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, n, QUARTER, 120, &midi));
  return midi;
}

static retto_model *train(const char *encoding) {
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  options.encoding = encoding;
  options.hidden = 32;
  options.steps = 40;
  MUST(retto_trainer_create(&options, &trainer));
  for (int i = 0; i < 6; i++) {
    retto_midi *midi = piece(60 + i);
    MUST(retto_trainer_add_piece(trainer, midi, RETTO_TRAINING));
    retto_midi_free(midi);
  }
  MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
  MUST(retto_trainer_model(trainer, &model));
  retto_trainer_free(trainer);
  return model;
}

static void test_files(const retto_model *model) {
  static int32_t tokens[MOST], again[MOST];
  size_t count = 0, more = 0;
  retto_midi *midi = piece(60), *back = NULL;
  retto_midi_info info = RETTO_MIDI_INFO_INIT;
  OK(retto_midi_get_info(midi, &info));
  CHECK(info.format == 1 && info.tracks == 4);
  OK(retto_model_encode_midi(model, midi, tokens, MOST, &count));
  OK(retto_model_decode_midi(model, tokens, count, 120, &back));
  OK(retto_midi_get_info(back, &info));
  CHECK(info.format == 1 && info.tracks == 4 && info.notes == 24);
  OK(retto_model_encode_midi(model, back, again, MOST, &more));
  CHECK(more == count && !memcmp(tokens, again, count * sizeof *tokens));
  retto_midi_free(midi);
  retto_midi_free(back);
}

/* The events of a piece of four bars; gives their number. */
static size_t play(retto_session *session, retto_event *events) {
  size_t n = 0;
  do
    MUST(retto_session_next_event(session, &events[n]));
  while (events[n++].kind != RETTO_EVENT_END && n < MOST);
  CHECK(events[n - 1].kind == RETTO_EVENT_END);
  return n;
}

static void test_parts(retto_session *session) {
  static retto_event events[MOST];
  const int32_t programs[] = {0, 33, RETTO_DRUMS};
  int32_t got[RETTO_MAX_PARTS], channels[RETTO_MAX_PARTS];
  size_t count = 9;
  OK(retto_session_get_parts(session, NULL, NULL, 0, &count));
  CHECK(count == 0);
  OK(retto_session_set_parts(session, programs, 3));
  OK(retto_session_set_bars(session, 4));
  for (int round = 0; round < 3; round++) {
    retto_part_constraints constraints = RETTO_PART_CONSTRAINTS_INIT;
    constraints.lowest_pitch = 70, constraints.highest_pitch = 75, constraints.voices = 1;
    constraints.density = 2;
    OK(retto_session_constrain_part(session, 0, &constraints));
    retto_part_constraints_init(&constraints);
    constraints.mute = round == 1, constraints.solo = round == 2;
    OK(retto_session_constrain_part(session, 1, &constraints));
    OK(retto_session_get_part_constraints(session, 1, &constraints));
    CHECK(constraints.mute == (round == 1) && constraints.solo == (round == 2));
    size_t n = play(session, events);
    CHECK(events[0].kind == RETTO_EVENT_PROGRAM && events[0].channel == 0 && events[0].pitch == 0);
    CHECK(events[1].kind == RETTO_EVENT_PROGRAM && events[1].channel == 1 && events[1].pitch == 33);
    CHECK(events[2].kind == RETTO_EVENT_PROGRAM && events[2].channel == 9);
    for (size_t i = 0; i < n; i++) {
      if (events[i].kind != RETTO_EVENT_NOTE_ON)
        continue;
      CHECK(events[i].channel == 0 || events[i].channel == 1 || events[i].channel == 9);
      CHECK(events[i].velocity % 16 == 8);
      if (events[i].channel == 0)
        CHECK(events[i].pitch >= 70 && events[i].pitch <= 75);
      if (round == 1)
        CHECK(events[i].channel != 1);
      if (round == 2)
        CHECK(events[i].channel == 1);
    }
    OK(retto_session_get_parts(session, got, channels, RETTO_MAX_PARTS, &count));
    CHECK(count == 3 && got[1] == 33 && got[2] == RETTO_DRUMS && channels[2] == 9);
    GIVES(RETTO_ERROR_BUFFER, retto_session_get_parts(session, got, NULL, 2, &count));
  }
  for (int part = 0; part < 3; part++)
    OK(retto_session_constrain_part(session, part, NULL));
}

/* What is given comes as it is, beside what the others play, whether before or after a snapshot. */
static void test_given(retto_session *session) {
  static retto_event events[MOST];
  static const int pitches[] = {67, 69, 71, 72, 74, 72, 71, 69};
  const int32_t programs[] = {52, 33, RETTO_DRUMS};
  retto_part_constraints given = RETTO_PART_CONSTRAINTS_INIT;
  given.given = 1;
  OK(retto_session_reset(session, 5));
  OK(retto_session_set_parts(session, programs, 3));
  OK(retto_session_constrain_part(session, 0, &given));
  OK(retto_session_set_time_signature(session, 4, 4));
  OK(retto_session_set_bars(session, 4));
  for (int i = 0; i < 16; i++)
    OK(retto_session_give_note(session, 0, (uint64_t)i * QUARTER, QUARTER, pitches[i % 8], 100));
  size_t n = play(session, events);
  uint64_t tick = 0;
  int notes = 0, others = 0;
  for (size_t i = 0; i < n; i++) {
    tick += events[i].delta;
    if (events[i].kind != RETTO_EVENT_NOTE_ON)
      continue;
    if (events[i].channel != 0) {
      others++;
      continue;
    }
    CHECK(tick == (uint64_t)notes * QUARTER && events[i].pitch == pitches[notes % 8]);
    CHECK(events[i].velocity == 104);
    notes++;
  }
  CHECK(notes == 16 && others > 0 && tick == 16 * QUARTER);

  /* Played: fed events are heard, and not returned. */
  OK(retto_session_reset(session, 6));
  OK(retto_session_set_bars(session, 0));
  OK(retto_session_set_ending(session, RETTO_ENDING_NEVER));
  const retto_event on = {0, RETTO_EVENT_NOTE_ON, 0, 80, 100}, off = {0, RETTO_EVENT_NOTE_OFF, 0, 80, 0};
  OK(retto_session_feed_event(session, &on));
  for (int i = 0; i < 40; i++) {
    retto_event event;
    OK(retto_session_next_event(session, &event));
    CHECK(event.kind > RETTO_EVENT_NOTE_OFF || event.kind == RETTO_EVENT_TIME || event.channel != 0);
  }
  OK(retto_session_feed_event(session, &off));
  int32_t token;
  static unsigned char saved[1 << 20];
  size_t size = 0;
  OK(retto_session_snapshot(session, saved, sizeof saved, &size));
  int32_t first[100];
  for (int i = 0; i < 100; i++)
    OK(retto_session_next(session, &first[i], NULL));
  OK(retto_session_restore(session, saved, size));
  for (int i = 0; i < 100; i++) {
    OK(retto_session_next(session, &token, NULL));
    CHECK(token == first[i]);
  }
  OK(retto_session_constrain_part(session, 0, NULL));
}

/* Without parts that the host wants: who plays decides, however much time passed before, and a note that was forced
 * comes on what its part turns out to be. */
static void test_unknown(retto_session *session) {
  const retto_event before[] = {{0, RETTO_EVENT_PROGRAM, 3, 33, 0}, {100, RETTO_EVENT_TIME, 0, 0, 0},
                                {700, RETTO_EVENT_NOTE_OFF, 5, 60, 0}, {0, RETTO_EVENT_PROGRAM, 9, 0, 0},
                                {160, RETTO_EVENT_NOTE_ON, 9, 36, 100}, {0, RETTO_EVENT_NOTE_ON, 3, 40, 100}};
  int32_t programs[RETTO_MAX_PARTS];
  size_t count = 0;
  retto_event event;
  OK(retto_session_set_parts(session, NULL, 0));
  for (size_t i = 0; i < 2; i++) {
    OK(retto_session_reset(session, 3));
    for (size_t j = 0; j < sizeof before / sizeof *before; j++)
      if (i == 0 || before[j].kind != RETTO_EVENT_PROGRAM)
        OK(retto_session_feed_event(session, &before[j]));
    OK(retto_session_next_event(session, &event));
    OK(retto_session_get_parts(session, programs, NULL, RETTO_MAX_PARTS, &count));
    CHECK(i == 0 ? count == 2 && programs[1] == RETTO_DRUMS : count == 1 && programs[0] == RETTO_DRUMS);
  }
  /* After a piece that was fed up to its end the model chooses the parts, and says so. */
  OK(retto_session_reset(session, 4));
  event = (retto_event){0, RETTO_EVENT_NOTE_ON, 0, 60, 100};
  OK(retto_session_feed_event(session, &event));
  event = (retto_event){960, RETTO_EVENT_END, 0, 0, 0};
  OK(retto_session_feed_event(session, &event));
  OK(retto_session_next_event(session, &event));
  CHECK(event.kind == RETTO_EVENT_PROGRAM);
  /* Time alone, and then a draw: a bar of silence is over. */
  OK(retto_session_reset(session, 3));
  event = (retto_event){4 * QUARTER, RETTO_EVENT_TIME, 0, 0, 0};
  OK(retto_session_feed_event(session, &event));
  OK(retto_session_next_event(session, &event));
  uint64_t bars = 0;
  OK(retto_session_get_bars(session, &bars));
  CHECK(bars >= 1);
  /* Drums have no sound at 70, and one at 36. */
  for (uint64_t seed = 0; seed < 20; seed++) {
    OK(retto_session_reset(session, seed));
    for (int part = 0; part < 3; part++) {
      OK(retto_session_give_note(session, part, 0, QUARTER, 70, 0));
      OK(retto_session_give_note(session, part, QUARTER, QUARTER, 36, 0));
    }
    uint64_t tick = 0;
    int first = 0, second = 0;
    while (tick < 2 * QUARTER) {
      OK(retto_session_next_event(session, &event));
      tick += event.delta;
      if (event.kind == RETTO_EVENT_NOTE_ON && tick == 0)
        first |= event.pitch == 70 ? 1 << event.channel : 0;
      if (event.kind == RETTO_EVENT_NOTE_ON && tick == QUARTER)
        second |= event.pitch == 36 ? 1 << event.channel : 0;
    }
    int32_t channels[RETTO_MAX_PARTS];
    OK(retto_session_get_parts(session, programs, channels, RETTO_MAX_PARTS, &count));
    for (size_t part = 0; part < count && part < 3; part++) {
      CHECK(second >> channels[part] & 1);
      CHECK((first >> channels[part] & 1) == (programs[part] != RETTO_DRUMS));
    }
  }
}

static void test_faults(retto_session *session, retto_session *other) {
  int32_t many[17] = {0};
  const int32_t drums[] = {RETTO_DRUMS, RETTO_DRUMS}, none[] = {129}, below[] = {-1};
  retto_part_constraints wrong = RETTO_PART_CONSTRAINTS_INIT;
  size_t count;
  OK(retto_session_reset(session, 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, many, 17));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, many, 16));
  OK(retto_session_set_parts(session, many, 15));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, drums, 2));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, none, 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, below, 1));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_set_parts(session, NULL, 1));
  OK(retto_session_set_parts(session, NULL, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_constrain_part(session, 16, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_constrain_part(session, -1, NULL));
  wrong.voices = 0;
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_constrain_part(session, 0, &wrong));
  retto_part_constraints_init(&wrong);
  wrong.reserved = 1;
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_constrain_part(session, 0, &wrong));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 16, 0, QUARTER, 60, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 0, 0, 0, 60, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 0, 0, QUARTER, 128, 0));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 0, 0, QUARTER, 60, 128));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 0, UINT64_MAX, QUARTER, 60, 0));
  for (int i = 0; i < 8192; i++)
    OK(retto_session_give_note(session, 1, (uint64_t)i * QUARTER, QUARTER, 60, 90));
  GIVES(RETTO_ERROR_ARGUMENT, retto_session_give_note(session, 1, 0, QUARTER, 60, 90));
  OK(retto_session_clear_forced_notes(session));
  OK(retto_session_give_note(session, 1, 0, QUARTER, 60, 90));

  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_set_parts(other, many, 1));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_get_parts(other, NULL, NULL, 0, &count));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_constrain_part(other, 0, NULL));
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_give_note(other, 0, 0, QUARTER, 60, 0));
}

int main(void) {
  retto_model *model = train("ensemble"), *other = train("polyphony");
  retto_session *session = NULL, *of_other = NULL;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  OK(retto_model_get_info(model, &info));
  CHECK(!strcmp(info.encoding, "ensemble"));
  MUST(retto_session_create(model, NULL, &session));
  MUST(retto_session_create(other, NULL, &of_other));
  test_files(model);
  test_parts(session);
  test_given(session);
  test_unknown(session);
  test_faults(session, of_other);
  retto_session_free(session);
  retto_session_free(of_other);
  retto_model_free(model);
  retto_model_free(other);
  return check_result();
}
