import CSystem
import Platform

// What is asked of the system, in one place.

/// Seconds of a clock that only goes forward.
func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

/// Processors this process may use.
func processorCount() -> Int { Int(usable_processors()) }

/// Bytes of memory in this machine.
func physicalMemory() -> Double {
  Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
}

func cosine(_ x: Double) -> Double { cos(x) }
