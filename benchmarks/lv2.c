/* lv2 MODEL INSTANCES FRAMES SECONDS: what LIVE_PLAY costs in the LV2 plugin: the share of a processor for so many
 * instances at 48 kHz in blocks of so many frames, and the time of the longest run() and of 99.9 % of them.
 *
 *   cc -std=c11 -D_GNU_SOURCE -O2 -IInclude benchmarks/lv2.c Tests/lv2/host.c Sources/LV2/plugin.c \
 *     Sources/LV2/position.c Sources/LV2/models.c Sources/Live/[a-z]*.c Sources/Plugins/[a-z]*.c -o .build/lv2-bench \
 *     .build/release/libretto.so -lm -pthread -Wl,-rpath,"$PWD/.build/lib" */
#include "../Tests/lv2/host.h"
#include <time.h>

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int order(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
  if (count != 5) return 64;
  int instances = atoi(arguments[2]);
  uint32_t frames = (uint32_t)atoi(arguments[3]);
  long blocks = (long)(atof(arguments[4]) * 48000 / frames), runs = 0;
  host **hosts = calloc((size_t)instances, sizeof *hosts);
  float *took = calloc((size_t)blocks * (size_t)instances, sizeof *took);
  for (int i = 0; i < instances; i++) {
    hosts[i] = host_open(48000);
    host_choose(hosts[i], strchr(arguments[1], '/') ? LIBRETTO_MODEL : LIBRETTO_NAME, arguments[1]);
    hosts[i]->value[INSTANCE_SEED] = (float)i;
    host_run(hosts[i], 0);
    host_run(hosts[i], 0);
  }
  double began = now(CLOCK_PROCESS_CPUTIME_ID);
  for (long b = 0; b < blocks; b++)
    for (int i = 0; i < instances; i++) {
      if (b == 0) host_position(hosts[i], 0, "fstbm", 0, 120, 1, 4, 4);
      double before = now(CLOCK_THREAD_CPUTIME_ID);
      host_run(hosts[i], frames);
      took[runs++] = (float)(now(CLOCK_THREAD_CPUTIME_ID) - before);
    }
  double used = now(CLOCK_PROCESS_CPUTIME_ID) - began;
  qsort(took, (size_t)runs, sizeof *took, order);
  printf("%s: %d instances in blocks of %u: %.1f %% of a processor; a run() takes %.1f us, 99.9 %% below %.0f us, all below "
         "%.0f us\n",
         hosts[0]->told, instances, frames, 100 * used / ((double)blocks * frames / 48000), used / (double)runs * 1e6,
         (double)took[runs - 1 - runs / 1000] * 1e6, (double)took[runs - 1] * 1e6);
  return 0;
}
