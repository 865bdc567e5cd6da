"""What the speed is meant to be: for each kind of work a figure to reach at each size."""
from statistics import median


def ratios(ours, theirs):
    """Round by round, how many times as fast."""
    return [a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(ours, theirs)]


def times_as_fast(*names):
    """Against the fastest of the contenders named, or of all but ours."""
    def measure(part, results, ceilings, size):
        ours, *others = results.items()
        rivals = {name: rounds for name, rounds in others if not names or name in names}
        if not rivals:
            return None
        fastest = max(rivals.values(), key=lambda rounds: median(r["tokens_per_second"] for r in rounds))
        return median(ratios(ours[1], fastest))
    return measure


def share(part, results, ceilings, size):
    """Of what the processor can do."""
    most = [part.ceiling(each, size) for each in ceilings]
    if None in most:
        return None
    ours = next(iter(results.values()))
    return median(part.work(size) * figures["tokens_per_second"] / best for figures, best in zip(ours, most))


def tail(part, results, ceilings, size):
    """The slowest hundredth of our steps, in medians."""
    return median(figures["p99"] / figures["p50"] for figures in next(iter(results.values())))


# Work, against what, the part that measures it, how, and the figures for the part's sizes in order.
# A tail is to stay below its figure, all else to reach it.
GOALS = [
    ("training step, float32, 1 thread", "PyTorch GRU as installed", "train", times_as_fast("PyTorch GRU"),
     [4, 2.8, 2.5, 2.7]),
    ("the same", "the fastest trainer in float32", "train", times_as_fast(), [1.8, 1.6, 1.4, 1.4]),
    ("the same", "the peak of float32 products", "train", share, [0.45, 0.7, 0.72, 0.72]),
    ("the same, 2 threads", "1 thread", "train-threads", times_as_fast(), [1.6, 1.8, 1.8, 1.8]),
    ("training step, bfloat16, 1 thread", "PyTorch GRU, autocast", "train-bfloat16", times_as_fast(),
     [None, 1.8, 1.4, 1.4]),
    ("sampling, float32", "the fastest sampler in float32", "sample", times_as_fast(), [6, 2, 1.4, 1.3, 1.3]),
    ("the same", "the read bandwidth", "sample", share, [None, 0.85, 0.85, 0.85, 0.85]),
    ("sampling, int8", "ONNX Runtime, dynamic int8", "sample-int8", times_as_fast(), [8, 4, 2.4, 2.2, 2]),
    ("64 sessions at once, float32", "ONNX Runtime, batch 64", "sample-batch",
     times_as_fast("ONNX Runtime, GRU node", "ONNX Runtime, products"), [1.3] * 5),
    ("p99 of a sampling step", "its median", "sample", tail, [2] * 5),
]


def verdict(measure, wanted, part, measured):
    """The cell of a table: what was measured, what is wanted, and whether it holds."""
    if wanted is None:
        return "-"
    value = measure(part, *measured) if measured else None
    if value is None:
        return f"not measured (of {wanted})"
    holds = value < wanted if measure is tail else value >= wanted
    return f"{value:.2f} ({'under' if measure is tail else 'of'} {wanted}): {'yes' if holds else '**no**'}"


def show(parts, measured):
    """Prints the tables. `measured`: by part and size the results, the ceilings and the size."""
    for first in ("train", "sample"):
        sizes = list(parts[first].sizes)
        print(f"\n| work | against | {' | '.join(sizes)} |\n|---|---|{'---|' * len(sizes)}")
        for work, against, name, measure, figures in GOALS:
            if name.startswith(first):
                cells = [verdict(measure, wanted, parts[name], measured.get((name, size)))
                         for wanted, size in zip(figures, sizes)]
                print(f"| {work} | {against} | {' | '.join(cells)} |")
