"""`python -m tests.drawn --seed N --count M`: compares many drawn models with eager PyTorch and prints totals."""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.drawn.compare import Comparison, compare
from tests.drawn.models import draw


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drawn", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100, help="how many models")
    parser.add_argument("--save", type=Path, default=None, help="folder for the sources of models that disagree")
    parser.add_argument("--show", action="store_true", help="only print the source of the first seed")
    return parser.parse_args()


def _save(folder: Path, comparison: Comparison) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = comparison.drawn
    said = "".join(f"# {text}\n" for text in comparison.disagreements)
    (folder / f"drawn{drawn.seed}.py").write_text(f"# spec {drawn.spec}\n{said}{drawn.source}")


def _totals(comparisons: list[Comparison]) -> Iterator[str]:
    """The lines of the summary."""
    reasons: Counter[str] = Counter()
    for comparison in comparisons:
        for reason, times in comparison.unproved.items():
            reasons[re.sub(r"\d+", "N", reason)] += times
    wrong = [comparison for comparison in comparisons if comparison.disagreements]
    yield f"models {len(comparisons)}, checks {sum(c.checks for c in comparisons)}"
    yield f"disagreements {sum(len(c.disagreements) for c in wrong)} in {len(wrong)} models"
    yield f"unpools where the values decide {sum(c.by_value for c in comparisons)}"
    unproved = [comparison for comparison in comparisons if comparison.unproved]
    points = sum(comparison.unproved_points for comparison in comparisons)
    yield f"not proved: {len(unproved)} models, {reasons.total()} regions, {points} points"
    for reason, times in reasons.most_common(20):
        yield f"    {times:5} {reason}"
    seconds = sorted(comparison.seconds for comparison in comparisons)
    median, ninth = statistics.median(seconds), seconds[9 * len(seconds) // 10]
    yield f"seconds per check: median {median:.3f}, 90th percentile {ninth:.3f}, worst {seconds[-1]:.3f}"


def _compare_all(seeds: range, folder: Path | None) -> list[Comparison]:
    comparisons = []
    for seed in seeds:
        comparison = compare(draw(seed))
        comparisons.append(comparison)
        for text in comparison.disagreements[:3]:
            sys.stdout.write(f"seed {seed} ({comparison.drawn.spec}) {text}\n")
        if comparison.disagreements and folder:
            _save(folder, comparison)
    return comparisons


def main() -> None:
    """Runs the command."""
    arguments = _arguments()
    if arguments.show:
        drawn = draw(arguments.seed)
        sys.stdout.write(f"# spec {drawn.spec}\n{drawn.source}\n")
        return
    warnings.simplefilter("ignore")
    seeds = range(arguments.seed, arguments.seed + max(1, arguments.count))
    sys.stdout.write("\n".join(_totals(_compare_all(seeds, arguments.save))) + "\n")


if __name__ == "__main__":
    main()
