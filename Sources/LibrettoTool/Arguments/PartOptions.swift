import ArgumentParser
import Sequences

/// What can be asked of the parts of a model of music that has them.
struct PartOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The parts of the piece, in their order: \(Instrument.names.joined(separator: ", ")), or programs of General MIDI, \
      0 to 127. (default: the model's choice)
      """, valueName: "instrument,..."))
  var parts: String?

  @Option(
    help: ArgumentHelp(
      "Play along to this music: its parts are kept as they are, and come first.",
      valueName: "in.mid"))
  var accompany: String?

  @Option(
    help: ArgumentHelp(
      """
      The parts of --accompany that are kept, by their numbers from 1 on or the names of their tracks; the others are \
      written anew. (default: all)
      """, valueName: "part,..."))
  var keep: String?

  @Option(
    help: ArgumentHelp(
      "The parts to add to --accompany, as --parts names them. (default: those that are not kept)",
      valueName: "instrument,..."))
  var add: String?

  /// Those that were given.
  var given: [String] {
    [
      ("--parts", parts != nil), ("--accompany", accompany != nil), ("--keep", keep != nil),
      ("--add", add != nil),
    ].filter(\.1).map(\.0)
  }

  func validate() throws {
    if let option = given.first(where: { $0 == "--keep" || $0 == "--add" }), accompany == nil {
      throw ValidationError("\(option) is for --accompany; name the file to play along to")
    }
    if parts != nil && accompany != nil {
      throw ValidationError(
        "--parts and --accompany cannot go together; use --add for the parts beside those of the file"
      )
    }
    _ = try parts.map { try Self.programs($0, "--parts") }
    _ = try add.map { try Self.programs($0, "--add") }
  }

  /// The programs that a list names.
  static func programs(_ list: String, _ option: String) throws -> [Int] {
    try list.split(separator: ",").map { name in
      let name = name.drop { $0 == " " }
      guard let program = Instrument.program(named: name) else {
        throw ValidationError(
          "\(option) names \"\(name)\"; expected \(Instrument.names.joined(separator: ", ")), or a program from 0 to 127"
        )
      }
      return program
    }
  }
}
