"""Clocks: two works take turns, so that noise hits both alike, and the ratio is taken turn by turn."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parent.parent
Action = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The seconds that two works took, turn by turn."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times as long the first took, the median of the turns."""
        return median(first / second for first, second in zip(self.first, self.second, strict=True))

    def __str__(self) -> str:
        return f"{written(median(self.first))} against {written(median(self.second))}"


def compare(first: Action, second: Action, *, turns: int, clock: Clock = perf_counter) -> Comparison:
    """The times of two works in turn, after one call of each that does not count."""
    first(), second()
    times = [(seconds(first, clock), seconds(second, clock)) for _ in range(turns)]
    return Comparison(*zip(*times, strict=True))


def compare_processes(first: Sequence[str], second: Sequence[str], *, turns: int) -> Comparison:
    """The processor times of two whole Python processes with these arguments: seconds, in which waiting is left out."""
    return compare(lambda: python(*first), lambda: python(*second), turns=turns, clock=children_time)


def seconds(action: Action, clock: Clock = perf_counter) -> float:
    """The time of one call, without the garbage of the one before."""
    gc.collect()
    start = clock()
    action()
    return clock() - start


def children_time() -> float:
    """The processor time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(*arguments: str) -> str:
    """The standard output of a Python process in the project's folder; that a check finds something is no error."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode > 1 or "Traceback" in done.stderr:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def written(time: float) -> str:
    """Seconds, or milliseconds where they are few."""
    return f"{time:.2f} s" if time >= 1 else f"{time * 1e3:.0f} ms"
