/* The library as a plugin sees it: loaded, used, unloaded and loaded again; two copies at once. */
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

/* What is used of one copy of the library. */
struct copy {
  void *handle;
  const char *(*last_error)(void);
  retto_status (*trainer_create)(const retto_trainer_options *, retto_trainer **);
  retto_status (*trainer_add_text)(retto_trainer *, const char *, size_t, retto_role);
  retto_status (*trainer_run)(retto_trainer *, retto_progress_callback, void *, retto_progress *);
  retto_status (*trainer_model)(retto_trainer *, retto_model **);
  void (*trainer_free)(retto_trainer *);
  retto_status (*model_save)(const retto_model *, const char *);
  void (*model_free)(retto_model *);
  retto_status (*session_create)(const retto_model *, const retto_session_options *,
                                 retto_session **);
  retto_status (*session_next)(retto_session *, int32_t *, float *);
  void (*session_free)(retto_session *);
};

static void symbol(void *handle, const char *name, void *function) {
  void *address = dlsym(handle, name);
  if (!address) {
    fprintf(stderr, "no %s\n", name);
    exit(1);
  }
  memcpy(function, &address, sizeof address);
}

static struct copy load(const char *path) {
  struct copy c;
  c.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!c.handle) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
#define SYMBOL(name) symbol(c.handle, "retto_" #name, &c.name)
  SYMBOL(last_error);
  SYMBOL(trainer_create);
  SYMBOL(trainer_add_text);
  SYMBOL(trainer_run);
  SYMBOL(trainer_model);
  SYMBOL(trainer_free);
  SYMBOL(model_save);
  SYMBOL(model_free);
  SYMBOL(session_create);
  SYMBOL(session_next);
  SYMBOL(session_free);
#undef SYMBOL
  return c;
}

#define SHOULD(call) CHECK((call) == RETTO_OK)

/* Learns on two threads, and writes. */
static void learn_and_write(const struct copy *c, int32_t *tokens, int count) {
  static char text[4000];
  retto_trainer_options options = RETTO_TRAINER_OPTIONS_INIT;
  retto_trainer *trainer = NULL;
  retto_model *model = NULL;
  retto_session *session = NULL;
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = "plugin host\n"[i % 12];
  options.hidden = 16;
  options.threads = 2;
  options.steps = 20;
  SHOULD(c->trainer_create(&options, &trainer));
  SHOULD(c->trainer_add_text(trainer, text, sizeof text, RETTO_TRAINING));
  SHOULD(c->trainer_run(trainer, NULL, NULL, NULL));
  SHOULD(c->trainer_model(trainer, &model));
  c->trainer_free(trainer);
  SHOULD(c->session_create(model, NULL, &session));
  c->model_free(model);
  for (int i = 0; i < count; i++)
    SHOULD(c->session_next(session, &tokens[i], NULL));
  c->session_free(session);
  CHECK(c->model_save(NULL, "x") == RETTO_ERROR_ARGUMENT);
  CHECK(strlen(c->last_error()) > 10);
}

static sem_t used, unloaded;
static struct copy of_thread;

/* A thread that has used the library and outlives it. */
static void *outlive(void *tokens) {
  learn_and_write(&of_thread, tokens, 50);
  sem_post(&used);
  sem_wait(&unloaded);
  return NULL;
}

/* Another file, so that the loader takes it for another library. */
static void copy_file(const char *from, const char *to) {
  static char block[1 << 16];
  size_t count;
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  if (!in || !out)
    exit(1);
  while ((count = fread(block, 1, sizeof block, in)) > 0)
    if (fwrite(block, 1, count, out) != count)
      exit(1);
  fclose(in);
  if (fclose(out))
    exit(1);
}

int main(void) {
  const char *path = getenv("LIBRARY");
  int32_t first[50], tokens[50];
  for (int round = 0; round < 3; round++) {
    struct copy c = load(path);
    learn_and_write(&c, round ? tokens : first, 50);
    CHECK(!round || !memcmp(first, tokens, sizeof tokens));
    CHECK(dlclose(c.handle) == 0);
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL); /* it is really gone */
  }

  copy_file(path, "./second.so");
  struct copy a = load(path), b = load("./second.so");
  CHECK(a.handle != b.handle && a.session_next != b.session_next);
  learn_and_write(&a, tokens, 50);
  CHECK(!memcmp(first, tokens, sizeof tokens));
  learn_and_write(&b, tokens, 50);
  CHECK(!memcmp(first, tokens, sizeof tokens));
  CHECK(a.last_error() != b.last_error());
  CHECK(dlclose(a.handle) == 0);
  learn_and_write(&b, tokens, 50);
  CHECK(dlclose(b.handle) == 0);

  /* As many as a host may have plugins with a copy of their own. */
  struct copy copies[6];
  for (int i = 0; i < 6; i++) {
    char name[32];
    snprintf(name, sizeof name, "./copy%d.so", i);
    copy_file(path, name);
    copies[i] = load(name);
  }
  learn_and_write(&copies[5], tokens, 50);
  CHECK(!memcmp(first, tokens, sizeof tokens));
  for (int i = 0; i < 6; i++)
    CHECK(dlclose(copies[i].handle) == 0);

  /* A thread that ends when the library has gone. */
  pthread_t thread;
  sem_init(&used, 0, 0);
  sem_init(&unloaded, 0, 0);
  of_thread = load(path);
  if (pthread_create(&thread, NULL, outlive, tokens))
    return 1;
  sem_wait(&used);
  CHECK(dlclose(of_thread.handle) == 0);
  CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
  sem_post(&unloaded);
  pthread_join(thread, NULL);
  CHECK(!memcmp(first, tokens, sizeof tokens));
  return check_result();
}
