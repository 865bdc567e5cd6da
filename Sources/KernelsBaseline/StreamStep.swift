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
// - `numbers`: in a cell, as in `product`. In bfloat16 and int8 the state is rounded for the products
//   alone.
// - `hidden`: units, padded to a multiple of 32.
// - `depth`, `right`, `correction`: W_hh, as in `product`, with 3 * hidden columns.
// - `bias`: what is added to W_hh h, `[3 * hidden]`.
// - `input`: the input's share of the gates, biases included, `[x_r][x_z][x_n]`.
// - `state`: h, `[hidden]`; replaced by h'.
// - `direction`: 1 is upwards, after a step downwards; -1 is downwards, after a step upwards; 0 is upwards
//   with nothing begun.
// - `begun`: `KernelTable.begunSums` floats, the sums begun by the step before; replaced by those for the
//   next.
// - `scratch`: `KernelTable.streamStepRoom` floats.
public func streamStep(
  numbers: Int, hidden: Int, depth: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>,
  input: UnsafePointer<Float>, state: UnsafeMutablePointer<Float>, direction: Int,
  begun: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  switch numbers {
  case 1:
    StreamStep<InFloat32>(hidden, depth, right, nil, bias, begun, scratch)
      .run(direction, input, state)
  case 2:
    StreamStep<InBfloat16>(hidden, depth, right, nil, bias, begun, scratch)
      .run(direction, input, state)
  default:
    StreamStep<InInt8>(hidden, depth, right, correction, bias, begun, scratch)
      .run(direction, input, state)
  }
}

private struct StreamStep<A: Arithmetic> {
  let hidden, depth: Int
  let right: UnsafePointer<Float>
  let correction: UnsafePointer<Float>?
  let bias: UnsafePointer<Float>
  let begun: UnsafeMutablePointer<Float>
  /// The state in two rows of so many words: h, and as much of h' as there is.
  let operands: UnsafeMutablePointer<Float>
  let words: Int
  /// W_hh h of a block of units: 32 of each gate.
  let sums: UnsafeMutablePointer<Float>

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
    sums = scratch + 2 * words
  }

  @inline(__always)
  func run(
    _ direction: Int, _ input: UnsafePointer<Float>, _ state: UnsafeMutablePointer<Float>
  ) {
    putOperands(A.self, 1, hidden, state, 0, operands)
    for done in stride(from: 0, to: hidden, by: 32) {
      let unit = direction < 0 ? hidden - 32 - done : done
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
      for inner in stride(from: 0, to: 32, by: lanes) {
        let i = unit + inner
        let (_, z, n, _) = gates(sums + inner, 32, input + i, hidden)
        let next = mixed(z, n, vload(state + i))
        vstore(state + i, next)
        A.put(operands + (words + i / A.numbers * A.words), next)
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

    let (a, b) = (columns(column + inner), columns(column + inner + lanes))
    var ownSum = Pair<A>(A.start(a), A.start(b))
    ownSum.add(own.count, left.from(cell: own.lowerBound), w + own.lowerBound * 32)
    let whole = both.rows[0].merged(side).merged(ownSum)
    vstore(result, A.value(whole.a, a))
    vstore(result + lanes, A.value(whole.b, b))
  }

  @inline(__always)
  private func columns(_ first: Int) -> Columns {
    Columns(bias: bias + first, correction: correction, count: 3 * hidden, first: first)
  }
}
