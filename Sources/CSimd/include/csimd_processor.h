// What the processor can do, and what it is asked to do: its instruction sets, how it treats small numbers,
// and hints.

#ifndef CSIMD_PROCESSOR_H
#define CSIMD_PROCESSOR_H

#include <stdint.h>

#define CSIMD_INLINE static inline __attribute__((always_inline))

// The best kernels this processor can run: 6 for x86-64-v4 with VNNI and BF16, 5 for it with VNNI
// alone, 4 for x86-64-v4, 3 for x86-64-v3, else 1.
CSIMD_INLINE int csimd_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512cd")) {
    if (!__builtin_cpu_supports("avx512vnni")) return 4;
    return __builtin_cpu_supports("avx512bf16") ? 6 : 5;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return 3;
#endif
  return 1;
}

// Treats numbers below 1.2e-38 as zero on this thread (some processors take a hundred times as
// long over them); gives back the control word to restore.
CSIMD_INLINE uint64_t csimd_flush_denormals(void) {
#if defined(__x86_64__)
  uint32_t old = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(old | 0x8040);
  return old;
#elif defined(__aarch64__)
  uint64_t old;
  __asm__ volatile("mrs %0, fpcr" : "=r"(old));
  __asm__ volatile("msr fpcr, %0" : : "r"(old | (1ull << 24)));
  return old;
#else
  return 0;
#endif
}
CSIMD_INLINE void csimd_restore_denormals(uint64_t old) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((uint32_t)old);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(old));
#else
  (void)old;
#endif
}

// Asks for memory that will be read soon, if it exists.
CSIMD_INLINE void csimd_prefetch(const float *_Nonnull p) { __builtin_prefetch(p); }
// The same for what will be read a little later: into the second-level cache.
CSIMD_INLINE void csimd_prefetch_later(const float *_Nonnull p) { __builtin_prefetch(p, 0, 2); }

// Tells the processor that this thread is waiting in a loop.
CSIMD_INLINE void csimd_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
