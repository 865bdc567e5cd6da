/// The largest difference, over the largest reference value; infinite where a number is none.
public func relativeError(_ values: [Float], _ reference: [Double]) -> Double {
  guard values.count == reference.count else { return .infinity }
  var difference = 0.0
  var largest = Double.leastNormalMagnitude
  for (value, wanted) in zip(values, reference) {
    let apart = abs(Double(value) - wanted)
    guard apart.isFinite else { return .infinity }
    difference = max(difference, apart)
    largest = max(largest, abs(wanted))
  }
  return difference / largest
}
