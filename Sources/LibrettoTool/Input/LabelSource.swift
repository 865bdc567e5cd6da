import Libretto

/// Where the labels of files come from.
enum LabelSource {
  /// The name of the folder a file lies in.
  case folder
  /// The name of the file, without its ending.
  case name
  /// A table of files and labels, by the names of files as they stand there.
  case table([String: String], path: String)

  static let help = """
    Where each file's label comes from: folder, the name of the folder it lies in; name, its own name without the \
    ending; or a CSV file with lines of FILE,LABEL.
    """

  init(_ text: String) throws {
    switch text {
    case "folder": self = .folder
    case "name": self = .name
    default: self = .table(try Self.read(text), path: text)
    }
  }

  /// nil if a file has none.
  func label(of path: String) -> String? {
    let parts = resolved(path).split(separator: "/").map(String.init)
    switch self {
    case .folder: return parts.dropLast().last
    case .name: return parts.last.map(stem)
    case .table(let labels, _):
      // By as much of the path as the table names.
      for start in parts.indices {
        if let label = labels[parts[start...].joined(separator: "/")] { return label }
      }
      return nil
    }
  }

  private static func read(_ path: String) throws -> [String: String] {
    guard FileName.suffix(path) == "csv" else {
      throw Failure(
        "--label-from is \(path); expected folder, name, or a CSV file, whose name ends in .csv",
        code: 64)
    }
    var labels: [String: String] = [:]
    try orFail { () throws(LibrettoError) in
      try FileContents.read(path) { (bytes) throws(LibrettoError) in
        var number = 0
        for line in CSV.rows(String(decoding: bytes, as: UTF8.self)) {
          number += 1
          if line.count == 1 && line[0].isEmpty { continue }
          guard line.count >= 2, !line[0].isEmpty else {
            throw LibrettoError(
              .format, "\(path), line \(number): there is no comma; expected FILE,LABEL")
          }
          // A file is called by any of the ends of its path.
          let name = line[0].split(separator: "/").filter { $0 != "." }.joined(separator: "/")
          labels[name] = line[1]
        }
      }
    }
    return labels
  }
}

/// Tables of comma-separated values (RFC 4180).
enum CSV {
  static func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var (row, field): ([String], String) = ([], "")
    var (isQuoted, wasQuote) = (false, false)
    for character in text.unicodeScalars {
      if isQuoted {
        if character == "\"" {
          (isQuoted, wasQuote) = (false, true)
        } else {
          field.unicodeScalars.append(character)
        }
        continue
      }
      let afterQuote = wasQuote
      wasQuote = false
      switch character {
      case "\"" where field.isEmpty && !afterQuote: isQuoted = true
      case "\"" where afterQuote:
        // Two quotes inside quotes are one.
        field.unicodeScalars.append(character)
        isQuoted = true
      case ",":
        row.append(field)
        field = ""
      case "\n":
        row.append(field)
        rows.append(row)
        (row, field) = ([], "")
      case "\r": break
      default: field.unicodeScalars.append(character)
      }
    }
    if !field.isEmpty || !row.isEmpty {
      row.append(field)
      rows.append(row)
    }
    return rows
  }
}
