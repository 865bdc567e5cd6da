import CSimd
import Platform
import Synchronization

/// A fixed number of threads that work on one job together, the caller being one of them.
///
/// Between jobs a thread spins for some microseconds, because the next job mostly follows at once,
/// then sleeps. The threads end, and are joined, when the team is freed.
package final class ThreadTeam {
  package let count: Int
  private let shared = Shared()
  /// The process that started the threads. A child of fork() has this object, and no threads.
  private let process = getpid()
  private var threads: [pthread_t] = []

  private final class Shared: @unchecked Sendable {
    private let process = getpid()
    let jobs = Atomic<Int>(0)
    let finished = Atomic<Int>(0)
    let ending = Atomic<Bool>(false)
    var job: ((Int) -> Void)?
    var mutex = pthread_mutex_t()
    var wake = pthread_cond_t()

    init() {
      pthread_mutex_init(&mutex, nil)
      pthread_cond_init(&wake, nil)
    }
    deinit {
      // It would wait for the parent's threads.
      guard getpid() == process else { return }
      pthread_cond_destroy(&wake)
      pthread_mutex_destroy(&mutex)
    }
  }

  private final class Start {
    let shared: Shared
    let index: Int
    init(_ shared: Shared, _ index: Int) {
      self.shared = shared
      self.index = index
    }
  }

  package init(_ count: Int) throws(NetworkError) {
    self.count = max(count, 1)
    // Signals are for the host's own threads.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    for index in 1..<max(self.count, 2) where index < self.count {
      let start = Unmanaged.passRetained(Start(shared, index))
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      let failed = pthread_create(
        &thread, nil,
        { argument in
          #if canImport(Darwin)
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
          #else
            let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          #endif
          ThreadTeam.work(start.shared, start.index)
          return nil
        }, start.toOpaque())
      guard failed == 0 else {
        start.release()
        end()
        throw .noThread(wanted: count)
      }
      #if canImport(Darwin)
        threads.append(thread!)
      #else
        threads.append(thread)
      #endif
    }
  }

  deinit { if !isOfAnotherProcess { end() } }

  /// Whether the threads are those of another process, whose memory this one's is a copy of.
  var isOfAnotherProcess: Bool { getpid() != process }

  private func end() {
    shared.ending.store(true, ordering: .releasing)
    announce()
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  private func announce() {
    pthread_mutex_lock(&shared.mutex)
    shared.jobs.add(1, ordering: .releasing)
    pthread_cond_broadcast(&shared.wake)
    pthread_mutex_unlock(&shared.mutex)
  }

  /// Runs `job` once for each index below `count`, at the same time, and returns when all are done.
  package func run(_ job: (Int) -> Void) {
    // One has no threads of its own that a fork could lose.
    guard count > 1 else { return job(0) }
    precondition(!isOfAnotherProcess)
    withoutActuallyEscaping(job) { job in
      shared.job = job
      shared.finished.store(0, ordering: .relaxed)
      announce()
      job(0)
      var spins = 0
      while shared.finished.load(ordering: .acquiring) < count - 1 {
        spins += 1
        if spins < 20_000 { csimd_pause() } else { sched_yield() }
      }
      shared.job = nil
    }
  }

  private static func work(_ shared: Shared, _ index: Int) {
    _ = csimd_flush_denormals()
    var seen = 0
    while true {
      var spins = 0
      while shared.jobs.load(ordering: .acquiring) == seen {
        spins += 1
        if spins < 20_000 {
          csimd_pause()
        } else {
          pthread_mutex_lock(&shared.mutex)
          while shared.jobs.load(ordering: .acquiring) == seen {
            pthread_cond_wait(&shared.wake, &shared.mutex)
          }
          pthread_mutex_unlock(&shared.mutex)
        }
      }
      seen += 1
      if shared.ending.load(ordering: .acquiring) { return }
      shared.job?(index)
      shared.finished.add(1, ordering: .releasing)
    }
  }
}
