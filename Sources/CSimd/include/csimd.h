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

#include "csimd_arguments.h"
#include "csimd_processor.h"

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

// Four numbers of each of `height` rows (4, 8 or 12), written by columns: to[0..height - 1] is the
// first number of each row. Up to twelve floats after them are overwritten.
CSIMD_INLINE void vtranspose(float *_Nonnull to, long height, const float *_Nonnull rows,
                             long row_stride) {
  typedef float four __attribute__((ext_vector_type(4)));
  typedef four four_unaligned __attribute__((aligned(4), may_alias));
#if CSIMD_LANES == 16
  // Each part of four lanes is a square of its own: rows 0 to 3, 4 to 7, 8 to 11, and nothing. Of
  // rows that are not there the first ones take the place; what comes of it is written over.
#define CSIMD_ROW(i) (*(const four_unaligned *)(rows + ((i) < height ? (i) : (i) % 4) * row_stride))
#define CSIMD_ROWS(i)                                                                              \
  __builtin_shufflevector(                                                                         \
      __builtin_shufflevector(CSIMD_ROW(i), CSIMD_ROW((i) + 4), 0, 1, 2, 3, 4, 5, 6, 7),           \
      __builtin_shufflevector(CSIMD_ROW((i) + 8), CSIMD_ROW((i) + 8), 0, 1, 2, 3, -1, -1, -1, -1), \
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, -1)
#define CSIMD_LOW(x, y)                                                                            \
  __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define CSIMD_HIGH(x, y)                                                                           \
  __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define CSIMD_EVEN(x, y)                                                                           \
  __builtin_shufflevector(x, y, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define CSIMD_ODD(x, y)                                                                            \
  __builtin_shufflevector(x, y, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
  vfloat a = CSIMD_ROWS(0), b = CSIMD_ROWS(1), c = CSIMD_ROWS(2), d = CSIMD_ROWS(3);
  vfloat ab = CSIMD_LOW(a, b), cd = CSIMD_LOW(c, d);
  vstore(to, CSIMD_EVEN(ab, cd));
  vstore(to + height, CSIMD_ODD(ab, cd));
  ab = CSIMD_HIGH(a, b), cd = CSIMD_HIGH(c, d);
  vstore(to + 2 * height, CSIMD_EVEN(ab, cd));
  vstore(to + 3 * height, CSIMD_ODD(ab, cd));
#undef CSIMD_ROW
#undef CSIMD_ROWS
#undef CSIMD_LOW
#undef CSIMD_HIGH
#undef CSIMD_EVEN
#undef CSIMD_ODD
#else
#define CSIMD_ROW(i) (*(const four_unaligned *)(rows + (i) * row_stride))
  for (long row = 0; row < height; row += 4, rows += 4 * row_stride, to += 4) {
    four a = CSIMD_ROW(0), b = CSIMD_ROW(1), c = CSIMD_ROW(2), d = CSIMD_ROW(3);
    *(four_unaligned *)to = (four){a[0], b[0], c[0], d[0]};
    *(four_unaligned *)(to + height) = (four){a[1], b[1], c[1], d[1]};
    *(four_unaligned *)(to + 2 * height) = (four){a[2], b[2], c[2], d[2]};
    *(four_unaligned *)(to + 3 * height) = (four){a[3], b[3], c[3], d[3]};
  }
#undef CSIMD_ROW
#endif
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
// Halves as vectors: compared lane by lane in a loop they become some hundreds of cycles.
CSIMD_INLINE float vlargest(vfloat v) {
#define CSIMD_LARGER(x) ((x).hi > (x).lo ? (x).hi : (x).lo)
#if CSIMD_LANES == 16
  __auto_type eight = CSIMD_LARGER(v);
  __auto_type four = CSIMD_LARGER(eight);
#elif CSIMD_LANES == 8
  __auto_type four = CSIMD_LARGER(v);
#else
  vfloat four = v;
#endif
  __auto_type two = CSIMD_LARGER(four);
  return CSIMD_LARGER(two);
#undef CSIMD_LARGER
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

// ---- bfloat16: the upper half of a float32.

// The bits of float32 numbers rounded to bfloat16, to the nearest even: those of the upper half count.
// What is not a number stays so. For unsigned vectors of any length.
#define CSIMD_ROUND_BFLOAT16(bits)                                                                 \
  (((bits) & 0x7FFFFFFFu) > 0x7F800000u ? (bits) | 0x00400000u                                     \
                                        : (bits) + 0x7FFFu + (((bits) >> 16) & 1u))

// x rounded to bfloat16, as a float32 whose lower half is 0.
CSIMD_INLINE vfloat vround_bfloat16(vfloat x) {
  typedef uint32_t vuint __attribute__((ext_vector_type(CSIMD_LANES)));
  vuint bits = (vuint)x;
  return (vfloat)(CSIMD_ROUND_BFLOAT16(bits) & 0xFFFF0000u);
}

#if defined(__AVX512BF16__)
// The processor multiplies and adds pairs.
#define CSIMD_BFLOAT16_WORDS 1
CSIMD_INLINE vfloat vbfloat16_dot(vfloat sum, vfloat x, vfloat w) {
  typedef __bf16 pairs __attribute__((__vector_size__(64)));
  typedef float floats __attribute__((__vector_size__(64)));
  return (vfloat)__builtin_ia32_dpbf16ps_512((floats)sum, (pairs)x, (pairs)w);
}
// Rounds a vector to operands: two to a word.
CSIMD_INLINE void vbfloat16_store(float *_Nonnull to, vfloat x) {
  typedef uint16_t halves __attribute__((ext_vector_type(CSIMD_LANES)));
  typedef halves halves_unaligned __attribute__((aligned(2), may_alias));
  vint bits = (vint)vround_bfloat16(x) >> 16;
  *(halves_unaligned *)to = __builtin_convertvector(bits, halves);
}
#else
// Without such instructions the two halves of a cell are float32 numbers of their own.
#define CSIMD_BFLOAT16_WORDS 2
CSIMD_INLINE vfloat vbfloat16_even(vfloat cells) { return (vfloat)((vint)cells << 16); }
CSIMD_INLINE vfloat vbfloat16_odd(vfloat cells) {
  return (vfloat)((vint)cells & (vint)(int32_t)0xFFFF0000);
}
CSIMD_INLINE void vbfloat16_store(float *_Nonnull to, vfloat x) {
  vstore(to, vround_bfloat16(x));
}
#endif

// Makes a vector of cells from two rows; the second may be missing.
CSIMD_INLINE void vbfloat16_pack(float *_Nonnull to, const float *_Nonnull even,
                                 const float *_Nullable odd) {
  vint low = (vint)vround_bfloat16(vload(even));
  vint high = odd ? (vint)vround_bfloat16(vload(odd)) : (vint)0;
  vstore(to, (vfloat)(((low >> 16) & 0xFFFF) | high));
}

// The two rows of a vector that vbfloat16_pack made, as float32.
CSIMD_INLINE vfloat vbfloat16_first(vfloat packed) { return (vfloat)((vint)packed << 16); }
CSIMD_INLINE vfloat vbfloat16_second(vfloat packed) {
  return (vfloat)((vint)packed & (vint)(int32_t)0xFFFF0000);
}

// Makes the operands of twelve columns of two rows; the second may be missing.
CSIMD_INLINE void vbfloat16_operands12(float *_Nonnull to, const float *_Nonnull even,
                                       const float *_Nullable odd) {
  typedef uint32_t four __attribute__((ext_vector_type(4)));
  typedef four four_unaligned __attribute__((aligned(4), may_alias));
  for (int part = 0; part < 12; part += 4) {
    four x = *(const four_unaligned *)(even + part);
    four y = odd ? *(const four_unaligned *)(odd + part) : (four)0;
    x = CSIMD_ROUND_BFLOAT16(x);
    y = CSIMD_ROUND_BFLOAT16(y);
#if CSIMD_BFLOAT16_WORDS == 1
    *(four_unaligned *)(to + part) = (x >> 16) | (y & 0xFFFF0000u);
#else
    for (int i = 0; i < 4; i++) {
      ((uint32_t *)to)[2 * (part + i)] = x[i] & 0xFFFF0000u;
      ((uint32_t *)to)[2 * (part + i) + 1] = y[i] & 0xFFFF0000u;
    }
#endif
  }
}

// ---- int8.

// x * 127 to the nearest whole number, from -127 to 127.
CSIMD_INLINE vint vquantize(vfloat x) {
  const vfloat one = (vfloat)1.0f, magic = (vfloat)12582912.0f; // 1.5 * 2^23: the rest is rounded off
  vfloat y = vmax(vmin(x, one), -one) * (vfloat)127.0f + magic;
  return (vint)y - (vint)magic;
}

CSIMD_INLINE vfloat vfrom_int(vint x) { return __builtin_convertvector(x, vfloat); }

#if defined(__AVX512VNNI__)
#define CSIMD_INT8_WORDS 1
// sum + four products per lane, of unsigned bytes of x and signed bytes of w.
CSIMD_INLINE vint vint8_dot(vint sum, vint x, vint w) {
  typedef int ints __attribute__((__vector_size__(64)));
  return (vint)__builtin_ia32_vpdpbusd512((ints)sum, (ints)x, (ints)w);
}
// Rounds a vector to operands: four to a word, and 128 more than they should be.
CSIMD_INLINE void vint8_store(float *_Nonnull to, vfloat x) {
  typedef uint8_t bytes __attribute__((ext_vector_type(CSIMD_LANES)));
  typedef bytes bytes_unaligned __attribute__((aligned(1), may_alias));
  *(bytes_unaligned *)to = __builtin_convertvector(vquantize(x) + 128, bytes);
}
#else
#define CSIMD_INT8_WORDS 2
typedef int16_t vshort __attribute__((ext_vector_type(2 * CSIMD_LANES)));
// Signed bytes from memory, half a vector of them, as 16-bit numbers.
CSIMD_INLINE vshort vwiden(const float *_Nonnull p) {
  typedef int8_t bytes __attribute__((ext_vector_type(2 * CSIMD_LANES)));
  typedef bytes bytes_unaligned __attribute__((aligned(1), may_alias));
  return __builtin_convertvector(*(const bytes_unaligned *)p, vshort);
}
// Four 16-bit numbers from memory, again and again.
CSIMD_INLINE vshort vsplat_four(const float *_Nonnull p) {
  typedef int64_t fours __attribute__((ext_vector_type(CSIMD_LANES / 2)));
  typedef int64_t four __attribute__((aligned(4), may_alias));
  return (vshort)(fours)(*(const four *)p);
}
// a[0] * b[0] + a[1] * b[1], a[2] * b[2] + a[3] * b[3], ...
CSIMD_INLINE vint vmultiply_pairs(vshort a, vshort b) {
#if defined(__AVX512BW__)
  typedef short shorts __attribute__((__vector_size__(64)));
  return (vint)__builtin_ia32_pmaddwd512((shorts)a, (shorts)b);
#elif defined(__AVX2__)
  typedef short shorts __attribute__((__vector_size__(32)));
  return (vint)__builtin_ia32_pmaddwd256((shorts)a, (shorts)b);
#elif defined(__SSE2__)
  typedef short shorts __attribute__((__vector_size__(16)));
  return (vint)__builtin_ia32_pmaddwd128((shorts)a, (shorts)b);
#else
  vint result;
  for (int i = 0; i < CSIMD_LANES; i++)
    result[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return result;
#endif
}
// a[0] + a[1], a[2] + a[3], ..., b[0] + b[1], ...
CSIMD_INLINE vint vadd_neighbours(vint a, vint b) {
  vint result;
  for (int i = 0; i < CSIMD_LANES / 2; i++) {
    result[i] = a[2 * i] + a[2 * i + 1];
    result[i + CSIMD_LANES / 2] = b[2 * i] + b[2 * i + 1];
  }
  return result;
}
// Rounds a vector to operands: two to a word.
CSIMD_INLINE void vint8_store(float *_Nonnull to, vfloat x) {
  typedef int16_t shorts __attribute__((ext_vector_type(CSIMD_LANES)));
  typedef shorts shorts_unaligned __attribute__((aligned(2), may_alias));
  *(shorts_unaligned *)to = __builtin_convertvector(vquantize(x), shorts);
}
#endif

CSIMD_INLINE float csimd_log(float x) { return __builtin_logf(x); }

#endif
