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
from benchmarks.packages.lists import entries


def main(arguments: Sequence[str] | None = None) -> None:
    """One line per network, then the totals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packages", description=__doc__)
    parser.add_argument("pattern", nargs="*", help="a regular expression that finds the names of networks")
    parser.add_argument("--checks", type=int, default=30, help="sizes at which each is compared with eager PyTorch")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    totals: Counter[str] = Counter()
    for entry in entries():
        if given.pattern and not any(re.search(pattern, entry.name) for pattern in given.pattern):
            continue
        comparison = compare(entry, given.checks, given.seed)
        _show(comparison)
        totals.update({comparison.how: 1, "networks": 1, "checks": comparison.checks, "wrong": len(comparison.wrong)})
    sys.stdout.write(", ".join(f"{value} {name}" for name, value in totals.items()) + "\n")


def _show(comparison: Comparison) -> None:
    agreed = comparison.checks - len(comparison.wrong)
    sys.stdout.write(f"{comparison.name}: {comparison.how}, {agreed}/{comparison.checks} agree, ")
    sys.stdout.write(f"{comparison.seconds:.1f} s; {textwrap.shorten(comparison.words, 300)}\n")
    for line in (*comparison.why, *comparison.wrong[:5]):
        sys.stdout.write(f"    {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
