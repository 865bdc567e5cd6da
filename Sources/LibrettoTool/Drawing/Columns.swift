import Libretto
@preconcurrency import Platform

/// Prints a sentence; on a terminal its lines break between words.
func say(_ text: String) {
  print(Terminal.columns(of: STDOUT_FILENO).map(text.wrapped) ?? text)
}

/// Likewise on standard error.
func printError(_ text: String) {
  let text = SystemPath.shown(text)
  fputs((Terminal.columns(of: STDERR_FILENO).map(text.wrapped) ?? text) + "\n", stderr)
}

/// A name as a shell takes it.
func shellWord(_ name: String) -> String {
  let isPlain = name.utf8.allSatisfy {
    $0 >= 0x80 || $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A
      || "-_./+:@%,=".utf8.contains($0)
  }
  if isPlain && !name.isEmpty { return name }
  return "'"
    + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    + "'"
}

/// The name of a file in a command that is to be copied: not to be taken for an option.
func shellFile(_ path: String) -> String { shellWord(path.hasPrefix("-") ? "./" + path : path) }

extension Character {
  /// The columns it takes on a terminal: 2 for wide characters of East Asia (UAX #11) and emoji, 0
  /// for what joins the one before.
  var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    if unicodeScalars.contains(where: { $0.properties.isEmojiPresentation || $0 == "\u{FE0F}" }) {
      return 2
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1B000...0x1B2FB,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}

extension String {
  var columns: Int { reduce(0) { $0 + $1.columns } }

  func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - columns))
  }

  func paddedLeft(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - columns)) + self
  }

  /// As much of its beginning as fits.
  func cut(toColumns width: Int) -> String {
    var used = 0
    return String(
      prefix { character in
        used += character.columns
        return used <= width
      })
  }

  /// The text with line breaks in place of spaces, so that no line is wider than `width` unless a
  /// single word is. Lines keep their indentation.
  func wrapped(_ width: Int) -> String {
    split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let indent = String(line.prefix { $0 == " " })
      guard String(line).columns > width, indent.count < width / 2 else { return String(line) }
      var lines: [String] = []
      var current = indent
      for word in line.dropFirst(indent.count).split(
        separator: " ", omittingEmptySubsequences: false)
      {
        if current.columns + 1 + String(word).columns > width && current != indent {
          lines.append(current)
          current = indent
        }
        current += (current == indent ? "" : " ") + word
      }
      return (lines + [current]).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
