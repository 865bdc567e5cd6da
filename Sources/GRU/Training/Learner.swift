import CSimd
import Kernels

/// A network that learns: parameters, gradients, Adam's moments, the state carried from sequence to
/// sequence, and the threads that share its rows.
///
/// One training step is `gradients(inputs:targets:)`, then `update(rate:)`. Everything is a function
/// of the parameters, the seed, the step number and the number of threads; nothing is allocated
/// after `init`. One thread at a time may use it.
public final class Learner {
  public let shape: NetworkShape
  public let layout: ParameterLayout
  /// Sequences read in parallel, and time steps of each.
  public let batch: Int
  public let sequence: Int
  public var threads: Int { team.count }
  /// Whether it was made by another process, of which this one is a forked child: it cannot compute here.
  public var isOfAnotherProcess: Bool { team.isOfAnotherProcess }

  public let parameters: FloatBuffer
  /// Of the last step, after `gradients`, of all threads together.
  public var gradients: FloatBuffer { shares[0].gradients }
  /// Adam's moments, in the layout of the parameters.
  public let firstMoment: FloatBuffer
  public let secondMoment: FloatBuffer
  /// The hidden state of the whole batch, `[layers][batch][padded hidden]`.
  public let state: FloatBuffer
  /// Updates so far.
  public var updates = 0
  /// Adds up the gradients of this learner with those of others that take the same step, on other
  /// machines say; nil if there are none.
  public var others: (any GradientSum)?

  private let forward: ForwardWeights
  private let backward: BackwardWeights
  private let team: ThreadTeam
  private let shares: [Share]
  private let kernels: KernelTable
  private var stale = true

  /// What one thread works on.
  private final class Share {
    let batch: Range<Int>
    let unrolled: Unrolled
    let gradients: FloatBuffer
    let state: FloatBuffer
    var loss = 0.0
    var squares = 0.0

    init(batch: Range<Int>, unrolled: Unrolled, layout: ParameterLayout, stateCount: Int)
      throws(NetworkError)
    {
      self.batch = batch
      self.unrolled = unrolled
      gradients = try FloatBuffer(layout.count)
      state = try FloatBuffer(stateCount)
    }
  }

  /// - `batch`, `sequence`: at least 1. `threads`: at least 1; more than the batch has rows are not used.
  /// - `dropout`: the probability to drop a unit, from 0 to below 1.
  /// - `precision`: of the products; not int8.
  /// - `kernels`: of which instruction set; tests name one.
  public init(
    _ shape: NetworkShape, batch: Int, sequence: Int, threads: Int = 1, dropout: Float = 0,
    seed: UInt64 = 0, precision: Precision = .float32, kernels: KernelTable = .current
  ) throws(NetworkError) {
    precondition(precision != .int8)
    try shape.validate()
    self.shape = shape
    self.batch = batch
    self.sequence = sequence
    self.kernels = kernels
    layout = ParameterLayout(shape)
    parameters = try FloatBuffer(layout.count)
    firstMoment = try FloatBuffer(layout.count)
    secondMoment = try FloatBuffer(layout.count)
    state = try FloatBuffer(batch * shape.stateCount)
    forward = try ForwardWeights(shape, precision: precision, kernels: kernels)
    backward = try BackwardWeights(shape, precision: precision, kernels: kernels)
    let workers = max(1, min(threads, batch))
    team = try ThreadTeam(workers)
    var shares: [Share] = []
    for worker in 0..<workers {
      let mine = GRU.share(
        of: batch, worker: worker, workers: workers, multiple: batch >= 8 * workers ? 8 : 1)
      let drop =
        dropout > 0
        ? Dropout(
          probability: dropout, seed: seed, batch: batch, firstRow: mine.lowerBound) : nil
      let rows = mine.count * sequence
      shares.append(
        try Share(
          batch: mine,
          unrolled: try Unrolled(
            shape, batch: mine.count, sequence: sequence, dropout: drop, training: true,
            operands: max(forward.operandCount(rows: rows), backward.operandCount(rows: rows)),
            precision: precision, kernels: kernels),
          layout: layout, stateCount: mine.count * shape.stateCount))
    }
    self.shares = shares
  }

  /// To be called when `parameters` were changed from outside.
  public func parametersChanged() { stale = true }

  /// One sequence forward and backward. Gives the mean loss in nats per counted target; the gradients
  /// of that mean are in `gradients` and the carried state has moved on. With `others` the mean is over the
  /// targets of all; it is not a number if they could not be reached.
  ///
  /// - `inputs`, `targets`: `[sequence][batch]`, tokens below the vocabulary's size; a target of -1
  ///   does not count.
  /// - `sides`: `[sequence][batch][side inputs]`, each below the number of its values; nil if none is told.
  public func gradients(
    inputs: UnsafePointer<Int32>, targets: UnsafePointer<Int32>, sides: UnsafePointer<Int32>? = nil
  ) -> Double {
    refreshIfStale()
    var step = StepTotals(counted: count(targets))
    let drop = DropoutStep(number: UInt64(updates))
    // With others the mean is over the targets of all, which are known when all have counted theirs.
    let scale = others == nil ? 1 / Float(max(step.counted, 1)) : 1
    onTeam { share, _ in
      self.load(share, inputs, targets, sides, steps: sequence)
      share.gradients.clear()
      self.moveState(of: share, in: true)
      share.loss = share.unrolled.forward(
        forward, steps: sequence, state: share.state.pointer,
        stride: share.batch.count * shape.paddedHidden, scale: scale,
        drop: drop)
      self.moveState(of: share, in: false)
      share.unrolled.backward(
        backward, parameters: parameters.pointer, gradients: share.gradients.pointer,
        drop: drop)
    }
    step.loss = shares.reduce(0) { $0 + $1.loss }
    sumShares()
    if let others {
      guard
        others.sum(UnsafeMutableBufferPointer(start: gradients.pointer, count: layout.count), &step)
      else { return .nan }
      scaleGradients(by: 1 / Float(max(step.counted, 1)))
    }
    return step.loss / Double(max(step.counted, 1))
  }

  /// One sequence forward alone, without dropout: the sum of the losses of the counted targets.
  /// `steps` may be less than the sequence.
  public func evaluate(
    inputs: UnsafePointer<Int32>, targets: UnsafePointer<Int32>,
    sides: UnsafePointer<Int32>? = nil, steps: Int
  ) -> Double {
    refreshIfStale()
    onTeam { share, _ in
      self.load(share, inputs, targets, sides, steps: steps)
      self.moveState(of: share, in: true)
      share.loss = share.unrolled.forward(
        forward, steps: steps, state: share.state.pointer,
        stride: share.batch.count * shape.paddedHidden)
      self.moveState(of: share, in: false)
    }
    return shares.reduce(0) { $0 + $1.loss }
  }

  /// The norm of all gradients together.
  public var gradientNorm: Double { shares.reduce(0) { $0 + $1.squares }.squareRoot() }

  /// One step of Adam along `gradients`. Does nothing and gives false if their norm is not finite.
  ///
  /// - `clip`: the norm above which the gradient is scaled down to it.
  public func update(
    rate: Double, clip: Double = .infinity, decay: Double = 0, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8
  ) -> Bool {
    let norm = gradientNorm
    guard norm.isFinite else { return false }
    updates += 1
    let scale = norm > clip ? Float(clip / (norm + 1e-6)) : 1
    let first = 1 - power(beta1, updates)
    let second = 1 - power(beta2, updates)
    let own = gradients.pointer
    onTeam { _, worker in
      let range = GRU.share(of: layout.count, worker: worker, workers: team.count, multiple: 16)
      for tensor in layout.tensors {
        let padded = (tensor.count + 15) / 16 * 16
        let from = max(tensor.offset, range.lowerBound)
        let end = min(tensor.offset + padded, range.upperBound)
        guard from < end else { continue }
        var arguments = AdamArguments(
          count: end - from, gradientScale: scale, rate: Float(rate / first),
          correction: Float(1 / second.squareRoot()),
          keep: Float(tensor.decays ? 1 - rate * decay : 1), beta1: Float(beta1),
          beta2: Float(beta2), epsilon: Float(epsilon), gradient: own + from,
          parameter: parameters.pointer + from, first: firstMoment.pointer + from,
          second: secondMoment.pointer + from)
        kernels.adam(&arguments)
      }
    }
    refresh()
    return true
  }

  /// Sets the carried state of one row to zero.
  public func resetState(of row: Int) { state.clearState(of: row, batch: batch, shape) }

  private func onTeam(_ body: (Share, Int) -> Void) {
    let before = csimd_flush_denormals()
    team.run { body(shares[$0], $0) }
    csimd_restore_denormals(before)
  }

  private func refreshIfStale() { if stale { refresh() } }

  private func refresh() {
    onTeam { _, worker in
      forward.pack(parameters.pointer, worker: worker, of: team.count)
      backward.pack(parameters.pointer, worker: worker, of: team.count)
    }
    onTeam { _, worker in
      forward.fillTable(parameters.pointer, worker: worker, of: team.count)
    }
    stale = false
  }

  /// Adds every thread's gradients up into the first one's, each thread a range, always in the same
  /// order, and sums the squares on the way.
  private func sumShares() {
    onTeam { share, worker in
      let range = GRU.share(of: layout.count, worker: worker, workers: team.count, multiple: 16)
      let sum = shares[0].gradients.pointer + range.lowerBound
      for other in shares.dropFirst() {
        kernels.add(range.count, other.gradients.pointer + range.lowerBound, sum)
      }
      share.squares = kernels.sumOfSquares(range.count, sum)
    }
  }

  /// Multiplies the gradients, and sums their squares anew.
  private func scaleGradients(by factor: Float) {
    onTeam { share, worker in
      let range = GRU.share(of: layout.count, worker: worker, workers: team.count, multiple: 16)
      let own = gradients.pointer
      for i in range { own[i] *= factor }
      share.squares = kernels.sumOfSquares(range.count, own + range.lowerBound)
    }
  }

  private func count(_ targets: UnsafePointer<Int32>) -> Int {
    var counted = 0
    for i in 0..<sequence * batch where targets[i] >= 0 { counted += 1 }
    return counted
  }

  private func load(
    _ share: Share, _ inputs: UnsafePointer<Int32>, _ targets: UnsafePointer<Int32>,
    _ sides: UnsafePointer<Int32>?, steps: Int
  ) {
    let rows = share.batch.count
    for t in 0..<steps {
      let from = t * batch + share.batch.lowerBound
      (share.unrolled.inputs + t * rows).update(from: inputs + from, count: rows)
      (share.unrolled.targets + t * rows).update(from: targets + from, count: rows)
      share.unrolled.setSides(
        sides.map { $0 + from * shape.sides.count }, first: t * rows, rows: rows)
    }
  }

  private func moveState(of share: Share, in entering: Bool) {
    let h = shape.paddedHidden
    let count = share.batch.count * h
    for layer in 0..<shape.layers {
      let all = state.pointer + (layer * batch + share.batch.lowerBound) * h
      let own = share.state.pointer + layer * count
      if entering {
        own.update(from: all, count: count)
      } else {
        all.update(from: own, count: count)
      }
    }
  }
}

/// `base` to a whole power, by squaring: no library function, so the same on every machine.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var result = 1.0
  var square = base
  var rest = exponent
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
