import CLibretto
import Libretto
import Sequences

// Sessions of music.

extension retto_event {
  init(_ event: MusicEvent) {
    self.init(
      delta: UInt32(clamping: event.delta), kind: UInt8(event.kind.rawValue),
      channel: UInt8(event.channel), pitch: UInt8(event.pitch), velocity: UInt8(event.velocity))
  }

  /// Throws if the kind is none, or a number is out of its range.
  func music(_ what: @autoclosure () -> Sentence) throws(LibrettoError) -> MusicEvent {
    guard let kind = MusicEvent.Kind(rawValue: Int32(kind)) else {
      throw LibrettoError(
        .argument, "\(what()) has the kind \(self.kind), which is no retto_event_kind")
    }
    guard channel < 16, pitch < 128, velocity < 128 else {
      throw LibrettoError(
        .argument,
        "\(what()) has channel \(channel), pitch \(pitch), velocity \(velocity); they are below 16, 128 and 128"
      )
    }
    return MusicEvent(
      delta: Int(delta), kind, channel: Int(channel), pitch: Int(pitch), velocity: Int(velocity))
  }
}

/// Changes one constraint.
@inline(__always)
private func constrain(_ handle: OpaquePointer?, _ change: (inout MusicConstraints) -> Void)
  -> retto_status
{
  withSession(handle) { (session) throws(LibrettoError) in
    var constraints = session.constraints
    change(&constraints)
    try session.set(constraints)
  }
}

@c @implementation public func retto_session_next_event(
  _ session: OpaquePointer!, _ event: UnsafeMutablePointer<retto_event>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let event = try require(event, "the event")
    event.pointee = retto_event(try session.nextEvent())
  }
}

@c @implementation public func retto_session_feed_event(
  _ session: OpaquePointer!, _ event: UnsafePointer<retto_event>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let event = try require(event, "the event")
    try session.feed(event: try event.pointee.music("the event"))
  }
}

@c @implementation public func retto_session_get_sounding(
  _ session: OpaquePointer!, _ events: UnsafeMutablePointer<retto_event>!, _ capacity: Int,
  _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let sounding = try session.sounding()
    let events: UnsafeMutablePointer<retto_event>? = events
    guard try hasRoom(for: sounding.count, events, capacity, count, "the buffer for events"),
      var next = events
    else { return }
    sounding.forEach {
      next.initialize(to: retto_event($0))
      next += 1
    }
  }
}

@c @implementation public func retto_session_forget_sounding(_ session: OpaquePointer!)
  -> retto_status
{
  withSession(session) { (session) throws(LibrettoError) in try session.forgetSounding() }
}

@c @implementation public func retto_session_set_pitch_range(
  _ session: OpaquePointer!, _ lowest: Int32, _ highest: Int32
) -> retto_status {
  constrain(session) {
    $0.lowest = Int(lowest)
    $0.highest = Int(highest)
  }
}

@c @implementation public func retto_session_set_scale(
  _ session: OpaquePointer!, _ pitch_classes: UInt32
) -> retto_status {
  constrain(session) { $0.scale = pitch_classes }
}

@c @implementation public func retto_session_set_voices(_ session: OpaquePointer!, _ voices: Int32)
  -> retto_status
{
  constrain(session) { $0.voices = Int(voices) }
}

@c @implementation public func retto_session_set_density(
  _ session: OpaquePointer!, _ density: Float
)
  -> retto_status
{
  constrain(session) { $0.density = density }
}

@c @implementation public func retto_session_set_bars(_ session: OpaquePointer!, _ bars: Int32)
  -> retto_status
{
  constrain(session) { $0.bars = Int(bars) }
}

@c @implementation public func retto_session_set_time_signature(
  _ session: OpaquePointer!, _ numerator: Int32, _ denominator: Int32
) -> retto_status {
  constrain(session) {
    $0.numerator = Int(numerator)
    $0.denominator = Int(denominator)
  }
}

@c @implementation public func retto_session_set_ending(
  _ session: OpaquePointer!, _ ending: retto_ending
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    guard let ending = MusicConstraints.Ending(rawValue: Int32(clamping: ending.rawValue)) else {
      throw LibrettoError(.argument, "the ending is \(ending.rawValue), which is no retto_ending")
    }
    var constraints = session.constraints
    constraints.ending = ending
    try session.set(constraints)
  }
}

extension retto_constraints {
  init(_ constraints: MusicConstraints) {
    self.init(
      size: MemoryLayout<Self>.size, lowest_pitch: Int32(constraints.lowest),
      highest_pitch: Int32(constraints.highest), pitch_classes: constraints.scale,
      voices: Int32(constraints.voices), density: constraints.density,
      bars: Int32(constraints.bars),
      numerator: Int32(constraints.numerator), denominator: Int32(constraints.denominator),
      ending: retto_ending(rawValue: UInt32(constraints.ending.rawValue)), key: constraints.key)
  }
}

@c @implementation public func retto_session_get_constraints(
  _ session: OpaquePointer!, _ constraints: UnsafeMutablePointer<retto_constraints>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try write(
      retto_constraints(try session.musicConstraints()),
      to: try require(constraints, "the constraints"), "the constraints")
  }
}

@c @implementation public func retto_session_force_note(
  _ session: OpaquePointer!, _ start: UInt64, _ duration: UInt32, _ pitch: Int32
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    guard let start = Int(exactly: start) else {
      throw LibrettoError(.argument, "the note begins at tick \(start), which no piece has")
    }
    try session.force(start: start, duration: Int(duration), pitch: Int(pitch))
  }
}

@c @implementation public func retto_session_clear_forced_notes(_ session: OpaquePointer!)
  -> retto_status
{
  withSession(session) { (session) throws(LibrettoError) in try session.clearForcedNotes() }
}

@c @implementation public func retto_session_get_bars(
  _ session: OpaquePointer!, _ bars: UnsafeMutablePointer<UInt64>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try require(bars, "the pointer for the bars").pointee = UInt64(session.bars)
  }
}

private func scale(named key: UnsafePointer<CChar>?) throws(LibrettoError) -> MusicScale {
  let name = try string(key, "the key")
  guard let scale = MusicScale(named: name) else {
    throw LibrettoError(
      .argument,
      "\"\(String(name.prefix(40)))\" is not a scale; expected a tonic, such as C, F# or Bb, and one of: \(MusicScale.names)"
    )
  }
  return scale
}

@c @implementation public func retto_key_from_name(
  _ name: UnsafePointer<CChar>!, _ key: UnsafeMutablePointer<Int32>!
) -> retto_status {
  call { () throws(LibrettoError) in
    let result = try require(key, "the pointer for the key")
    result.pointee = try scale(named: name).key
  }
}

@c @implementation public func retto_session_set_key(_ session: OpaquePointer!, _ key: Int32)
  -> retto_status
{
  constrain(session) { $0.key = key }
}

@c @implementation public func retto_scale_from_key(
  _ key: UnsafePointer<CChar>!, _ pitch_classes: UnsafeMutablePointer<UInt32>!
) -> retto_status {
  call { () throws(LibrettoError) in
    let result = try require(pitch_classes, "the pointer for the pitch classes")
    result.pointee = try scale(named: key).pitchClasses
  }
}
