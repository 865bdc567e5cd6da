/* Snapshots that are kept: those in Tests/fixtures/snapshots, which the first version wrote, are restored with
 * all instructions this processor has and go on with the tokens written down beside them. What is not as it was
 * written is refused.
 *
 * `snapshots make FOLDER` writes them anew; that is for new kinds of model, not for changes of the format, which
 * must go on to read these. */
#include "tiny.h"
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  const char *name;
  retto_precision precision;
  int is_text;
} fixtures[] = {{"characters", RETTO_FLOAT32, 1}, {"bytes", RETTO_INT8, 1},
                {"melody", RETTO_BFLOAT16, 0},    {"polyphony", RETTO_INT8, 0},
                {"drums", RETTO_FLOAT32, 0},      {"performance", RETTO_INT8, 0}};
#define FIXTURES (sizeof fixtures / sizeof *fixtures)
enum { TOKENS = 48 };

static char folder[4000];

static const char *path(const char *name, const char *ending) {
  static char text[4200];
  snprintf(text, sizeof text, "%s/%s.%s", folder, name, ending);
  return text;
}

/* The settings are not in a snapshot. */
static retto_session *session_of(const retto_model *model) {
  retto_session *session = tiny_session(model, 99);
  MUST(retto_session_set_temperature(session, 0.8f));
  MUST(retto_session_set_repetition(session, 1.1f, 64));
  return session;
}

static void draw(retto_session *session, int32_t *tokens) {
  for (int i = 0; i < TOKENS; i++)
    MUST(retto_session_next(session, &tokens[i], NULL));
}

static unsigned char *snapshot_of(retto_session *session, size_t *size) {
  MUST(retto_session_snapshot(session, NULL, 0, size));
  unsigned char *bytes = malloc(*size);
  MUST(retto_session_snapshot(session, bytes, *size, NULL));
  return bytes;
}

/* The checksum as SessionSnapshot.swift describes it. */
static uint64_t word_of(const unsigned char *bytes) {
  uint64_t word = 0;
  for (int i = 7; i >= 0; i--)
    word = word << 8 | bytes[i];
  return word;
}
static void sign(unsigned char *bytes, size_t size) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i + 8 < size; i += 8) {
    hash = (hash ^ word_of(bytes + i)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  for (int i = 0; i < 8; i++)
    bytes[size - 8 + (size_t)i] = (unsigned char)(hash >> 8 * i);
}

static void check_fixture(size_t number) {
  const char *name = fixtures[number].name;
  int32_t wanted[TOKENS], given[TOKENS];
  size_t size, length;
  retto_model *model = NULL;
  MUST(retto_model_load(path(name, "safetensors"), &model));
  unsigned char *bytes = read_file(path(name, "snapshot"), &size);
  unsigned char *tokens = read_file(path(name, "tokens"), &length);
  CHECK(length == 2 * TOKENS);
  for (int i = 0; i < TOKENS; i++)
    wanted[i] = tokens[2 * i] | tokens[2 * i + 1] << 8;
  retto_session *session = session_of(model);
  MUST(retto_session_restore(session, bytes, size));
  /* What was restored is written in the same size, and restored again it is written as it was. */
  size_t again_size;
  unsigned char *again = snapshot_of(session, &again_size);
  CHECK(again_size == size);
  retto_session *other = session_of(model);
  MUST(retto_session_restore(other, again, again_size));
  unsigned char *third = snapshot_of(other, &again_size);
  CHECK(again_size == size && !memcmp(again, third, size));
  retto_session_free(other);
  free(third);
  draw(session, given);
  if (memcmp(wanted, given, sizeof given)) {
    char text[200];
    snprintf(text, sizeof text, "%s goes on with other tokens with %s", name,
             retto_instruction_set());
    check_failed(__FILE__, __LINE__, text);
  }
  free(again);
  free(tokens);
  free(bytes);
  retto_session_free(session);
  retto_model_free(model);
}

static void check_damage(void) {
  retto_model *model = NULL, *other = NULL;
  size_t size;
  MUST(retto_model_load(path("melody", "safetensors"), &model));
  MUST(retto_model_load(path("performance", "safetensors"), &other));
  unsigned char *bytes = read_file(path("melody", "snapshot"), &size);
  unsigned char *changed = malloc(size + 8);
  retto_session *session = session_of(model), *stranger = session_of(other);
  size_t now_size, step = under_tool() ? 97 : 1;
  unsigned char *before = snapshot_of(session, &now_size);
  CHECK(now_size == size);
  sign(memcpy(changed, bytes, size), size);
  CHECK(!memcmp(changed, bytes, size));
  for (size_t i = 0; i < size; i += step) {
    memcpy(changed, bytes, size);
    changed[i] ^= 1u << i % 8;
    GIVES(RETTO_ERROR_FORMAT, retto_session_restore(session, changed, size));
  }
  for (size_t i = 0; i < size; i += step)
    GIVES(RETTO_ERROR_FORMAT, retto_session_restore(session, bytes, i));
  memcpy(changed, bytes, size);
  memset(changed + size, 0, 8);
  GIVES(RETTO_ERROR_FORMAT, retto_session_restore(session, changed, size + 8));
  GIVES(RETTO_ERROR_FORMAT, retto_session_restore(stranger, bytes, size));
  /* Nothing was changed by all this. */
  unsigned char *after = snapshot_of(session, &now_size);
  CHECK(!memcmp(before, after, size));
  free(after);
  /* A newer version says so. */
  memcpy(changed, bytes, size);
  changed[8] = 2;
  sign(changed, size);
  GIVES(RETTO_ERROR_UNSUPPORTED, retto_session_restore(session, changed, size));
  CHECK(strstr(retto_last_error(), "version 2") != NULL);
  /* With a checksum that is right, what cannot be is refused too, or it goes on. */
  for (size_t i = 24; i < size - 8; i += step) {
    memcpy(changed, bytes, size);
    changed[i] ^= 0xFF;
    sign(changed, size);
    retto_status status = retto_session_restore(session, changed, size);
    CHECK(status == RETTO_OK || status == RETTO_ERROR_FORMAT);
    if (i % 16 == 0)
      OK(retto_session_next(session, NULL, NULL));
  }
  free(before);
  free(changed);
  free(bytes);
  retto_session_free(session);
  retto_session_free(stranger);
  retto_model_free(model);
  retto_model_free(other);
}

/* ---- Making them ------------------------------------------------------------------------------ */

static retto_midi *tune(int channel, int lowest) {
  static const int scale[] = {0, 2, 4, 5, 7, 9, 11, 12};
  retto_event events[128];
  size_t n = 0;
  for (int i = 0; i < 64; i++) {
    uint8_t pitch = (uint8_t)(lowest + (channel == 9 ? i % 7 : scale[i * 3 % 8]));
    events[n++] = (retto_event){0, RETTO_EVENT_NOTE_ON, (uint8_t)channel, pitch, 80};
    events[n++] = (retto_event){i % 4 ? 240 : 480, RETTO_EVENT_NOTE_OFF, (uint8_t)channel, pitch, 0};
  }
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, n, 480, 120, &midi));
  return midi;
}

static void make(size_t number) {
  const char *name = fixtures[number].name;
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = NULL;
  retto_model *model = NULL, *rounded = NULL;
  int32_t tokens[TOKENS];
  unsigned char pairs[2 * TOKENS];
  options.encoding = name;
  options.steps = 200;
  if (fixtures[number].is_text) {
    model = tiny_model_with(&options);
  } else {
    MUST(retto_trainer_create(&options, &trainer));
    for (int i = 0; i < 6; i++) {
      retto_midi *midi = strcmp(name, "drums") ? tune(0, 55 + i) : tune(9, 35 + i);
      MUST(retto_midi_write(midi, "tune.mid"));
      unsigned char *bytes;
      size_t length;
      bytes = read_file("tune.mid", &length);
      MUST(retto_trainer_add_midi_memory(trainer, bytes, length, RETTO_TRAINING));
      free(bytes);
      retto_midi_free(midi);
    }
    MUST(retto_trainer_run(trainer, NULL, NULL, NULL));
    MUST(retto_trainer_model(trainer, &model));
    retto_trainer_free(trainer);
  }
  MUST(retto_model_quantize(model, fixtures[number].precision, &rounded));
  MUST(retto_model_save(rounded, path(name, "safetensors")));
  retto_session *session = session_of(rounded);
  draw(session, tokens);
  if (!fixtures[number].is_text) {
    /* Events that were drawn and fed, in the middle of things. */
    retto_event event = {120, RETTO_EVENT_NOTE_ON, 0, 62, 70};
    MUST(retto_session_feed_event(session, &event));
    for (int i = 0; i < 5; i++)
      MUST(retto_session_next_event(session, &event));
  } else {
    MUST(retto_session_feed_text(session, "The f\xC3\xB4", 7));
    MUST(retto_session_log_probabilities(session, malloc(4 * 4096), 4096));
  }
  size_t size;
  unsigned char *bytes = snapshot_of(session, &size);
  write_file(path(name, "snapshot"), bytes, size);
  draw(session, tokens);
  for (int i = 0; i < TOKENS; i++) {
    pairs[2 * i] = (unsigned char)tokens[i];
    pairs[2 * i + 1] = (unsigned char)(tokens[i] >> 8);
  }
  write_file(path(name, "tokens"), pairs, sizeof pairs);
  free(bytes);
  retto_session_free(session);
  retto_model_free(model);
  retto_model_free(rounded);
}

int main(int count, char **arguments) {
  static const char *const instructions[] = {"baseline", "v3", "v4", "vnni", "bf16"};
  if (count == 3 && !strcmp(arguments[1], "make")) {
    snprintf(folder, sizeof folder, "%s", arguments[2]);
    for (size_t i = 0; i < FIXTURES; i++)
      make(i);
    return check_result();
  }
  const char *given = getenv("HERE");
  if (!given)
    return 1;
  snprintf(folder, sizeof folder, "%s/../fixtures/snapshots", given);
  for (size_t i = 0; i < FIXTURES; i++)
    check_fixture(i);
  if (count == 1) {
    check_damage();
    for (int i = 0; i < 5 && !under_tool(); i++) {
      int status = -1;
      pid_t child = fork();
      if (child == 0) {
        setenv("LIBRETTO_ISA", instructions[i], 1);
        execl(arguments[0], arguments[0], instructions[i], (char *)NULL);
        _exit(1);
      }
      waitpid(child, &status, 0);
      CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
  }
  return check_result();
}
