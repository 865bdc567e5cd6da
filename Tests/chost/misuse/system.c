/* What the system may refuse. */
#include "misuse.h"

static int temporary_files(void) {
  int count = 0;
  DIR *folder = opendir(".");
  struct dirent *entry;
  while (folder && (entry = readdir(folder)))
    count += strstr(entry->d_name, ".tmp") != NULL;
  if (folder)
    closedir(folder);
  return count;
}

/* A file that outgrows what is allowed: the old one stays, and nothing else is left behind. */
void full_disk(void) {
  struct rlimit before, small;
  size_t length, after;
  unsigned char *bytes = read_file("good.model", &length);
  retto_trainer_options options = tiny_options();
  retto_trainer *trainer = tiny_trainer(&options);
  OK(retto_trainer_step(trainer, NULL));
  CHECK(temporary_files() == 0);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 5000;
  setrlimit(RLIMIT_FSIZE, &small);
  retto_status saved = retto_model_save(model, "good.model");
  retto_status checkpoint = retto_trainer_save_checkpoint(trainer, "good.model");
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  GIVES(FILE_, saved);
  GIVES(FILE_, checkpoint);
  unsigned char *now = read_file("good.model", &after);
  CHECK(length == after && !memcmp(bytes, now, length));
  CHECK(temporary_files() == 0);
  free(bytes);
  free(now);
  retto_trainer_free(trainer);
}

/* Too little memory for a network, which the library must find out without dying. */
void little_memory(void) {
  if (under_tool()) /* tools need the memory themselves */
    return;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {(rlim_t)400 << 20, (rlim_t)400 << 20};
    retto_trainer_options options = tiny_options();
    retto_model *taken = NULL;
    setrlimit(RLIMIT_AS, &limit);
    options.hidden = 2048;
    options.layers = 3;
    retto_trainer *trainer = tiny_trainer(&options);
    REFUSES(RETTO_ERROR_MEMORY, retto_trainer_step(trainer, NULL));
    MAKES_NOTHING(RETTO_ERROR_MEMORY, taken, retto_trainer_model(trainer, &taken));
    retto_trainer_free(trainer);
    _exit(check_result());
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Errors are each thread's own. */
static void *other_thread(void *unused) {
  (void)unused;
  CHECK(!strcmp(retto_last_error(), ""));
  GIVES(ARGUMENT, retto_model_save(NULL, "x"));
  CHECK(strlen(retto_last_error()) > 10);
  return NULL;
}

void errors_per_thread(void) {
  pthread_t thread;
  char before[1100];
  REFUSES(FILE_, retto_trainer_resume("missing.checkpoint", NULL, &(retto_trainer *){NULL}));
  strcpy(before, retto_last_error());
  pthread_create(&thread, NULL, other_thread, NULL);
  pthread_join(thread, NULL);
  CHECK(!strcmp(before, retto_last_error()));
  /* A sentence longer than its room is cut at a character. */
  static char path[6000];
  for (int shift = 0; shift < 4; shift++) {
    memset(path, 'a', (size_t)shift);
    for (int i = 0; i < 900; i++)
      memcpy(path + shift + 3 * i, "\xE7\x8A\xAC", 4);
    retto_model *made;
    MAKES_NOTHING(FILE_, made, retto_model_load(path, &made));
    const char *error = retto_last_error();
    size_t length = strlen(error);
    CHECK(length > 1000 && length < 1024);
    CHECK(!memcmp(error + length - 3, "\xE7\x8A\xAC", 3));
  }
}
