import Libretto
import Sequences

/// Where a piece of music goes: to a MIDI file, as sound to a WAV file, or both.
struct MusicOutput {
  private let midi, wav: String?

  var paths: [String] { [midi, wav].compactMap { $0 } }

  /// - `usual`: the file's name if none is asked for.
  /// - `number`: that of a variation, which goes into the names.
  init(_ options: MusicOptions, usual: String, number: Int?) {
    func numbered(_ path: String) -> String {
      number.map { FileName.numbered(path, $0) } ?? path
    }
    let output = options.output.map(numbered) ?? usual
    let isSound = FileName.sound.contains(FileName.suffix(output))
    midi = isSound ? nil : output
    wav = isSound ? output : options.wav.map(numbered)
  }

  /// What renders the sound, if there is to be some; throws if that is missing.
  func renderer(_ options: MusicOptions) throws -> Listening.Renderer? {
    try wav.map { try Listening.Renderer(for: $0, soundfont: options.soundfont) }
  }

  /// Writes the files and shows the music.
  func write(_ sample: MusicSample, _ renderer: Listening.Renderer?) throws {
    let bytes = sample.file.write()
    if let midi { try writeFile(midi, bytes) }
    if let wav, let renderer { try Self.render(bytes, renderer, wav) }
    sample.show(Outputs.name(midi ?? wav ?? ""))
    if let wav, midi != nil { print("\(Outputs.name(wav)): the same as sound") }
    Terminal.flush()
  }

  /// Says how to hear what is not sound yet.
  func advise() {
    if let midi, midi != "-", wav == nil { print(Listening.advice(midi)) }
  }

  private static func render(_ midi: [UInt8], _ renderer: Listening.Renderer, _ path: String) throws
  {
    let sound = try renderer.render(midi)
    if path == "-" { return try sound.write { try StandardOutput.write($0) } }
    try orFail { () throws(LibrettoError) in
      try replaceFile(path) { (out) throws(LibrettoError) in
        try sound.write(to: { (bytes) throws(LibrettoError) in try out.write(bytes) })
      }
    }
  }
}
