/* words.c - learns spoken words from recordings, and names the words of others.
 *
 *     words train FOLDER MODEL [MINUTES]    learns from FOLDER/WORD/RECORDING.wav
 *     words MODEL RECORDING.wav...          says which word each is, and how sure that is
 *
 * speech.c turns a recording into a few small numbers for each moment. They are a piece of the encoding "tokens", which has
 * one more token for each word: in the second half of a recording the trainer's targets ask for that of its word, and
 * everywhere else for nothing. To name a word is to read a recording and to ask which of these tokens is the most probable.
 * Each recording is learned as it is and as other speakers, faster and slower ones, would say it. The codebooks and the
 * words lie beside the model, in MODEL.words. */
#include "speech.h"
#include <dirent.h>
#include <libretto.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 256, LONGEST_WORD = 64, PATH = 4096 };
static const double usual_hop = 0.0125;

/* The other speakers that a recording is taken for, in the middle its own. */
enum { WARPS = 5 };
static const double warps[WARPS] = {0.86, 0.93, 1, 1.08, 1.16};

/* What a model needs besides. */
static struct {
  char mark[8];
  int32_t count;
  char words[MOST_WORDS][LONGEST_WORD];
  speech_codebook codebook;
} kept = {.mark = "words 1"};

static int fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("words: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return 1;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names in a folder that do not begin with a dot, sorted; NULL after the last. */
static char **names_in(const char *folder) {
  size_t count = 0;
  char **names = calloc(1, sizeof *names);
  DIR *directory = opendir(folder);
  for (struct dirent *entry; names && directory && (entry = readdir(directory));) {
    char **more = entry->d_name[0] == '.' ? NULL : realloc(names, (count + 2) * sizeof *names);
    if (!more)
      continue;
    names = more;
    names[count] = strdup(entry->d_name);
    names[count += names[count] != NULL] = NULL;
  }
  if (directory)
    closedir(directory);
  if (names)
    qsort(names, count, sizeof *names, by_name);
  return names;
}

static void free_names(char **names) {
  for (char **name = names; name && *name; name++)
    free(*name);
  free(names);
}

/* ---- Learning ----------------------------------------------------------------------------------- */

typedef int (*visitor)(void *user, int word, const speech_recording *recording);

/* Shows each recording of a folder of words, with the number of its word; those that cannot be read are named and left
 * out. */
static int each_recording(const char *folder, int says, visitor visit, void *user) {
  char **words = names_in(folder);
  int problem = 0, used = 0;
  kept.count = 0;
  for (char **word = words; word && *word && !problem; word++) {
    char path[PATH];
    if (kept.count == MOST_WORDS) {
      problem = fail("%s has more than %d folders", folder, MOST_WORDS);
      break;
    }
    snprintf(kept.words[kept.count++], LONGEST_WORD, "%s", *word);
    snprintf(path, sizeof path, "%s/%s", folder, *word);
    char **files = names_in(path);
    for (char **file = files; file && *file && !problem; file++) {
      speech_recording recording;
      snprintf(path, sizeof path, "%s/%s/%s", folder, *word, *file);
      const char *reason = speech_read(path, &recording);
      if (reason && says)
        fprintf(stderr, "words: %s is left out: %s\n", path, reason);
      if (!reason) {
        problem = visit(user, kept.count - 1, &recording);
        used++;
      }
      free(recording.samples);
    }
    free_names(files);
  }
  free_names(words);
  return !used && !problem ? fail("%s has no folders with WAV files", folder) : problem;
}

/* Some moments of all recordings, for the codebooks. */
struct moments {
  float (*features)[SPEECH_FEATURES];
  size_t count, capacity;
};

static int collect(void *user, int word, const speech_recording *recording) {
  struct moments *all = user;
  float (*features)[SPEECH_FEATURES];
  size_t count = speech_features(recording, 1, usual_hop, &features);
  (void)word;
  if (all->count + count > all->capacity) {
    all->capacity = 2 * (all->count + count);
    void *more = realloc(all->features, all->capacity * sizeof *all->features);
    if (!more)
      return fail("there is no memory for the recordings");
    all->features = more;
  }
  for (size_t t = 0; t < count; t++)
    memcpy(all->features[all->count++], features[t], sizeof *features);
  free(features);
  return 0;
}

struct learning {
  retto_trainer *trainer;
  uint32_t number;
};

/* Adds noise to features, so that a moment now gets its code, now one beside it: about normal, with a standard deviation of
 * `amount` of that of the feature. */
static void blur(float (*features)[SPEECH_FEATURES], size_t count, double amount) {
  static uint32_t state = 1;
  for (size_t t = 0; t < count; t++)
    for (int k = 0; k < SPEECH_FEATURES; k++) {
      double sum = 0;
      for (int i = 0; i < 3; i++) {
        state = state * 1664525 + 1013904223;
        sum += state / 2147483648.0 - 1;
      }
      features[t][k] += (float)(amount * sum / kept.codebook.scale[k]);
    }
}

/* Whether a word is asked for after a token: after each moment of the second half. */
static int is_asked(size_t token, size_t moments) {
  return token % SPEECH_STREAMS == SPEECH_STREAMS - 1 && 2 * token >= moments * SPEECH_STREAMS;
}

static int add(struct learning *learning, int word, const speech_recording *recording, double warp,
               double hop, double noise, retto_role role) {
  float (*features)[SPEECH_FEATURES];
  size_t count = speech_features(recording, warp, hop, &features);
  size_t length = SPEECH_STREAMS * count;
  int32_t *tokens = malloc((2 * length + 1) * sizeof *tokens), *targets = tokens + length;
  int problem = 0;
  if (tokens && count) {
    blur(features, count, noise);
    speech_encode(&kept.codebook, features, count, tokens);
    for (size_t i = 0; i < length; i++)
      targets[i] = is_asked(i, count) ? SPEECH_VOCABULARY + word : -1;
    if (retto_trainer_add_tokens(learning->trainer, tokens, targets, length, role))
      problem = fail("%s", retto_last_error());
  }
  free(tokens);
  free(features);
  return problem;
}

/* One recording of twelve is for validation, as it is; the others come in five variants. */
static int learn(void *user, int word, const speech_recording *recording) {
  static const double hops[] = {1, 0.85, 1, 1.18, 1};
  struct learning *learning = user;
  if (learning->number++ % 12 == 11)
    return add(learning, word, recording, 1, usual_hop, 0, RETTO_VALIDATION);
  for (int i = 0; i < WARPS; i++) {
    /* Now this one is slow, now that. */
    double hop = usual_hop * hops[((uint32_t)i + learning->number) % 5];
    if (add(learning, word, recording, warps[i], hop, 0.4, RETTO_TRAINING))
      return 1;
  }
  return 0;
}

static int32_t show(void *user, const retto_progress *progress) {
  (void)user;
  if (progress->measured)
    fprintf(stderr, "\r%3.0f %%  loss %.3f", 100 * progress->fraction, progress->validation_loss);
  return 0;
}

static int train(const char *folder, const char *path, double minutes) {
  char name[PATH];
  struct moments all = {0};
  if (each_recording(folder, 1, collect, &all))
    return 1;
  speech_learn(&kept.codebook, all.features, all.count);
  free(all.features);

  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  options.encoding = "tokens";
  options.vocabulary = SPEECH_VOCABULARY + kept.count;
  options.minutes = minutes;
  options.hidden = 128;
  options.layers = 1;
  options.dropout = 0.4;
  options.batch = 16;
  options.sequence = 256; /* most recordings whole */
  options.memory = -1;    /* a word does not repeat itself */
  if (retto_trainer_create(&options, &trainer))
    return fail("%s", retto_last_error());
  struct learning learning = {trainer, 0};
  if (each_recording(folder, 0, learn, &learning))
    return 1;
  if (retto_trainer_run(trainer, show, NULL, NULL) || retto_trainer_model(trainer, &model) ||
      retto_model_save(model, path))
    return fail("%s", retto_last_error());
  fputc('\n', stderr);
  snprintf(name, sizeof name, "%s.words", path);
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(&kept, sizeof kept, 1, file) != 1 || fclose(file))
    return fail("cannot write %s", name);
  retto_model_free(model);
  retto_trainer_free(trainer);
  return 0;
}

/* ---- Naming ------------------------------------------------------------------------------------- */

/* Adds up the logarithms of how probable each word is, on average after the moments of the second half. */
static int ask(retto_session *session, int32_t start, const int32_t *tokens, size_t moments,
               double *words) {
  static float all[SPEECH_VOCABULARY + MOST_WORDS + 1];
  if (retto_session_reset(session, 0) || retto_session_feed(session, &start, 1))
    return 1;
  for (size_t i = 0; i < SPEECH_STREAMS * moments; i++) {
    if (retto_session_feed(session, tokens + i, 1))
      return 1;
    if (!is_asked(i, moments))
      continue;
    if (retto_session_log_probabilities(session, all, sizeof all / sizeof *all))
      return 1;
    for (int w = 0; w < kept.count; w++)
      words[w] += all[SPEECH_VOCABULARY + w] / ((double)moments / 2);
  }
  return 0;
}

/* The probability of each word, by the mean of what is said of the recording as it is and as other speakers would say it.
 * Gives what is wrong, or NULL. */
static const char *hear(retto_session *session, int32_t start, const speech_recording *recording,
                        double *words) {
  double sum = 0, most = -1e30;
  memset(words, 0, MOST_WORDS * sizeof *words);
  for (int i = 0; i < WARPS; i++) {
    float (*features)[SPEECH_FEATURES] = NULL;
    size_t count = speech_features(recording, warps[i], usual_hop, &features);
    int32_t *tokens = malloc((SPEECH_STREAMS * count + 1) * sizeof *tokens);
    const char *problem = count && tokens ? NULL : "too short";
    if (!problem) {
      speech_encode(&kept.codebook, features, count, tokens);
      if (ask(session, start, tokens, count, words))
        problem = retto_last_error();
    }
    free(tokens);
    free(features);
    if (problem)
      return problem;
  }
  for (int w = 0; w < kept.count; w++)
    most = words[w] > most ? words[w] : most;
  for (int w = 0; w < kept.count; w++)
    sum += words[w] = exp((words[w] - most) / WARPS);
  for (int w = 0; w < kept.count; w++)
    words[w] /= sum;
  return NULL;
}

static int name(const char *path, char **files) {
  char beside[PATH];
  retto_model *model = NULL;
  retto_session *session = NULL;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  int problems = 0;
  snprintf(beside, sizeof beside, "%s.words", path);
  FILE *file = fopen(beside, "rb");
  if (!file || fread(&kept, sizeof kept, 1, file) != 1 || memcmp(kept.mark, "words 1", 8) ||
      kept.count < 1 || kept.count > MOST_WORDS)
    return fail("cannot read %s, which `words train` writes", beside);
  fclose(file);
  if (retto_model_load(path, &model) || retto_model_get_info(model, &info) ||
      retto_session_create(model, NULL, &session))
    return fail("%s", retto_last_error());
  if (info.vocabulary != SPEECH_VOCABULARY + kept.count + 1)
    return fail("%s is no model of these words", path);
  for (; *files; files++) {
    speech_recording recording;
    double words[MOST_WORDS];
    const char *reason = speech_read(*files, &recording);
    if (!reason)
      reason = hear(session, info.end_token, &recording, words);
    if (reason) {
      problems = fail("%s: %s", *files, reason);
    } else {
      int best = 0;
      for (int w = 1; w < kept.count; w++)
        best = words[w] > words[best] ? w : best;
      printf("%s\t%.*s\t%.3f\n", *files, LONGEST_WORD - 1, kept.words[best], words[best]);
    }
    free(recording.samples);
  }
  retto_session_free(session);
  retto_model_free(model);
  return problems;
}

int main(int count, char **arguments) {
  double minutes = count > 4 ? atof(arguments[4]) : 1;
  if ((count == 4 || count == 5) && !strcmp(arguments[1], "train") && minutes > 0)
    return train(arguments[2], arguments[3], minutes);
  if (count >= 3 && strcmp(arguments[1], "train"))
    return name(arguments[1], arguments + 2);
  fputs("usage: words train FOLDER MODEL [MINUTES]   or   words MODEL RECORDING.wav...\n", stderr);
  return 64;
}
