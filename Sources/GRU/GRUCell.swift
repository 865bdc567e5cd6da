import Platform

/// What is a GRU's own: its gates, the shapes of its parameters, its state, and its equations (Cho et al. 2014,
/// in the form of cuDNN and PyTorch, where the reset gate is applied after the recurrent product).
///
/// For an input x and a state h, with σ(x) = 1 / (1 + exp(-x)) and ⊙ the product of each unit with each:
///
///     r  = σ(W_ir x + b_ir + W_hr h + b_hr)           reset
///     z  = σ(W_iz x + b_iz + W_hz h + b_hz)           update
///     n  = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))  candidate
///     h' = (1 - z) ⊙ n + z ⊙ h
///
/// and back, from the gradient dh' of the loss by h' (with a = W_hn h + b_hn):
///
///     dn = dh' ⊙ (1 - z) ⊙ (1 - n²)       of the sum inside tanh
///     dz = dh' ⊙ (h - n) ⊙ z ⊙ (1 - z)    of the sum inside σ
///     dr = dn ⊙ a ⊙ r ⊙ (1 - r)           of the sum inside σ
///     dh = dh' ⊙ z + W_hrᵀ dr + W_hzᵀ dz + W_hnᵀ (r ⊙ dn)
///     dx = W_irᵀ dr + W_izᵀ dz + W_inᵀ dn
///
/// The kernels `gruStep`, `gruForward` and `gruBackward` compute the same for vectors of units.
enum GRUCell {
  /// A layer's weights have a block of rows for each gate, and so have its biases.
  static let gates = 3

  /// In the order of the blocks in files and parameters, which is PyTorch's.
  enum Gate: Int { case reset, update, candidate }

  /// Numbers that a layer carries from one step to the next.
  static func stateSize(hidden: Int) -> Int { hidden }

  /// Moves a state on by one step: the equations as they are, for reading and for tests.
  ///
  /// - `input`, `recurrent`: W_i x + b_i and W_h h + b_h, of `gates * hidden` numbers each.
  static func step(input: [Double], recurrent: [Double], state: inout [Double]) {
    let hidden = state.count
    func sum(_ gate: Gate, _ sums: [Double], _ unit: Int) -> Double {
      sums[gate.rawValue * hidden + unit]
    }
    for i in 0..<hidden {
      let r = sigmoid(sum(.reset, input, i) + sum(.reset, recurrent, i))
      let z = sigmoid(sum(.update, input, i) + sum(.update, recurrent, i))
      let n = tanh(sum(.candidate, input, i) + r * sum(.candidate, recurrent, i))
      state[i] = (1 - z) * n + z * state[i]
    }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
