/// Round numbers inside a range, about so many.
func ticks(_ from: Double, _ to: Double, _ count: Int) -> [Double] {
  let rough = (to - from) / Double(count)
  var unit = 1.0
  while unit > rough { unit /= 10 }
  while unit * 10 <= rough { unit *= 10 }
  let step = unit * ([1.0, 2, 5, 10].first { unit * $0 >= rough } ?? 10)
  var result: [Double] = []
  var value = (from / step).rounded(.up) * step
  while value <= to + step * 1e-9 {
    result.append(value)
    value += step
  }
  return result
}
