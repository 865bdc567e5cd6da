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
    }
  }
}

extension MusicEncoding {
  /// What to say of a file's time signatures.
  func remarks(on file: MIDIFile, name: String) throws(LibrettoError) -> [MaterialRemark] {
    let faults = try allocating { () throws(OutOfMemory) in try timeSignatureFaults(file) }
    return faults.doubted.map {
      MaterialRemark(kind: .doubtedTimeSignature, file: name, timeSignature: $0)
    }
      + faults.unknown.map {
        MaterialRemark(kind: .unknownTimeSignature, file: name, timeSignature: $0)
      }
  }
}
