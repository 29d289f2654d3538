"""Compares the model's own guards, its `assert` and `raise` statements about sizes, with the sizes that fit.

What they let through wrongly is in the contract. What they refuse without need is known from the model without them:
the statements are taken out and the model is explored again. Where that cannot be proved, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from shapelint.diagnosis.case import Case
from shapelint.diagnosis.intent import multiples, restored
from shapelint.diagnosis.reach import ExamplePoint
from shapelint.facts.analysis import Guard
from shapelint.facts.contract import Contract, How, Region, running, union
from shapelint.facts.failure import Kind
from shapelint.instrument.without_guards import is_guard, is_of_package, without
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.budget import Budget
from shapelint.trace.explore import explore

_RUNS, _CALLS, _SECONDS = 128, 30_000, 6.0
_ROUNDS = 3
_LARGE = 1 << 16
_SMALLNESS = frozenset({Kind.KERNEL, Kind.EMPTY, Kind.PAD, Kind.WRAP, Kind.NORM})


def size_guard(case: Case, example: ExamplePoint) -> Guard | None:
    """The model's guards, compared; None where there are none, or where nothing is proved about them."""
    contract = case.contract
    regions = _guarded(contract.regions, case.explored.subject.module)
    if not regions or not contract.proved or not contract.runs:
        return None
    refuses = union(contract.symbols, [region.sizes for region in regions]).coalesced()
    accepts = (contract.domain - refuses).coalesced()
    lax, doubtful = _lax(contract, regions, refuses), _doubtful(case, refuses, accepts, example)
    if not example.asked & (doubtful | lax):
        return None
    bare = None if not doubtful else _bare(case, tuple(dict.fromkeys(map(_place, regions))), doubtful, example)
    needless = SizeSet.empty(contract.symbols) if bare is None else (bare & doubtful).coalesced()
    if not needless and not lax:
        return None
    at = example.at(needless) or example.at(lax) or {}
    failure = contract.region_at(at).outcome.failure
    told = next((each for each in regions if at in each.sizes), regions[0])
    return Guard(_place(told), at, refuses, accepts, contract.runs if bare is None else bare, needless, lax, failure)


def _guarded(regions: Sequence[Region], module: object) -> list[Region]:
    """The regions that one of the model's own guards refuses; what a library asserts for itself is no such guard."""
    return [region for region in regions if _failed(region) is Kind.PYTHON and region.outcome.place is not None
            and is_guard(region.outcome.place) and is_of_package(region.outcome.place, module)]  # fmt: skip


def _failed(region: Region) -> Kind | None:
    return None if region.outcome.failure is None else region.outcome.failure.kind


def _place(region: Region) -> Span:
    assert region.outcome.place is not None, "_guarded() has looked"
    return region.outcome.place


def _lax(contract: Contract, guards: list[Region], refuses: SizeSet) -> SizeSet:
    """The sizes at which a call behind the first guard raises for a reason of size.

    A guard that refuses large sizes too, for their divisors say, is not blamed for sizes that are merely too small.
    """
    first = min(region.node for region in guards)
    large = refuses.at_least(dict.fromkeys(refuses.symbols, _LARGE))
    others = {Kind.PYTHON, Kind.UNEXPLAINED, Kind.OBSERVED, *(_SMALLNESS if large else ())}
    beyond = [region for region in contract.regions if region.outcome.ok is False and region.node > first
              and _failed(region) not in others]  # fmt: skip
    return union(contract.symbols, [region.sizes for region in beyond]).coalesced()


def _bare(case: Case, places: tuple[Span, ...], doubtful: SizeSet, example: ExamplePoint) -> SizeSet | None:
    """The sizes that are right where the guards do nothing; None where no doubtful one is, or it is not proved.

    A few sizes alone that run without a guard run by chance: a slice with a negative start leaves one row, which fits
    every other. Only somebody who asks for such a size wants to hear of it.
    """
    right = _without_guards(case, places, doubtful)
    if right is None or (right.pinned and (example.focus is None or example.focus not in right)):
        return None
    return _without_guards(case, places, case.explored.domain)


def _without_guards(case: Case, places: tuple[Span, ...], domain: SizeSet) -> SizeSet | None:
    """Those of some sizes that are right where the guards do nothing; None where that is not proved."""
    explored, question = case.explored, case.question
    first = question.first if question.first in domain else domain.sample() or question.first
    whole = Budget(calls=_CALLS, seconds=_SECONDS)
    for _ in range(_ROUNDS):
        budget = Budget(runs=_RUNS, within=whole)
        with without(explored.subject.module, places) as removed:
            if not removed:
                return None
            found = explore(explored.subject, domain, first, budget=budget)
        if any(region.how is not How.PROVED for region in found.regions):
            return None
        more = {_place(region) for region in _guarded(found.regions, explored.subject.module)}
        if more & set(places):
            return None
        if not more:
            if not case.intent.meant:
                return running(found.domain, found.regions)
            return restored(found.domain, found.regions, question, case.expect)
        places += tuple(more)
    return None


def _doubtful(case: Case, refuses: SizeSet, accepts: SizeSet, example: ExamplePoint) -> SizeSet:
    """What is refused although no stride drops a row there; sizes below a least one only where one is asked for."""
    aligned = refuses & multiples(case.question, case.intent.stride)
    if example.focus is not None and example.focus in aligned:
        return aligned
    axes = [accepts.onto([name]) for name in accepts.symbols]
    if accepts.pinned:  # a size that is pinned is meant so
        return SizeSet.empty(accepts.symbols)
    least = {axis.symbols[0]: axis.smallest() for axis in axes}
    return aligned.at_least({name: size[name] for name, size in least.items() if size is not None}).coalesced()
