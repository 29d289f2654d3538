"""What a run answers to the questions that its sizes do not settle: what the data are, and comparisons left open."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shapelint.size.condition import Condition, is_affine, negate
from shapelint.source.span import CallSite

_CHANCES = 3


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Comparisons of sizes that a run may take either way: no set of sizes tells where they hold.

    At the `places` where such a one was asked, the like are too: on another way they are about other sizes.
    """

    conditions: frozenset[Condition] = frozenset()
    places: frozenset[CallSite] = frozenset()


class Answers:
    """The answers in the order of the questions: the first ones as `prescribed`, then what each question would have.

    `left_open` are the comparisons that the run has left open, or would. `events` is how many conditions were met
    before the first question, `place` where that one was asked, `chance` what draws the answer where no data give it.
    """

    def __init__(self, prescribed: Sequence[bool], left_open: LeftOpen) -> None:
        self.given: list[bool] = []
        self.events = 0
        self.place: CallSite | None = None
        self.chance = ""
        self.left_open, self.places = left_open.conditions, left_open.places
        self._prescribed = prescribed
        self._taken: dict[Condition, bool] = {}

    def next(self, usual: bool, events: int, place: CallSite | None, chance: str = "") -> bool:
        """The answer to one more question, asked after so many events."""
        if not self.given:
            self.events, self.place, self.chance = events, place, chance
        self.given.append([*self._prescribed[len(self.given) :], usual][0])
        return self.given[-1]

    @property
    def are_many(self) -> bool:
        """Whether they are enough for chance: what it decides then, as of 24 layers, holds for one run only."""
        return len(self.given) >= _CHANCES

    def drawn(self) -> bool:
        """An answer for chance once there are many: a drawn one, since a loop may wait for either."""
        return random.random() < 0.5

    def leaves_open(self, condition: Condition, place: CallSite | None) -> bool:
        """Whether a comparison, asked for the first time at this place, may come out either way."""
        if place in self.places and not is_affine(condition):
            self.left_open |= {condition, negate(condition)}
        return condition in self.left_open

    def of(self, condition: Condition, holds: bool, events: int, place: CallSite | None) -> bool:
        """Whether an open comparison holds in this run, the same each time that it is asked; `holds` is what is so."""
        if condition not in self._taken:
            answer = self.next(holds, events, place)
            self._taken |= {condition: answer, negate(condition): not answer}
        return self._taken[condition]
