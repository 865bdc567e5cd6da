import Memory
import Sequences

/// The bytes of a CSV file as a table; `name` is what errors call it.
package func readSeries(_ bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError)
  -> SeriesTable
{
  do throws(SeriesFileError) { return try SeriesFile.read(bytes) } catch {
    switch error {
    case .invalid(let sentence): throw LibrettoError(.format, "\(name): \(sentence)")
    case .outOfMemory(let error): throw LibrettoError(error)
    }
  }
}

extension SeriesTable {
  /// The columns of these names; `name` is what errors call the table.
  package func choosing(_ columns: [String], name: String) throws(LibrettoError) -> SeriesTable {
    var places: [Int] = []
    for column in columns {
      guard let place = names.firstIndex(of: column) else {
        throw LibrettoError(
          .argument, "\(name) has no column \"\(printable(column))\"; it has \(shown(names))")
      }
      guard !places.contains(place) else {
        throw LibrettoError(
          .argument, "the column \"\(printable(column))\" is named twice; name it once")
      }
      places.append(place)
    }
    let chosen = places
    return try allocating { () throws(OutOfMemory) in try choosing(chosen) }
  }
}

/// A CSV file as a table.
package func readSeries(path: String) throws(LibrettoError) -> SeriesTable {
  try FileContents.read(path) { (bytes) throws(LibrettoError) in
    try readSeries(bytes, name: path)
  }
}
