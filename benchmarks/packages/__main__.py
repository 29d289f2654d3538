"""Checks the listed networks with symbolic sizes and compares their contracts with eager PyTorch."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence

import torch

from benchmarks.packages.compare import Comparison, compare
from benchmarks.packages.entry import Entry
from benchmarks.packages.lists import entries
from benchmarks.packages.ratios import ratios, summary


def main(arguments: Sequence[str] | None = None) -> None:
    """One line per network, then the totals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packages", description=__doc__)
    parser.add_argument("pattern", nargs="*", help="a regular expression that finds the names of networks")
    parser.add_argument("--checks", type=int, default=30, help="sizes at which each is compared with eager PyTorch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ratios", action="store_true", help="how long a check takes, and nothing of what is right")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    totals: Counter[str] = Counter()
    asked = [each for each in entries() if not given.pattern or any(re.search(one, each.name) for one in given.pattern)]
    if given.ratios:
        _show_ratios(asked)
        return
    for entry in asked:
        comparison = compare(entry, given.checks, given.seed)
        _show(comparison)
        totals.update({comparison.how: 1, "networks": 1, "checks": comparison.checks, "wrong": len(comparison.wrong)})
    sys.stdout.write(", ".join(f"{value} {name}" for name, value in totals.items()) + "\n")


def _show_ratios(asked: Sequence[Entry]) -> None:
    found = []
    for entry in asked:
        measured = ratios(entry)
        sys.stdout.write(f"{measured or f'{entry.name}: meta cannot run it'}\n")
        sys.stdout.flush()
        found += [] if measured is None else [measured]
    sys.stdout.write(f"{summary(found)}\n" if len(found) > 1 else "")


def _show(comparison: Comparison) -> None:
    agreed = comparison.checks - len(comparison.wrong)
    sys.stdout.write(f"{comparison.name}: {comparison.how}, {agreed}/{comparison.checks} agree, ")
    sys.stdout.write(f"{comparison.seconds:.1f} s; {textwrap.shorten(comparison.words, 300)}\n")
    for line in (*comparison.why, *comparison.wrong[:5]):
        sys.stdout.write(f"    {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
