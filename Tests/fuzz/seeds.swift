import GRU
import Platform
import Sequences

@testable import Libretto

/// Writes the corpus of the other targets again, after a change of a format: Tests/fuzz/run 1 seeds
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  try! models()
  try! checkpoints()
  try! snapshots()
  texts()
  documents()
  midiFiles()
  mendedMIDIFiles()
  _exit(0)
}

private func keep(_ target: String, _ name: String, _ bytes: [UInt8]) {
  let path = "Tests/fuzz/corpus/\(target)/\(name)"
  let file = fopen(path, "w")!
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

private func keep(_ target: String, _ name: String, _ text: String) {
  keep(target, name, Array(text.utf8))
}

/// What `write` saves, without the length of its header, its padding and its data.
private func header(_ write: (String) throws -> Void) throws -> (text: String, whole: [UInt8]) {
  let path = "/tmp/libretto-seed-\(getpid())"
  try write(path)
  defer { unlink(path) }
  let file = try FileContents(path)
  return withExtendedLifetime(file) {
    let whole = Array(file.bytes)
    let length = whole[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    var text = whole[8..<8 + length]
    while text.last == 0x20 { text.removeLast() }
    return (String(decoding: text, as: UTF8.self), whole)
  }
}

private func models() throws {
  func model(_ encoding: any Encoding, _ embedding: Int, _ hidden: Int, _ layers: Int) throws
    -> (text: String, whole: [UInt8])
  {
    let shape = NetworkShape(
      vocabulary: encoding.vocabularySize, embedding: embedding, hidden: hidden, layers: layers)
    let parameters = try FloatBuffer(ParameterLayout(shape).count)
    initialize(parameters, shape, seed: 1)
    return try header {
      try Model(
        network: try Network(shape, parameters: parameters), encoding: encoding,
        facts: ["training.tokens": "9"]
      ).save($0)
    }
  }
  let bytes = try model(BytesEncoding(), 1, 1, 1)
  let characters = try model(try CharactersEncoding(alphabet: ["é", "🎵"]), 2, 3, 2)
  keep("model", "bytes", bytes.text)
  keep("model", "characters", characters.text)
  keep("model", "whole", bytes.whole)
  keep("model", "cut", Array(bytes.whole.prefix(2000)))
  for (name, old, new) in [
    ("version", "\"format_version\":\"1\"", "\"format_version\":\"2\""),
    ("encoding", "\"encoding\":\"bytes\"", "\"encoding\":\"runes\""),
    ("alphabet", "\"encoding\":\"bytes\"", "\"encoding\":\"characters\""),
    ("large", "\"hidden_size\":\"1\"", "\"hidden_size\":\"16384\""),
    ("negative", "[256,1]", "[-256,1]"), ("overflow", "[256,1]", "[4294967296,4294967296]"),
    ("overlap", "[0,1024]", "[4,1028]"), ("type", "\"F32\"", "\"BF16\""),
    ("missing", "gru.bias_hh_l0", "gru.bias_hh_l1"),
  ] { keep("model", name, bytes.text.replacing(old, new)) }
}

extension String {
  /// Without what begins with one text and ends with another.
  fileprivate func without(_ beginning: String, through end: Character) -> String {
    let (all, start) = (Array(utf8), Array(beginning.utf8))
    let at = all.indices.first { all[$0...].starts(with: start) }!
    let close = all[at...].firstIndex(of: end.asciiValue!)!
    return String(decoding: all[..<at] + all[(close + 1)...], as: UTF8.self)
  }

  /// With every occurrence of a text replaced; there must be one.
  fileprivate func replacing(_ old: String, _ new: String) -> String {
    var result: [UInt8] = []
    let (all, old) = (Array(utf8), Array(old.utf8))
    var i = 0
    while i < all.count {
      if all[i...].starts(with: old) {
        result += Array(new.utf8)
        i += old.count
      } else {
        result.append(all[i])
        i += 1
      }
    }
    precondition(result != all, "there is no such text")
    return String(decoding: result, as: UTF8.self)
  }
}

private func checkpoints() throws {
  for (name, layers, dropout, threads, steps) in [
    ("fresh", 1, 0.0, 1, 0), ("begun", 2, 0.5, 2, 3), ("ended", 1, 0.0, 1, 9),
    ("measuring", 1, 0.0, 1, 24),
  ] {
    var options = TrainingOptions()
    (options.embedding, options.hidden, options.layers) = (2, 3, layers)
    (options.batch, options.sequence, options.threads) = (2, 4, threads)
    // A measurement is due after 25 steps.
    (options.dropout, options.steps) = (dropout, name == "measuring" ? 100 : 9)
    let trainer = try Trainer(options)
    let material = Array(String(repeating: "la la lé, ", count: 12).utf8)
    try material.withUnsafeBytes { try trainer.add(text: $0) }
    for _ in 0..<steps { _ = try trainer.step() }
    let saved = try header { try trainer.save(checkpoint: $0) }
    // The losses are data, which the target makes up.
    let text = saved.text.without(",\"training.history\":", through: "}")
    keep("checkpoint", name, text)
    if name == "measuring" {
      let best = "\\\"since_best\\\":0"
      for (name, since) in [("early", "11"), ("since-best", "9223372036854775807")] {
        keep(
          "checkpoint", name, text.replacing(best, "\\\"since_best\\\":\(since)"))
      }
    }
    if name == "fresh" {
      keep("checkpoint", "batch", text.replacing("\\\"batch\\\":2", "\\\"batch\\\":3"))
      keep(
        "checkpoint", "null", text.replacing("\\\"elapsed\\\":0.0", "\\\"elapsed\\\":null"))
      keep("checkpoint", "model", text.replacing("\"checkpoint\":", "\"checkpont\":"))
    }
  }
}

private func snapshots() throws {
  let session = try Session(makeModel(), seed: 1)
  for name in ["start", "fed", "asked", "drawn", "middle"] {
    switch name {
    case "fed": try Array("la é ".utf8).withUnsafeBytes { try session.feed(text: $0) }
    case "asked":
      var distribution = [Float](repeating: 0, count: session.model.shape.vocabulary)
      distribution.withUnsafeMutableBufferPointer { session.logProbabilities($0.baseAddress!) }
    case "drawn": for _ in 0..<300 { _ = try session.next() }
    case "middle": try [0xF0, 0x9F].withUnsafeBufferPointer { try session.feed($0) }
    default: break
    }
    var bytes = [UInt8](repeating: 0, count: session.snapshotSize)
    bytes.withUnsafeMutableBytes { session.snapshot($0.baseAddress!) }
    keep("snapshot", name, [2, 15, 20] + bytes.dropFirst(16))
  }
  keep("snapshot", "short", [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
}

private func texts() {
  keep("text", "german", "Füße, Öl und Übermut: ß\r\n")
  keep("text", "mixed", "aé日🎵aé日🎵\u{0}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}")
  keep("text", "overlong", [0xC0, 0x80, 0xE0, 0x80, 0x80, 0xF0, 0x80, 0x80, 0x80, 0xC1, 0xBF])
  keep("text", "surrogates", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80, 0xEE, 0x80, 0x80])
  keep("text", "large", [0xF4, 0x90, 0x80, 0x80, 0xF5, 0x80, 0x80, 0x80, 0xFF, 0xFE])
  keep("text", "cut", [0xE2, 0x82, 0xC3, 0xA9, 0xF0, 0x9F, 0x8E])
}

private func documents() {
  keep("json", "all", "{\"a\":[1,-2.5e+10,true,false,null,\"x\\u00e9\\uD83C\\uDFB5\\n\"],\"b\":{}}")
  keep("json", "deep", String(repeating: "[", count: 17) + String(repeating: "]", count: 17))
  keep("json", "numbers", "[0,-0,0.5,1e5,1E-5,01,+1,.5,1.,123456789012345678901234567890]")
  keep("json", "strings", "[\"é€🎵\",\"\\uD800\",\"\\\\\\\"\\/\\b\\f\\r\\t\",\"\\q\"]")
}

/// Whole MIDI files, and damaged ones.
private func midiFiles() {
  func track(_ number: UInt8) -> MIDIFile.Track {
    MIDIFile.Track(
      events: [
        MIDIEvent(tick: 0, .meta(type: 3, Array("tune".utf8))),
        MIDIEvent(tick: 0, .meta(type: 0x51, [7, 0xA1, 0x20])),
        MIDIEvent(tick: 0, .meta(type: 0x58, [3, 2, 24, 8])),
        MIDIEvent(tick: 0, .meta(type: 0x59, [0xFE, 1])),
        MIDIEvent(tick: 0, .channel(status: 0xC0 | number, 19, 0)),
        MIDIEvent(tick: 0, .channel(status: 0xB0 | number, 64, 127)),
        MIDIEvent(tick: 0, .channel(status: 0x90 | number, 60, 100)),
        MIDIEvent(tick: 0, .channel(status: 0x90 | number, 64, 90)),
        MIDIEvent(tick: 96, .channel(status: 0x90 | number, 60, 0)),
        MIDIEvent(tick: 200, .channel(status: 0x80 | number, 64, 64)),
        MIDIEvent(tick: 300, .channel(status: 0xB0 | number, 64, 0)),
        MIDIEvent(tick: 20000, .system(status: 0xF0, [0x43, 1, 0xF7])),
        MIDIEvent(tick: 20000, .channel(status: 0xE0 | number, 0, 64)),
      ], end: 3_000_000)
  }
  let file = MIDIFile(
    format: 1, division: .metrical(ticksPerQuarter: 96), tracks: [track(0), track(9)])
  let whole = file.write()
  let first = 14  // where the first track begins
  var other = file
  keep("midi", "format1", whole)
  (other.format, other.division) = (2, .timeCode(framesPerSecond: 25, ticksPerFrame: 40))
  keep("midi", "format2", other.write())
  other.tracks = [MIDIFile.Track(events: [], end: MIDIFile.maximumTick >> 10)]
  keep("midi", "pause", other.write())

  let size = (0..<4).map { UInt8(truncatingIfNeeded: whole.count >> (8 * $0)) }
  keep(
    "midi", "riff",
    Array("RIFF".utf8) + size + Array("RMIDDISP".utf8) + [1, 0, 0, 0, 7, 0] + Array("data".utf8)
      + size + whole)
  keep("midi", "cut", Array(whole.dropLast(30)))
  keep("midi", "junk", [1, 2] + whole[..<first] + [3] + whole[first...] + [4])
  keep("midi", "foreign", whole[..<first] + Array("XFIH".utf8) + [0, 0, 0, 1, 9] + whole[first...])
  keep("midi", "no-header", Array(whole[first...]))
  for (name, place, bytes) in [
    ("length-0", first + 7, [0]), ("length-long", first + 4, [0x7F, 0xFF]),
    ("header-9", 7, [9]), ("format-9", 9, [9]), ("tracks-0", 11, [0]), ("division-0", 13, [0]),
    ("status", first + 8, [0x80, 0x80, 0x80, 0x80, 0x80, 0, 0xF2, 200, 1, 0, 0x90, 255]),
    ("data", first + 8, [1, 2, 3, 4]), ("end", first + 8, [0, 0xFF, 0x2F, 0]),
  ] as [(String, Int, [UInt8])] {
    var damaged = whole
    damaged.replaceSubrange(place..<place + bytes.count, with: bytes)
    keep("midi", name, damaged)
  }
}

/// MIDI files of which more has to be mended than a number.
private func mendedMIDIFiles() {
  func track(_ events: [(Int, UInt8, UInt8, UInt8)]) -> MIDIFile.Track {
    MIDIFile.Track(
      events: events.map { MIDIEvent(tick: $0.0, .channel(status: $0.1, $0.2, $0.3)) }, end: 400)
  }
  let file = MIDIFile(
    division: .metrical(ticksPerQuarter: 96),
    tracks: [
      // Note-offs are missing, and controllers end notes, here and in the other track.
      track([
        (0, 0x90, 60, 90), (96, 0x90, 60, 80), (192, 0x80, 60, 0), (192, 0x90, 60, 80),
        (240, 0x80, 60, 0), (240, 0x90, 61, 1), (250, 0x90, 61, 2), (260, 0xB0, 123, 0),
        (260, 0x90, 61, 3), (300, 0x80, 61, 0), (310, 0x91, 60, 4), (320, 0xB1, 120, 0),
      ]),
      track([
        (10, 0xB0, 64, 127), (20, 0x90, 64, 90), (40, 0x80, 64, 0), (50, 0x91, 64, 90),
        (90, 0x90, 64, 80), (280, 0x80, 64, 0), (290, 0xB0, 121, 0), (295, 0xB1, 64, 127),
      ]),
    ])
  let whole = file.write()
  let first = 22  // the first event
  let end: [UInt8] = [0, 0xFF, 0x2F, 0]
  keep("midi", "note-offs", whole)
  keep("midi", "twice", whole + whole)
  keep("midi", "padded", whole + [UInt8](repeating: 0, count: 40) + whole)
  keep("midi", "riff-0", Array("RIFF".utf8) + end + Array("RMIDdata".utf8) + [0, 0, 0, 0] + whole)
  var early = whole
  early.insert(contentsOf: end, at: first)
  early[first - 1] += 4
  keep("midi", "end-early", early)
}
