"""The sizes on the way through a model, so that two versions of it can be compared call by call.

A step is a call of a torch function that gives another size than the call before it. A lock keeps them without their
places, which move with every edit; the places are those of the version that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from shapelint.facts.call import Call
from shapelint.source.span import Span


@dataclass(frozen=True, slots=True)
class SizeStep:
    """A call and the shapes that it gives, in symbols: `1,8,(H + 1)//2,W//2`; several of them with `; ` between."""

    module: str
    function: str
    shapes: str
    place: Span | None = field(default=None, compare=False)

    @property
    def open_dims(self) -> str:
        """The shapes with `_` for numbers."""
        return ",".join("_" if dim.strip().isdigit() else dim for dim in self.shapes.split(","))


@dataclass(frozen=True, slots=True)
class FirstChange:
    """The first call of the new version that gives another size than before: what it gives, and what was there."""

    step: SizeStep
    before: str

    def __str__(self) -> str:
        was = f", and gave {self.before}" if self.before else ""
        return f"{self.step.function} gives {self.step.shapes}{was}"


def steps_of(calls: Iterable[Call]) -> tuple[SizeStep, ...]:
    """The calls of torch functions that give another size than the call before."""
    found: list[SizeStep] = []
    for call in calls:
        shapes = "; ".join(map(str, call.outputs))
        if not call.kind and shapes and (not found or found[-1].shapes != shapes):
            found.append(SizeStep(call.module or "forward", call.name, shapes, call.place))
    return tuple(found)


def first_change(new: Sequence[SizeStep], old: Sequence[SizeStep]) -> FirstChange | None:
    """The first step that differs, in what depends on the input size rather than in a number; None where none does."""
    if not new or not old:
        return None
    by_dims = _changes([each.open_dims for each in new], [each.open_dims for each in old])
    by_shape = _changes([each.shapes for each in new], [each.shapes for each in old])
    for here, there in (*by_dims, *by_shape):
        if here is not None:
            return FirstChange(new[here], "" if there is None else old[there].shapes)
    return None


def _changes(new: Sequence[str], old: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """The places in both at which they differ; None where one has nothing there."""
    for tag, there, there_end, here, here_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            first = here if here < here_end or here < len(new) else None
            yield first, there if there < there_end else None
