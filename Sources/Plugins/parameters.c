#include "instance.h"
#include <stddef.h>

static const char *const modes[] = {"Play", "Answer", "Trade", "Accompany"};
static const char *const keys[] = {
    "Any",     "C major", "C# major", "D major",  "Eb major", "E major",  "F major", "F# major", "G major",
    "Ab major", "A major", "Bb major", "B major",  "C minor",  "C# minor", "D minor", "Eb minor", "E minor",
    "F minor", "F# minor", "G minor",  "G# minor", "A minor",  "Bb minor", "B minor"};

/* What the engine does not say of its parameters. */
static const struct {
  const char *symbol, *label, *comment;
  instance_kind kind;
  const char *const *choices;
} engine[LIVE_PARAMETERS] = {
    [LIVE_MODE] = {"mode", "Mode",
                   "Play: the model alone, with the transport. Answer: when the player pauses. Trade: some bars each. "
                   "Accompany: together.",
                   INSTANCE_CHOICE, modes},
    [LIVE_TEMPERATURE] = {"temperature", "Temperature", "Below 1 the likely becomes likelier, above 1 less so.",
                          INSTANCE_NUMBER, NULL},
    [LIVE_TOP_P] = {"top_p", "Top-p", "Only the likeliest events that together have this probability.",
                    INSTANCE_NUMBER, NULL},
    [LIVE_DENSITY] = {"density", "Density", "Above 0 more notes, below 0 fewer.", INSTANCE_NUMBER, NULL},
    [LIVE_MEMORY] = {"memory", "Memory", "Above 1 more of what was played returns, below 1 less.", INSTANCE_NUMBER,
                     NULL},
    [LIVE_KEY] = {"key", "Key", "Notes of this scale alone.", INSTANCE_CHOICE, keys},
    [LIVE_FOLLOW_KEY] = {"follow_key", "Follow key", "While Key is Any: notes of the player's key, once it is known.",
                         INSTANCE_SWITCH, NULL},
    [LIVE_FOLLOW_TEMPO] = {"follow_tempo", "Follow tempo",
                           "While the transport stands: the player's tempo and beat, once they are known.",
                           INSTANCE_SWITCH, NULL},
    [LIVE_FOLLOW_LOUDNESS] = {"follow_loudness", "Follow loudness", "As loud as the player.", INSTANCE_SWITCH, NULL},
    [LIVE_LOWEST] = {"lowest", "Lowest note", NULL, INSTANCE_NUMBER, NULL},
    [LIVE_HIGHEST] = {"highest", "Highest note", NULL, INSTANCE_NUMBER, NULL},
    [LIVE_VOICES] = {"voices", "Voices", "The most notes at once.", INSTANCE_NUMBER, NULL},
    [LIVE_BARS] = {"bars", "Bars", "Length of a piece in the mode Play; 0 for music without end.", INSTANCE_NUMBER,
                   NULL},
    [LIVE_NUMERATOR] = {"numerator", "Time signature: beats", "In the mode Play 0 leaves it to the model.",
                        INSTANCE_NUMBER, NULL},
    [LIVE_DENOMINATOR] = {"denominator", "Time signature: unit", NULL, INSTANCE_NUMBER, NULL},
    [LIVE_ANSWER_AFTER] = {"answer_after", "Answer after", "Milliseconds without a note after which an answer is due.",
                           INSTANCE_NUMBER, NULL},
    [LIVE_TRADE_BARS] = {"trade_bars", "Trade bars", NULL, INSTANCE_NUMBER, NULL},
    [LIVE_CHANNEL] = {"channel", "Channel",
                      "Of the model's notes; 0 for the model's own, or the first that the player does not use.",
                      INSTANCE_NUMBER, NULL},
};

static const instance_parameter own[INSTANCE_PARAMETERS - LIVE_PARAMETERS] = {
    {"seed", "Seed", "Another seed is another piece.", INSTANCE_NUMBER, 0, 16777215, 1, true, NULL},
    {"tempo", "Tempo", "Quarter notes a minute, where the host gives no tempo.", INSTANCE_NUMBER, 20, 400, 120, false,
     NULL},
    {"free", "Run free", "Plays while the transport of the host stands, too.", INSTANCE_SWITCH, 0, 1, 0, true, NULL},
    {"thru", "Thru", "What the player plays goes out too.", INSTANCE_SWITCH, 0, 1, 0, true, NULL},
    {"panic", "Panic", "Ends all notes.", INSTANCE_TRIGGER, 0, 1, 0, true, NULL},
    {"enabled", "Enabled", NULL, INSTANCE_SWITCH, 0, 1, 1, true, NULL},
};

instance_parameter instance_describe(int parameter) {
  if (parameter >= LIVE_PARAMETERS && parameter < INSTANCE_PARAMETERS) return own[parameter - LIVE_PARAMETERS];
  if (parameter < 0 || parameter >= INSTANCE_PARAMETERS) parameter = 0;
  const live_parameter_info *info = live_get_parameter_info((live_parameter)parameter);
  return (instance_parameter){.symbol = engine[parameter].symbol,
                              .label = engine[parameter].label,
                              .comment = engine[parameter].comment,
                              .kind = engine[parameter].kind,
                              .least = info->least,
                              .most = info->most,
                              .initial = info->initial,
                              .is_whole = info->is_whole,
                              .choices = engine[parameter].choices};
}
