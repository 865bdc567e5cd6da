import CSimd

/// How many steps of the depth are packed and multiplied at a time: a panel of the right side
/// (128 x 32 floats, 16 KiB) then stays in the first-level cache.
private let block = 128

/// Floats from a tile of `depth` cells of eight words to the next: one line more than it takes, or all
/// tiles would fall on the same few places of the first-level cache while they are packed.
@inline(__always)
private func tileStride(_ depth: Int, words: Int = 1) -> Int { 8 * words * depth + 16 }

/// The gradient of a weight matrix: `result[m][n] += sum over k of left[k][m] * right[k][n]`.
///
/// - `left`: `[depth][leftStride]`, of which `m` columns count: gradients of a layer's outputs.
/// - `right`: `[depth][rightStride]`, of which `n` columns count: the layer's inputs.
/// - `result`: `[m][n]`, rows `n` floats apart.
/// - `scratch`: room for 130 * (m rounded up to 8) + 128 * 32 + 8 * 32 floats.
public func weightGradient(
  m: Int, n: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, rightStride: Int,
  result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let panel = scratch
  let edge = panel + block * 32
  let tiles = edge + 8 * 32
  for start in stride(from: 0, to: depth, by: block) {
    let steps = min(block, depth - start)
    packLeft(m, steps, left + start * leftStride, leftStride, tiles)
    for column in stride(from: 0, to: n, by: 32) {
      let width = min(32, n - column)
      packRight(width, steps, right + start * rightStride + column, rightStride, panel)
      for row in stride(from: 0, to: m, by: 8) {
        let height = min(8, m - row)
        let tile = tiles + row / 8 * tileStride(steps)
        if width == 32 && height == 8 {
          accumulate(InFloat32.self, steps, tile, panel, result + row * n + column, n)
        } else {
          edge.update(repeating: 0, count: 8 * 32)
          accumulate(InFloat32.self, steps, tile, panel, edge, 32)
          for i in 0..<height {
            for j in 0..<width { result[(row + i) * n + column + j] += edge[i * 32 + j] }
          }
        }
      }
    }
  }
}

/// The same with both sides rounded to bfloat16. Rows of `left` and `right` go on with zeros, or what
/// may be read, up to a multiple of 32 columns.
public func weightGradientBfloat16(
  m: Int, n: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, rightStride: Int,
  result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let panel = scratch
  let edge = panel + block * 32
  let tiles = edge + 8 * 32
  let words = InBfloat16.words
  for start in stride(from: 0, to: depth, by: block) {
    let steps = min(block, depth - start)
    let cells = (steps + 1) / 2
    let left = left + start * leftStride
    let right = right + start * rightStride
    for k in 0..<cells {
      let even = left + 2 * k * leftStride
      let odd = 2 * k + 1 < steps ? even + leftStride : nil
      for row in stride(from: 0, to: m, by: 8) {
        vbfloat16_operands8(
          tiles + row / 8 * tileStride(cells, words: words) + k * 8 * words, even + row,
          odd.map { $0 + row })
      }
    }
    for column in stride(from: 0, to: n, by: 32) {
      for k in 0..<cells {
        let even = right + (2 * k * rightStride + column)
        let odd = 2 * k + 1 < steps ? even + rightStride : nil
        for j in stride(from: 0, to: 32, by: lanes) {
          vbfloat16_pack(panel + k * 32 + j, even + j, odd.map { $0 + j })
        }
      }
      for row in stride(from: 0, to: m, by: 8) {
        let tile = tiles + row / 8 * tileStride(cells, words: words)
        if column + 32 <= n && row + 8 <= m {
          accumulate(InBfloat16.self, cells, tile, panel, result + row * n + column, n)
        } else {
          edge.update(repeating: 0, count: 8 * 32)
          accumulate(InBfloat16.self, cells, tile, panel, edge, 32)
          for i in 0..<min(8, m - row) {
            for j in 0..<min(32, n - column) {
              result[(row + i) * n + column + j] += edge[i * 32 + j]
            }
          }
        }
      }
    }
  }
}

/// `[steps][stride]` to tiles of eight columns, `[m / 8][steps][8]`, the last one filled with 0.
@inline(__always)
private func packLeft(
  _ m: Int, _ steps: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ tiles: UnsafeMutablePointer<Float>
) {
  for k in 0..<steps {
    let from = source + k * stride
    var row = 0
    while row + 8 <= m {
      let to = tiles + row / 8 * tileStride(steps) + k * 8
      UnsafeMutableRawPointer(to).copyMemory(from: from + row, byteCount: 32)
      row += 8
    }
    if row < m {
      let to = tiles + row / 8 * tileStride(steps) + k * 8
      for i in 0..<8 { to[i] = row + i < m ? from[row + i] : 0 }
    }
  }
}

/// `width` columns to a panel of 32, filled with 0.
@inline(__always)
private func packRight(
  _ width: Int, _ steps: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ panel: UnsafeMutablePointer<Float>
) {
  for k in 0..<steps {
    let from = source + k * stride
    let to = panel + k * 32
    if width == 32 {
      UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: 128)
    } else {
      for j in 0..<32 { to[j] = j < width ? from[j] : 0 }
    }
  }
}

/// Adds an 8 x 32 block of the product to the result.
@inline(__always)
private func accumulate<A: Arithmetic>(
  _: A.Type, _ depth: Int, _ tile: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
  _ c: UnsafeMutablePointer<Float>, _ stride: Int
) where A.Sum == vfloat {
  for inner in Swift.stride(from: 0, to: 32, by: 2 * lanes) {
    let w = panel + inner
    let c = c + inner
    for row in 0..<8 { csimd_prefetch(c + (row + 8) * stride) }
    if manyRegisters {
      let left = Left<A>(base: tile, rowStride: A.words, step: 8 * A.words)
      var c0 = Pair<A>(c), c1 = Pair<A>(c + stride)
      var c2 = Pair<A>(c + 2 * stride), c3 = Pair<A>(c + 3 * stride)
      var c4 = Pair<A>(c + 4 * stride), c5 = Pair<A>(c + 5 * stride)
      var c6 = Pair<A>(c + 6 * stride), c7 = Pair<A>(c + 7 * stride)
      multiply(depth, left, w, 32, &c0, &c1, &c2, &c3, &c4, &c5, &c6, &c7)
      c0.store(c)
      c1.store(c + stride)
      c2.store(c + 2 * stride)
      c3.store(c + 3 * stride)
      c4.store(c + 4 * stride)
      c5.store(c + 5 * stride)
      c6.store(c + 6 * stride)
      c7.store(c + 7 * stride)
    } else {
      for half in 0..<2 {
        let left = Left<A>(base: tile + 4 * half * A.words, rowStride: A.words, step: 8 * A.words)
        let c = c + 4 * half * stride
        var c0 = Pair<A>(c), c1 = Pair<A>(c + stride)
        var c2 = Pair<A>(c + 2 * stride), c3 = Pair<A>(c + 3 * stride)
        multiply(depth, left, w, 32, &c0, &c1, &c2, &c3)
        c0.store(c)
        c1.store(c + stride)
        c2.store(c + 2 * stride)
        c3.store(c + 3 * stride)
      }
    }
  }
}

extension Pair where A.Sum == vfloat {
  @inline(__always)
  fileprivate init(_ p: UnsafePointer<Float>) { self.init(vload(p), vload(p + lanes)) }

  @inline(__always)
  fileprivate func store(_ p: UnsafeMutablePointer<Float>) {
    vstore(p, a)
    vstore(p + lanes, b)
  }
}
