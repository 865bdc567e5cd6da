import CSimd

/// The kernels of one instruction set, as C function pointers: a call costs what a C call costs.
///
/// The kernels are one set of sources (Sources/KernelsBaseline) built once for each instruction set;
/// each build fills in this table. What a kernel does, and what its arguments are, is documented
/// where it is defined.
public struct KernelTable: @unchecked Sendable {
  public typealias Floats = UnsafePointer<Float>
  public typealias Mutable = UnsafeMutablePointer<Float>
  public typealias Indices = UnsafePointer<Int32>

  public typealias Product = @convention(c) (UnsafePointer<ProductArguments>) -> Void
  public typealias GruForward =
    @convention(c) (Int, Int, Floats, Floats, Floats, Int, Indices?, Mutable, Mutable?) -> Void
  public typealias StreamStep = @convention(c) (UnsafePointer<StreamStepArguments>) -> Void
  public typealias Operands = @convention(c) (Int, Int, Int, Floats, Int, Mutable) -> Int
  public typealias GruBackward =
    @convention(c) (Int, Int, Mutable, Floats, Floats, Mutable, Mutable) -> Void
  public typealias WeightGradient =
    @convention(c) (UnsafePointer<WeightGradientArguments>) -> Void
  public typealias CrossEntropy =
    @convention(c) (Int, Int, Int, Mutable, Indices, Float, Mutable) -> Void
  public typealias ExpNormalized = @convention(c) (Int, Float, Floats, Mutable) -> Float
  public typealias BlockSums = @convention(c) (Int, Float, Floats, Mutable) -> Void
  public typealias CountAtLeast = @convention(c) (Int, Float, Floats) -> Int
  public typealias Add = @convention(c) (Int, Floats, Mutable) -> Void
  public typealias SumOfSquares = @convention(c) (Int, Floats) -> Double
  public typealias ColumnSums = @convention(c) (Int, Int, Floats, Int, Mutable) -> Void
  public typealias ScatterAdd =
    @convention(c) (Int, Int, Floats, Int, Indices, Int, Mutable) -> Void
  public typealias GatherSum =
    @convention(c) (Int, Int, Floats, Indices, Int, Mutable, Int) -> Void
  public typealias PackRow = @convention(c) (Int, Floats, Mutable) -> Void
  public typealias Dropout =
    @convention(c) (Int, UInt32, UInt32, UInt32, Float, Floats, Mutable) -> Void
  public typealias Adam = @convention(c) (UnsafePointer<AdamArguments>) -> Void
  public typealias Transcendental = @convention(c) (Int, Int, Floats, Mutable) -> Void

  public let product: Product
  public let gruForward: GruForward
  public let streamStep: StreamStep
  public let operands: Operands
  public let gruBackward: GruBackward
  public let weightGradient: WeightGradient
  public let crossEntropy: CrossEntropy
  public let expNormalized: ExpNormalized
  public let blockSums: BlockSums
  public let countAtLeast: CountAtLeast
  public let add: Add
  public let sumOfSquares: SumOfSquares
  public let columnSums: ColumnSums
  public let scatterAdd: ScatterAdd
  public let gatherSum: GatherSum
  public let packRow: PackRow
  public let gatherSumPacked: GatherSum
  public let dropout: Dropout
  public let adam: Adam
  public let transcendental: Transcendental

  public init(
    product: @escaping Product,
    gruForward: @escaping GruForward,
    streamStep: @escaping StreamStep,
    operands: @escaping Operands,
    gruBackward: @escaping GruBackward,
    weightGradient: @escaping WeightGradient,
    crossEntropy: @escaping CrossEntropy,
    expNormalized: @escaping ExpNormalized,
    blockSums: @escaping BlockSums,
    countAtLeast: @escaping CountAtLeast,
    add: @escaping Add,
    sumOfSquares: @escaping SumOfSquares,
    columnSums: @escaping ColumnSums,
    scatterAdd: @escaping ScatterAdd,
    gatherSum: @escaping GatherSum,
    packRow: @escaping PackRow,
    gatherSumPacked: @escaping GatherSum,
    dropout: @escaping Dropout,
    adam: @escaping Adam,
    transcendental: @escaping Transcendental
  ) {
    self.product = product
    self.gruForward = gruForward
    self.streamStep = streamStep
    self.operands = operands
    self.gruBackward = gruBackward
    self.weightGradient = weightGradient
    self.crossEntropy = crossEntropy
    self.expNormalized = expNormalized
    self.blockSums = blockSums
    self.countAtLeast = countAtLeast
    self.add = add
    self.sumOfSquares = sumOfSquares
    self.columnSums = columnSums
    self.scatterAdd = scatterAdd
    self.gatherSum = gatherSum
    self.packRow = packRow
    self.gatherSumPacked = gatherSumPacked
    self.dropout = dropout
    self.adam = adam
    self.transcendental = transcendental
  }
}
