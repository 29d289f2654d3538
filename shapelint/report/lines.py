"""The functions of the source that made calls, and which calls a line of them is told by."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from shapelint.facts.call import Call, Trail
from shapelint.facts.contract import How
from shapelint.source.ownership import installed
from shapelint.source.span import Span
from shapelint.source.syntax import tree


@dataclass(frozen=True, slots=True)
class ShownFunction:
    """A function of the source: its lines from the number `first` on, and the calls that they made."""

    file: str
    first: int
    lines: tuple[str, ...]
    calls: tuple[Call, ...]


def functions_of(calls: Iterable[Call], also: Span | None = None) -> tuple[ShownFunction, ...]:
    """The functions in which calls were made, those of packages only where no other ran.

    Those of outer modules stand first, then those that others call, then in the order of the first call. The function
    around the place `also` is one of them.
    """
    placed = [call for call in calls if call.place is not None]
    own = [call for call in placed if call.place is not None and not installed(call.place.file)]
    found: dict[tuple[str, int, int], list[Call]] = {}
    for call in own or placed:
        if call.place is not None:
            found.setdefault((call.place.file, *_range(call.place)), []).append(call)
    if also is not None:
        found.setdefault((also.file, *_range(also)), [])
    called = {call.name for call in own or placed if call.composed}
    shown = sorted(found.items(), key=lambda item: _rank(item[1], called))
    return tuple(
        ShownFunction(file, first, _lines(file, first, last), tuple(made)) for (file, first, last), made in shown
    )


def _rank(made: Sequence[Call], called: Collection[str]) -> tuple[int, bool]:
    """How deep the module is that runs a function, and whether another function calls it."""
    depths = (call.module.count(".") + bool(call.module) - bool(call.kind) for call in made)
    return min(depths, default=0), any(call.function.rpartition(".")[2] in called for call in made)


def _range(place: Span) -> tuple[int, int]:
    """The first and the last line of the outermost function around a place; the place's own where there is none."""
    place.text()  # the lines of a notebook's cell are remembered
    around = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree(place.file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= place.line <= (node.end_lineno or 0)
    ]
    return min(around, default=(place.line, place.end_line))


def _lines(file: str, first: int, last: int) -> tuple[str, ...]:
    texts = (Span(file, line, 1, line, 1).text() for line in range(first, last + 1))
    return tuple("".join(each if each.isprintable() else " " for each in text) for text in texts)


def line_calls(calls: Sequence[Call], line: int) -> list[Call]:
    """The calls that tell what a line gives: those that stand in no other one that begins on it."""
    here = [call for call in calls if call.place is not None and call.place.line == line and not call.inner]
    places = {call.place for call in here if call.place is not None}
    outer = {one for one in places if not any(two != one and two.holds(one) for two in places)}
    return [call for call in here if call.place in outer]


def of_one_run(calls: Sequence[Call], main: Trail | None = None) -> list[Call]:
    """The calls that are proved, and of those that were only seen those of one run: of the `main` one, or the first."""
    seen = [call.ways[0].trail for call in calls if call.how is not How.PROVED]
    shown = next((trail for trail in seen if trail is main), seen[0] if seen else None)
    return [call for call in calls if call.how is How.PROVED or call.ways[0].trail is shown]


def shapes_of(shapes: Iterable[Iterable[object]]) -> str:
    """The shapes that a call gives, in words; that of a tensor without dims is `()`."""
    return " and ".join(",".join(map(str, shape)) or "()" for shape in shapes)


def repeated(shapes: Sequence[str], shown: int = 6, *, counted: bool = True) -> str:
    """The shapes of the calls of one line, one after the other, equal ones in a row once; so many are `shown`.

    How often an equal one comes is told where the calls were `counted`.
    """
    groups: list[tuple[str, int]] = []
    for shape in shapes:
        last, times = groups[-1] if groups else ("", 0)
        groups[-1:] = [(shape, times + 1)] if shape == last else [*groups[-1:], (shape, 1)]
    often = [f" ({times if counted else 'several'} times)" * (times > 1) for _, times in groups]
    words = [shape + times for (shape, _), times in zip(groups, often, strict=True)]
    more = len(words) - shown
    return ", then ".join(words[:shown]) + (f", and {more} more" if more > 0 else "")


def are_counted(calls: Iterable[Call]) -> bool:
    """Whether each of some calls is one, and none a turn of a loop that stands for many."""
    return not any(call.ways[0].trail.loops for call in calls)
