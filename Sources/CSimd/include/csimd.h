// The vector types of the instruction set a kernel target is compiled for, and the few operations
// on them for which Swift's own operators do not become one instruction (fused multiply-add,
// minimum, square root, sums across lanes). Everything is inlined into Swift; nothing is linked.

#ifndef CSIMD_H
#define CSIMD_H

#include <stdint.h>

// Lanes of one vector, and how many vector registers a kernel may count on.
#if defined(__AVX512F__)
#define CSIMD_LANES 16
#define CSIMD_REGISTERS 32
#elif defined(__AVX2__)
#define CSIMD_LANES 8
#define CSIMD_REGISTERS 16
#elif defined(__aarch64__)
#define CSIMD_LANES 4
#define CSIMD_REGISTERS 32
#else
#define CSIMD_LANES 4
#define CSIMD_REGISTERS 16
#endif

typedef float vfloat __attribute__((ext_vector_type(CSIMD_LANES)));
typedef int32_t vint __attribute__((ext_vector_type(CSIMD_LANES)));
typedef float vfloat_unaligned
    __attribute__((ext_vector_type(CSIMD_LANES), aligned(4), may_alias));

#define CSIMD_INLINE static inline __attribute__((always_inline))

CSIMD_INLINE vfloat vload(const float *_Nonnull p) { return *(const vfloat_unaligned *)p; }
CSIMD_INLINE void vstore(float *_Nonnull p, vfloat v) { *(vfloat_unaligned *)p = v; }
CSIMD_INLINE vfloat vsplat(float x) { return (vfloat)x; }

// a * b + c. Where the target has no such instruction a product and a sum: the library function
// that would round once is called per lane and costs a hundred times as much.
CSIMD_INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// Where one side is not a number the result is b: put the variable there, so that it stays visible.
CSIMD_INLINE vfloat vmin(vfloat a, vfloat b) { return a < b ? a : b; }
CSIMD_INLINE vfloat vmax(vfloat a, vfloat b) { return a > b ? a : b; }
CSIMD_INLINE vfloat vsqrt(vfloat a) { return __builtin_elementwise_sqrt(a); }

// y, but 0 in the lanes where x is below the limit.
CSIMD_INLINE vfloat vzero_below(vfloat y, vfloat x, vfloat limit) {
  return limit > x ? (vfloat)0 : y;
}

CSIMD_INLINE vfloat vfrom_bits(vint bits) { return (vfloat)bits; }
CSIMD_INLINE vint vto_bits(vfloat x) { return (vint)x; }

// Sum and maximum across lanes, by halves, so that the order is the same at every call.
CSIMD_INLINE float vsum(vfloat v) {
  float lanes[CSIMD_LANES];
  *(vfloat_unaligned *)lanes = v;
  for (int width = CSIMD_LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  return lanes[0];
}
CSIMD_INLINE float vlargest(vfloat v) {
  float lanes[CSIMD_LANES];
  *(vfloat_unaligned *)lanes = v;
  for (int width = CSIMD_LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++)
      if (lanes[i + width] > lanes[i]) lanes[i] = lanes[i + width];
  return lanes[0];
}

// A vector of 0 and `scale`, from a counter: lane i keeps (scale) when the hash of counter + i is
// at or above `threshold` of 2^32. The hash is the 32-bit finaliser "lowbias32" by C. Wellons.
CSIMD_INLINE vfloat vkeep(uint32_t counter, uint32_t key, uint32_t threshold, float scale) {
  typedef uint32_t vuint __attribute__((ext_vector_type(CSIMD_LANES)));
  vuint x = (vuint)counter;
  for (int i = 0; i < CSIMD_LANES; i++) x[i] += (uint32_t)i;
  x *= 0x9E3779B9u;
  x ^= (vuint)key;
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  x ^= x >> 16;
  return x >= (vuint)threshold ? (vfloat)scale : (vfloat)0;
}

CSIMD_INLINE float csimd_log(float x) { return __builtin_logf(x); }

// The best kernel level this processor can run: 4 for x86-64-v4, 3 for x86-64-v3, else 1.
CSIMD_INLINE int csimd_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512cd"))
    return 4;
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

// Tells the processor that this thread is waiting in a loop.
CSIMD_INLINE void csimd_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
