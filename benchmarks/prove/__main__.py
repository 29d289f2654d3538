"""Makes trials until the time is used up, and prints what was checked; exits 1 where anything disagreed."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import torch

from benchmarks.prove.parts import PARTS
from benchmarks.prove.trial import Tally

_STRIDE = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    parts = [part for part in PARTS if not given.part or part.name in given.part]
    tallies = [Tally(part) for part in parts]
    if given.trial is None:
        end = time.monotonic() + 60 * given.minutes
        _make_all(tallies, given.seed * _STRIDE, given.count, end)
    else:
        for tally in tallies:
            _make(tally, given.trial)
    sys.stdout.write("\n".join(_table(tallies)) + "\n")
    return 1 if any(tally.disagreements for tally in tallies) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prove", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="each seed has trials of its own, always the same ones")
    parser.add_argument("--minutes", type=float, default=5.0, help="when to stop")
    parser.add_argument("--count", type=int, default=_STRIDE, help="at most so many trials of each part")
    parser.add_argument("--part", action="append", choices=[part.name for part in PARTS], help="this part; may repeat")
    parser.add_argument("--trial", type=int, default=None, help="only this trial, as a disagreement names it")
    return parser


def _make_all(tallies: list[Tally], first: int, count: int, end: float) -> None:
    """The parts take turns: the next trial is always of the one that has had least of its share of the time."""
    while time.monotonic() < end:
        waiting = [tally for tally in tallies if tally.trials < count]
        if not waiting:
            return
        tally = min(waiting, key=lambda each: each.seconds / each.part.weight)
        _make(tally, first + tally.trials)


def _make(tally: Tally, seed: int) -> None:
    for text in tally.make(seed):
        sys.stdout.write(text.rstrip() + "\n\n")
        sys.stdout.flush()


def _table(tallies: list[Tally]) -> list[str]:
    heads = ("what", "against", "trials", "checks", "undecided", "disagreements", "seconds")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [_row(f"{each.part.name} | {each.part.against}", [each]) for each in tallies]
    return [*lines, _row("all |", tallies)] if len(tallies) > 1 else lines


def _row(name: str, tallies: list[Tally]) -> str:
    fields = ("trials", "checks", "undecided")
    trials, checks, undecided = (sum(getattr(each, field) for each in tallies) for field in fields)
    wrong, seconds = sum(len(each.disagreements) for each in tallies), sum(each.seconds for each in tallies)
    return f"| {name} | {trials:,} | {checks:,} | {undecided:,} | {wrong} | {seconds:.0f} |"


if __name__ == "__main__":
    sys.exit(main())
