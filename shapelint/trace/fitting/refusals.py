"""At which sizes an operation without a rule raises, told from the trials at which it did: evidence, not proof."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from shapelint.size.condition import Condition, at_least, divisible, equal
from shapelint.size.function import Function, constant
from shapelint.trace.fitting.trials import Trial

Outcomes = Sequence[tuple[Trial, bool]]
Runs = Callable[[Mapping[str, int]], bool]
"""Whether the operation runs at these sizes."""

_MOST = 16
_APART = 60


def needed(candidates: Sequence[Function], outcomes: Outcomes, runs: Runs) -> tuple[Condition, ...] | None:
    """The conditions on which it runs, which hold at each trial where it ran and at no other; None where none do."""
    if all(ran for _, ran in outcomes):
        return ()
    related = _told_apart([each for each in _relations(candidates, outcomes) if _tells(each, outcomes)], outcomes, runs)
    if related:
        return related[:1]
    found = []
    for name in sorted({trial.axis for trial, _ in outcomes} - {""}):
        axis = [outcomes[0], *((trial, ran) for trial, ran in outcomes if trial.axis == name)]
        if not all(ran for _, ran in axis):
            forms = (*_bounds(candidates, name, axis, runs), *_multiples(candidates, axis))
            found += [next((each for each in forms if _tells(each, axis)), None)]
    conditions = tuple(each for each in found if each is not None)
    explained = all(all(each.holds(trial.sizes) for each in conditions) == ran for trial, ran in outcomes)
    return conditions if explained else None


def _told_apart(relations: list[Condition], outcomes: Outcomes, runs: Runs) -> tuple[Condition, ...]:
    """Those relations that are left when the operation was tried where they differ: it moved several sizes at once."""
    hint = outcomes[0][0].sizes
    drawn = random.Random(len(relations))
    for _ in range(_APART if len(relations) > 1 else 0):
        sizes = {name: drawn.choice((size, size + 1, size + 2, 1, 2, 3)) for name, size in hint.items()}
        if len({each.holds(sizes) for each in relations}) > 1:
            ran = runs(sizes)
            relations = [each for each in relations if each.holds(sizes) == ran]
    return tuple(relations)


def _tells(condition: Condition, outcomes: Outcomes) -> bool:
    return all(condition.holds(trial.sizes) == ran for trial, ran in outcomes)


def _relations(candidates: Sequence[Function], outcomes: Outcomes) -> Iterator[Condition]:
    """Two sizes are the same, or the one is not larger than the other by more than a number."""
    for one, two in combinations(candidates, 2):
        if (one - two).constant is None:
            yield equal(one, two)
            for difference in (one - two, two - one):
                good = [difference.value(trial.sizes) for trial, ran in outcomes if ran]
                bad = [difference.value(trial.sizes) for trial, ran in outcomes if not ran]
                between = range(max(bad) + 1, min(good) + 1) if good else ()
                bounds = [least for least in (0, 1, *between[-1:]) if least in between]
                yield from (at_least(difference, constant(least)) for least in bounds)


def _bounds(candidates: Sequence[Function], name: str, axis: Outcomes, runs: Runs) -> Iterator[Condition]:
    """A size from which on, or up to which, it runs."""
    good = {trial.sizes[name] for trial, ran in axis if ran}
    bad = {trial.sizes[name] for trial, ran in axis if not ran}
    hint = axis[0][0].sizes
    if not good or not bad:
        return
    if max(bad) < min(good):
        sizes = {**hint, name: _edge(name, hint, max(bad), min(good), runs)}
        yield from (at_least(each, constant(each.value(sizes))) for each in candidates if each.constant is None)
    elif max(good) < min(bad):
        sizes = {**hint, name: _edge(name, hint, min(bad), max(good), runs)}
        yield from (at_least(constant(each.value(sizes)), each) for each in candidates if each.constant is None)


def _edge(name: str, hint: Mapping[str, int], bad: int, good: int, runs: Runs) -> int:
    """The last size towards `bad` at which it runs."""
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        bad, good = (bad, middle) if runs({**hint, name: middle}) else (middle, good)
    return good


def _multiples(candidates: Sequence[Function], axis: Outcomes) -> Iterator[Condition]:
    good = [trial for trial, ran in axis if ran]
    for each in candidates if good else ():
        if each.constant is None:
            value = each.value(good[0].sizes)
            yield from (divisible(each.plus(-(value % number)), number) for number in range(2, _MOST + 1))
