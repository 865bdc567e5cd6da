import Memory
import Sequences

/// The texts a host gave, before they become tokens. What is in files stays there until then, unless it
/// was to be converted.
final class TextMaterial {
  /// A stretch of text.
  struct Piece: BitwiseCopyable {
    /// Of a file, which one; -1 for text in memory.
    var file: Int32 = -1
    /// Where it begins: in its file, or among all text in memory.
    var start: Int
    var count: Int
    /// Whether it is the beginning and the end of what was added.
    var begins = true
    var ends = true
    /// Whether it is a source, a tab and a target.
    var isPair = false
    /// See `Labels`.
    var label: Int32 = 0
  }

  typealias Pieces = GrowableBuffer<Piece>

  private let training = Pieces()
  private let validation = Pieces()
  /// All text in memory, one after another.
  private let texts = GrowableBuffer<UInt8>()
  private let textFiles = TextFiles()
  /// The files, in the order they came, for a checkpoint to name.
  private(set) var files = FileList()
  /// Whether pieces are pairs, and whether each is a document of its own whatever the options say.
  private(set) var hasPairs = false
  private(set) var hasDocuments = false

  /// - `kind`: what to convert from; nil to take the bytes as they are. Of UTF-8 the byte order mark
  ///   is left out, and bytes that are not well-formed are kept.
  /// - `pieces`: what pieces it has.
  func add(
    file path: String, kind: TextKind? = nil, pieces: TextPieces = .whole, label: Label = Label(),
    validation isValidation: Bool
  ) throws(LibrettoError) {
    var piece: Piece
    if let kind, kind != .utf8 {
      piece = try convert(path, from: kind)
    } else {
      let (number, count) = try textFiles.add(path)
      let start = try kind.map { (kind) throws(LibrettoError) in
        try textFiles.markLength(of: number, kind)
      }
      piece = Piece(file: number, start: start ?? 0, count: count - (start ?? 0))
    }
    piece.label = label.number
    try add(piece, pieces, path, isValidation)
    try files.add(
      MaterialFile(
        path: path, validation: isValidation, kind: kind, pieces: pieces, label: label.name))
  }

  /// Adds a piece as it is, or cut into others.
  private func add(_ piece: Piece, _ pieces: TextPieces, _ path: String, _ isValidation: Bool)
    throws(LibrettoError)
  {
    switch pieces {
    case .whole: try add(piece, isValidation)
    case .lines, .pairs: try addLines(of: piece, arePairs: pieces == .pairs, path, isValidation)
    }
  }

  /// Adds each line of a piece that is not empty as a document of its own.
  ///
  /// - `path`: what errors call it.
  private func addLines(
    of piece: Piece, arePairs: Bool, _ path: String, _ isValidation: Bool
  ) throws(LibrettoError) {
    let pieces = Pieces()
    func add(_ line: TextLines.Line) throws(LibrettoError) {
      guard line.count > 0 else { return }
      if arePairs {
        guard let tab = line.tab, tab > 0 else {
          throw LibrettoError(
            .corpus,
            "\(path), line \(line.number): \(line.tab == nil ? "there is no tab" : "there is nothing before the tab"); expected a source, a tab and a target"
          )
        }
      }
      var document = piece
      (document.start, document.count) = (piece.start + line.start, line.count)
      document.isPair = arePairs
      try append(document, to: pieces)
    }
    var lines = TextLines()
    try eachBlock(of: piece) { (block) throws(LibrettoError) in
      try lines.read(block, add)
      return true
    }
    try lines.finish(add)
    for document in pieces.elements { try self.add(document, isValidation) }
    hasDocuments = true
    if arePairs { hasPairs = true }
  }

  private static let tab = UInt8(SourceWindow.tab)

  /// Adds a pair: a document of which the target alone is predicted.
  func add(
    pair source: UnsafeRawBufferPointer, _ target: UnsafeRawBufferPointer, label: Label,
    validation isValidation: Bool
  ) throws(LibrettoError) {
    guard !source.isEmpty, !source.contains(Self.tab) else {
      throw LibrettoError(
        .argument,
        "the source of a pair is empty or holds a tab, which ends it; expected text without tabs")
    }
    let start = texts.count
    try allocating { () throws(OutOfMemory) in
      try texts.reserve(source.count + 1 + target.count)
      try texts.append(contentsOf: source.assumingMemoryBound(to: UInt8.self))
      try texts.append(Self.tab)
      try texts.append(contentsOf: target.assumingMemoryBound(to: UInt8.self))
    }
    try add(
      Piece(start: start, count: texts.count - start, isPair: true, label: label.number),
      isValidation)
    (hasPairs, hasDocuments) = (true, true)
  }

  /// Keeps the text of a file as UTF-8.
  private func convert(_ path: String, from kind: TextKind) throws(LibrettoError) -> Piece {
    let start = texts.count
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      try kind.append(bytes, to: texts, name: path)
    }
    return Piece(start: start, count: texts.count - start)
  }

  func add(
    text: UnsafeRawBufferPointer, pieces: TextPieces = .whole, label: Label = Label(),
    validation isValidation: Bool
  ) throws(LibrettoError) {
    let start = texts.count
    try allocating { () throws(OutOfMemory) in
      try texts.append(contentsOf: text.assumingMemoryBound(to: UInt8.self))
    }
    try add(
      Piece(start: start, count: text.count, label: label.number), pieces, "the text", isValidation)
  }

  private func add(_ piece: Piece, _ isValidation: Bool) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try (isValidation ? validation : training).append(piece)
    }
  }

  /// What to train on, and what to validate with if there is no material for it: the last part of the
  /// training material, by bytes, or whole documents.
  func split(_ fraction: Double, documents: Bool) throws(LibrettoError)
    -> (training: Pieces, validation: Pieces)
  {
    let (training, validation) =
      documents ? (try filled(training), try filled(validation)) : (training, validation)
    guard validation.count == 0 else { return (training, validation) }
    if documents, let parts = try spread(fraction, over: training) { return parts }
    let total = training.elements.reduce(0) { $0 + $1.count }
    // The bytes that are left to train on.
    var left = total - Int(Double(total) * fraction)
    let parts = (training: Pieces(), validation: Pieces())
    for piece in training.elements {
      if left >= piece.count {
        try append(piece, to: parts.training)
      } else if left <= 0 {
        try append(piece, to: parts.validation)
      } else {
        var (first, rest) = (piece, piece)
        first.count = try boundary(of: piece, from: left)
        (rest.start, rest.count) = (piece.start + first.count, piece.count - first.count)
        (first.ends, rest.begins) = (false, false)
        try append(first, to: parts.training)
        try append(rest, to: parts.validation)
      }
      left -= piece.count
    }
    return parts
  }

  private func append(_ piece: Piece, to pieces: Pieces) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in try pieces.append(piece) }
  }

  /// The pieces that have any text.
  private func filled(_ pieces: Pieces) throws(LibrettoError) -> Pieces {
    let result = Pieces()
    for piece in pieces.elements where piece.count > 0 { try append(piece, to: result) }
    return result
  }

  /// Documents to train on and documents for validation; nil where they are too few for that.
  private func spread(_ fraction: Double, over documents: Pieces) throws(LibrettoError)
    -> (training: Pieces, validation: Pieces)?
  {
    let parts = (training: Pieces(), validation: Pieces())
    var spread = Spread(fraction)
    for document in documents.elements {
      let isHeld = spread.takes(document.count)
      try append(document, to: isHeld ? parts.validation : parts.training)
    }
    return parts.training.count > 0 && parts.validation.count > 0 ? parts : nil
  }

  /// The first place from `at` on that is not in the middle of a character.
  private func boundary(of piece: Piece, from at: Int) throws(LibrettoError) -> Int {
    var place = at
    let rest = Piece(file: piece.file, start: piece.start + at, count: piece.count - at)
    try eachBlock(of: rest) { block in
      for byte in block {
        if byte & 0xC0 != 0x80 { return false }
        place += 1
      }
      return true
    }
    return place
  }

  /// Hands on a piece in blocks of whole characters, as far as it has any, until the body says no.
  func eachBlock(
    of piece: Piece, _ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Bool
  ) throws(LibrettoError) {
    if piece.file >= 0 {
      try textFiles.eachBlock(
        of: piece.file, piece.start..<piece.start + piece.count, body)
    } else {
      var rest = UnsafeRawBufferPointer(texts.elements)[
        piece.start..<piece.start + piece.count]
      while !rest.isEmpty {
        let block = UnsafeRawBufferPointer(rebasing: rest.prefix(TextFiles.blockSize))
        let count = block.count < rest.count ? UTF8Text.wholeCharacters(block) : block.count
        guard try body(UnsafeRawBufferPointer(rebasing: block[..<count])) else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}
