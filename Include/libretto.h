/*
 * libretto.h - a GRU language model as a library.
 *
 * Libretto learns from text or from MIDI files and writes more of the kind, on the CPU, without a
 * framework. This header is its manual: it covers models; sessions, which generate; adapters and trainers, which
 * learn; text; and MIDI files.
 *
 * A whole program, which learns from corpus.txt for two minutes and writes 500 characters:
 *
 *     #include <libretto.h>
 *     #include <stdio.h>
 *
 *     static int32_t show(void *user, const retto_progress *progress) {
 *       (void)user;
 *       fprintf(stderr, "\r%3.0f %%  loss %.3f", 100 * progress->fraction, progress->loss);
 *       return 0;
 *     }
 *
 *     int main(void) {
 *       retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
 *       retto_trainer *trainer = NULL;
 *       retto_model *model = NULL;
 *       retto_session *session = NULL;
 *       char text[RETTO_TEXT_SIZE];
 *       options.minutes = 2;
 *       if (retto_trainer_create(&options, &trainer) ||
 *           retto_trainer_add_file(trainer, "corpus.txt", RETTO_TRAINING) ||
 *           retto_trainer_run(trainer, show, NULL, NULL) ||
 *           retto_trainer_model(trainer, &model) ||
 *           retto_session_create(model, NULL, &session))
 *         return fprintf(stderr, "%s\n", retto_last_error()), 1;
 *       for (int i = 0; i < 500 && !retto_session_next_text(session, text, sizeof text, NULL); i++)
 *         fputs(text, stdout);
 *       retto_session_free(session);
 *       retto_model_free(model);
 *       retto_trainer_free(trainer);
 *     }
 *
 *     cc program.c $(pkg-config --cflags --libs libretto)
 *
 * What holds for every call
 *
 * Handles. retto_model, retto_session, retto_adapter, retto_trainer and retto_midi are opaque. The library makes
 *   and frees them; every _free accepts NULL. A function that makes one writes it to its last argument, and writes
 *   NULL there if it fails.
 *
 * Status. A call that can fail returns a retto_status: RETTO_OK, which is 0, or a negative value.
 *   After a failure retto_last_error() returns a message for a person: what was wrong, where, and what to
 *   do. A call that failed has changed nothing, unless its description says what.
 *
 * Structs. Options are passed in a struct by pointer; NULL means the defaults. Results such as
 *   retto_model_info are filled in. Both kinds begin with their size, which the initialiser sets:
 *
 *       retto_session_options options = RETTO_SESSION_OPTIONS_INIT;
 *       options.temperature = 0.7f;
 *
 *   Later versions may add members at the end of a struct, so a program and the library may know
 *   different sizes of it. Options of an older program: the members it does not have take their
 *   defaults. Options of a newer program: accepted if the members that the library does not know are
 *   zero, else RETTO_ERROR_UNSUPPORTED. Results: the library fills in the members that both know, sets
 *   those it does not know to zero, and sets `size` to the number of bytes it filled in. A size
 *   smaller than in the first version, or more than 4096 bytes larger than the library's, is
 *   RETTO_ERROR_ARGUMENT. Members named `reserved` must be zero; in options any other value is
 *   RETTO_ERROR_UNSUPPORTED.
 *
 *   Each struct that begins with its size also has a function, for bindings that cannot use the macro: it fills in
 *   the struct as RETTO_..._INIT does. It writes the struct as the loaded library knows it: a newer library would
 *   write past the end of the struct of a program that was built with an older header. A program that may run with
 *   a newer library uses the macro. Structs grow with the minor version, never with a patch.
 *
 * Buffers. They are passed as a pointer and a length. Unless its description says otherwise, a call that fills a
 *   buffer writes the number of elements needed (bytes for text and files) to its last argument, also when it
 *   returns RETTO_ERROR_BUFFER because the buffer is too short; then it writes nothing to the buffer. Called with
 *   NULL and 0, it writes that number alone and returns RETTO_OK.
 *
 * Ownership. What you pass in stays yours and is not kept after the call, unless said otherwise.
 *   Strings the library returns belong to it; each says how long they live. Free every handle before
 *   you unload the library (dlclose).
 *
 * Threads and time. Each declaration carries tags:
 *   [any-thread]      any number of threads at once, also on the same handle.
 *   [one-thread]      one thread at a time per handle; different handles at the same time. A second
 *                     thread that calls meanwhile gets RETTO_ERROR_STATE.
 *   [realtime]        does not allocate, lock or make a system call; this holds also for calls that fail,
 *                     and for the first call in a process. The time for one token does not depend on what was
 *                     generated. The first token of a session, and the first after a reset, a restore or a call of
 *                     retto_sessions_next, takes up to twice as long. Such declarations are marked RETTO_REALTIME,
 *                     the attribute `nonblocking` where the compiler knows it. In a function of yours that has this
 *                     attribute, clang 20 and later with -Wfunction-effects warn of calls that do not have it.
 *   [blocking]        may read or write files, and may take long.
 *
 * Settings from another thread. Change them on the thread that generates (the one that calls retto_session_next and
 *   the like): all setters are [realtime]. Hand the value to it through an atomic variable, or a lock-free queue
 *   for several:
 *
 *       _Atomic float temperature = 1.0f;             // the user interface stores a new value here
 *
 *       void process(void) {                          // the audio callback
 *         if (retto_session_set_temperature(session, temperature)) ...
 *         if (retto_session_next_event(session, &event) == RETTO_OK) ...
 *
 *   If a call is made while another thread is still inside a call on the same session, the new call returns
 *   RETTO_ERROR_STATE at once and changes nothing; make it again later.
 *
 * Callbacks return normally: no exception and no longjmp may leave one. If one does, the handle stays
 *   in use for ever: further calls on it return RETTO_ERROR_STATE, and it cannot be freed. A _free of a session,
 *   adapter or trainer that is in use, in its own callback or by another thread, does nothing, and
 *   retto_last_error() says so; free it after the call has returned.
 *
 * Memory. If there is no memory for what grows with the input or the model, a call returns
 *   RETTO_ERROR_MEMORY. Apart from that, calls that are not [realtime] make small allocations, each of at most 4096
 *   bytes, 32 bytes for each non-ASCII character in the model's vocabulary or 512 bytes for each of its labels,
 *   whichever is largest. If one of these fails, the library calls abort(); it does so in no other case.
 *
 * Stack. Calls on a session, and retto_model_encode, _decode and _score, need at most 32 KiB of stack; all others,
 * such as those that load, save or make models, 256 KiB.
 *
 * Processes and threads. Trainers start threads, and retto_session_forecast, whose threads end before it returns. A
 *   trainer starts options.threads - 1 when the material is prepared (by retto_trainer_prepare, or the first call
 *   that needs it, such as a step). They block all signals, inherit the scheduling policy and the CPU affinity of
 *   the thread that made that call, and end with the trainer. In a child of fork() models, sessions, adapters and
 *   MIDI handles go on as copies, unless a thread of the parent was inside a call on them. A trainer that the
 *   parent prepared cannot be used in the child: RETTO_ERROR_STATE.
 *
 * Floating point. Sessions use the calling thread's floating-point mode and expect that of a new process:
 *   rounding to nearest, denormals kept. Another rounding mode, or denormals flushed to zero (FTZ, DAZ), is
 *   safe, but changes the last bits, so that the same seed may give other tokens. Training sets its own mode and
 *   restores yours.
 *
 * Silence. The library never writes to stdout or stderr, does not end the process (but see Memory), installs
 *   no signal handlers, and keeps no global state except handles and each thread's last error.
 *
 * Text is UTF-8, paths too. Lengths of text are in bytes. Logarithms are natural.
 *
 * The environment variable LIBRETTO_ISA (baseline, v3, v4, vnni, bf16) makes the library use an
 * older instruction set than the processor has, for tests. Any other value, or one that the processor
 * does not support, is ignored.
 */

#ifndef LIBRETTO_H
#define LIBRETTO_H

#include <stddef.h>
#include <stdint.h>

#define RETTO_VERSION_MAJOR 0
#define RETTO_VERSION_MINOR 1
#define RETTO_VERSION_PATCH 0
#define RETTO_VERSION_NUMBER \
  (RETTO_VERSION_MAJOR * 10000 + RETTO_VERSION_MINOR * 100 + RETTO_VERSION_PATCH)
#define RETTO_VERSION_TEXT_OF(major, minor, patch) #major "." #minor "." #patch
#define RETTO_VERSION_TEXT(major, minor, patch) RETTO_VERSION_TEXT_OF(major, minor, patch)
/* The same as text, such as "0.1.0". */
#define RETTO_VERSION_STRING \
  RETTO_VERSION_TEXT(RETTO_VERSION_MAJOR, RETTO_VERSION_MINOR, RETTO_VERSION_PATCH)

#if defined(__GNUC__) || defined(__clang__)
#define RETTO_CHECK __attribute__((warn_unused_result))
#else
#define RETTO_CHECK
#endif

/* On each [realtime] declaration: the function may be called where nothing may block. */
#if defined(__has_attribute) && !defined(__swift__)
#if __has_attribute(nonblocking)
#define RETTO_REALTIME __attribute__((nonblocking))
#endif
#endif
#ifndef RETTO_REALTIME
#define RETTO_REALTIME
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The library ------------------------------------------------------------------------------ */

/* How a call ended. The values never change; later versions may add others. */
typedef enum retto_status {
  RETTO_OK = 0,
  /* An argument is missing or out of its range. */
  RETTO_ERROR_ARGUMENT = -1,
  /* The call is not allowed in the present state of the handle, or another thread is using the handle. */
  RETTO_ERROR_STATE = -2,
  /* A file could not be opened, read or written. */
  RETTO_ERROR_FILE = -3,
  /* The contents of a file or buffer are invalid: damaged, truncated, or of another format. */
  RETTO_ERROR_FORMAT = -4,
  /* This version of the library, or this kind of model, does not support the request. */
  RETTO_ERROR_UNSUPPORTED = -5,
  /* There is not enough memory. */
  RETTO_ERROR_MEMORY = -6,
  /* A buffer is too short; nothing was written to it. */
  RETTO_ERROR_BUFFER = -7,
  /* The training material cannot be used. */
  RETTO_ERROR_CORPUS = -8,
  /* Training diverged. The best weights are kept: those with the best validation loss or, if there is no validation
   * material, weights from before the divergence. */
  RETTO_ERROR_DIVERGED = -9,
  /* The session's mask allows no token; or the grammar is off, and 1024 tokens in a row made no event. */
  RETTO_ERROR_EXHAUSTED = -10,
  /* The material has nothing to learn from: a MIDI file without notes that the encoding can represent, a table with
   * fewer than two rows, or a column without a number. Leave it out. */
  RETTO_ERROR_EMPTY = -11
} retto_status;

/* The version of the library that is running: major * 10000 + minor * 100 + patch. A program may
 * compare it with the RETTO_VERSION_NUMBER it was compiled with. [any-thread] [realtime] */
uint32_t retto_version_number(void) RETTO_REALTIME;

/* The same as text, such as "0.1.0". The string lives as long as the library.
 * [any-thread] [realtime] */
const char *retto_version_string(void) RETTO_REALTIME;

/* The instructions the kernels use on this machine: "x86-64-v4+bf16", "x86-64-v4+vnni", "x86-64-v4",
 * "x86-64-v3" or "baseline". The string lives as long as the library. [any-thread] [realtime] */
const char *retto_instruction_set(void) RETTO_REALTIME;

/* The name of a status, such as "RETTO_ERROR_FILE", or "unknown status" for any other value.
 * The string lives as long as the library. [any-thread] [realtime] */
const char *retto_status_name(retto_status status) RETTO_REALTIME;

/* The error message of the last call that failed on this thread, or an empty string. It is valid until the next
 * call on this thread fails or the thread ends. Calls that succeed do not change it, except retto_trainer_run when
 * a checkpoint could not be saved. At most 1023 bytes. May allocate, because the message is formatted here.
 * [any-thread] */
const char *retto_last_error(void);

/* ---- The model -------------------------------------------------------------------------------- */

/* A trained network and the encoding that gives its tokens their meaning. A model never changes.
 * It may be freed before the sessions, adapters and trainers that were made from it.
 *
 * A model file is a .safetensors file with the tensors of a PyTorch module that has the members embedding
 * (nn.Embedding), gru (nn.GRU), head (nn.Linear) and, if the model has inputs beside the token (such as what the
 * memory expects, the key or a label), side: an nn.ModuleDict with an nn.Embedding for each, whose outputs are
 * added to the token's embedding. */
typedef struct retto_model retto_model;

/* The format of weights. */
typedef enum retto_precision {
  RETTO_FLOAT32 = 0,
  /* Half of the memory, with no measurable loss of quality. */
  RETTO_BFLOAT16 = 1,
  /* A quarter of the memory and the fastest sampling, with a small loss of quality. */
  RETTO_INT8 = 2
} retto_precision;

/* Reads a model file, or a checkpoint, of which it takes the best weights.
 * RETTO_ERROR_FILE, _FORMAT, _UNSUPPORTED, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_load(const char *path, retto_model **model);

/* Reads a model by name, such as "folk": one that comes with Libretto, or one that the user has added. Model NAME
 * is the file NAME.safetensors in the first of these folders that has it:
 *
 *   1. the folders in the environment variable LIBRETTO_MODELS, separated by colons
 *   2. libretto/models in XDG_DATA_HOME, by default ~/.local/share
 *   3. models in the source tree, if the library or the program lies in its .build
 *   4. share/libretto/models in the folder above that of the library or of the program, or one further up
 *   5. /usr/local/share/libretto/models and /usr/share/libretto/models
 *
 * RETTO_ERROR_ARGUMENT for a name with a slash or with a dot at its beginning, RETTO_ERROR_FILE if no folder
 * has the model, _FORMAT, _UNSUPPORTED, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_load_named(const char *name, retto_model **model);

/* Writes the names of the models in these folders to `names`, sorted, each followed by a newline, not
 * NUL-terminated, and the number of bytes to `length`. RETTO_ERROR_ARGUMENT, _BUFFER. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_names(char *names, size_t capacity, size_t *length);

/* Reads a model file that is in memory: `length` bytes at `data`, not needed afterwards.
 * RETTO_ERROR_FORMAT, _UNSUPPORTED, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_load_memory(const void *data, size_t length,
                                                 retto_model **model);

/* Makes a copy of a model with weights quantized to a precision. It needs less memory, samples faster and
 * saves to a smaller file. Quantizing back to float32 does not restore the original weights.
 * RETTO_ERROR_ARGUMENT, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_quantize(const retto_model *model, retto_precision precision,
                                              retto_model **quantized);

/* Writes a model file. An existing file is replaced atomically when the new one is complete, and keeps its
 * permissions. A symbolic link is followed; anything but a regular file is refused.
 * RETTO_ERROR_FILE. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_save(const retto_model *model, const char *path);

/* Like retto_model_save, but writes to `buffer`, which has room for `capacity` bytes, and the number of bytes to
 * `size`. RETTO_ERROR_BUFFER, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_save_memory(const retto_model *model, void *buffer,
                                                 size_t capacity, size_t *size);

/* Frees a model. [any-thread: no other call may be using this handle] */
void retto_model_free(retto_model *model);

/* What the tokens of a model are. Later versions may add others. */
typedef enum retto_kind {
  RETTO_KIND_TEXT = 0,  /* text: retto_model_encode, _decode and the calls with "text" in their names work */
  RETTO_KIND_MUSIC = 1, /* music: the calls under "Sessions of music" and those with "midi" in their names work */
  RETTO_KIND_TOKENS = 2, /* your own token sequences: only the calls that take tokens work, as for every model */
  RETTO_KIND_SERIES = 3 /* values at regular times: the calls under "Sessions of series" work */
} retto_kind;

/* What a model is. */
typedef struct retto_model_info {
  size_t size; /* of this struct; set by RETTO_MODEL_INFO_INIT */
  /* The number of tokens; they are numbered 0 to vocabulary - 1. */
  int32_t vocabulary;
  /* The embedding size, the hidden size (units of a layer), and the number of GRU layers. */
  int32_t embedding, hidden, layers;
  /* The number of trained parameters. */
  uint64_t parameters;
  /* "bytes", "characters", "words", "melody", "polyphony", "drums", "ensemble", "performance", "tokens" or
   * "series". Lives as long as the model. */
  const char *encoding;
  /* 1 if the tokens are text, else 0; see also `kind`. */
  int32_t is_text;
  /* Ticks per quarter note; retto_event.delta is in ticks. 500 for a performance, where a tick is a millisecond and
   * a minute has 120 quarter notes. 0 if the model is not a music model. */
  int32_t ticks_per_quarter;
  /* The format of its weights. */
  retto_precision precision;
  /* Steps of the grid in a quarter note; 0 for models without a grid. */
  int32_t steps_per_quarter;
  /* The token that ends a piece of music, a document of text or a sequence of your own tokens; -1 for text without
   * documents and for series. It is not text itself: retto_model_encode never gives it, and it decodes to nothing.
   * A document and a sequence of your own tokens also begin with it, from a zero state; a piece of music begins
   * with token 0 instead. */
  int32_t end_token;
  retto_kind kind;
  /* 1 if the model has a memory, else 0: see retto_session_set_memory. */
  int32_t memory;
  /* The number of labels; they are numbered 1 to `labels`: see retto_trainer_set_label. */
  int32_t labels;
  /* Of a model of series: the number of its columns, numbered 1 to `columns`; the seasonal period in values (24 for
   * hourly values with a daily cycle), 1 for none; and how many of the latest values a forecast uses. Else 0. */
  int32_t columns, season, context;
  int32_t reserved; /* 0 */
} retto_model_info;

#define RETTO_MODEL_INFO_INIT \
  {sizeof(retto_model_info), 0, 0, 0, 0, 0, NULL, 0, 0, RETTO_FLOAT32, 0, -1, RETTO_KIND_TEXT, \
   0, 0, 0, 0, 0, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_model_info_init(retto_model_info *info) RETTO_REALTIME;

/* Fills in what a model is. [any-thread] [realtime] */
RETTO_CHECK retto_status retto_model_get_info(const retto_model *model, retto_model_info *info)
    RETTO_REALTIME;

/* Turns `length` bytes of text into tokens. Every text can be encoded: bytes that are not UTF-8 have tokens too.
 * Writes the tokens to `tokens`, which has room for `capacity`, and their number to `count`.
 * RETTO_ERROR_BUFFER, _UNSUPPORTED if it is not a text model. [any-thread] */
RETTO_CHECK retto_status retto_model_encode(const retto_model *model, const char *text,
                                            size_t length, int32_t *tokens, size_t capacity,
                                            size_t *count);

/* Turns `count` tokens back into text: what was encoded comes back byte for byte. Writes to `text`,
 * which has room for `capacity` bytes, and the number of bytes to `length`; no NUL is added. RETTO_ERROR_ARGUMENT
 * if a token is not in the vocabulary, RETTO_ERROR_BUFFER, _UNSUPPORTED. [any-thread] */
RETTO_CHECK retto_status retto_model_decode(const retto_model *model, const int32_t *tokens,
                                            size_t count, char *text, size_t capacity,
                                            size_t *length);

/* Computes the log-probability of each token of a sequence. Writes to log_probabilities[i] the logarithm of the
 * probability of token i given the tokens before it, read from a zero state, in text and tokens of your own from
 * the last end token on, with the memory if the model has one; the first token has nothing before it and gets 0. A
 * music model is also told, as in training, the key of the whole piece and, if the piece ends with the end token,
 * its number of bars and whether it ends on the tonic; in a session it knows only what you set and what was read.
 * To score the first token of a document too, put the end token (see retto_model_info) before it.
 * `log_probabilities` has room for `count` numbers. RETTO_ERROR_ARGUMENT if a token is not in the vocabulary,
 * RETTO_ERROR_MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_score(const retto_model *model, const int32_t *tokens,
                                           size_t count, float *log_probabilities);

/* The name of a label, 1 to retto_model_info.labels; NULL for any other number. The string lives as long as the
 * model. [any-thread] [realtime] */
const char *retto_model_label_name(const retto_model *model, int32_t label) RETTO_REALTIME;

/* Writes the number of the label of this name to `label`. RETTO_ERROR_ARGUMENT if the model has none of this name.
 * [any-thread] */
RETTO_CHECK retto_status retto_model_find_label(const retto_model *model, const char *name,
                                                int32_t *label);

/* Computes the probability of each label for a sequence of tokens: a document of text, a piece of music or a piece
 * of your own tokens. The model reads it once with each label, several labels at a time; the probabilities of the
 * labels follow by Bayes' rule. When a trainer makes a model, it calibrates them on the validation material
 * (logistic regression, as Platt 1999), if it can read at least 10 labelled pieces of that with all labels in
 * 200,000 tokens; else, and in a model that was loaded from a checkpoint, the order of the probabilities is of use,
 * but they are far too close to 0 and 1. Writes to probabilities[i] that of label i + 1; `capacity` is at least
 * retto_model_info.labels. The end token is added at both ends of text and of your own tokens if it is not there.
 * RETTO_ERROR_ARGUMENT if a token is not in the vocabulary, _UNSUPPORTED if the model has no labels, _BUFFER,
 * _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_model_classify(const retto_model *model, const int32_t *tokens,
                                              size_t count, double *probabilities,
                                              size_t capacity);

/* ---- The session ------------------------------------------------------------------------------ */

/* A session generates one sequence. It has a hidden state, a random generator and a sampler; any number of sessions
 * may share a model. Feed it what came before, if anything, then ask for what comes next, as often as you like;
 * feed and ask in any order.
 *
 * How a token is chosen: tokens that the encoding's grammar or your mask forbids are excluded. The grammar is a
 * built-in rule for what may follow: in text it keeps UTF-8 well-formed, in music it counts the steps of each bar
 * and ends every note; your own tokens may follow each other in any order. The repetition penalty, the temperature,
 * top-k, top-p and min-p are applied to the others in this order, and a token is drawn. All of them may be changed
 * between two draws.
 *
 * The same model, seed, settings and calls on the same instruction set give the same tokens. */
typedef struct retto_session retto_session;

typedef struct retto_session_options {
  size_t size; /* of this struct; set by RETTO_SESSION_OPTIONS_INIT */
  /* Seeds the random generator; any value. */
  uint64_t seed;
  /* The logits are divided by this, 0 to 100. Below 1, probable tokens become more probable; 0 always takes the
   * most probable token. */
  float temperature;
  /* Top-k: only the k most probable tokens remain; 0 for all. */
  int32_t top_k;
  /* Top-p: of these, only the smallest set of most probable tokens whose probabilities add up to at least this
   * remains. Above 0 and at most 1; 1 keeps all. */
  float top_p;
  /* Min-p: of these, only tokens at least this many times as probable as the most probable one remain. 0 to 1;
   * 0 keeps all. */
  float min_p;
  /* The logits of the most recent tokens are divided by the penalty if positive and multiplied if negative:
   * from 0.1 to 10, 1 for none. The window is the number of recent tokens, from 0 to 256. */
  float repetition_penalty;
  int32_t repetition_window;
  /* Whether the encoding's grammar is in force (see retto_session_set_grammar): 1, the default, or 0. */
  int32_t grammar;
  int32_t reserved; /* 0 */
} retto_session_options;

#define RETTO_SESSION_OPTIONS_INIT \
  {sizeof(retto_session_options), 0, 1.0f, 0, 1.0f, 0.0f, 1.0f, 64, 1, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_session_options_init(retto_session_options *options) RETTO_REALTIME;

/* Makes a session with an empty sequence. `options` may be NULL.
 * RETTO_ERROR_ARGUMENT, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_session_create(const retto_model *model,
                                              const retto_session_options *options,
                                              retto_session **session);

/* Frees a session. Does nothing if it is in use: called from its mask, or while another thread is inside
 * a call on it. [one-thread] */
void retto_session_free(retto_session *session);

/* Empties the sequence and sets a new seed; the settings and the mask stay. The next calls of
 * retto_session_next_event end sounding notes. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_reset(retto_session *session, uint64_t seed) RETTO_REALTIME;

/* Reads `count` tokens as if they had been drawn. Takes a time proportional to their number.
 * RETTO_ERROR_ARGUMENT if a token is not one of the model's; then nothing is read.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_feed(retto_session *session, const int32_t *tokens,
                                            size_t count) RETTO_REALTIME;

/* Reads `length` bytes of text, any text. Each call is made into tokens by itself: a character that is split over
 * two calls is read as its bytes, not as its token, and so is a word with the encoding "words", whose tokens are
 * words with the space before them. Feed whole characters, or whole words that begin with their space.
 * RETTO_ERROR_UNSUPPORTED if it is not a text model. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_feed_text(retto_session *session, const char *text,
                                                 size_t length) RETTO_REALTIME;

/* Draws the next token. Writes it to `token`, and the logarithm of its probability under the model,
 * before settings, grammar and mask are applied, to `log_probability`; either may be NULL. A session that was fed
 * nothing first reads the token that begins a sequence (see retto_model_info.end_token), or a newline for text
 * without documents. RETTO_ERROR_EXHAUSTED if the mask allows
 * nothing. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_next(retto_session *session, int32_t *token,
                                            float *log_probability) RETTO_REALTIME;

/* Bytes that retto_session_next_text needs: a character and a NUL. */
#define RETTO_TEXT_SIZE 5

/* Returns the next character and draws tokens as needed: a character may take several, and a token of several
 * characters is returned over as many calls. With the grammar off it may be a part of a character. Writes its 1 to
 * 4 bytes and a NUL to `text`, and their number without the NUL to `length`, which may be NULL; `capacity` is at
 * least RETTO_TEXT_SIZE. The character may be U+0000; only `length` then distinguishes it from the end of a
 * document. If the last bytes that were fed are an incomplete character, the call returns the rest of it. If the
 * mask allows no token in the middle of a character, the tokens drawn so far stay in the sequence. An empty result,
 * `length` 0 with RETTO_OK, is the end of a document. What is drawn next begins a new document, which does not
 * depend on the one before. Models without an end token (retto_model_info) write without end. RETTO_ERROR_BUFFER,
 * _UNSUPPORTED, _EXHAUSTED. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_next_text(retto_session *session, char *text,
                                                 size_t capacity, size_t *length) RETTO_REALTIME;

/* Writes to log_probabilities[i] the logarithm of the probability that token i comes next, before settings, grammar
 * and mask are applied. `capacity` is at least the model's vocabulary. A session that was fed nothing reads its
 * beginning first, as for retto_session_next.
 * RETTO_ERROR_BUFFER. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_log_probabilities(retto_session *session,
                                                         float *log_probabilities,
                                                         size_t capacity) RETTO_REALTIME;

/* Draws the next token of each of `count` sessions over one model in one batch: the weights are read once for
 * all, which is several times faster than a call for each. Writes the tokens to `tokens` and their log
 * probabilities to `log_probabilities`, unless it is NULL. If the mask of a session allows no token, its
 * token is -1, the others are drawn, and the call returns RETTO_ERROR_EXHAUSTED.
 * RETTO_ERROR_ARGUMENT if the models differ or a session is in the list twice. If no memory was reserved for
 * `count` sessions (see retto_session_reserve), the weights are read once for each session, and the call takes as
 * long as `count` calls of retto_session_next. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_sessions_next(retto_session *const *sessions, size_t count,
                                             int32_t *tokens, float *log_probabilities)
                                             RETTO_REALTIME;

/* Allocates memory for calls of retto_sessions_next with up to `count` sessions, 1 to 65536, in which this
 * session is sessions[0]. The memory is freed with this session. RETTO_ERROR_ARGUMENT, _MEMORY.
 * [one-thread] */
RETTO_CHECK retto_status retto_session_reserve(retto_session *session, size_t count);

/* Settings, from the next draw on; ranges are as in retto_session_options.
 * RETTO_ERROR_ARGUMENT. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_temperature(retto_session *session, float temperature)
    RETTO_REALTIME;
RETTO_CHECK retto_status retto_session_set_top_k(retto_session *session, int32_t top_k)
    RETTO_REALTIME;
RETTO_CHECK retto_status retto_session_set_top_p(retto_session *session, float top_p)
    RETTO_REALTIME;
RETTO_CHECK retto_status retto_session_set_min_p(retto_session *session, float min_p)
    RETTO_REALTIME;
RETTO_CHECK retto_status retto_session_set_repetition(retto_session *session, float penalty,
                                                      int32_t window) RETTO_REALTIME;

/* Turns the encoding's grammar off (0) or on (any other value, the default). With it text is always
 * well-formed UTF-8. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_grammar(retto_session *session, int32_t enabled)
    RETTO_REALTIME;

/* Returns the current settings, and the seed of the creation or the last reset.
 * RETTO_ERROR_ARGUMENT. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_options(retto_session *session,
                                                   retto_session_options *options) RETTO_REALTIME;

/* How much the session repeats what is in its sequence, from 0 to 100; 1 at its creation. A model with a memory
 * looks for the latest earlier place of the sequence that matches its most recent tokens. Before each token it
 * gets as inputs the token that followed there and the length of the match; from its material it has learned how
 * far to rely on them. With a strength of 1 the session repeats as much as the material does. Below 1 the
 * strength scales the length of the match: the session repeats less, and with 0 there is no memory. Above 1 it
 * scales the odds of the token that followed there: the session repeats more. Takes effect at the next draw; a
 * reset leaves it as it is. The memory reaches 8192 tokens back in music and 32768 in text and tokens, and is
 * empty at the beginning of a piece or a document. RETTO_ERROR_ARGUMENT; _UNSUPPORTED if the model has no
 * memory, as retto_model_info says. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_memory(retto_session *session, float strength)
    RETTO_REALTIME;

/* The label of what the session writes, 1 to retto_model_info.labels; 0, the default, for none. It is an input of
 * the model, which then writes as its material with that label was written. Takes effect at the next token that the
 * network reads; a reset and a restore leave it as it is. RETTO_ERROR_ARGUMENT; _UNSUPPORTED if the model has no
 * labels. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_label(retto_session *session, int32_t label)
    RETTO_REALTIME;

/* A mixture of `count` labels, each named once. weights[i] is the weight of labels[i], 0 to 1000000; at least one
 * is above 0, and only their ratios count. With a count of 0 no label is told. The model's input is the weighted
 * mean of the labels' embeddings. Otherwise like retto_session_set_label, which ends the mixture. [one-thread]
 * [realtime] */
RETTO_CHECK retto_status retto_session_mix_labels(retto_session *session, const int32_t *labels,
                                                  const float *weights, size_t count)
    RETTO_REALTIME;

/* Searches for the most probable continuation of the sequence, which is left as it is: of the unfinished ones the
 * `width` most probable are kept, token by token (beam search); a width of 1 takes the most probable token each
 * time. A continuation ends with the end token, which is its last, or after `longest` tokens. The grammar, the
 * label, the memory (a strength above 1 counts as 1) and the constraints of the session apply; forced and given
 * notes, the other settings and the mask do not. Writes the tokens to `tokens`, which has room for `capacity`, at
 * least `longest`, their number to `count`, and the logarithm of their probability, with the density added for each
 * note, to `log_probability`, which may be NULL. There is no call for the size: `longest` tokens are always enough.
 * `width` is 1 to 100. RETTO_ERROR_ARGUMENT, _BUFFER, _MEMORY. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_session_beam(retto_session *session, int32_t width, size_t longest,
                                            int32_t *tokens, size_t capacity, size_t *count,
                                            double *log_probability);

/* A callback that restricts which tokens may come next. It is called before each draw on the thread that draws:
 * allowed[i] is 0 if the grammar or a constraint forbids token i, else 1. Set it to 0 to exclude the token;
 * changing a 0 to 1 has no effect. Calls on the session from inside the callback return RETTO_ERROR_STATE. Since it
 * runs inside [realtime] calls, it must be real-time safe too. */
typedef void (*retto_mask)(void *user, uint8_t *allowed, size_t vocabulary);

/* Sets the mask, or takes it away if it is NULL. `user` is passed on to it and stays yours.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_mask(retto_session *session, retto_mask mask,
                                                void *user) RETTO_REALTIME;

/* Writes the state of the session, its sequence and random generator, to `buffer`, and the number of bytes to
 * `size`. Settings, mask, constraints and forced notes are not part of it. The size is the same for all sessions
 * over a model. Snapshots can be kept: this version and all later ones restore them, on any machine, also after the
 * model has been saved and loaded again, but not after it was quantized. A snapshot of a session whose model an
 * adapter made belongs to the model the adapter began with, and to those that adapters make of that one; an adapted
 * model that was loaded from a file counts as a new one. Machines with different instruction sets may draw
 * different tokens after a restore, as they may without one. A snapshot has a version and a checksum.
 * RETTO_ERROR_BUFFER. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_snapshot(const retto_session *session, void *buffer,
                                                size_t capacity, size_t *size) RETTO_REALTIME;

/* Restores a snapshot taken from any session over the same model, and clears the forced notes. Sounding notes are
 * not restored: those that sounded before the call are ended by the next calls of retto_session_next_event, and
 * those that sounded when the snapshot was taken are not begun again.
 * RETTO_ERROR_FORMAT if the bytes are not a snapshot, are damaged or belong to another model (but see
 * retto_session_set_model); RETTO_ERROR_UNSUPPORTED if a newer version wrote them in a format that this one does
 * not read. Nothing is changed then.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_restore(retto_session *session, const void *buffer,
                                               size_t size) RETTO_REALTIME;

/* ---- Sessions of music --------------------------------------------------------------------------- */

/* The kind of a retto_event. Later versions may add kinds; ignore those you do not know. */
typedef enum retto_event_kind {
  RETTO_EVENT_TIME = 0,           /* time passes and nothing else happens */
  RETTO_EVENT_NOTE_ON = 1,        /* channel, pitch, velocity */
  RETTO_EVENT_NOTE_OFF = 2,       /* channel, pitch */
  RETTO_EVENT_TIME_SIGNATURE = 3, /* the numerator in pitch, the denominator in velocity */
  RETTO_EVENT_END = 4,            /* the piece has ended; the next event belongs to a new one */
  RETTO_EVENT_PROGRAM = 5         /* a part begins: channel, the program in pitch; see "Sessions with parts" */
} retto_event_kind;

/* An event of music. */
typedef struct retto_event {
  /* Ticks since the previous event; the model's ticks_per_quarter says how long they are. In a performance model a
   * tick is one millisecond. */
  uint32_t delta;
  uint8_t kind;     /* a retto_event_kind */
  uint8_t channel;  /* 0 to 15 */
  uint8_t pitch;    /* 0 to 127; 60 is middle C */
  uint8_t velocity; /* 0 to 127 */
} retto_event;

/* Draws the next event. If nothing happens within one step of the grid (one second in an encoding without a grid),
 * the event is RETTO_EVENT_TIME; so a call draws at most the tokens of one step. Every note-on is followed by its
 * note-off, at the latest at the end of the piece.
 *
 * Sounding notes are those whose note-on this call returned and whose note-off it has not returned yet. If a
 * sounding note ends in tokens that were drawn with retto_session_next or retto_sessions_next, the next calls of
 * retto_session_next_event first return a note-off of delta 0 for it; after retto_session_reset and
 * retto_session_restore they do so for every sounding note. A note-off is returned only if its note-on was. Time
 * that passes in tokens drawn with retto_session_next or retto_sessions_next is not part of any delta. A program
 * that stops or frees the session must itself end the notes that retto_session_get_sounding returns.
 *
 * RETTO_ERROR_UNSUPPORTED if it is not a music model; _EXHAUSTED if the mask allows no token, or if the grammar is
 * off and 1024 tokens made no event; the tokens drawn so far stay in the sequence. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_next_event(retto_session *session, retto_event *event)
    RETTO_REALTIME;

/* Reads an event that somebody else plays; the model continues from there. Its delta counts from the previous
 * event, drawn or fed. On a grid the model reads it at the nearest step. The delta of the event drawn next counts
 * from the time of the fed event before rounding; if the drawn event lies on a step before that time, its delta is
 * 0. A note-on of velocity 0 is a note-off; a time signature has an effect only at the beginning of a piece.
 * `delta` is below 2^31.
 *
 * Takes as long as feeding some tokens: on a grid one for each step that passes, and one for each note held in that
 * step. A pause of more than 64 steps is shortened by whole bars until it is at most 64 steps; if a bar is longer
 * than 64 steps, until it is at most one bar. A bar has at most 192 steps; 4/4 at 24 steps per quarter note has 96.
 * To take less time in each call on a grid, feed RETTO_EVENT_TIME as time passes, one step at a time (in an
 * ensemble whose parts are not set the time before the first note is read with that note). In a performance a pause
 * is cut at the longest silence of the model, 1 to 30 s, which was chosen from its material. It takes one token for
 * each second, and one for each note that ends. RETTO_ERROR_ARGUMENT, _UNSUPPORTED. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_feed_event(retto_session *session, const retto_event *event)
    RETTO_REALTIME;

/* Writes a note-off of delta 0 for each sounding note (see retto_session_next_event) to `events`, which
 * has room for `capacity`, and their number, at most 128, to `count`. It changes nothing: a program that sends
 * these and goes on with the session calls retto_session_forget_sounding too. RETTO_ERROR_BUFFER, _UNSUPPORTED if
 * it is not a music model. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_sounding(retto_session *session, retto_event *events,
                                                    size_t capacity, size_t *count) RETTO_REALTIME;

/* Counts all sounding notes as ended, for programs that have ended them. No note-off is returned for them later.
 * RETTO_ERROR_UNSUPPORTED. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_forget_sounding(retto_session *session) RETTO_REALTIME;

/* Constraints. They take effect at the next token. Tokens that violate them are not drawn; density and key only
 * change the probabilities. Notes that already sound may continue, but on a grid only as many of them as
 * retto_session_set_voices allows. Constraints stay until they are changed, also after a reset or a restore, except
 * for forced notes, which a reset, a restore and the end of the piece clear. They need the grammar
 * (retto_session_set_grammar): without it only the key and the number of bars still have an effect, as inputs of
 * the model. Each call may return RETTO_ERROR_ARGUMENT, or RETTO_ERROR_UNSUPPORTED if the model is not a music
 * model or its encoding does not support the constraint; then nothing has changed. The value that means "no
 * constraint" is always accepted. Support by encoding:
 *
 *                    melody, polyphony, ensemble   drums          performance
 *   pitch range      yes                            unsupported    yes
 *   scale, key       yes                            unsupported    yes
 *   voices, density  yes                            yes            yes
 *   bars             yes                            yes            unsupported
 *   time signature   those it has                   those it has   unsupported
 *   ending           yes                            yes            anywhere or never
 *   forced notes     yes                            yes            unsupported
 *
 * A piece of melody, polyphony, ensemble or drums has a note in its first bar, unless the constraints forbid all
 * notes. */

/* Notes begin only on pitches from `lowest` to `highest`, 0 to 127, the lower one first.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_pitch_range(retto_session *session, int32_t lowest,
                                                       int32_t highest) RETTO_REALTIME;
/* Notes begin only on these pitch classes, at least one: bit 0 is C, bit 11 is B, 0xFFF is all.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_scale(retto_session *session, uint32_t pitch_classes)
    RETTO_REALTIME;
/* The key the piece is in: 1 to 12 for C major to B major, 13 to 24 for C minor to B minor, 0 for none. It
 * forbids nothing: it is an input of the model, which then prefers the notes and the endings of that key. With 0,
 * the default, the library chooses the key: that of the scale set with retto_session_set_scale, if it is the scale
 * of a key; otherwise it estimates the key from the notes of the piece, drawn or fed, once there are about two bars
 * of them. The call has no effect on models without an input for the key. RETTO_ERROR_ARGUMENT, _UNSUPPORTED for
 * drums. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_key(retto_session *session, int32_t key) RETTO_REALTIME;
/* The maximum number of simultaneous notes, 1 to 128. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_voices(retto_session *session, int32_t voices)
    RETTO_REALTIME;
/* Added to the logits of tokens that begin a note, -20 to 20: above 0 for more notes.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_density(retto_session *session, float density)
    RETTO_REALTIME;
/* Each piece ends at the bar line after this number of bars, 1 to 1000000. If it already has that many, it ends at
 * the next bar line. 0, the default, leaves the end to the model. The number of bars still to go is an input of the
 * model, which prepares the ending. If the model would end the piece within the last bar, the rest of that bar is
 * silent. If the key is known too, in the last bar the memory is off and the logits are multiplied by 3, so that
 * most pieces end on the tonic. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_bars(retto_session *session, int32_t bars)
    RETTO_REALTIME;
/* The time signature of each piece that begins with a drawn token after the call, such as 3 and 4, both above 0; a
 * piece keeps it to its end. A piece that begins with fed events has that of the RETTO_EVENT_TIME_SIGNATURE that is
 * fed before its first other event, or 4/4. 0 and 0, the default, leave it to the model, which draws only time
 * signatures of its material. RETTO_ERROR_UNSUPPORTED if the encoding has no such time signature; the error message
 * lists those it has. A model has 4/4, 3/4, 2/4, 6/8, 2/2, 9/8, 12/8, 3/8, 3/2, 5/4, 7/8, 6/4, 5/8, 7/4, 1/4 and
 * 4/8 if such a bar is a whole number of steps of its grid, and others if its material had them. [one-thread]
 * [realtime] */
RETTO_CHECK retto_status retto_session_set_time_signature(retto_session *session, int32_t numerator,
                                                 int32_t denominator) RETTO_REALTIME;

/* When a piece may end. */
typedef enum retto_ending {
  RETTO_ENDING_ANYWHERE = 0,
  RETTO_ENDING_BAR_LINE = 1,
  RETTO_ENDING_NEVER = 2
} retto_ending;

/* When a piece may end if its number of bars is not set; the default is anywhere. Whatever the setting, it does not
 * end before all forced notes are over. With a number of bars it ends there, and later forced notes are dropped.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_ending(retto_session *session, retto_ending ending)
    RETTO_REALTIME;

/* The constraints of a session, each as set by its call above. */
typedef struct retto_constraints {
  size_t size; /* of this struct; set by RETTO_CONSTRAINTS_INIT */
  int32_t lowest_pitch, highest_pitch;
  uint32_t pitch_classes;
  int32_t voices;
  float density;
  int32_t bars;
  int32_t numerator, denominator;
  retto_ending ending;
  int32_t key;
} retto_constraints;

#define RETTO_CONSTRAINTS_INIT \
  {sizeof(retto_constraints), 0, 127, 0xFFF, 128, 0.0f, 0, 0, 0, RETTO_ENDING_ANYWHERE, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_constraints_init(retto_constraints *constraints) RETTO_REALTIME;

/* Returns the current constraints; forced notes are not among them.
 * RETTO_ERROR_ARGUMENT, _UNSUPPORTED if it is not a music model. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_constraints(retto_session *session,
                                                       retto_constraints *constraints)
    RETTO_REALTIME;

/* Forces a note of this piece, or between two pieces of the next one: the model plays it regardless of the other
 * constraints, and generates the rest around it. `start`, below 2^40, counts from the beginning of the piece;
 * `start` and `duration`, above 0, are in ticks. At most 1024 forced notes at a time; in an ensemble they are given
 * notes, and count among those (retto_session_give_note). The end of the piece clears them, even those that have
 * not come. RETTO_ERROR_ARGUMENT if the note is past, out of the encoding's range, or one too many (in a melody
 * also a second note at the same time); RETTO_ERROR_UNSUPPORTED if the model has no grid. [one-thread] [realtime]
 * */
RETTO_CHECK retto_status retto_session_force_note(retto_session *session, uint64_t start,
                                                  uint32_t duration, int32_t pitch) RETTO_REALTIME;

/* Clears all forced notes. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_clear_forced_notes(retto_session *session) RETTO_REALTIME;

/* Writes the number of complete bars of the piece to `bars`; 0 where there are none, as in a
 * performance. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_bars(retto_session *session, uint64_t *bars)
    RETTO_REALTIME;

/* Writes the pitch classes of a scale by name to `pitch_classes`, for retto_session_set_scale. The name is a tonic,
 * A to G with sharps (#) or flats (b), then the kind of scale, in upper or lower case; without a kind the scale is
 * major: "C", "F# minor", "Bb", "D dorian", "A minor pentatonic". The kinds are major (ionian), minor (0 2 3 5 7 8
 * 10 11 semitones above the tonic: natural minor and the leading note), natural minor (aeolian), harmonic minor,
 * melodic minor (0 2 3 5 7 9 11, as it rises), dorian, phrygian, lydian, mixolydian, locrian, major pentatonic (or
 * pentatonic), minor pentatonic, minor blues (or blues; 0 3 5 6 7 10), major blues (0 2 3 4 7 9), whole tone,
 * chromatic. Without a kind, and before pentatonic or blues, a lower-case tonic or an m after the tonic means
 * minor: "a", "Am", "Am pentatonic". Before any other kind they have no effect: "a major" is A major.
 * RETTO_ERROR_ARGUMENT for any other name. [any-thread] */
RETTO_CHECK retto_status retto_scale_from_key(const char *key, uint32_t *pitch_classes);

/* Writes the key of a scale by name to `key`, for retto_session_set_key: the minor key of its tonic if the
 * scale has a minor third and no major one, else the major key. Names are as for retto_scale_from_key.
 * RETTO_ERROR_ARGUMENT for any other name. [any-thread] */
RETTO_CHECK retto_status retto_key_from_name(const char *name, int32_t *key);

/* ---- Sessions with parts ------------------------------------------------------------------------- */

/* A piece of the encoding "ensemble" has 1 to 16 parts, each with an instrument: a program of General MIDI, 0 to
 * 127, of which the model knows the family of eight, or drums. Parts are numbered from 0, in the order in which the
 * piece declares them. Each has a MIDI channel of its own: drums have channel 9, the others the next of 0 to 8 and
 * 10 to 15. In each step of the grid a part hears what the parts before it play in this step, and what all played
 * before.
 *
 * At the beginning of a piece that is drawn retto_session_next_event returns a RETTO_EVENT_PROGRAM for each part;
 * of a piece that began with fed events retto_session_get_parts tells the parts. The channel of every note-on and
 * note-off says whose it is. Velocities are the model's, in 8 levels: 8, 24, ... 120.
 *
 * To play along to a part, say which parts there are, the given ones first, mark those as given, give their notes,
 * or feed them as they are played, and draw:
 *
 *     const int32_t programs[] = {52, 32, RETTO_DRUMS};      // a voice, which is given; a bass and drums
 *     retto_part_constraints given = RETTO_PART_CONSTRAINTS_INIT;
 *     given.given = 1;
 *     if (retto_session_set_parts(session, programs, 3) || retto_session_constrain_part(session, 0, &given)) ...
 *     for (size_t i = 0; i < count; i++)
 *       if (retto_session_give_note(session, 0, start[i], duration[i], pitch[i], velocity[i])) ...
 *     while (!retto_session_next_event(session, &event) && event.kind != RETTO_EVENT_END) ...
 *
 * Constraints of the session (retto_session_set_pitch_range and those after it) hold for all parts together; the
 * range and the scale not for drums, nor for given notes. retto_session_force_note forces notes of part 0. Events
 * are fed to the part that has their channel. A piece that begins with fed events has the parts of
 * retto_session_set_parts; else a part for each RETTO_EVENT_PROGRAM that was fed before its first note-on, to which
 * later fed events on that channel go; else one part, a piano or, if the first note-on is on channel 9, drums. A
 * fed note on a channel without a part is ignored. Events that are drawn have the channels of
 * retto_session_get_parts. These calls return RETTO_ERROR_UNSUPPORTED if the model's encoding has no parts. */

/* Stands for drums where a program is expected. */
#define RETTO_DRUMS 128
/* The most parts of a piece: 15 with pitches, and drums. */
#define RETTO_MAX_PARTS 16

/* The parts of each piece that begins after the call: the program of each, 0 to 127 or RETTO_DRUMS. `count` is 0 to
 * 16; 0, the default, leaves the parts to the model. RETTO_ERROR_ARGUMENT if there are more than 15 parts with
 * pitches or two of drums. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_parts(retto_session *session, const int32_t *programs,
                                                 size_t count) RETTO_REALTIME;

/* Writes the program and the MIDI channel of each part of the present piece, or after its end of the one that
 * ended, to `programs` and `channels`, each with room for `capacity`; either may be NULL. Writes the number of
 * parts to `count`. RETTO_ERROR_BUFFER. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_parts(retto_session *session, int32_t *programs,
                                                 int32_t *channels, size_t capacity, size_t *count)
    RETTO_REALTIME;

/* The constraints of one part. */
typedef struct retto_part_constraints {
  size_t size; /* of this struct; set by RETTO_PART_CONSTRAINTS_INIT */
  /* Its notes begin only on these pitches, 0 to 127, the lower one first. No effect on drums. */
  int32_t lowest_pitch, highest_pitch;
  /* The maximum number of its simultaneous notes, 1 to 128. */
  int32_t voices;
  /* Added to the logits of tokens that begin one of its notes, -20 to 20, beside the density of the session. */
  float density;
  /* 1: the part is silent. */
  int32_t mute;
  /* 1: all parts are silent but those with solo, and given ones. */
  int32_t solo;
  /* 1: the part has the notes that the host gives or feeds, and no others. */
  int32_t given;
  int32_t reserved; /* 0 */
} retto_part_constraints;

#define RETTO_PART_CONSTRAINTS_INIT \
  {sizeof(retto_part_constraints), 0, 127, 128, 0.0f, 0, 0, 0, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_part_constraints_init(retto_part_constraints *constraints) RETTO_REALTIME;

/* Sets the constraints of a part, 0 to 15, from the next token on; NULL means the defaults. They stay until they
 * are changed, also after a reset or a restore, and hold for the part of that number in every piece. Notes that
 * sound may go on, at most `voices` of them, unless the part is silent. RETTO_ERROR_ARGUMENT; then nothing has
 * changed. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_constrain_part(retto_session *session, int32_t part,
                                                      const retto_part_constraints *constraints)
    RETTO_REALTIME;

/* Returns the constraints of a part. RETTO_ERROR_ARGUMENT. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_get_part_constraints(retto_session *session, int32_t part,
                                                            retto_part_constraints *constraints)
    RETTO_REALTIME;

/* Gives a note of this piece to a part, which plays it regardless of the constraints. `start`, below 2^40, counts
 * from the beginning of the piece; `start` and `duration`, above 0, are in ticks and go to the nearest step. Of
 * `velocity`, 1 to 127, the level is kept; 0 leaves it to the model. At most 8192 given notes at a time, and at
 * most 118 that overlap the new one, even if they follow each other: give notes in the order in which they begin,
 * and only those that sound together count. Notes that are past do not count. They are among the events of
 * retto_session_next_event. A reset, a restore, the end of the piece and retto_session_clear_forced_notes clear
 * them; unless the bars are set, the piece does not end before they are over. RETTO_ERROR_ARGUMENT if the note is
 * past, no drum of the encoding, or one too many, or if there is no such part. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_give_note(retto_session *session, int32_t part, uint64_t start,
                                                 uint32_t duration, int32_t pitch, int32_t velocity)
    RETTO_REALTIME;

/* ---- Sessions of series ------------------------------------------------------------------------ */

/* These calls are for models whose kind is RETTO_KIND_SERIES; for other models they return RETTO_ERROR_UNSUPPORTED.
 *
 * A session reads one series: values at regular times of one column. A value is predicted as a distribution over
 * 127 bins. Their centre is the mean of the last `context` values (see retto_model_info) plus, if there is a
 * season, a share of the deviation from it one season earlier, which is fitted to the material. Bins are narrow
 * near the centre and wide far from it. A value that is drawn is the middle of a bin; the outermost bins also stand
 * for all that is beyond them. To read several columns, use a session for each. */

/* The name of a column, 1 to retto_model_info.columns; NULL for any other number. The string lives as long as the
 * model. [any-thread] [realtime] */
const char *retto_model_column_name(const retto_model *model, int32_t column) RETTO_REALTIME;

/* Writes the number of the column of this name to `column`. RETTO_ERROR_ARGUMENT if the model has none of this
 * name. [any-thread] */
RETTO_CHECK retto_status retto_model_find_column(const retto_model *model, const char *name,
                                                 int32_t *column);

/* Stands for a time that is not known. */
#define RETTO_NO_TIME INT64_MIN

/* Begins a new series: the session forgets the values it has read; its settings and its random generator stay.
 * `column` is the column, 1 to retto_model_info.columns, or 0 for one that the model does not know: its bins are as
 * wide as those of column 1, so its values should vary about as much as that column's. `time` is the time of the
 * first value: seconds since 1970-01-01 00:00 in the calendar of the place, without time zones and leap seconds; or
 * RETTO_NO_TIME. A new session, or one that was reset, begins with column 0 and RETTO_NO_TIME.
 * RETTO_ERROR_ARGUMENT. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_begin_series(retto_session *session, int32_t column,
                                                    int64_t time) RETTO_REALTIME;

/* Reads the next value; NaN is a gap. RETTO_ERROR_ARGUMENT if it is infinite. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_feed_value(retto_session *session, double value)
    RETTO_REALTIME;

/* Draws the next value. `log_probability` receives the natural logarithm of the probability of its bin under the
 * model; it may be NULL. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_next_value(retto_session *session, double *value,
                                                  float *log_probability) RETTO_REALTIME;

/* Forecasts what follows: draws `samples` futures (1 to 10000) of `horizon` values (1 to 100000; 10^8 values in
 * all) at once, on one thread per processor, 8 at most, and writes quantiles[0] to quantiles[count - 1] (0 to 1
 * each) of value t to result[t * count], result[t * count + 1] and so on, and its mean to means[t]. `result` has
 * room for `count` numbers for each value, `means` for one; either may be NULL. The same seed gives the same
 * result. Looks back at the last `context` values that the session has read or drawn. The session stays as it is;
 * its temperature and other settings have no effect. RETTO_ERROR_ARGUMENT, _MEMORY. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_session_forecast(retto_session *session, size_t horizon,
                                                size_t samples, uint64_t seed,
                                                const double *quantiles, size_t count,
                                                double *result, double *means);

/* ---- Learning from what is played or written -------------------------------------------------- */

/* A copy of a model that goes on learning from the tokens it reads, such as those a player plays: it soon predicts
 * this player better. It reads the tokens in stretches of fixed length: each is predicted first and learned from
 * afterwards, so the losses it reports are those of tokens it had not seen (dynamic evaluation: Krause, Kahembwe,
 * Murray and Renals 2018). Before each step the weights go back a small part of the way to those of the model, so
 * they stay near it however long the adapter reads. The same tokens give the same weights.
 *
 * Use one in a thread of its own, beside the thread that plays:
 *
 *     the thread that plays                                       the thread that learns
 *     retto_session_take_tokens(session, tokens, ...)    --->     retto_adapter_read(adapter, tokens, ...)
 *     retto_session_set_model(session, model)           <---     retto_adapter_model(adapter, &model)
 */
typedef struct retto_adapter retto_adapter;

typedef struct retto_adapter_options {
  size_t size; /* of this struct; set by RETTO_ADAPTER_OPTIONS_INIT */
  /* Adam's learning rate: above 0, at most 1. A larger one learns faster, and forgets more of the model. */
  double learning_rate;
  /* Before each step each weight moves back towards that of the model by this part of its distance: 0 to 1. */
  double pull;
  /* Tokens per stretch, 1 to 4096: the length of truncated back-propagation. */
  int32_t stretch;
  int32_t reserved; /* 0 */
} retto_adapter_options;

#define RETTO_ADAPTER_OPTIONS_INIT {sizeof(retto_adapter_options), 0.001, 0.002, 16, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_adapter_options_init(retto_adapter_options *options) RETTO_REALTIME;

/* Makes an adapter that begins with the weights of a model. `options` may be NULL. It takes about 30 bytes of
 * memory for each parameter. RETTO_ERROR_ARGUMENT, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_adapter_create(const retto_model *model,
                                              const retto_adapter_options *options,
                                              retto_adapter **adapter);

/* Frees an adapter, and not the models it gave. [one-thread] */
void retto_adapter_free(retto_adapter *adapter);

/* Reads `count` tokens of the model, and learns when a stretch is full: one step of training for each `stretch`
 * tokens. A token of -1 begins a new sequence; then the adapter first learns from the rest of the stretch. `learns`
 * has a value for each token: 1 if it is predicted and learned from, 0 if it is only context; NULL means 1 for all.
 * RETTO_ERROR_ARGUMENT if a token is not one of the model's; then nothing is read. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_adapter_read(retto_adapter *adapter, const int32_t *tokens,
                                            const uint8_t *learns, size_t count);

/* Writes to `loss` the mean loss, in nats, of all tokens learned from, each measured before it was learned (NaN if
 * there are none), and their number to `count`. Either may be NULL. [one-thread] */
RETTO_CHECK retto_status retto_adapter_loss(retto_adapter *adapter, double *loss, uint64_t *count);

/* Makes a model with the weights as they are now, in the precision of the one the adapter began with.
 * RETTO_ERROR_MEMORY. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_adapter_model(retto_adapter *adapter, retto_model **model);

/* Forgets all that was learned: the weights are those of the model again. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_adapter_reset(retto_adapter *adapter);

/* Lets a session go on with another model, from the next token on, in the middle of its sequence. The model must be
 * the session's own, or one that an adapter made from it, or both must come from the same model through adapters;
 * else RETTO_ERROR_ARGUMENT. Snapshots may be restored across such models. A model that was loaded from a file
 * counts as a new one, also if an adapter had made it. If you have already freed your handle of
 * the previous model, this call releases that model's memory, which is not real-time safe: free the handle
 * afterwards, in another thread. [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_set_model(retto_session *session, const retto_model *model)
    RETTO_REALTIME;

/* Writes to `tokens` what the session has read since the last call, fed or drawn, and the number of tokens to
 * `count`. fed[i] is 1 if token i was fed and 0 if it was drawn; `fed` may be NULL. A -1 stands where the sequence
 * was emptied or a snapshot was restored. Both buffers have room for `capacity`; what does not fit is left for the
 * next call. With a capacity of 0 `count` is 0. The session keeps only the latest RETTO_TAKEN_TOKENS tokens.
 * [one-thread] [realtime] */
RETTO_CHECK retto_status retto_session_take_tokens(retto_session *session, int32_t *tokens,
                                                   uint8_t *fed, size_t capacity, size_t *count)
    RETTO_REALTIME;

#define RETTO_TAKEN_TOKENS 4096

/* ---- Text --------------------------------------------------------------------------------------- */

/* The kind of text that bytes contain. The values never change; later versions may add others. */
typedef enum retto_text_kind {
  RETTO_TEXT_UTF8 = 0,         /* well-formed UTF-8, or ASCII; also no bytes at all */
  RETTO_TEXT_DAMAGED_UTF8 = 1, /* UTF-8 with bytes that belong to no well-formed character */
  RETTO_TEXT_LATIN1 = 2,       /* ISO 8859-1 */
  RETTO_TEXT_CP1252 = 3,       /* Windows-1252 */
  RETTO_TEXT_UTF16LE = 4,      /* UTF-16, little-endian */
  RETTO_TEXT_UTF16BE = 5,      /* UTF-16, big-endian */
  RETTO_TEXT_OTHER = 6,        /* text in an encoding that is not supported or not recognised */
  RETTO_TEXT_BINARY = 7        /* no text, or a document whose text must be extracted first */
} retto_text_kind;

/* The result of retto_text_examine. */
typedef struct retto_text_info {
  size_t size; /* of this struct; set by RETTO_TEXT_INFO_INIT */
  retto_text_kind kind;
  /* Bytes of a byte order mark at the beginning: 0, 2 or 3. */
  int32_t mark_length;
  /* The number of invalid bytes, and the offset of the first, SIZE_MAX if there is none. What is invalid: in
   * UTF-16, ill-formed UTF-16; in binary data, NUL and other control characters; in all other kinds, ill-formed
   * UTF-8. Nothing is counted if the data begin with the byte order mark of UTF-32 or with the first bytes of a
   * known binary format. */
  size_t bad_count, first_bad;
  /* What it is, for a person: "UTF-8 text", "a PNG image". Lives as long as the library. */
  const char *name;
} retto_text_info;

#define RETTO_TEXT_INFO_INIT {sizeof(retto_text_info), RETTO_TEXT_UTF8, 0, 0, 0, NULL}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_text_info_init(retto_text_info *info) RETTO_REALTIME;

/* Detects the kind of text in `length` bytes, in one pass. A trainer learns any bytes unchanged, so a model
 * trained on text that is not UTF-8 writes wrong characters. Byte order marks and the first bytes of known
 * file formats are certain. Latin-1 and Windows-1252 are guessed from the bytes above 0x7F that occur; text in
 * another 8-bit encoding may be taken for them.
 * RETTO_ERROR_ARGUMENT. [any-thread] */
RETTO_CHECK retto_status retto_text_examine(const void *data, size_t length,
                                            retto_text_info *info);

/* Converts `length` bytes of text of a kind to UTF-8. A byte order mark of that kind at the beginning
 * is left out. Writes to `text`, which has room for `capacity` bytes, and the number of bytes, at
 * most 3 times `length`, to `size`; no NUL is added. Nothing is replaced: RETTO_ERROR_FORMAT, with the offset in
 * retto_last_error(), for a byte that the kind does not have (0x81, 0x8D, 0x8F, 0x90 and 0x9D in Windows-1252), an
 * unpaired surrogate or an odd length in UTF-16. RETTO_ERROR_ARGUMENT for kinds other than RETTO_TEXT_UTF8,
 * _LATIN1, _CP1252, _UTF16LE and _UTF16BE, RETTO_ERROR_BUFFER. [any-thread] */
RETTO_CHECK retto_status retto_text_convert(retto_text_kind kind, const void *data, size_t length,
                                            char *text, size_t capacity, size_t *size);

/* ---- The trainer ------------------------------------------------------------------------------ */

/* Trains a model. Add material, then call retto_trainer_run, or retto_trainer_step in a loop of your own.
 * The model can be taken at any time.
 *
 * The method is truncated back-propagation through time over batches of sequences, with the hidden state carried
 * from one batch to the next; AdamW with the gradient clipped by norm; a learning rate with linear warm-up, then
 * constant until 0.4 of the run is over, then falling to 0 in a straight line; dropout after each layer. A part of
 * the material is used for validation: the weights with the best validation loss are kept. If that loss does not
 * improve for a third of options.patience evaluations, at least 2 and at least an eighth of those so far, but not
 * as many as options.patience, while the rate is constant, the rate begins to fall at once: if the training loss
 * still falls, the network overfits and the run becomes shorter, else the fall takes all the time that is left. If
 * it does not improve for options.patience evaluations, the run ends. The same material, options, seed and number
 * of threads on the same instruction set give the same weights, unless the run is limited by minutes. */
typedef struct retto_trainer retto_trainer;

/* A number that is left at its initial value is chosen by the library: below 0 for dropout, weight_decay and
 * validation, 0 for others. (For epochs, steps and minutes 0 means not given, a seed of 0 is a seed, and "tokens"
 * requires a vocabulary.) The choice depends on the number of training tokens (about one per character of text):
 *
 *     tokens        hidden  layers  dropout  epochs
 *     < 20,000         128       1      0.2     100
 *     < 200,000        256       1      0.3      60
 *     < 1,000,000      256       2      0.2      25
 *     < 20,000,000     384       2      0.2      12
 *     more             512       2      0.1       3
 *
 *     encoding            characters for text, words for text with labels; for MIDI files the encoding
 *                         that fits most of the first 100
 *     steps_per_quarter   4
 *     augment             yes for fewer than 400 pieces of music
 *     hidden, layers,     with `minutes`, in a new network whose `hidden` is not given: chosen from N, the
 *     dropout             operations that this machine can do in that time (its speed is measured for
 *                         0.3 s). The network has about 0.3 * sqrt(N) weights, at most 3 per training
 *                         token (9 with augment, 1 of pairs), or 50,000 if that is more; one layer if
 *                         that is less than 400,000 or there are fewer than 1,000,000 tokens (three times
 *                         as many count with augment). Dropout grows with the number of epochs
 *     embedding           64
 *     sequence            32, or 64 if `steps` is given; fewer for short documents; for pairs and series
 *                         by their length, 8 to 256
 *     batch               1024 / sequence, or 2048 / sequence if `steps` is given; less if there is less
 *                         material
 *     learning_rate       0.008 for one layer, 0.006 for more; times the square root of 256 / hidden
 *                         where hidden is above 256, times the square root of 1024 / vocabulary where
 *                         the vocabulary is above 1024, times the square root of 500 / steps in a run
 *                         of 500 to 50,000 steps, and a tenth in longer ones (with minutes, by the steps
 *                         that this machine is likely to make). It rises over the first tenth of the
 *                         steps, 100 at most
 *     weight_decay, clip  0.01 and 1
 *     validation          0.1 of the material
 *     patience            12 evaluations. The validation loss is evaluated every 50 steps, or 25 if `steps`
 *                         is given, or less often if that would take more than a tenth of the time
 *     checkpoint_seconds  60
 *
 * A run ends when the first of `epochs`, `steps` and `minutes` that are given is reached, and earlier when
 * the validation loss has not improved for `patience` evaluations. If none of the three is given, the run
 * ends after the number of epochs above: for 1,000,000 characters on two cores that can take half an hour.
 * retto_trainer_get_options returns the values that were chosen. */
typedef struct retto_trainer_options {
  size_t size; /* of this struct; set by RETTO_TRAINER_OPTIONS_INIT */
  /* "bytes", "characters" or "words" for text, "melody", "polyphony", "drums", "ensemble" or "performance" for
   * music, "tokens" for token sequences of your own, "series" for values at regular times. If NULL, the
   * library chooses one for text, music or values. The string is copied. */
  const char *encoding;
  /* Grid steps per quarter note, 1 to 24; not used for "performance". */
  int32_t steps_per_quarter;
  /* Whether music is also learned in other keys and performances at other tempi: above 0 for yes, below 0
   * for no. */
  int32_t augment;
  /* Sizes of the network: at most 16384, 16384 and 32. */
  int32_t embedding, hidden, layers;
  /* Sequences per batch, at most 4096, and time steps per sequence, at most 65536; their product is at most
   * 2^24. */
  int32_t batch, sequence;
  /* Threads, at most 256; 0: as many as the processors this process may run on, 8 at most. */
  int32_t threads;
  /* The probability of dropping a unit, at most 0.95; below 0: chosen by the library. */
  double dropout;
  /* The highest learning rate, at most 10; AdamW's decay, at most 10 (below 0: chosen by the library); and the
   * norm to clip gradients to, at most 1e9. */
  double learning_rate, weight_decay, clip;
  /* When the run ends: after this many passes over the material (at most 1e9), steps (at most 1e12) or minutes
   * (at most 1e7), whichever of those given comes first. */
  double epochs;
  int64_t steps;
  double minutes;
  /* The share of the material used for validation, at most 0.9; below 0: chosen by the library. It is taken from
   * the end of the material; if that consists of pieces or documents, whole ones are taken at even distances.
   * Ignored if validation material was added. */
  double validation;
  /* The run ends after this many evaluations without a better validation loss, at most 1000000; below 0:
   * never. */
  int32_t patience;
  int32_t reserved; /* 0 */
  /* Seeds the initial weights and dropout; any value. 0, the default, is a seed like any other. */
  uint64_t seed;
  /* The file in which retto_trainer_run keeps a checkpoint, or NULL (the string is copied), and the seconds between
   * two checkpoints, at most 1e9. */
  const char *checkpoint_path;
  double checkpoint_seconds;
  /* RETTO_FLOAT32, or RETTO_BFLOAT16 to compute products in bfloat16, on processors that have
   * instructions for it (else RETTO_ERROR_UNSUPPORTED). The weights are float32 either way. */
  retto_precision precision;
  /* Above 0: each call that adds text adds a document, which ends with the end token. Below 0: all text is one long
   * text, each addition going on where the last ended. 0: as in the model that training starts from; without one,
   * documents if a text has a label or a pair was added, else one long text. Labels and pairs need documents: with
   * a value below 0 the material cannot be prepared (RETTO_ERROR_ARGUMENT). The hidden state is reset between
   * documents; empty documents are left out. Validation takes whole documents at even distances in the material; if
   * there are too few for that, it takes the end of the last one. RETTO_ERROR_ARGUMENT if the model to start from
   * is of the other kind. */
  int32_t documents;
  /* Required for "tokens", for which `encoding` must be set too: the number of different tokens, 1 to 65535; they
   * are numbered 0 to vocabulary - 1. The model has one more, which ends a piece. For other encodings 0. */
  int32_t vocabulary;
  /* Whether a new network has a memory (see retto_session_set_memory): below 0 for no, otherwise yes. */
  int32_t memory;
  /* For "series": the seasonal period in values (24 for hourly values with a daily cycle), 1 for none; and how many
   * of the latest values a forecast uses, 2 or more. Both at most 8192. If 0, the season is found by
   * autocorrelation, and the context is four seasons, at least 32 and at most 512. */
  int32_t season, context;
} retto_trainer_options;

#define RETTO_TRAINER_OPTIONS_INIT                                                              \
  {sizeof(retto_trainer_options), NULL, 0, 0, 0, 0, 0, 0, 0, 0, -1.0, 0.0, -1.0, 0.0, 0.0, 0, 0.0, \
   -1.0, 0, 0, 0, NULL, 0.0, RETTO_FLOAT32, 0, 0, 0, 0, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_trainer_options_init(retto_trainer_options *options) RETTO_REALTIME;

/* Makes a trainer with new weights. `options` may be NULL. If the sizes together need more memory than
 * there is, the first step fails. RETTO_ERROR_ARGUMENT; _UNSUPPORTED for an unknown encoding. [any-thread] */
RETTO_CHECK retto_status retto_trainer_create(const retto_trainer_options *options,
                                              retto_trainer **trainer);

/* Makes a trainer that starts a new run from a model's weights, and keeps its encoding and sizes.
 * `options` may be NULL; sizes in it must be those of the model or 0.
 * RETTO_ERROR_ARGUMENT, _UNSUPPORTED. [any-thread] */
RETTO_CHECK retto_status retto_trainer_create_from(const retto_model *model,
                                                   const retto_trainer_options *options,
                                                   retto_trainer **trainer);

/* Makes a trainer that continues a run where a checkpoint was saved, bit for bit as if it had never
 * stopped. Add the same material as before; the checkpoint's file is not needed after this call.
 * `options` may be NULL; in it only epochs, steps, minutes, patience, threads and the checkpoint options may
 * differ from what the run was started with. Another end of the run or number of threads gives other weights; other
 * checkpoint options do not. Any other option that is given and differs is RETTO_ERROR_ARGUMENT. A seed of 0 and a
 * precision of RETTO_FLOAT32 count as not given.
 * RETTO_ERROR_FILE, _FORMAT, _UNSUPPORTED, _ARGUMENT, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_resume(const char *path,
                                              const retto_trainer_options *options,
                                              retto_trainer **trainer);

/* The same from a checkpoint that is in memory: `length` bytes at `data`, not needed afterwards.
 * RETTO_ERROR_FORMAT, _UNSUPPORTED, _ARGUMENT, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_resume_memory(const void *data, size_t length,
                                                     const retto_trainer_options *options,
                                                     retto_trainer **trainer);

/* Frees a trainer and ends its threads. Does nothing if it is in use: called from its progress callback,
 * or while another thread is inside a call on it. [one-thread] */
void retto_trainer_free(retto_trainer *trainer);

/* What material is for. */
typedef enum retto_role {
  /* For training. A part of it is used for validation if no validation material is added. */
  RETTO_TRAINING = 0,
  /* For validation only. */
  RETTO_VALIDATION = 1
} retto_role;

/* A trainer takes one kind of material: text, music, tokens or series. The calls below that add another kind, or
 * one that the encoding of the options or of the model to start from does not accept, return RETTO_ERROR_CORPUS. */

/* Sets the label of all material that is added after this call, such as a style, a composer or a speaker: 1 to 255
 * bytes of UTF-8 without control characters; NULL for none. The label is an input of the model; in training it is
 * left out now and then, so that a session may leave it out too. The names become the labels of the model, 1 for
 * the first that came, at most 1000. Each text with a label is a document. When the trainer makes a model, it
 * calibrates retto_model_classify on the validation material, which takes some seconds. RETTO_ERROR_ARGUMENT, also
 * if the model to start from has no such label; _STATE once the material is prepared. [one-thread] */
RETTO_CHECK retto_status retto_trainer_set_label(retto_trainer *trainer, const char *label);

/* Adds a pair of texts, a question and its answer: a document made of the source, a tab and the target, in which
 * only the target and the end are predicted. The source is not empty and holds no tab. To get an answer, feed a
 * session a source and a tab, then draw up to the end of the document or call retto_session_beam. The texts are
 * copied. RETTO_ERROR_ARGUMENT, _MEMORY; _STATE once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_pair(retto_trainer *trainer, const char *source,
                                                size_t source_length, const char *target,
                                                size_t target_length, retto_role role);

/* Adds a file of text, any bytes. It is read at the first step, a part at a time, and must not change
 * before that: a file that has changed, been replaced or become shorter is RETTO_ERROR_FILE then.
 * RETTO_ERROR_FILE, _MEMORY; _STATE once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_file(retto_trainer *trainer, const char *path,
                                                retto_role role);

/* Adds `length` bytes of text, which are copied.
 * RETTO_ERROR_MEMORY; _STATE once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_text(retto_trainer *trainer, const char *text,
                                                size_t length, retto_role role);

/* Adds a token sequence of your own, for the encoding "tokens": `count` tokens, each from 0 to options.vocabulary
 * - 1, which are copied. Each call adds a piece; the hidden state is reset between pieces. targets[i] is what is to
 * be predicted after tokens 0 to i, from 0 to options.vocabulary - 1, or -1 to leave that place out of the loss. If
 * `targets` is NULL, each target is the next token, and the last one is the end of the piece. RETTO_ERROR_ARGUMENT
 * if a number is out of range (the message says which), _CORPUS if the encoding is not "tokens", _MEMORY; _STATE
 * once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_tokens(retto_trainer *trainer, const int32_t *tokens,
                                                  const int32_t *targets, size_t count,
                                                  retto_role role);

/* The times of a table: that of the first row (see retto_session_begin_series), and the time from one row to the
 * next, in seconds or in months; one of the two is above 0 and the other is 0. */
typedef struct retto_times {
  int64_t start, seconds, months;
} retto_times;

/* Adds a table of numbers, for the encoding "series": values[r * columns + c], with c from 0, is the value at row r
 * of the column named names[c]; NaN is a gap. (In sessions columns are numbered from 1: see
 * retto_model_find_column.) Everything is copied. `names` are the names of the columns, 1 to 1000 of them, each
 * another: 1 to 200 bytes of UTF-8 without control characters. `times` may be NULL. Each column is learned as a
 * series of its own by one model. Further tables have the same columns and the same time between rows; a trainer
 * that starts from a model takes the columns of the model and leaves out others. Without tables for validation the
 * end of each table is used for it. RETTO_ERROR_ARGUMENT, _CORPUS if the trainer learns from something else, _EMPTY
 * if there are fewer than two rows or a column without a number, _MEMORY; _STATE once the material is prepared.
 * [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_series(retto_trainer *trainer, const double *values,
                                                  size_t rows, size_t columns,
                                                  const char *const *names,
                                                  const retto_times *times, retto_role role);

/* Adds a CSV file as a table: fields between commas, semicolons or tabs (RFC 4180). The first line may have names;
 * the first column may have times, such as 2016-07-01 13:00, at regular distances (rows that are missing are gaps).
 * Empty fields, NA, NaN and null are gaps. The file is read during this call. To resume a run, add the same file
 * again; it must not have changed. Like retto_trainer_add_series, and RETTO_ERROR_FILE, _FORMAT (the message names
 * the line). [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_csv(retto_trainer *trainer, const char *path,
                                               retto_role role);

/* Adds a MIDI file as one piece. It is read now, and not needed afterwards. Until the first step the trainer keeps
 * each event of the file, in 16 bytes of memory. RETTO_ERROR_FILE, _FORMAT, _EMPTY if it has no notes, _MEMORY;
 * _STATE once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_midi(retto_trainer *trainer, const char *path,
                                                retto_role role);

/* Adds a MIDI file that is in memory, `length` bytes at `data`, which are not needed afterwards.
 * [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_midi_memory(retto_trainer *trainer, const void *data,
                                                       size_t length, retto_role role);

struct retto_midi; /* see "MIDI files" */

/* Adds a retto_midi as one piece; it may be freed afterwards. RETTO_ERROR_EMPTY if it has no
 * notes, _MEMORY; _STATE once the material is prepared. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_add_piece(retto_trainer *trainer, const struct retto_midi *midi,
                                                 retto_role role);

/* The state of a run: whether it is over, and why. It is saved with a checkpoint. Only RETTO_END_FINISHED, _EARLY
 * and _DIVERGED are the end of a run: a run that is fresh or stopped goes on with the next step. */
typedef enum retto_end {
  RETTO_END_NONE = 0,     /* it is running */
  RETTO_END_FINISHED = 1, /* the epochs, steps or minutes are done */
  RETTO_END_EARLY = 2,    /* the validation loss has not improved for a long time */
  RETTO_END_STOPPED = 3,  /* you stopped it; it can go on */
  RETTO_END_DIVERGED = 4, /* the loss is no longer a number or has grown too far; it cannot go on */
  RETTO_END_FRESH = 5     /* no step has been done yet */
} retto_end;

/* Where a run stands. Losses are in nats per token and not a number (NaN) before they are known. */
typedef struct retto_progress {
  size_t size; /* of this struct; set by RETTO_PROGRESS_INIT */
  /* Steps done, and how many there will be; 0 if the time decides. */
  int64_t step, total_steps;
  /* Passes over the material, with the fraction of the current one; and how much of the whole run is
   * done, from 0 to 1. */
  double epoch, fraction;
  /* The training loss, smoothed and with dropout; the last and the best validation loss. */
  double loss, validation_loss, best_validation_loss;
  /* Bits per character of the validation material, or of the training material if there is none; NaN unless the
   * model is a text model. */
  double bits_per_character;
  double learning_rate, gradient_norm;
  double tokens_per_second, seconds_elapsed, seconds_left;
  /* 1 if the last step that was made evaluated the validation loss. */
  int32_t measured;
  retto_end end;
  /* RETTO_OK, or why the checkpoint of options.checkpoint_path could not be saved at the last attempt;
   * the message is then the thread's last error, in the callback and after the run. */
  retto_status checkpoint_status;
  int32_t reserved;
} retto_progress;

#define RETTO_PROGRESS_INIT                                                                     \
  {sizeof(retto_progress), 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0,          \
   RETTO_END_NONE, RETTO_OK, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_progress_init(retto_progress *progress) RETTO_REALTIME;

/* Prepares the material and allocates everything. The first step, retto_trainer_model and
 * retto_trainer_save_checkpoint do this too, if it is not done yet; after it no material can be added, and
 * retto_trainer_get_options tells what was chosen. RETTO_ERROR_CORPUS, _FILE, _MEMORY, _ARGUMENT; _STATE, with
 * nothing changed, if retto_trainer_stop interrupted it. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_prepare(retto_trainer *trainer);

/* Fills in the options in force. Before the material is prepared these are the values you gave; afterwards those
 * you left open are as the library chose them. `steps` is then the number of steps of the run and `epochs` the same
 * in passes over the material; both are 0 if minutes alone end the run. Strings live as long as the trainer.
 * [one-thread: also from the progress callback] */
RETTO_CHECK retto_status retto_trainer_get_options(retto_trainer *trainer,
                                                   retto_trainer_options *options);

/* Fills in where the run stands, without making a step. For a resumed run that is not prepared yet these are the
 * checkpoint's values; of those it does not keep, `epoch`, `learning_rate`, `gradient_norm`, `tokens_per_second`
 * and `measured` are 0, and `bits_per_character` and `seconds_left` NaN. [one-thread: also from the progress
 * callback] */
RETTO_CHECK retto_status retto_trainer_get_progress(retto_trainer *trainer,
                                                    retto_progress *progress);

/* Trains on one batch, for programs with a training loop of their own. Fills in `progress` unless it is NULL. The
 * first step also prepares the material and may take long. After the end it does nothing, and says so in
 * progress->end.
 * RETTO_ERROR_CORPUS, _FILE, _MEMORY, _ARGUMENT from the first step, _DIVERGED from any; _STATE in a
 * child of fork() if the parent prepared the trainer.
 * [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_step(retto_trainer *trainer, retto_progress *progress);

/* Called after each step of a run. Returns 0 to go on, anything else to stop the run. The callback may take the
 * model, save a checkpoint, stop the run and read options and progress; other calls on the trainer return
 * RETTO_ERROR_STATE. `progress` is valid until the callback returns. */
typedef int32_t (*retto_progress_callback)(void *user, const retto_progress *progress);

/* Trains until the run ends or is stopped. A run that was stopped returns RETTO_OK, with RETTO_END_STOPPED in
 * progress->end; call it again to go on. `callback` and `user` may be NULL, and so may
 * `progress`, which is filled in with the final state. Saves checkpoints if the options say where, the last one at
 * the end. A checkpoint that cannot be saved (the disk is full) does not end the run: progress->checkpoint_status
 * says so, and saving is tried again after checkpoint_seconds and at the start of the next call. A run that
 * diverges leaves the last checkpoint as it is. Errors are those of retto_trainer_step. [one-thread] [blocking] */
RETTO_CHECK retto_status retto_trainer_run(retto_trainer *trainer,
                                           retto_progress_callback callback, void *user,
                                           retto_progress *progress);

/* Makes a run end after its current step, or, while it prepares the material or measures the validation loss,
 * without waiting for the end of that. A retto_trainer_prepare that is active returns RETTO_ERROR_STATE or, if it
 * was almost done, RETTO_OK, and the stop stays pending. If neither retto_trainer_run
 * nor retto_trainer_prepare is active, the stop stays pending: the next call of either that has work to do stops at
 * once. It has no effect on retto_trainer_step. Also safe in a signal handler. [any-thread] [realtime] */
RETTO_CHECK retto_status retto_trainer_stop(retto_trainer *trainer) RETTO_REALTIME;

/* Saves a checkpoint: a model file that also holds what is needed to continue the run, and the state of the run.
 * Like all files this library writes, it is replaced as a whole or not at all. After a divergence it holds the
 * weights that were kept; a run that is resumed from it counts as diverged: it cannot go on, and
 * retto_trainer_model gives these weights. RETTO_ERROR_FILE, _MEMORY, and those of the first step.
 * [one-thread: also from the progress callback] [blocking] */
RETTO_CHECK retto_status retto_trainer_save_checkpoint(retto_trainer *trainer, const char *path);

/* Like retto_trainer_save_checkpoint, but writes to `buffer`, which has room for `capacity` bytes, and the number
 * of bytes to `size`; a step changes that number. RETTO_ERROR_BUFFER, _MEMORY, and those of the first step.
 * [one-thread: also from the progress callback] [blocking] */
RETTO_CHECK retto_status retto_trainer_save_checkpoint_memory(retto_trainer *trainer, void *buffer,
                                                              size_t capacity, size_t *size);

/* Makes a model of the best weights so far: those with the best validation loss; without validation
 * material the latest ones, or after a divergence weights from before it. RETTO_ERROR_MEMORY, and those of the
 * first step. [one-thread: also from the progress callback] [blocking] */
RETTO_CHECK retto_status retto_trainer_model(retto_trainer *trainer, retto_model **model);

/* ---- MIDI files ------------------------------------------------------------------------------- */

/* A Standard MIDI File in memory. It never changes. */
typedef struct retto_midi retto_midi;

/* Reads a MIDI file: formats 0, 1 and 2, also in a RIFF wrapper. What is damaged is read as far as it can be;
 * retto_midi_get_warnings tells what was found. A note-off ends the note of its key that has sounded longest. If a
 * key has more note-ons than note-offs, the notes without a note-off are those left over when, as with brackets,
 * each note-off takes the nearest free note-on before it. Such a note ends at the next note-off of that key or at
 * the next note-on without a note-off, whichever comes first; else at the end of the track. All Sound Off, All
 * Notes Off and the Channel Mode messages (controllers 120, 123 to 127) end the notes of their channel. A file has
 * at most 1 GiB. Reading it takes memory of up to 30 times its size, usually 10, of which the handle keeps up to 10
 * times; making events of it takes up to 400 bytes a note while the call runs. RETTO_ERROR_FILE, _FORMAT if it is
 * no MIDI file at all, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_midi_read(const char *path, retto_midi **midi);

/* Reads one that is in memory: `length` bytes at `data`, not needed afterwards.
 * RETTO_ERROR_FORMAT, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_midi_read_memory(const void *data, size_t length,
                                                retto_midi **midi);

/* Makes a MIDI file from `count` events: of one track or, if there are events of RETTO_EVENT_PROGRAM, of a track
 * with name and program for each of their channels, and one before them for all else. Deltas are in ticks,
 * `ticks_per_quarter` (1 to 32767) to a quarter note; the tempo is `tempo` (4 to 1000) quarter notes a minute. The
 * events must take less than 2^40 ticks in all, and the denominators of time signatures must be powers of 2.
 * RETTO_ERROR_ARGUMENT, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_midi_create(const retto_event *events, size_t count,
                                           int32_t ticks_per_quarter, double tempo,
                                           retto_midi **midi);

/* Writes a file, whole or not at all. RETTO_ERROR_FILE, _MEMORY. [any-thread] [blocking] */
RETTO_CHECK retto_status retto_midi_write(const retto_midi *midi, const char *path);

/* Writes the bytes of the file to `buffer`, which has room for `capacity`, and their number to `size`.
 * RETTO_ERROR_BUFFER, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_midi_write_memory(const retto_midi *midi, void *buffer,
                                                 size_t capacity, size_t *size);

/* Frees a MIDI file; does nothing for NULL. [any-thread: no other call may be using this handle] */
void retto_midi_free(retto_midi *midi);

/* What a file is. */
typedef struct retto_midi_info {
  size_t size; /* of this struct; set by RETTO_MIDI_INFO_INIT */
  int32_t format, tracks;
  /* For a file in SMPTE time: the ticks in half a second, as if the tempo were 120. */
  int32_t ticks_per_quarter;
  int32_t reserved; /* 0 */
  uint64_t notes, end_tick;
  double seconds;
  /* Quarter notes per minute where the first pitched note begins or, if there are none, the first drum; 120 unless
   * the file says otherwise. */
  double tempo;
  /* The program (General MIDI instrument, 0 to 127) of most notes, and the mean velocity of all, 1 to 127, or 0 if
   * there are no notes. Both are taken from the pitched notes or, if there are none, from the drums. Use them for
   * music that continues this file. */
  int32_t program, velocity;
} retto_midi_info;

#define RETTO_MIDI_INFO_INIT {sizeof(retto_midi_info), 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0, 0}

/* The same as a function, which does nothing for NULL. [any-thread] [realtime] */
void retto_midi_info_init(retto_midi_info *info) RETTO_REALTIME;

/* Fills in what a file is. RETTO_ERROR_MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_midi_get_info(const retto_midi *midi, retto_midi_info *info);

/* The notes and time signatures of all tracks together as events, in the file's ticks: at each moment
 * first time signatures, then note-offs, then note-ons. RETTO_EVENT_END comes last. Writes them to `events`, which
 * has room for `capacity`, and their number to `count`. A time too long for a delta passes in several events.
 * RETTO_ERROR_BUFFER, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_midi_get_events(const retto_midi *midi, retto_event *events,
                                               size_t capacity, size_t *count);

/* Writes a line for each violation of the standard, with its byte offset, and a line for each track in which notes
 * have no note-off or were ended by a controller, with the number of such notes and the offset of the track. The
 * text is empty if there is nothing to report. At most 101 lines. Writes to `text`, which has room for `capacity`
 * bytes, NUL-terminated, and the number of bytes with the NUL to `length`. RETTO_ERROR_BUFFER. [any-thread] */
RETTO_CHECK retto_status retto_midi_get_warnings(const retto_midi *midi, char *text,
                                                 size_t capacity, size_t *length);

/* Turns a MIDI file into tokens of a music model, from token 0, which begins a piece, to the end token, for example
 * for retto_model_score. To let a session go on from the file, feed all but the last. Buffers as in
 * retto_model_encode. RETTO_ERROR_EMPTY if the file has no notes that the encoding can represent, _BUFFER,
 * _UNSUPPORTED, _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_model_encode_midi(const retto_model *model, const retto_midi *midi,
                                                 int32_t *tokens, size_t capacity, size_t *count);

/* Makes a MIDI file of `count` tokens of a model, at `tempo` (4 to 1000) quarter notes a minute; 120 plays a
 * performance at its original speed. RETTO_ERROR_ARGUMENT if a token is not in the vocabulary, _UNSUPPORTED,
 * _MEMORY. [any-thread] */
RETTO_CHECK retto_status retto_model_decode_midi(const retto_model *model, const int32_t *tokens,
                                                 size_t count, double tempo, retto_midi **midi);

#ifdef __cplusplus
}
#endif

#endif
