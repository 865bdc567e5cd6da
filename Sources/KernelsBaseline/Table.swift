import KernelTable

/// The kernels as built for this module's instruction set.
public func kernelTable() -> KernelTable {
  KernelTable(
    product: product,
    productBfloat16: productBfloat16,
    productInt8: productInt8,
    gruForward: gruForward,
    streamStep: streamStep,
    streamStepBfloat16: streamStepBfloat16,
    streamStepInt8: streamStepInt8,
    bfloat16Operands: bfloat16Operands,
    int8Operands: int8Operands,
    bfloat16Words: InBfloat16.words,
    int8Words: InInt8.words,
    gruBackward: gruBackward,
    weightGradient: weightGradient,
    weightGradientBfloat16: weightGradientBfloat16,
    crossEntropy: crossEntropy,
    expNormalized: expNormalized,
    blockSums: blockSums,
    countAtLeast: countAtLeast,
    add: add,
    sumOfSquares: sumOfSquares,
    columnSums: columnSums,
    scatterAdd: scatterAdd,
    dropout: dropout,
    adam: adam,
    transcendental: transcendental)
}
