import Synchronization
import Testing

@testable import GRU

struct ThreadTeamTests {
  /// Each index once in every job, and all of them before `run` returns; with a pause now and then,
  /// in which the threads fall asleep.
  @Test(arguments: [1, 2, 3, 8])
  func everyIndexOnce(count: Int) throws {
    let team = try ThreadTeam(count)
    #expect(team.count == count)
    let visits = (0..<count).map { _ in Visits() }
    for job in 1...200 {
      if job % 100 == 0 { sleepBriefly() }
      team.run { index in visits[index].count.add(1, ordering: .relaxed) }
      #expect(visits.allSatisfy { $0.count.load(ordering: .relaxed) == job })
    }
  }

  private final class Visits: Sendable {
    let count = Atomic<Int>(0)
  }

  @Test func teamsComeAndGo() throws {
    for _ in 0..<20 { _ = try ThreadTeam(3) }
  }

  private func sleepBriefly() {
    let clock = ContinuousClock()
    let end = clock.now + .milliseconds(20)
    while clock.now < end {}
  }

  /// Shares cover everything once, and are cut at multiples.
  @Test func shares() {
    for count in [0, 1, 7, 32, 33, 100] {
      for workers in 1...4 {
        for multiple in [1, 8, 32] {
          let shares = (0..<workers).map {
            share(of: count, worker: $0, workers: workers, multiple: multiple)
          }
          #expect(shares.flatMap { Array($0) } == Array(0..<count))
          #expect(
            shares.allSatisfy {
              $0.upperBound == count || $0.upperBound % multiple == 0
            })
        }
      }
    }
  }
}
