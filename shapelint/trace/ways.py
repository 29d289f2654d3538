"""The ways through a model that the data decide, such as `if x.max() > 1`: all of them are run, at the same sizes.

Where all end alike in sizes, the data do not matter. A way that only ends in the model's own `raise` (`if
torch.isnan(y).any(): raise`) decides nothing. Where the others end in different ways, the sizes are not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from shapelint.facts.failure import Failure, Kind
from shapelint.size.condition import Condition, equal
from shapelint.size.function import as_function
from shapelint.trace.branch import outcome_of
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Event
from shapelint.trace.run import Run

_MOST: Final = 16
_MANY: Final = f"the data decide between more than {_MOST} ways"
_UNLIKE: Final = "a data-dependent value: it decides which sizes come out"

Choices = tuple[bool, ...]


def run_all_ways(run: Callable[[Choices], Run], *, by_sizes: bool = False) -> Run:
    """The run of a model, with every answer that the data may give to what its code asks of them.

    `run` makes one run with the first answers prescribed, and the usual one to every question after them. Where sizes
    answer too (`by_sizes`), a way that raises counts.
    """
    first = run(())
    if not first.choices:
        return first
    found, waiting = [first], deque(_others((), first.choices))
    while waiting:
        if len(found) == _MOST:
            return _undecided(first, _MANY)
        prescribed = waiting.popleft()
        found.append(run(prescribed))
        waiting.extend(_others(prescribed, found[-1].choices))
    return _merged(found, by_sizes=by_sizes)


def _others(prescribed: Choices, taken: Choices) -> list[Choices]:
    """The answers that differ from a run's in one place, after those that were prescribed to it."""
    return [(*taken[:index], not taken[index]) for index in range(len(prescribed), len(taken))]


def _merged(runs: list[Run], *, by_sizes: bool) -> Run:
    """One run for all, with the conditions of each."""
    ways = [each for each in runs if by_sizes or not _only_raises(each)] or runs
    shown = ways[0]
    if any(isinstance(each.error, Unanalysable) for each in ways):
        return next(each for each in ways if isinstance(each.error, Unanalysable))
    shared = _shared(ways)
    events = [*shown.events[: shown.sure_events], *_open(shown, shown, shared)]
    for each in ways[1:]:
        alike = _conditions(each, shown)
        if alike is None:
            return _undecided(runs[0], _UNLIKE)
        events += [*_open(each, shown, shared), *(Event(condition, None, len(shown.records)) for condition in alike)]
    leaks = [leak for each in ways for leak in each.leaks]
    events += [event for event in shown.events[shown.sure_events :] if event.condition in shared]
    return replace(shown, events=list(dict.fromkeys(events)), leaks=leaks, sure=_told(ways))


def _shared(ways: list[Run]) -> dict[Condition, Failure]:
    """What every way asks after its first decision, in one order, and how each ends where it does not hold."""
    asked = [{each.condition: each.failure for each in run.events[run.sure_events :]} for run in ways]
    shared = [[item for item in each.items() if all(item in other.items() for other in asked)] for each in asked]
    alike = shared[0] if all(each == shared[0] for each in shared) else []
    return {condition: failure for condition, failure in alike if failure is not None}


def _told(ways: list[Run]) -> int:
    """How many calls have shapes that hold on every way."""
    shapes = [[record.outputs for record in run.records] for run in ways]
    return min(run.sure for run in ways) if all(each == shapes[0] for each in shapes) else 0


def _conditions(run: Run, shown: Run) -> list[Condition] | None:
    """On which conditions two runs end alike, besides those on their ways; None where they do not."""
    one, two = outcome_of(run), outcome_of(shown)
    if one == two:
        return []
    shapes = [[shape.dims for shape in each.outputs] for each in (one, two)]
    if not (one.ok and two.ok) or [len(dims) for dims in shapes[0]] != [len(dims) for dims in shapes[1]]:
        return None
    pairs = [(as_function(a), as_function(b)) for x, y in zip(*shapes, strict=True) for a, b in zip(x, y, strict=True)]
    conditions = [equal(a, b) for a, b in pairs if a != b]
    return conditions if all(each.holds(run.sizes) for each in conditions) else None


def _only_raises(run: Run) -> bool:
    """Whether a run ended in a `raise` of the model's own code after the data had decided something."""
    return bool(run.choices) and run.failure is not None and run.failure.kind is Kind.PYTHON


def _open(run: Run, shown: Run, shared: Mapping[Condition, Failure]) -> list[Event]:
    """The other conditions that a run met after its first decision: where one fails, only this way fails."""
    return [
        replace(event, failure=None, node=event.node if run is shown else len(shown.records))
        for event in run.events[run.sure_events :]
        if event.condition not in shared
    ]


def _undecided(run: Run, why: str) -> Run:
    return replace(
        run,
        outputs=(),
        output_nodes=(),
        failure=Failure(Kind.UNEXPLAINED, why),
        place=run.choice_place,
        error=Unanalysable(why),
    )
