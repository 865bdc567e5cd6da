/* Loading a model of int8 takes at most twice the memory of its file, at its peak: the bytes that are allocated are
 * counted, here where the dynamic linker finds these functions first. */
#include "tiny.h"
#include <errno.h>
#include <malloc.h>

/* glibc's own, under their other names. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static volatile long in_use, peak;

static void *taken(void *memory) {
  long now = __sync_add_and_fetch(&in_use, memory ? (long)malloc_usable_size(memory) : 0);
  if (now > peak)
    peak = now;
  return memory;
}

static void given_back(void *memory) {
  if (memory)
    __sync_sub_and_fetch(&in_use, (long)malloc_usable_size(memory));
}

void *malloc(size_t size) { return taken(__libc_malloc(size)); }
void *calloc(size_t items, size_t size) { return taken(__libc_calloc(items, size)); }
void *memalign(size_t alignment, size_t size) { return taken(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

void *realloc(void *memory, size_t size) {
  given_back(memory);
  return taken(__libc_realloc(memory, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
  given_back(memory);
  __libc_free(memory);
}

static void make(const char *path) {
  retto_trainer_options options = tiny_options();
  retto_model *model = NULL, *int8 = NULL;
  options.encoding = "bytes";
  options.embedding = 64;
  options.hidden = 512;
  options.layers = 2;
  options.batch = 1;
  options.sequence = 8;
  options.steps = 1;
  model = tiny_model_with(&options);
  MUST(retto_model_quantize(model, RETTO_INT8, &int8));
  MUST(retto_model_save(int8, path));
  retto_model_free(model);
  retto_model_free(int8);
}

int main(void) {
  const char *path = "int8.safetensors", *again = "again.safetensors";
  retto_model *model = NULL;
  size_t length;
  make(path);
  free(read_file(path, &length));

  long before = in_use;
  peak = before;
  MUST(retto_model_load(path, &model));
  long loading = peak - before, loaded = in_use - before;
  /* A tool may have an allocator of its own. */
  if (!under_tool()) {
    CHECK(loaded > (long)length / 2);
    CHECK(loading <= 2 * (long)length);
  }
  printf("file %zu, at the peak %ld, afterwards %ld bytes\n", length, loading, loaded);

  /* Saving adds little, and gives the same file. */
  peak = in_use;
  before = in_use;
  MUST(retto_model_save(model, again));
  CHECK(under_tool() || peak - before < 1 << 19);
  CHECK(same_files(path, again));
  retto_model_free(model);
  return check_result();
}
