// Which tokens of a piece with parts cannot come next.

extension EnsembleGrammar {
  func forbidHeader(_ logits: UnsafeMutablePointer<Float>) {
    if state.count < wantedCount {
      let family = Instrument.family(of: programs[state.count])
      return keep(logits, only: ensemble.instrument(family))
    }
    let hasDrums = state.has(Instrument.drumFamily)
    let isFull = state.count - (hasDrums ? 1 : 0) >= Part.mostPitched
    if wantedCount > 0 || hasDrums && isFull { return forbidOpening(logits) }
    if state.count > 0 {
      let first = logits + Int(ensemble.firstInstrument)
      var kept = InlineArray<17, Float>(repeating: 0)
      for i in 0..<Instrument.families { kept[i] = first[i] }
      forbidOpening(logits)
      for i in 0..<Instrument.families { first[i] = kept[i] }
    } else {
      forbid(logits, 0..<ensemble.firstInstrument)
      forbid(logits, ensemble.firstVelocity..<Int32(vocabulary))
    }
    if hasDrums { logits[Int(ensemble.instrument(Instrument.drumFamily))] = -.infinity }
    if isFull {
      forbid(logits, ensemble.firstInstrument..<ensemble.instrument(Instrument.drumFamily))
    }
  }

  func forbidInside(_ logits: UnsafeMutablePointer<Float>) {
    update()
    guard forbidTime(logits) else { return }
    forbid(logits, ensemble.firstInstrument..<ensemble.firstVelocity)
    let goesOn = state.speaking >= 0 ? forbidNotes(logits, of: state.speaking) : false
    if state.speaking < 0 {
      forbid(logits, grid.firstNew..<ensemble.firstPart)
      forbid(logits, ensemble.firstVelocity..<Int32(vocabulary))
    }
    let mayLeave = !goesOn
    let (isDue, mayBegin) = forbidParts(logits, mayLeave: mayLeave)
    if !mayLeave || isDue || mustBegin && mayBegin {
      logits[Int(Grid.end)] = -.infinity
      forbid(logits, Grid.firstTimeSignature..<grid.firstNew)
    }
  }

  /// Parts that cannot be named next. Gives whether a given one has to be, and whether any may be.
  private func forbidParts(_ logits: UnsafeMutablePointer<Float>, mayLeave: Bool) -> (Bool, Bool) {
    var (isDue, isOpen) = (false, false)
    for part in 0..<Part.most {
      let (name, hold) = (logits + Int(ensemble.part(part)), logits + Int(ensemble.hold(part)))
      let isNext = mayLeave && !isDue && part > state.speaking && part < state.count
      let (mayName, mayHold) = (isNext && canName(part), isNext && canHold(part))
      if !mayName { name.pointee = -.infinity }
      if !mayHold { hold.pointee = -.infinity }
      guard mayName || mayHold else { continue }
      isOpen = true
      if !dueNow[part].all.isEmpty {
        isDue = true
        if name.pointee == -.infinity && hold.pointee == -.infinity {
          (mayName ? name : hold).pointee = 0
        }
      } else if mayName && state.voices[part].sounding.count <= 1 {
        // It begins a note.
        name.pointee += density(part)
      }
    }
    return (isDue, isOpen)
  }

  /// Whether all notes of a part may go on, and none begin.
  private func canHold(_ part: Int) -> Bool {
    let sounding = state.voices[part].sounding
    let due = dueNow[part]
    guard !sounding.isEmpty, due.new.isEmpty else { return false }
    if ofParts[part].isGiven { return due.held == sounding }
    var ending = sounding
    ending.formIntersection(due.over)
    return !isMuted(part) && ending.isEmpty && room(part) >= sounding.count - due.held.count
  }

  /// Whether a part may sound otherwise.
  private func canName(_ part: Int) -> Bool {
    let sounding = state.voices[part].sounding
    let due = dueNow[part]
    guard due.new.isEmpty else { return true }
    if ofParts[part].isGiven { return !due.held.isEmpty && due.held != sounding }
    // Some of the notes that sound, but not all.
    var held = sounding
    held.subtract(due.over)
    let hasRoom = room(part) > 0 && !isMuted(part)
    let isOther = held != sounding || sounding.count > 1 && due.held != sounding
    if !held.isEmpty && isOther && (hasRoom || !due.held.isEmpty) { return true }
    return hasRoom && !allowed[part].isEmpty
  }

  /// How many notes of a part there is room for beside those named and those due.
  private func room(_ part: Int) -> Int {
    let voice = state.voices[part]
    var due = dueNow[part].all.below(state.speaking == part ? state.last : 128).count
    var duePitches = voice.isDrums ? 0 : due
    var room = ofParts[part].voices - voice.count - due
    for other in stride(from: part + 1, to: state.count, by: 1) {
      let count = dueNow[other].all.count
      due += count
      if !state.voices[other].isDrums { duePitches += count }
    }
    room = min(room, constraints.voices - state.named - due)
    return voice.isDrums
      ? room : min(room, Ensemble.mostPitches - state.namedPitches - duePitches)
  }

  /// Notes and levels that cannot come next in the part that speaks. Gives whether one of them must.
  private func forbidNotes(_ logits: UnsafeMutablePointer<Float>, of part: Int) -> Bool {
    let voice = state.voices[part]
    let due = dueNow[part]
    let dueNew = due.new.below(state.last)
    let next = due.all.below(state.last).highest
    var (new, held) = (PitchSet(), PitchSet())
    let room = ofParts[part].isGiven ? 0 : room(part)
    if room > 0 {
      new = allowed[part].below(state.last)
      if !isMuted(part) { held = voice.sounding.below(state.last) }
      held.subtract(due.over)
    }
    if next >= 0 {
      // What is due comes before all that is lower, as it is.
      new.subtract(new.below(next + 1))
      held.subtract(held.below(next + 1))
      if due.new[next] { new[next] = true } else { held[next] = true }
    }
    let isFirst = voice.count == 0
    let lowestNew = min(new.lowest, dueNew.lowest)
    // A level is for a note that begins, and if all that sounded goes on one begins too.
    let owes =
      voice.new.isEmpty && lowestNew <= 127
      && (state.hasLevel || !isFirst && voice.held == voice.sounding)
    if voice.new.isEmpty && !ofParts[part].isGiven {
      let isDue = next >= 0 && held[next]
      var last = PitchSet()
      if state.hasLevel {
        last = held
      } else if voice.held.count + 1 == voice.sounding.count {
        last = voice.sounding
        last.subtract(voice.held)
        last.formIntersection(held)
      }
      // These need a note that begins below them.
      held.subtract(room < 2 || lowestNew > 127 ? last : last.below(lowestNew + 1))
      if isDue { held[next] = true }
    }
    allow(logits, new, held, isDrums: voice.isDrums, density: density(part), due: next)
    let canBegin = lowestNew <= 127
    let mayName = isFirst && !state.hasLevel && canBegin
    forbidLevels(logits, mayName: mayName, part, due: dueNew.isEmpty ? -1 : due.level)
    return next >= 0 || (isFirst || owes) && !(new.isEmpty && held.isEmpty)
  }

  private func density(_ part: Int) -> Float { constraints.density + ofParts[part].density }

  private func allow(
    _ logits: UnsafeMutablePointer<Float>, _ new: PitchSet, _ held: PitchSet, isDrums: Bool,
    density: Float, due: Int
  ) {
    for pitch in 0..<128 {
      let (newToken, heldToken) = (
        Int(grid.firstNew) + pitch, Int(grid.firstHeld) + pitch
      )
      if !isDrums && new[pitch] {
        begin(logits, newToken, isDue: pitch == due, density)
      } else {
        logits[newToken] = -.infinity
      }
      if !held[pitch] {
        logits[heldToken] = -.infinity
      } else if pitch == due && logits[heldToken] == -.infinity {
        logits[heldToken] = 0
      }
    }
    for drum in 0..<Ensemble.drumClasses {
      let token = Int(ensemble.firstDrum) + drum
      if isDrums && new[drum] {
        begin(logits, token, isDue: drum == due, density)
      } else {
        logits[token] = -.infinity
      }
    }
  }

  private func begin(
    _ logits: UnsafeMutablePointer<Float>, _ token: Int, isDue: Bool, _ density: Float
  ) {
    if !isDue {
      logits[token] += density
    } else if logits[token] == -.infinity {
      logits[token] = 0
    }
  }

  /// - `due`: the level that must be named before a note that is due; -1 for none.
  private func forbidLevels(
    _ logits: UnsafeMutablePointer<Float>, mayName: Bool, _ part: Int, due: Int
  ) {
    let voice = state.voices[part]
    let first = ensemble.firstVelocity
    guard mayName else { return forbid(logits, first..<Int32(vocabulary)) }
    if due >= 0 && due != voice.level { return keep(logits, only: ensemble.velocity(due)) }
    if due >= 0 || ofParts[part].isGiven { return forbid(logits, first..<Int32(vocabulary)) }
    logits[Int(ensemble.velocity(voice.level))] = -.infinity
    guard !voice.sounding.isEmpty else { return }
    for level in 0..<Ensemble.levels { logits[Int(first) + level] += density(part) }
  }
}
