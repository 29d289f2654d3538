"""What a part of the proof is: a numbered trial, which gives the same answer whenever it is made again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trial:
    """How many claims were checked, and each that was contradicted, in words with what it takes to see it again.

    `undecided` counts the sizes of which nothing was claimed.
    """

    checks: int
    disagreements: tuple[str, ...] = ()
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of trials; `weight` is its share of the time."""

    name: str
    against: str
    weight: int
    trial: Callable[[int], Trial]


@dataclass(slots=True)
class Tally:
    """What the trials of a part came to; `seconds` are the processor's."""

    part: Part
    trials: int = 0
    checks: int = 0
    undecided: int = 0
    seconds: float = 0.0
    disagreements: list[str] = field(default_factory=list)

    def make(self, seed: int) -> tuple[str, ...]:
        """Makes one trial and returns its disagreements."""
        start = time.process_time()
        try:
            made = self.part.trial(seed)
        except Exception as error:
            made = Trial(0, (f"{self.part.name}, trial {seed}: {type(error).__name__}: {error}",))
        self.trials += 1
        self.checks += made.checks
        self.undecided += made.undecided
        self.seconds += time.process_time() - start
        self.disagreements += made.disagreements
        return made.disagreements
