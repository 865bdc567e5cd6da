/// What somebody may have meant who wrote a name that does not exist.
enum Suggestions {
  /// "did you mean --temperature or --tempo?"; nil where no name is near.
  static func sentence(for word: String, among names: [String]) -> String? {
    let wanted = plain(word)
    guard !wanted.isEmpty else { return nil }
    let ranked = names.compactMap { name in distance(wanted, name).map { (name, $0) } }
    guard let best = ranked.map(\.1).min() else { return nil }
    let nearest = ranked.filter { $0.1 == best }.map(\.0).prefix(3)
    return "did you mean \(nearest.joined(separator: " or "))?"
  }

  /// How far a name is from what was written; nil for too far.
  private static func distance(_ wanted: String, _ name: String) -> Int? {
    let known = plain(name)
    let words = name.split(separator: "-").map(String.init)
    if wanted == known || wanted == String(words.compactMap(\.first)) && words.count > 1 {
      return 0
    }
    if wanted.count > 1 && known.hasPrefix(wanted) { return 1 }
    let changes = edits(Array(wanted), Array(known))
    // A third of the letters may be wrong.
    if changes <= max(1, min(wanted.count, known.count) / 3) { return 1 + changes }
    // Such as --batch-size and --num-layers.
    if known.count > 2 && (wanted.hasPrefix(known) || wanted.hasSuffix(known)) { return .max }
    return nil
  }

  private static func plain(_ word: String) -> String {
    word.lowercased().filter { $0 != "-" && $0 != "_" }
  }

  /// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
  private static func edits(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
          least = min(least, before[j - 1] + 1)
        }
        row.append(least)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}
