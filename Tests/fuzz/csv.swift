@testable import Libretto
@testable import Sequences

/// Whatever the bytes are, they are a table or a sentence; and what is a table can be learned from and comes back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  guard let table = try? SeriesFile.read(input) else { return 0 }
  claim(table.rows >= 1 && table.columns >= 1, "a table has rows and columns")
  for row in 0..<table.rows {
    for column in 0..<table.columns {
      claim(!table[row, column].isInfinite, "values are numbers or gaps")
    }
    claim(table.start == nil || row == 0 || table.time(row)! >= table.time(row - 1)!, "times rise")
  }
  guard table.rows <= 300, table.columns <= 4,
    let encoding = try? SeriesFit.encoding(table, rows: table.rows, season: nil, context: nil)
  else { return 0 }
  let again = try! Encodings.make(name: encoding.name, properties: encoding.properties)
  claim(again.series?.columns == encoding.columns, "properties build the encoding again")
  let reader = try! encoding.makeReader()
  var sides = [Int32](repeating: 0, count: encoding.ownSideInputs.count)
  for column in 0..<table.columns {
    reader.begin(
      SeriesFacts(column: Int32(column + 1), time: table.start, origin: table[0, column]))
    for row in 0..<table.rows {
      let token = reader.token(of: table[row, column])
      claim(token >= 1 && token < encoding.vocabularySize, "tokens are of the vocabulary")
      reader.advance(token, into: &sides)
      for (value, side) in zip(sides, encoding.ownSideInputs) {
        claim(value >= 0 && value < side.count, "side values are of their inputs")
      }
    }
    for token in encoding.valueTokens.prefix(3) {
      claim(reader.value(of: Int32(token)).isFinite, "values are numbers")
    }
  }
  return 0
}
