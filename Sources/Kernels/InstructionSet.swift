import CSimd
import KernelsBaseline
import Platform

@_exported import struct KernelTable.KernelTable

#if arch(x86_64)
  import KernelsV3
  import KernelsV4
  import KernelsVNNI
  import KernelsBF16
#endif

/// Which of the builds of the kernels is in use.
public enum InstructionSet: Int, Sendable, CaseIterable {
  /// What every processor of the architecture has: SSE2, or NEON.
  case baseline = 1
  /// x86-64-v3: AVX2 and FMA.
  case v3 = 3
  /// x86-64-v4: AVX-512.
  case v4 = 4
  /// The same with products of int8 (AVX512-VNNI).
  case vnni = 5
  /// The same with products of bfloat16 too (AVX512-BF16).
  case bf16 = 6

  public var name: String {
    switch self {
    case .baseline: "baseline"
    case .v3: "x86-64-v3"
    case .v4: "x86-64-v4"
    case .vnni: "x86-64-v4+vnni"
    case .bf16: "x86-64-v4+bf16"
    }
  }

  /// Whether products of bfloat16 are faster than those of float32.
  public var hasBfloat16: Bool { self == .bf16 }

  /// Those this processor can run, the best one last.
  public static var available: [InstructionSet] {
    let level = Int(csimd_level())
    return allCases.filter { $0.rawValue <= level }
  }

  /// The one every network of this process uses: the best one, or a lower one that the environment
  /// variable `LIBRETTO_ISA` names (`baseline`, `v3`, `v4`, `vnni` or `bf16`; what this processor
  /// lacks, and any other value, counts as not set). Chosen once, at first use.
  public static let current = wanted.flatMap(named) ?? available.last!

  /// What `LIBRETTO_ISA` says; nil if it is not set.
  public static var wanted: String? { getenv("LIBRETTO_ISA").map { String(cString: $0) } }

  /// The one this processor can run whose name ends so.
  public static func named(_ ending: String) -> InstructionSet? {
    available.last { $0.name.hasSuffix(ending) }
  }

  /// The end of its name that tells it from the others: what `LIBRETTO_ISA` calls it.
  public var shortName: String { String(name.split { $0 == "-" || $0 == "+" }.last!) }

  /// The kernels built for it; it must be among those `available`.
  public var kernels: KernelTable {
    #if arch(x86_64)
      switch self {
      case .bf16: KernelsBF16.kernelTable()
      case .vnni: KernelsVNNI.kernelTable()
      case .v4: KernelsV4.kernelTable()
      case .v3: KernelsV3.kernelTable()
      case .baseline: KernelsBaseline.kernelTable()
      }
    #else
      KernelsBaseline.kernelTable()
    #endif
  }
}

extension KernelTable {
  /// The kernels of `InstructionSet.current`.
  public static let current = InstructionSet.current.kernels
}
