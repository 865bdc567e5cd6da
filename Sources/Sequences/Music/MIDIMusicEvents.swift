import Memory

extension MIDIFile {
  /// The notes and time signatures of all tracks together, in the file's ticks: at each moment first
  /// time signatures, then note-offs, then note-ons, and at last the end of the piece. A note that
  /// would last no time lasts a tick.
  public func musicEvents() throws(OutOfMemory) -> GrowableBuffer<MusicEvent> {
    struct Moment: BitwiseCopyable {
      let tick: Int
      let order: Int
      let event: MusicEvent
    }
    let notes = try pairedNotes()
    let moments = try GrowableBuffer<Moment>(capacity: 2 * notes.count + 1)
    for signature in try timeSignatureBuffer()
    where signature.numerator < 128 && signature.denominator < 128 {
      try moments.append(
        Moment(
          tick: signature.tick, order: 0,
          event: MusicEvent(
            delta: 0, .timeSignature, pitch: signature.numerator, velocity: signature.denominator)))
    }
    var last = end
    for note in notes {
      let stop = note.start + max(1, note.duration)
      try moments.append(
        Moment(
          tick: note.start, order: 2,
          event: MusicEvent(
            delta: 0, .noteOn, channel: note.channel, pitch: note.pitch, velocity: note.velocity)))
      try moments.append(
        Moment(
          tick: stop, order: 1,
          event: MusicEvent(delta: 0, .noteOff, channel: note.channel, pitch: note.pitch)))
      last = max(last, stop)
    }
    try moments.sort {
      ($0.tick, $0.order, $0.event.channel, $0.event.pitch)
        < ($1.tick, $1.order, $1.event.channel, $1.event.pitch)
    }
    try moments.append(Moment(tick: last, order: 3, event: MusicEvent(delta: 0, .end)))
    let events = try GrowableBuffer<MusicEvent>(capacity: moments.count)
    var now = 0
    for moment in moments {
      // A delta has 31 bits; a file's tick has more.
      while moment.tick - now > Int(Int32.max) {
        try events.append(MusicEvent(delta: Int(Int32.max), .time))
        now += Int(Int32.max)
      }
      var event = moment.event
      event.delta = moment.tick - now
      now = moment.tick
      try events.append(event)
    }
    return events
  }
}
