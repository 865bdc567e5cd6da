"""What the scripts that run a peer share: sizes, threads, timing, and the figures as JSON under the
names `libretto bench` gives them."""
import argparse
import json
import os
import statistics
import time


def arguments(description, batch, **choices):
    """The command line: sizes, threads, seconds, and an option with a list of values for each choice,
    the first of them its default. Holds numerical libraries to the threads before they start."""
    parser = argparse.ArgumentParser(description=description)
    for name, values in choices.items():
        parser.add_argument("--" + name, choices=values, default=values[0])
    for name, value in [("vocab", 96), ("embedding", 64), ("hidden", 256), ("layers", 2), ("batch", batch),
                        ("sequence", 64), ("threads", 1)]:
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--seconds", type=float, default=3)
    a = parser.parse_args()
    for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[key] = str(a.threads)
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return a


def hold_to_processors(count):
    """For libraries whose setting of threads does not hold all their threads back."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def times(step, seconds, least):
    result = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(result) < least:
        start = time.perf_counter()
        step()
        result.append(time.perf_counter() - start)
    return result


def report(step, seconds, tokens, least):
    """Runs steps of so many tokens for so long, at least some, after warming up; prints how they went."""
    times(step, seconds / 5, 2)
    measured = sorted(times(step, seconds, least))
    median = statistics.median(measured)
    p99 = measured[min(len(measured) - 1, int(0.99 * len(measured)))]
    print(json.dumps({"tokens_per_second": tokens / median, "microseconds_per_token": median / tokens * 1e6,
                      "p50": median * 1e6, "p99": p99 * 1e6, "max": measured[-1] * 1e6}))
