"""The ways through a model that the data decide, such as `if x.max() > 1`: all of them are run, at the same sizes.

Where all end alike in sizes, the data do not matter. A way that only ends in the model's own `raise` (`if
torch.isnan(y).any(): raise`) decides nothing. Where the others end in different ways, the sizes are not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from shapelint.facts.failure import Failure, Kind
from shapelint.size.condition import Condition, equal
from shapelint.size.function import as_function
from shapelint.trace.branch import outcome_of
from shapelint.trace.recording.errors import SizeError, Unanalysable
from shapelint.trace.recording.record import Event
from shapelint.trace.run import Run

_MOST: Final = 16
_MANY: Final = f"the data decide between more than {_MOST} ways"
_UNLIKE: Final = "a data-dependent value: it decides which sizes come out"

Choices = tuple[bool, ...]


def run_all_ways(run: Callable[[Choices], Run], *, by_sizes: bool = False) -> Run | None:
    """The run of a model, with every answer that the data may give to what its code asks of them; None where a way was
    run at other sizes than those before it, at which then all are to be run.

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
        if found[-1].sizes != first.sizes:
            return None
        waiting.extend(_others(prescribed, found[-1].choices))
    return _merged(found, by_sizes=by_sizes)


def _others(prescribed: Choices, taken: Choices) -> list[Choices]:
    """The answers that differ from a run's in one place, after those that were prescribed to it."""
    return [(*taken[:index], not taken[index]) for index in range(len(prescribed), len(taken))]


def _merged(runs: list[Run], *, by_sizes: bool) -> Run:
    """One run for all, with the conditions of each."""
    ways = [each for each in runs if by_sizes or not _only_raises(each)] or runs
    if len(ways) < len(runs) and any(each.closed for each in runs):
        return _undecided(runs[0], _UNLIKE)
    shown = ways[0]
    if any(isinstance(each.error, Unanalysable) for each in ways):
        return _one_of(next(each for each in ways if isinstance(each.error, Unanalysable)))
    shared = _shared(ways)
    events, end = _one_of(shown, shared).events, len(shown.records)
    for each in ways[1:]:
        alike = _conditions(each, shown)
        if alike is None:
            return _undecided(runs[0], _UNLIKE)
        met = [event for event in each.events[each.sure_events :] if not each.leaves_open(event)]
        events += [replace(event, failure=None, node=end) for event in met if event.condition not in shared]
        events += [Event(condition, None, end) for condition in alike]
    leaks = [leak for each in ways for leak in each.leaks]
    return replace(shown, events=list(dict.fromkeys(events)), leaks=leaks)


def _shared(ways: list[Run]) -> dict[Condition, Failure]:
    """What every way asks after its first decision, in one order, and how each ends where it does not hold."""
    asked = [{each.condition: each.failure for each in run.events[run.sure_events :]} for run in ways]
    shared = [[item for item in each.items() if all(item in other.items() for other in asked)] for each in asked]
    alike = shared[0] if all(each == shared[0] for each in shared) else []
    return {condition: failure for condition, failure in alike if failure is not None}


def _conditions(run: Run, shown: Run) -> list[Condition] | None:
    """On which conditions two runs end alike, besides those on their ways; None where they do not."""
    one, two = outcome_of(run), outcome_of(shown)
    if one == two or (_is_refused(run) and _is_refused(shown)):
        return []
    shapes = [[shape.dims for shape in each.outputs] for each in (one, two)]
    if not (one.ok and two.ok) or [len(dims) for dims in shapes[0]] != [len(dims) for dims in shapes[1]]:
        return None
    pairs = [(as_function(a), as_function(b)) for x, y in zip(*shapes, strict=True) for a, b in zip(x, y, strict=True)]
    conditions = [equal(a, b) for a, b in pairs if a != b]
    return conditions if all(each.holds(run.sizes) for each in conditions) else None


def _is_refused(run: Run) -> bool:
    """Whether a run ended in a raise that sizes explain."""
    return run.failure is not None and run.failure.kind is not Kind.UNEXPLAINED and isinstance(run.error, SizeError)


def _only_raises(run: Run) -> bool:
    """Whether a run ended in a `raise` of the model's own code after the data had decided something."""
    return bool(run.choices) and run.failure is not None and run.failure.kind is Kind.PYTHON


def _one_of(run: Run, shared: Collection[Condition] = ()) -> Run:
    """One way of several: where a condition fails that it met after its first decision, only this way fails.

    What is `shared` every way asks.
    """
    met = run.events[run.sure_events :]
    later = [event if event.condition in shared else replace(event, failure=None) for event in met]
    return replace(run, events=[*run.events[: run.sure_events], *later])


def _undecided(run: Run, why: str) -> Run:
    why = f"{run.chance} decides which sizes come out" if run.chance else why
    return replace(
        _one_of(run),
        outputs=(),
        output_nodes=(),
        failure=Failure(Kind.UNEXPLAINED, why),
        place=run.choice_place,
        error=Unanalysable(why),
    )
