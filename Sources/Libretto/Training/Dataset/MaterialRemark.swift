import Memory
import Sequences

/// Something about a file of the material that a person should know, though it is learned from.
public final class MaterialRemark: Sendable {
  public enum Kind: Equatable, Sendable {
    /// The encoding has no token for a time signature of the file.
    case unknownTimeSignature
    /// Notes and tempo contradict a time signature of the file.
    case doubtedTimeSignature
    /// The file has no notes that the encoding can represent: nothing is learned from it.
    case nothingToLearn
    /// Of tracks no part is made: they hold no notes.
    case emptyTracks(Int)
    /// Parts are left out: they have no notes that can be written, those of another part, or are beyond the most.
    case unwrittenParts(Int)
    case doubledParts(Int)
    case tooManyParts(Int)
  }

  public let kind: Kind
  public let file: String
  /// The time signature, such as "11/8"; empty if the kind is of none.
  public let timeSignature: String

  init(kind: Kind, file: String, timeSignature: String = "") {
    (self.kind, self.file, self.timeSignature) = (kind, file, timeSignature)
  }

  /// One sentence: where it was found, and `reason`.
  public var message: String { "\(file): \(reason)" }

  /// What was found, and what was made of it: the same for all files of which the same is to be said.
  public var reason: String {
    switch kind {
    case .unknownTimeSignature:
      "the encoding cannot represent the time signature \(timeSignature); bars are counted by the one before, at first 4/4"
    case .doubtedTimeSignature:
      "the time signature \(timeSignature) is ignored, because notes last longer than such a bar; bars are counted by the one before, at first 4/4"
    case .nothingToLearn:
      "no notes that the encoding can represent; nothing is learned from it"
    case .emptyTracks(let count):
      "\(Self.counted(count, "track has", "tracks have")) no notes; no part is made of \(count == 1 ? "it" : "them")"
    case .unwrittenParts(let count):
      "\(Self.counted(count, "part has", "parts have")) no notes that the encoding can represent, and \(Self.isLeftOut(count))"
    case .doubledParts(let count):
      "\(Self.counted(count, "part has", "parts have")) the same notes as another, and \(Self.isLeftOut(count))"
    case .tooManyParts(let count):
      "\(Self.counted(count, "part is", "parts are")) beyond the 15 with pitches that a piece can have, and \(Self.isLeftOut(count))"
    }
  }

  private static func counted(_ count: Int, _ one: String, _ more: String) -> String {
    "\(count) \(count == 1 ? one : more)"
  }
  private static func isLeftOut(_ count: Int) -> String {
    count == 1 ? "is left out" : "are left out"
  }
}

extension MusicEncoding {
  /// What to say of a file's time signatures and parts.
  func remarks(on file: MIDIFile, name: String) throws(LibrettoError) -> [MaterialRemark] {
    let (faults, parts) = try allocating { () throws(OutOfMemory) in
      (try timeSignatureFaults(file), try partsLeftOut(file))
    }
    let kinds: [(MaterialRemark.Kind, Int)] = [
      (.emptyTracks(parts.emptyTracks), parts.emptyTracks),
      (.unwrittenParts(parts.unwritten), parts.unwritten),
      (.doubledParts(parts.doubled), parts.doubled),
      (.tooManyParts(parts.tooMany), parts.tooMany),
    ]
    return kinds.filter { $0.1 > 0 }.map { MaterialRemark(kind: $0.0, file: name) }
      + faults.doubted.map {
        MaterialRemark(kind: .doubtedTimeSignature, file: name, timeSignature: $0)
      }
      + faults.unknown.map {
        MaterialRemark(kind: .unknownTimeSignature, file: name, timeSignature: $0)
      }
  }
}
