"""How the loops of a model are run, which its runs find out by trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Final

from shapelint.size.condition import Condition
from shapelint.size.isl_form import SolverError, Undecidable
from shapelint.size.sets import SizeSet
from shapelint.source.span import CallSite, Span
from shapelint.trace.recording.errors import Unanalysable

_ENDS: Final = ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3))

Key = tuple[CodeType, str, int]
"""A loop: the code in which it stands, the file of that, and its first line."""


class Again(Unanalysable):
    """Raised where a loop is not what it was taken for: the run is made again, and runs the loop in another way.

    With `sizes` it is made at these, where loops have fewer turns.
    """

    def __init__(self, text: str, sizes: Mapping[str, int] | None = None) -> None:
        super().__init__(text)
        self.sizes = sizes


@dataclass(slots=True)
class Plans:
    """With how many turns at both ends each loop is run, and what grows by how much from turn to turn.

    Of a loop that is in `why` all turns are run one by one, for that reason. A run may be made anywhere `within`.
    """

    tried: dict[Key, int] = field(default_factory=dict)
    grows: dict[Key, Mapping[int, int]] = field(default_factory=dict)
    why: dict[Key, str] = field(default_factory=dict)
    places: dict[Key, CallSite | None] = field(default_factory=dict)
    within: SizeSet | None = None
    _asked: set[Condition] = field(default_factory=set)

    def begin(self, within: SizeSet) -> None:
        """The run that follows may be made at any of these sizes."""
        self.within = within
        self._asked.clear()

    def elsewhere(self, condition: Condition) -> Mapping[str, int] | None:
        """A size at which the run may be made too and the condition holds; None where there is none, or was asked."""
        if self.within is None or condition in self._asked:
            return None
        self._asked.add(condition)
        try:
            found = self.within.meeting(condition)
            point = found.sample()
        except (Undecidable, SolverError):
            return None
        self.within = self.within if point is None else found
        return point

    def ends(self, key: Key) -> tuple[int, int] | None:
        """The numbers of turns at both ends that are run as they are; None where all are."""
        return None if key in self.why else _ENDS[self.tried.get(key, 0)]

    def give_up(self, key: Key, why: str, *, for_good: bool = False) -> None:
        """The next way to run a loop, or none any more."""
        self.tried[key] = self.tried.get(key, 0) + 1
        self.grows.pop(key, None)
        if for_good or self.tried[key] == len(_ENDS):
            self.why.setdefault(key, why)

    def one_by_one(self) -> tuple[str, Span | None] | None:
        """Why a loop runs turn by turn, and where it stands; None where none does."""
        for key, why in self.why.items():
            site = self.places.get(key)
            said = f"a loop whose number of turns is a size runs turn by turn, since {why}"
            return said, None if site is None else site.span()
        return None
