// swift-tools-version: 6.2
import PackageDescription

/// One build of the kernel sources. The folders of the higher instruction sets hold links to the
/// sources in KernelsBaseline. Kernels are optimised in debug builds too: tests run them for long.
/// `features`: products of small formats that the instruction set has.
func kernels(_ name: String, _ architecture: String? = nil, features: [String] = []) -> Target {
  var settings: [SwiftSetting] = [.unsafeFlags(["-O"])]
  #if arch(x86_64)
    if let architecture { settings.append(.unsafeFlags(["-Xcc", "-march=\(architecture)"])) }
    settings += features.map { .define($0) }
  #endif
  return .target(name: name, dependencies: ["CSimd", "KernelTable"], swiftSettings: settings)
}

/// A module of the library. Checks for exclusive access are left to debug builds: they use
/// thread-local storage, which a plugin's first call on each thread would have to allocate.
func module(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude,
    swiftSettings: [
      .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ])
}

/// Tests of a target. Their reference implementations work number by number, which debug code makes slow.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: [.unsafeFlags(["-O"])])
}

let package = Package(
  name: "libretto",
  products: [
    .library(name: "retto", type: .dynamic, targets: ["LibrettoC"]),
    .library(name: "Libretto", targets: ["Libretto"]),
    .executable(name: "libretto", targets: ["LibrettoTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(
      name: "CLibretto", path: "Include", exclude: ["libretto.pc.in"], publicHeadersPath: "."),
    .target(name: "CSimd"),
    .target(name: "Platform"),
    .target(name: "KernelTable", dependencies: ["CSimd"], swiftSettings: [.unsafeFlags(["-O"])]),
    kernels("KernelsBaseline"),
    kernels("KernelsV3", "x86-64-v3"),
    kernels("KernelsV4", "x86-64-v4"),
    kernels("KernelsVNNI", "cascadelake", features: ["VNNI"]),
    kernels("KernelsBF16", "cooperlake", features: ["VNNI", "BF16"]),
    .target(
      name: "Kernels",
      dependencies: [
        "CSimd", "Platform", "KernelTable", "KernelsBaseline", "KernelsV3", "KernelsV4",
        "KernelsVNNI", "KernelsBF16",
      ],
      swiftSettings: [.unsafeFlags(["-O"])]),
    // What is inlined of it is built anew with it in the modules that name it.
    module("Memory", ["Platform"]),
    // KernelTable by name, though Kernels hands it on: what is inlined from it is then built anew with it.
    module("GRU", ["Platform", "Memory", "Kernels", "KernelTable", "CSimd"]),
    module("Sequences", ["Platform", "Memory"]),
    .target(name: "CSystem"),
    module("Libretto", ["Platform", "Memory", "GRU", "Sequences", "Kernels", "CSystem"]),
    .target(name: "CLibrary"),
    .target(name: "CVersion", dependencies: ["CLibretto"]),
    module(
      "LibrettoC",
      [
        "CLibretto", "CLibrary", "CVersion", "Platform", "Libretto", "Memory", "GRU", "Sequences",
        "Kernels",
      ],
      exclude: ["exports.map"]),
    .executableTarget(
      name: "LibrettoTool",
      dependencies: [
        "CVersion", "Platform", "Libretto", "Memory", "GRU", "Sequences", "Kernels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: [.unsafeFlags(["-O"])]),
    tests("MemoryTests", ["Memory"]),
    tests("KernelsTests", ["Kernels", "KernelTable", "CSimd", "TestSupport"]),
    tests("GRUTests", ["GRU", "Kernels", "Libretto", "TestSupport"]),
    tests("SequencesTests", ["Sequences", "TestSupport"]),
    .testTarget(
      name: "LibrettoTests", dependencies: ["Libretto", "Memory", "GRU", "Sequences", "Kernels"]),
  ]
)
