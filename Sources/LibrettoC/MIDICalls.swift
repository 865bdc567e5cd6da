import CLibretto
import Libretto
import Memory
import Sequences

/// What a `retto_midi` points to.
final class MIDIHandle {
  let file: MIDIFile
  let warnings: [MIDIWarning]

  init(_ file: MIDIFile, warnings: [MIDIWarning] = []) {
    self.file = file
    self.warnings = warnings
  }

  convenience init(_ bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError) {
    var warnings: [MIDIWarning] = []
    self.init(try readMIDI(bytes, name: name, warnings: &warnings), warnings: warnings)
  }
}

/// Runs a body with the file of a handle, which stays the host's.
func withMIDI(
  _ handle: OpaquePointer?, _ body: (MIDIHandle) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  let pointer = UnsafeRawPointer(try require(handle, "the MIDI file"))
  try body(Unmanaged<MIDIHandle>.fromOpaque(pointer).takeUnretainedValue())
}

@c @implementation public func retto_midi_read(
  _ path: UnsafePointer<CChar>!, _ midi: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(midi, "the pointer for the MIDI file") { () throws(LibrettoError) in
    let path = try string(path, "the path")
    return try FileContents.read(path, most: MIDIFile.maximumSize) {
      (bytes) throws(LibrettoError) in
      try MIDIHandle(bytes, name: path)
    }
  }
}

@c @implementation public func retto_midi_read_memory(
  _ data: UnsafeRawPointer!, _ length: Int, _ midi: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(midi, "the pointer for the MIDI file") { () throws(LibrettoError) in
    try MIDIHandle(
      try bytes(try require(data, "the data"), length, "the data"), name: "the data")
  }
}

@c @implementation public func retto_midi_create(
  _ events: UnsafePointer<retto_event>!, _ count: Int, _ ticks_per_quarter: Int32,
  _ tempo: Double, _ midi: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(midi, "the pointer for the MIDI file") { () throws(LibrettoError) in
    let events = try array(events, count, "the events")
    guard ticks_per_quarter >= 1, ticks_per_quarter <= 32767 else {
      throw LibrettoError(
        .argument, "there are \(ticks_per_quarter) ticks per quarter note; it must be 1 to 32767")
    }
    try checkTempo(tempo)
    var builder = try allocating { () throws(OutOfMemory) in
      try FileBuilder(ticksPerQuarter: Int(ticks_per_quarter), tempo: tempo, program: 0)
    }
    var time = 0
    for (i, event) in events.enumerated() {
      let event = try event.music("event \(i)")
      time += event.delta
      guard time < 1 << 40 else {
        throw LibrettoError(.argument, "event \(i) is at tick \(time); a file holds less than 2^40")
      }
      let power = event.velocity
      guard event.kind != .timeSignature || event.pitch > 0 && power > 0 && power & (power - 1) == 0
      else {
        throw LibrettoError(
          .argument,
          "event \(i) is a time signature of \(event.pitch)/\(power); a file holds those over 1, 2, 4, 8, 16, 32 or 64"
        )
      }
      try allocating { () throws(OutOfMemory) in try builder.add(event) }
    }
    return MIDIHandle(try allocating { () throws(OutOfMemory) in try builder.finish() })
  }
}

private func checkTempo(_ tempo: Double) throws(LibrettoError) {
  guard tempo >= 4, tempo <= 1000 else {
    throw LibrettoError(
      .argument, "the tempo is \(tempo) quarter notes a minute; it must be from 4 to 1000")
  }
}

@c @implementation public func retto_midi_write(
  _ midi: OpaquePointer!, _ path: UnsafePointer<CChar>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withMIDI(midi) { (handle) throws(LibrettoError) in
      try handle.file.save(try string(path, "the path"))
    }
  }
}

@c @implementation public func retto_midi_write_memory(
  _ midi: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withMIDI(midi) { (handle) throws(LibrettoError) in
      let bytes = try handle.file.fileBytes()
      let buffer: UnsafeMutableRawPointer? = buffer
      guard try hasRoom(for: bytes.count, buffer, capacity, size, "the buffer for the file"),
        let buffer, let source = bytes.base
      else { return }
      buffer.copyMemory(from: source, byteCount: bytes.count)
      withExtendedLifetime(bytes) {}
    }
  }
}

@c @implementation public func retto_midi_free(_ midi: OpaquePointer!) {
  guard let midi else { return }
  Unmanaged<MIDIHandle>.fromOpaque(UnsafeRawPointer(midi)).release()
}

@c @implementation public func retto_midi_get_info(
  _ midi: OpaquePointer!, _ info: UnsafeMutablePointer<retto_midi_info>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withMIDI(midi) { (handle) throws(LibrettoError) in
      let file = handle.file
      let (character, clock) = try allocating { () throws(OutOfMemory) in
        (try MIDICharacter(file), try MIDITempoMap(file))
      }
      let value = retto_midi_info(
        size: 0, format: Int32(file.format), tracks: Int32(file.tracks.count),
        ticks_per_quarter: Int32(clamping: file.ticksPerQuarter),
        reserved: 0, notes: UInt64(file.noteCount), end_tick: UInt64(max(0, file.end)),
        seconds: clock.seconds(at: file.end), tempo: character.tempo,
        program: Int32(character.program), velocity: Int32(character.velocity))
      try write(value, to: try require(info, "the info"), "the info")
    }
  }
}

@c @implementation public func retto_midi_get_events(
  _ midi: OpaquePointer!, _ events: UnsafeMutablePointer<retto_event>!, _ capacity: Int,
  _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withMIDI(midi) { (handle) throws(LibrettoError) in
      let all = try allocating { () throws(OutOfMemory) in try handle.file.musicEvents() }
      let events: UnsafeMutablePointer<retto_event>? = events
      guard try hasRoom(for: all.count, events, capacity, count, "the buffer for events"),
        let events
      else { return }
      for (i, event) in all.enumerated() { events[i] = retto_event(event) }
    }
  }
}

@c @implementation public func retto_midi_get_warnings(
  _ midi: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ capacity: Int,
  _ length: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withMIDI(midi) { (handle) throws(LibrettoError) in
      let lines = handle.warnings.lazy.map { "byte \($0.offset): \($0.message)\n" }
      let count = lines.reduce(0) { $0 + $1.utf8.count }
      let text: UnsafeMutablePointer<CChar>? = text
      guard
        try hasRoom(for: count + 1, text, capacity, length, "the buffer for warnings"),
        let text
      else { return }
      var place = text
      for line in lines {
        for byte in line.utf8 {
          place.pointee = CChar(bitPattern: byte)
          place += 1
        }
      }
      place.pointee = 0
    }
  }
}

@c @implementation public func retto_model_encode_midi(
  _ model: OpaquePointer!, _ midi: OpaquePointer!, _ tokens: UnsafeMutablePointer<Int32>!,
  _ capacity: Int, _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (model) throws(LibrettoError) in
      try withMIDI(midi) { (midi) throws(LibrettoError) in
        let all = try model.model.tokens(of: midi.file, name: "the MIDI file")
        let tokens: UnsafeMutablePointer<Int32>? = tokens
        guard try hasRoom(for: all.count, tokens, capacity, count, "the buffer for tokens"),
          let tokens
        else { return }
        for (i, token) in all.enumerated() { tokens[i] = token }
      }
    }
  }
}

@c @implementation public func retto_model_decode_midi(
  _ model: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ count: Int, _ tempo: Double,
  _ midi: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(midi, "the pointer for the MIDI file") { () throws(LibrettoError) in
    var made: MIDIHandle?
    try withModel(model) { (handle) throws(LibrettoError) in
      let tokens = try array(tokens, count, "the tokens")
      try handle.model.check(tokens)
      try checkTempo(tempo)
      made = MIDIHandle(try handle.model.decode(tokens, tempo: tempo))
    }
    return made!
  }
}
