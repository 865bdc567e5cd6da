import KernelTable

/// The kernels as built for this module's instruction set.
public func kernelTable() -> KernelTable {
  KernelTable(
    product: product,
    gruForward: gruForward,
    streamStep: streamStep,
    operands: operands,
    gruBackward: gruBackward,
    weightGradient: weightGradient,
    crossEntropy: crossEntropy,
    expNormalized: expNormalized,
    blockSums: blockSums,
    countAtLeast: countAtLeast,
    add: add,
    sumOfSquares: sumOfSquares,
    columnSums: columnSums,
    scatterAdd: scatterAdd,
    gatherSum: gatherSum,
    packRow: packRow,
    gatherSumPacked: gatherSumPacked,
    dropout: dropout,
    adam: adam,
    transcendental: transcendental)
}
