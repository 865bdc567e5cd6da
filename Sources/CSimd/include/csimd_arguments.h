// What kernels of many arguments are handed, by name. What the members mean is said where each kernel is
// defined, in Sources/KernelsBaseline.

#ifndef CSIMD_ARGUMENTS_H
#define CSIMD_ARGUMENTS_H

typedef struct ProductArguments {
  long numbers, rows, columns, depth;
  const float *_Nonnull left;
  long leftStride;
  const float *_Nonnull right;
  const float *_Nullable correction;
  const float *_Nullable bias;
  long accumulate;
  float *_Nonnull result;
  long resultStride;
  float *_Nullable tiles;
} ProductArguments;

typedef struct StreamStepArguments {
  long numbers, hidden, depth;
  const float *_Nonnull right;
  const float *_Nullable correction;
  const float *_Nonnull bias;
  const float *_Nullable below;
  const float *_Nullable inputRight;
  const float *_Nullable inputCorrection;
  const float *_Nonnull input;
  float *_Nonnull state;
  long direction;
  float *_Nonnull begun;
  float *_Nonnull scratch;
} StreamStepArguments;

typedef struct WeightGradientArguments {
  long numbers, m, n, depth;
  const float *_Nonnull left;
  long leftStride;
  const float *_Nonnull right;
  long rightStride;
  float *_Nonnull result;
  float *_Nonnull scratch;
} WeightGradientArguments;

typedef struct AdamArguments {
  long count;
  float gradientScale, rate, correction, keep, beta1, beta2, epsilon;
  const float *_Nonnull gradient;
  float *_Nonnull parameter;
  float *_Nonnull first;
  float *_Nonnull second;
} AdamArguments;

#endif
