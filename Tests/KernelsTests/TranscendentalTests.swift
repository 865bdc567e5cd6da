import Foundation
import Kernels
import Testing

/// exp, sigmoid and tanh against the C library in Double, in units of the last place of the rounded
/// result.
struct TranscendentalTests {
  enum Function: Int, CaseIterable {
    case exp, sigmoid, tanh

    func exact(_ x: Double) -> Double {
      switch self {
      case .exp: Foundation.exp(x)
      case .sigmoid: 1 / (1 + Foundation.exp(-x))
      case .tanh: Foundation.tanh(x)
      }
    }

    /// Whether the bound holds at x: the result, and what it is made of, are normal numbers.
    func isBound(_ x: Float) -> Bool {
      switch self {
      case .exp: -87.33654...88.37626 ~= x
      case .sigmoid: x >= -87.33654
      case .tanh: abs(x) > 2.5e-36
      }
    }
    /// What the source states.
    var bound: Double {
      switch self {
      case .exp: 2
      case .sigmoid: 4
      case .tanh: 7
      }
    }
  }

  static func apply(_ function: Function, _ set: InstructionSet, _ x: [Float]) -> [Float] {
    let padded = x + Array(repeating: 0, count: (16 - x.count % 16) % 16)
    var y = [Float](repeating: .nan, count: padded.count)
    set.kernels.transcendental(function.rawValue, padded.count, padded, &y)
    return Array(y[..<x.count])
  }

  /// Every exponent there is, with both signs, and an even sweep of where the functions bend.
  static let sweep: [Float] = {
    var x: [Float] = []
    for exponent in -126...7 {
      for step in 0..<256 {
        let value = Float(sign: .plus, exponent: exponent, significand: 1 + Float(step) / 256)
        x += [value.nextDown, value, -value, -value.nextUp]
      }
    }
    for step in -60_000...60_000 { x.append(Float(step) * (89 / 60_000)) }
    for step in -60_000...60_000 { x.append(Float(step) * (9 / 60_000)) }
    // The ends, and the worst a sweep of all floats found.
    return x + [
      0, -0.0, -87.33654, 88.37626, 7.905311, -7.905311, 5.7402925, -16.635704, 3.7372892,
    ]
  }()

  @Test(arguments: InstructionSet.available, Function.allCases)
  func unitsInTheLastPlace(set: InstructionSet, function: Function) {
    let x = Self.sweep.filter(function.isBound)
    let y = Self.apply(function, set, x)
    var worst = (error: 0.0, at: Float(0))
    for (x, y) in zip(x, y) {
      let rounded = Float(function.exact(Double(x)))
      let error = Double(abs(y - rounded) / rounded.ulp)
      if !(error <= worst.error) { worst = (error, x) }
    }
    #expect(worst.error <= function.bound, "at \(worst.at)")
  }

  @Test(arguments: InstructionSet.available)
  func notANumberStaysOne(set: InstructionSet) {
    for function in Function.allCases {
      #expect(Self.apply(function, set, [1, .nan, 2, -.nan])[1].isNaN)
      #expect(Self.apply(function, set, [1, .nan, 2, -.nan])[3].isNaN)
      #expect(Self.apply(function, set, [1, .nan, 2, -.nan])[2].isFinite)
    }
  }

  @Test(arguments: InstructionSet.available)
  func farOut(set: InstructionSet) {
    let far: [Float] = [.infinity, .greatestFiniteMagnitude, 1e10, 1000]
    let below: [Float] = [Float(-87.33654).nextDown, -87.4, -100]
    let exp = Self.apply(.exp, set, far.map(-) + below)
    #expect(exp.allSatisfy { $0 == 0 })
    let largest = Self.apply(.exp, set, [88.37626])[0]
    #expect(largest.isFinite)
    #expect(Self.apply(.exp, set, far).allSatisfy { $0 == largest })

    #expect(Self.apply(.sigmoid, set, far).allSatisfy { $0 == 1 })
    let nothing = Self.apply(.sigmoid, set, far.map(-))
    #expect(nothing.allSatisfy { $0 >= 0 && $0 < .leastNormalMagnitude })

    let one = Self.apply(.tanh, set, far)
    #expect(one.allSatisfy { $0 <= 1 && $0 > 1 - 3e-7 })
    #expect(Self.apply(.tanh, set, far.map(-)) == one.map(-))
    let small: [Float] = [0, 1e-45, 1e-38, -1e-37, 2e-36]
    #expect(zip(small, Self.apply(.tanh, set, small)).allSatisfy { abs($0 - $1) < 1e-42 })
  }
}
