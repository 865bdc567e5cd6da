import Sequences

/// How the learning rate goes over a run.
enum LearningRateSchedule: String {
  /// Constant, then down to zero in a straight line, from `coolDownStart` of the run on or from where the validation
  /// loss stalls. At equal time it gave a lower
  /// loss than the cosine on all corpora it was measured on (RESULTS.md); and since nothing before the cool-down
  /// depends on the end, it can begin as soon as a network overfits.
  case coolDown = "cool-down"
  /// Half a cosine down to a twentieth (Loshchilov & Hutter 2017): that of checkpoints that name no schedule.
  case cosine

  /// Where the cool-down begins.
  static let coolDownStart = 0.4

  /// The share of the highest rate, warm-up apart.
  ///
  /// - `fraction`: how much of the run is over, from 0 to 1.
  /// - `start`: where the cool-down begins.
  func share(_ fraction: Double, coolDownStart start: Double = coolDownStart) -> Double {
    switch self {
    case .coolDown: min(1, (1 - fraction) / (1 - start))
    case .cosine: 0.05 + 0.95 * 0.5 * (1 + Libretto.cosine(.pi * fraction))
    }
  }
}
