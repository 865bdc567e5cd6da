/* What one core can do, as JSON: operations a second of products in float32, bfloat16 and int8, a
 * multiplication and an addition counted as two, and bytes a second read from blocks of given sizes.
 *
 *     cc -O3 ceilings.c -o ceilings && ./ceilings BYTES...
 *
 * What the processor lacks is null. Figures are medians of many tries, too short for most of them to
 * be interrupted. With LIBRETTO_ISA=v3, as the library has it, vectors are at most 256 bits wide.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sums that do not wait for one another: at least the cycles a multiply-add takes times those begun
 * in a cycle, and few enough for 16 registers. */
enum { SUMS = 12, TURNS = 100000, TRIES = 401 };

/* What the compiler cannot know, and where results go so that it must work them out. */
static volatile char pattern = 0x3e;
static volatile char sink;

typedef float float4 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef float float16 __attribute__((vector_size(64)));

/* TURNS times SUMS multiply-adds. 0x3e3e is a number around 0.2 in both types of float, so that
 * nothing overflows or gets lost. */
#define PEAK(name, target, vector, multiply_add)                                             \
  target static void name(void) {                                                           \
    vector sum[SUMS], x;                                                                    \
    memset(sum, pattern, sizeof sum);                                                       \
    memset(&x, pattern, sizeof x);                                                          \
    for (int turn = 0; turn < TURNS; turn++)                                                \
      for (int i = 0; i < SUMS; i++) {                                                      \
        vector s = sum[i];                                                                  \
        multiply_add;                                                                       \
        sum[i] = s;                                                                         \
      }                                                                                     \
    for (int i = 1; i < SUMS; i++)                                                          \
      sum[0] += sum[i];                                                                     \
    sink = *(char *)sum;                                                                    \
  }

/* Reads a block once, in order, with eight sums. */
#define READ(name, target, vector)                                                           \
  target static void name(const void *block, size_t bytes) {                                \
    const vector *p = block;                                                                \
    vector sum[8];                                                                          \
    memset(sum, 0, sizeof sum);                                                             \
    for (size_t i = 0; i < bytes / sizeof *p; i += 8)                                       \
      for (int j = 0; j < 8; j++)                                                           \
        sum[j] += p[i + j];                                                                 \
    for (int j = 1; j < 8; j++)                                                             \
      sum[0] += sum[j];                                                                     \
    sink = *(char *)sum;                                                                    \
  }

PEAK(float32_4, , float4, s = s * x + x)
READ(read_4, , float4)
#if defined(__x86_64__)
#define TARGET(name) __attribute__((target(name)))
#define ADD(instruction) __asm__(instruction " %1, %1, %0" : "+v"(s) : "v"(x))
PEAK(float32_8, TARGET("avx2,fma"), float8, ADD("vfmadd231ps"))
PEAK(float32_16, TARGET("avx512f"), float16, ADD("vfmadd231ps"))
PEAK(bfloat16_32, TARGET("avx512f,avx512bf16"), float16, ADD("vdpbf16ps"))
PEAK(int8_64, TARGET("avx512f,avx512vnni"), float16, ADD("vpdpbusd"))
READ(read_8, TARGET("avx2"), float8)
READ(read_16, TARGET("avx512f"), float16)
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* What is being measured: `peak`, or `passes` times `read`. */
struct work {
  void (*peak)(void);
  void (*read)(const void *, size_t);
  const void *block;
  size_t bytes, passes;
};

/* Seconds the work takes: the median of tries for up to half a second, after a few. */
static double seconds(const struct work *work) {
  double tries[TRIES], end = now() + 0.5;
  int count = -3;
  while (count < TRIES && (count < 5 || now() < end)) {
    double start = now();
    if (work->peak)
      work->peak();
    else
      for (size_t pass = 0; pass < work->passes; pass++)
        work->read(work->block, work->bytes);
    if (count >= 0)
      tries[count] = now() - start;
    count++;
  }
  qsort(tries, count, sizeof *tries, ascending);
  return tries[count / 2];
}

/* `operations`: of one instruction. */
static void print_peak(const char *name, void (*peak)(void), int operations) {
  if (peak)
    printf("\"%s\": %.4g, ", name,
           (double)operations * SUMS * TURNS / seconds(&(struct work){.peak = peak}));
  else
    printf("\"%s\": null, ", name);
}

/* Bytes a second from a block that was just read; a try reads 4 MB or more. */
static double read_rate(void (*read)(const void *, size_t), size_t bytes) {
  void *block = NULL;
  bytes = (bytes + 511) / 512 * 512;
  if (bytes == 0 || posix_memalign(&block, 64, bytes))
    exit(1);
  memset(block, 0, bytes);
  size_t passes = ((size_t)4 << 20) / bytes + 1;
  double rate = passes * (double)bytes / seconds(&(struct work){NULL, read, block, bytes, passes});
  free(block);
  return rate;
}

int main(int count, char **sizes) {
  int bits = 128;
  void (*float32)(void) = float32_4, (*bfloat16)(void) = NULL, (*int8)(void) = NULL;
  void (*read)(const void *, size_t) = read_4;
#if defined(__x86_64__)
  const char *isa = getenv("LIBRETTO_ISA");
  int narrow = isa && strcmp(isa, "v3") == 0;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    bits = 256, float32 = float32_8, read = read_8;
  if (!narrow && __builtin_cpu_supports("avx512f"))
    bits = 512, float32 = float32_16, read = read_16;
  if (!narrow && __builtin_cpu_supports("avx512bf16"))
    bfloat16 = bfloat16_32;
  if (!narrow && __builtin_cpu_supports("avx512vnni"))
    int8 = int8_64;
#endif
  printf("{\"vector_bits\": %d, ", bits);
  print_peak("float32", float32, 2 * bits / 32);
  print_peak("bfloat16", bfloat16, 64);
  print_peak("int8", int8, 128);
  printf("\"read\": {");
  for (int i = 1; i < count; i++)
    printf("%s\"%s\": %.4g", i > 1 ? ", " : "", sizes[i], read_rate(read, strtoull(sizes[i], NULL, 10)));
  printf("}}\n");
}
