import CLibretto
import Libretto
import Sequences

// Sessions of pieces with parts.

extension retto_part_constraints: SizedStruct {
  static var leastSize: Int { 40 }
  static var initial: Self { Self(PartConstraints()) }

  init(_ constraints: PartConstraints) {
    self.init(
      size: MemoryLayout<Self>.size, lowest_pitch: Int32(constraints.lowest),
      highest_pitch: Int32(constraints.highest), voices: Int32(constraints.voices),
      density: constraints.density, mute: constraints.isMuted ? 1 : 0,
      solo: constraints.isSolo ? 1 : 0, given: constraints.isGiven ? 1 : 0, reserved: 0)
  }
}

@c @implementation public func retto_part_constraints_init(
  _ constraints: UnsafeMutablePointer<retto_part_constraints>!
) {
  constraints?.pointee = .initial
}

@c @implementation public func retto_session_set_parts(
  _ session: OpaquePointer!, _ programs: UnsafePointer<Int32>!, _ count: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.set(parts: try array(programs, count, "the programs"))
  }
}

@c @implementation public func retto_session_get_parts(
  _ session: OpaquePointer!, _ programs: UnsafeMutablePointer<Int32>!,
  _ channels: UnsafeMutablePointer<Int32>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let (programs, channels): (UnsafeMutablePointer<Int32>?, UnsafeMutablePointer<Int32>?) =
      (programs, channels)
    let parts = try session.partCount()
    guard try hasRoom(for: parts, programs ?? channels, capacity, count, "the buffer for parts")
    else { return }
    for i in 0..<parts {
      let part = try session.part(i)
      if let programs { programs[i] = Int32(part.program) }
      if let channels { channels[i] = Int32(part.channel) }
    }
  }
}

@c @implementation public func retto_session_constrain_part(
  _ session: OpaquePointer!, _ part: Int32, _ constraints: UnsafePointer<retto_part_constraints>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let given = try structure(constraints, "the part's constraints")
    try checkReserved(given.reserved, "the part's constraints")
    var constraints = PartConstraints()
    constraints.lowest = Int(given.lowest_pitch)
    constraints.highest = Int(given.highest_pitch)
    constraints.voices = Int(given.voices)
    constraints.density = given.density
    constraints.isMuted = given.mute != 0
    constraints.isSolo = given.solo != 0
    constraints.isGiven = given.given != 0
    try session.set(constraints, ofPart: Int(part))
  }
}

@c @implementation public func retto_session_get_part_constraints(
  _ session: OpaquePointer!, _ part: Int32,
  _ constraints: UnsafeMutablePointer<retto_part_constraints>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try write(
      retto_part_constraints(try session.constraints(ofPart: Int(part))),
      to: try require(constraints, "the constraints"), "the constraints")
  }
}

@c @implementation public func retto_session_give_note(
  _ session: OpaquePointer!, _ part: Int32, _ start: UInt64, _ duration: UInt32, _ pitch: Int32,
  _ velocity: Int32
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    guard let start = Int(exactly: start) else {
      throw LibrettoError(.argument, "the note begins at tick \(start), which no piece has")
    }
    try session.give(
      part: Int(part), start: start, duration: Int(duration), pitch: Int(pitch),
      velocity: Int(velocity))
  }
}
