import CSimd
import KernelTable

// One step of one layer for one stream, which reads half of the recurrent weight.
//
// A token of one stream takes as long as the weights take to be read. The weight from unit k to unit j
// is needed for this step, times the state of k before it, and for the next one, times the new state of
// k. A step that goes through the units upwards has both for every k below j, so it needs such a weight
// for two steps but once; one that goes through them downwards has both for every k above j. The steps
// take turns: each finds the sums over one side begun by the step before, reads the weights of the other
// side, and begins that side of the next step with them.
//
// Units go in blocks of 32, which are a panel of each gate. The weights of a block to itself are read in
// every step. A sum is (below + above) + (own + bias) whichever way the steps go and whether or not it
// was begun, so the result is the same to the last bit.
//
// W_ih of a layer that stands on another is read in the same order, block by block: what the end of a
// step leaves in the second-level cache is what the next one begins with. If it is more than such a
// cache holds, little of it would be there, and it is read as it lies in memory instead, which is faster.
//
// - `numbers`: in a cell, as in `product`. In bfloat16 and int8 the state is rounded for the products
//   alone.
// - `hidden`: units, padded to a multiple of 32.
// - `depth`: cells of it, as in `product`; of both weights.
// - `right`, `correction`: W_hh, as in `product`, with 3 * hidden columns.
// - `bias`: what is added to W_hh h, `[3 * hidden]`.
// - `below`: the new state of the layer below, `[hidden]`; nil if there is none.
// - `inputRight`, `inputCorrection`: W_ih, likewise; nil if there is no layer below.
// - `input`: the input's share of the gates, biases included, `[x_r][x_z][x_n]`; if there is a layer
//   below, the biases alone.
// - `state`: h, `[hidden]`; replaced by h'.
// - `direction`: 1 is upwards, after a step downwards; -1 is downwards, after a step upwards; 0 is upwards
//   with nothing begun.
// - `begun`: `KernelTable.begunSums` floats, the sums begun by the step before; replaced by those for the
//   next.
// - `scratch`: `KernelTable.streamStepRoom` floats.
public func streamStep(_ arguments: UnsafePointer<StreamStepArguments>) {
  let a = arguments.pointee
  switch a.numbers {
  case 1:
    StreamStep<InFloat32>(a.hidden, a.depth, a.right, nil, a.bias, a.begun, a.scratch)
      .run(a.direction, a.below, a.inputRight, nil, a.input, a.state)
  case 2:
    StreamStep<InBfloat16>(a.hidden, a.depth, a.right, nil, a.bias, a.begun, a.scratch)
      .run(a.direction, a.below, a.inputRight, nil, a.input, a.state)
  default:
    StreamStep<InInt8>(a.hidden, a.depth, a.right, a.correction, a.bias, a.begun, a.scratch)
      .run(a.direction, a.below, a.inputRight, a.inputCorrection, a.input, a.state)
  }
}

/// Floats of W_ih that are read block by block: as many as the second-level cache of a core of these
/// years holds.
private let mostInterleaved = 1 << 18

private struct StreamStep<A: Arithmetic> {
  let hidden, depth: Int
  let right: UnsafePointer<Float>
  let correction: UnsafePointer<Float>?
  let bias: UnsafePointer<Float>
  let begun: UnsafeMutablePointer<Float>
  /// Three rows of so many words: h, as much of h' as there is, and h' of the layer below.
  let operands: UnsafeMutablePointer<Float>
  let words: Int
  /// W_hh h of a block of units: 32 of each gate.
  let sums: UnsafeMutablePointer<Float>
  /// The input's share of the gates, if it is a product: `[3 * hidden]`.
  let shares: UnsafeMutablePointer<Float>

  @inline(__always)
  init(
    _ hidden: Int, _ depth: Int, _ right: UnsafePointer<Float>,
    _ correction: UnsafePointer<Float>?, _ bias: UnsafePointer<Float>,
    _ begun: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    self.hidden = hidden
    self.depth = depth
    self.right = right
    self.correction = correction
    self.bias = bias
    self.begun = begun
    operands = scratch
    words = hidden / A.numbers * A.words
    sums = scratch + 3 * words
    shares = sums + 3 * 32
  }

  @inline(__always)
  func run(
    _ direction: Int, _ below: UnsafePointer<Float>?, _ inputRight: UnsafePointer<Float>?,
    _ inputCorrection: UnsafePointer<Float>?, _ input: UnsafePointer<Float>,
    _ state: UnsafeMutablePointer<Float>
  ) {
    putOperands(A.self, 1, hidden, state, 0, operands)
    if let below { putOperands(A.self, 1, hidden, below, 0, operands + 2 * words) }
    // Units whose input is multiplied at a time.
    let together = 3 * hidden * depth <= mostInterleaved ? 32 : hidden
    for done in stride(from: 0, to: hidden, by: 32) {
      let unit = direction < 0 ? hidden - 32 - done : done
      if let inputRight, done % together == 0 {
        let first = direction < 0 ? unit + 32 - together : unit
        multiplyInput(first..<first + together, inputRight, inputCorrection, input)
      }
      let own = cell(of: unit)..<cell(of: unit + 32)
      let below = 0..<own.lowerBound
      let above = own.upperBound..<depth
      for gate in 0..<3 {
        for inner in stride(from: 0, to: 32, by: 2 * lanes) {
          sum(
            gate * hidden + unit, inner, own: own, read: direction < 0 ? above : below,
            missing: direction == 0 ? above : nil, into: sums + (gate * 32 + inner))
        }
      }
      let x = inputRight == nil ? input : UnsafePointer(shares)
      for inner in stride(from: 0, to: 32, by: lanes) {
        let i = unit + inner
        let (_, z, n, _) = gates(sums + inner, 32, x + i, hidden)
        let next = mixed(z, n, vload(state + i))
        vstore(state + i, next)
        A.put(operands + (words + i / A.numbers * A.words), next)
      }
    }
  }

  /// The input's share of the gates of some units.
  @inline(__always)
  private func multiplyInput(
    _ units: Range<Int>, _ right: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
    _ bias: UnsafePointer<Float>
  ) {
    let left = Left<A>(base: operands + 2 * words, rowStride: 0, step: A.words)
    for gate in 0..<3 {
      for unit in stride(from: units.lowerBound, to: units.upperBound, by: 2 * lanes) {
        let column = gate * hidden + unit
        let a = columns(column, bias, correction)
        let b = columns(column + lanes, bias, correction)
        var sum = Pair<A>(A.start(a), A.start(b))
        sum.add(depth, left, right + (column / 32 * 32 * depth + column % 32))
        vstore(shares + column, A.value(sum.a, a))
        vstore(shares + (column + lanes), A.value(sum.b, b))
      }
    }
  }

  /// The cell of the depth that begins with a unit.
  @inline(__always)
  private func cell(of unit: Int) -> Int { min(unit / A.numbers, depth) }

  /// Sums up two vectors of columns, those from `inner` on of the panel that begins with `column`.
  ///
  /// - `own`: the cells of the block itself. `read`: those of one side, which count twice.
  /// - `missing`: those of the other side, unless the sums over them were begun.
  @inline(__always)
  private func sum(
    _ column: Int, _ inner: Int, own: Range<Int>, read: Range<Int>, missing: Range<Int>?,
    into result: UnsafeMutablePointer<Float>
  ) {
    let w = right + (column * depth + inner)
    let left = Left<A>(base: operands, rowStride: words, step: A.words)
    let zero = Pair<A>(A.zero, A.zero)
    var both = Tile<A, 2>(zero)
    both.add(read.count, left.from(cell: read.lowerBound), w + read.lowerBound * 32)

    let kept = begun + (column + inner) * A.vectors
    var side = zero
    if let missing {
      var one = Tile<A, 1>(zero)
      one.add(missing.count, left.from(cell: missing.lowerBound), w + missing.lowerBound * 32)
      side = one.rows[0]
    } else {
      side = Pair(A.load(kept), A.load(kept + lanes * A.vectors))
    }
    A.store(kept, both.rows[1].a)
    A.store(kept + lanes * A.vectors, both.rows[1].b)

    let a = columns(column + inner, bias, correction)
    let b = columns(column + inner + lanes, bias, correction)
    var ownSum = Pair<A>(A.start(a), A.start(b))
    ownSum.add(own.count, left.from(cell: own.lowerBound), w + own.lowerBound * 32)
    let whole = both.rows[0].merged(side).merged(ownSum)
    vstore(result, A.value(whole.a, a))
    vstore(result + lanes, A.value(whole.b, b))
  }

  @inline(__always)
  private func columns(
    _ first: Int, _ bias: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?
  ) -> Columns {
    Columns(bias: bias + first, correction: correction, count: 3 * hidden, first: first)
  }
}
