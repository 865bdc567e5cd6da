/// The kernels of one instruction set, as C function pointers: a call costs what a C call costs.
///
/// The kernels are one set of sources (Sources/KernelsBaseline) built once for each instruction set;
/// each build fills in this table. What a kernel does, and what its arguments are, is documented
/// where it is defined.
public struct KernelTable: @unchecked Sendable {
  public typealias Floats = UnsafePointer<Float>
  public typealias Mutable = UnsafeMutablePointer<Float>
  public typealias Indices = UnsafePointer<Int32>

  public typealias Product =
    @convention(c) (
      Int, Int, Int, Floats, Int, Floats, Floats?, Floats?, Int, Mutable, Int, Mutable?
    ) -> Void
  public typealias GruForward =
    @convention(c) (Int, Int, Floats, Floats, Floats, Int, Indices?, Mutable, Mutable?) -> Void
  public typealias StreamStep =
    @convention(c) (
      Int, Int, Floats, Floats?, Floats, Floats, Mutable, Int, Mutable, Mutable
    ) -> Void
  public typealias Operands = @convention(c) (Int, Int, Floats, Int, Mutable) -> Void
  public typealias GruBackward =
    @convention(c) (Int, Int, Mutable, Floats, Floats, Mutable, Mutable) -> Void
  public typealias WeightGradient =
    @convention(c) (Int, Int, Int, Floats, Int, Floats, Int, Mutable, Mutable) -> Void
  public typealias CrossEntropy =
    @convention(c) (Int, Int, Int, Mutable, Indices, Float, Mutable) -> Void
  public typealias ExpNormalized = @convention(c) (Int, Float, Floats, Mutable) -> Float
  public typealias BlockSums = @convention(c) (Int, Float, Floats, Mutable) -> Void
  public typealias CountAtLeast = @convention(c) (Int, Float, Floats) -> Int
  public typealias Add = @convention(c) (Int, Floats, Mutable) -> Void
  public typealias SumOfSquares = @convention(c) (Int, Floats) -> Double
  public typealias ColumnSums = @convention(c) (Int, Int, Floats, Int, Mutable) -> Void
  public typealias ScatterAdd = @convention(c) (Int, Int, Floats, Int, Indices, Mutable) -> Void
  public typealias Dropout =
    @convention(c) (Int, UInt32, UInt32, UInt32, Float, Floats, Mutable) -> Void
  public typealias Adam =
    @convention(c) (
      Int, Float, Float, Float, Float, Float, Float, Float, Floats, Mutable, Mutable, Mutable
    ) -> Void
  public typealias Transcendental = @convention(c) (Int, Int, Floats, Mutable) -> Void

  public let product: Product
  public let productBfloat16: Product
  public let productInt8: Product
  public let gruForward: GruForward
  public let streamStep: StreamStep
  public let streamStepBfloat16: StreamStep
  public let streamStepInt8: StreamStep
  public let bfloat16Operands: Operands
  public let int8Operands: Operands
  /// Words of four bytes that two bfloat16 and four int8 operands take.
  public let bfloat16Words: Int
  public let int8Words: Int
  public let gruBackward: GruBackward
  public let weightGradient: WeightGradient
  public let weightGradientBfloat16: WeightGradient
  public let crossEntropy: CrossEntropy
  public let expNormalized: ExpNormalized
  public let blockSums: BlockSums
  public let countAtLeast: CountAtLeast
  public let add: Add
  public let sumOfSquares: SumOfSquares
  public let columnSums: ColumnSums
  public let scatterAdd: ScatterAdd
  public let dropout: Dropout
  public let adam: Adam
  public let transcendental: Transcendental

  public init(
    product: @escaping Product,
    productBfloat16: @escaping Product,
    productInt8: @escaping Product,
    gruForward: @escaping GruForward,
    streamStep: @escaping StreamStep,
    streamStepBfloat16: @escaping StreamStep,
    streamStepInt8: @escaping StreamStep,
    bfloat16Operands: @escaping Operands,
    int8Operands: @escaping Operands,
    bfloat16Words: Int,
    int8Words: Int,
    gruBackward: @escaping GruBackward,
    weightGradient: @escaping WeightGradient,
    weightGradientBfloat16: @escaping WeightGradient,
    crossEntropy: @escaping CrossEntropy,
    expNormalized: @escaping ExpNormalized,
    blockSums: @escaping BlockSums,
    countAtLeast: @escaping CountAtLeast,
    add: @escaping Add,
    sumOfSquares: @escaping SumOfSquares,
    columnSums: @escaping ColumnSums,
    scatterAdd: @escaping ScatterAdd,
    dropout: @escaping Dropout,
    adam: @escaping Adam,
    transcendental: @escaping Transcendental
  ) {
    self.product = product
    self.productBfloat16 = productBfloat16
    self.productInt8 = productInt8
    self.gruForward = gruForward
    self.streamStep = streamStep
    self.streamStepBfloat16 = streamStepBfloat16
    self.streamStepInt8 = streamStepInt8
    self.bfloat16Operands = bfloat16Operands
    self.int8Operands = int8Operands
    self.bfloat16Words = bfloat16Words
    self.int8Words = int8Words
    self.gruBackward = gruBackward
    self.weightGradient = weightGradient
    self.weightGradientBfloat16 = weightGradientBfloat16
    self.crossEntropy = crossEntropy
    self.expNormalized = expNormalized
    self.blockSums = blockSums
    self.countAtLeast = countAtLeast
    self.add = add
    self.sumOfSquares = sumOfSquares
    self.columnSums = columnSums
    self.scatterAdd = scatterAdd
    self.dropout = dropout
    self.adam = adam
    self.transcendental = transcendental
  }
}
