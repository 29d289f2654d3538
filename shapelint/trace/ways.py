"""The ways through a model that the data decide, such as `if x.max() > 1`: all of them are run, at the same sizes.

Where all end alike in sizes, the data do not matter. A way that only ends in the model's own `raise` (`if
torch.isnan(y).any(): raise`) decides nothing. Where the others end in different ways, the sizes are not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
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


def run_all_ways(run: Callable[[Choices], Run]) -> Run:
    """The run of a model, with every answer that the data may give to what its code asks of them.

    `run` makes one run with the first answers prescribed, and "no" to every question after them.
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
    return _merged(found)


def _others(prescribed: Choices, taken: Choices) -> list[Choices]:
    """The answers that differ from a run's in one place, after those that were prescribed to it."""
    return [(*taken[:index], not taken[index]) for index in range(len(prescribed), len(taken))]


def _merged(runs: list[Run]) -> Run:
    """One run for all, with the conditions of each."""
    ways = [each for each in runs if not _only_raises(each)] or runs
    shown = ways[0]
    if any(isinstance(each.error, Unanalysable) for each in ways):
        return next(each for each in ways if isinstance(each.error, Unanalysable))
    events = [*shown.events[: shown.sure_events], *_open(shown, shown)]
    for each in ways[1:]:
        alike = _conditions(each, shown)
        if alike is None:
            return _undecided(runs[0], _UNLIKE)
        events += [*_open(each, shown), *(Event(condition, None, len(shown.records)) for condition in alike)]
    leaks = [leak for each in ways for leak in each.leaks]
    return replace(shown, events=list(dict.fromkeys(events)), leaks=leaks)


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


def _open(run: Run, shown: Run) -> list[Event]:
    """The conditions that a run met after its first decision: where one fails, only this way fails."""
    return [
        replace(event, failure=None, node=event.node if run is shown else len(shown.records))
        for event in run.events[run.sure_events :]
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
