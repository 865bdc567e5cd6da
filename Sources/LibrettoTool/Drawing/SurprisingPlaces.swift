/// The most surprising places of a file, at most one of each group: a line, a bar or a second.
struct SurprisingPlaces {
  private let wanted: Int
  /// By falling surprise.
  private var places: [(bits: Double, text: (place: String, what: String))] = []
  /// The most surprising place of the present group.
  private var best: (bits: Double, text: (place: String, what: String))?
  private var group = 0

  init(_ wanted: Int) { self.wanted = wanted }

  /// Whether a place is one to keep; groups come one after the other.
  mutating func wants(_ bits: Double, group: Int) -> Bool {
    if group != self.group { close() }
    self.group = group
    let least = places.count < wanted ? 0 : places.last?.bits ?? .infinity
    return bits > max(least, best?.bits ?? 0)
  }

  mutating func keep(_ bits: Double, _ place: String, _ what: String) {
    best = (bits, (place, what))
  }

  private mutating func close() {
    guard let place = best else { return }
    best = nil
    places.insert(place, at: places.firstIndex { $0.bits < place.bits } ?? places.count)
    if places.count > wanted { places.removeLast() }
  }

  /// Prints what there is.
  mutating func show() {
    close()
    guard !places.isEmpty else { return }
    print("The most surprising places:")
    let width = places.map(\.text.place.count).max() ?? 0
    for (bits, text) in places {
      print(
        "  \(text.place.padded(width))  \(fixed(bits, 1).paddedLeft(5)) bits  \(text.what)")
    }
  }
}
