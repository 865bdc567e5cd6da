/* Models that are found by name: where they are looked for, which of two comes first, and what is no name. */
#include "tiny.h"
#include <sys/stat.h>
#include <unistd.h>

static void copy_to(const retto_model *model, const char *folder, const char *name) {
  char path[200];
  mkdir(folder, 0700);
  snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
  MUST(retto_model_save(model, path));
}

static int hidden_of(const char *name) {
  retto_model *model = NULL;
  retto_model_info info = RETTO_MODEL_INFO_INIT;
  MUST(retto_model_load_named(name, &model));
  MUST(retto_model_get_info(model, &info));
  retto_model_free(model);
  return info.hidden;
}

/* Whether the names have one. */
static int lists(const char *name) {
  size_t length, again;
  MUST(retto_model_names(NULL, 0, &length));
  char *names = calloc(length + 2, 1), line[200];
  CHECK(names);
  if (length > 0)
    CHECK(retto_model_names(names + 1, length - 1, NULL) == RETTO_ERROR_BUFFER);
  MUST(retto_model_names(names + 1, length, &again));
  CHECK(again == length && (length == 0 || names[length] == '\n'));
  names[0] = '\n';
  snprintf(line, sizeof line, "\n%s\n", name);
  int found = strstr(names, line) != NULL;
  free(names);
  return found;
}

int main(void) {
  retto_trainer_options options = tiny_options();
  options.steps = 1;
  retto_model *small = tiny_model_with(&options), *large = NULL;
  options.hidden = 32;
  large = tiny_model_with(&options);
  unsetenv("XDG_DATA_HOME");
  setenv("HOME", "home", 1);
  mkdir("home", 0700), mkdir("home/.local", 0700), mkdir("home/.local/share", 0700);
  mkdir("home/.local/share/libretto", 0700), mkdir("data", 0700), mkdir("data/libretto", 0700);
  copy_to(small, "one", "first");
  copy_to(large, "two", "first");
  copy_to(large, "two", "second");
  copy_to(large, "two", "run.checkpoint");
  copy_to(small, "home/.local/share/libretto/models", "own");
  copy_to(large, "data/libretto/models", "own");

  /* Read at each call: a host may set it. */
  CHECK(!lists("first"));
  setenv("LIBRETTO_MODELS", "nowhere:one:two", 1);
  CHECK(hidden_of("first") == 16 && hidden_of("second") == 32);
  CHECK(lists("first") && lists("second") && lists("own"));
  CHECK(!lists("run.checkpoint") && !lists("run"));
  setenv("LIBRETTO_MODELS", "two:one", 1);
  CHECK(hidden_of("first") == 32);
  unsetenv("LIBRETTO_MODELS");
  CHECK(hidden_of("own") == 16);
  setenv("XDG_DATA_HOME", "data", 1);
  CHECK(hidden_of("own") == 32);

  static const struct {
    const char *name;
    retto_status status;
  } wrong[] = {{"first", RETTO_ERROR_FILE}, {"", RETTO_ERROR_ARGUMENT},      {"../two/first", RETTO_ERROR_ARGUMENT},
               {".", RETTO_ERROR_ARGUMENT}, {NULL, RETTO_ERROR_ARGUMENT},    {"\xFF", RETTO_ERROR_ARGUMENT},
               {"a\nb", RETTO_ERROR_FILE},  {"/etc/hosts", RETTO_ERROR_ARGUMENT}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    retto_model *made = small;
    CHECK(retto_model_load_named(wrong[i].name, &made) == wrong[i].status);
    CHECK(made == NULL && strlen(retto_last_error()) > 10);
  }
  CHECK(retto_model_load_named("own", NULL) == RETTO_ERROR_ARGUMENT);
  CHECK(retto_model_names(NULL, 0, NULL) == RETTO_ERROR_ARGUMENT);

  retto_model_free(small);
  retto_model_free(large);
  return check_result();
}
