"""From runs to a partition of all sizes: run, cut out what the path covers, run again outside of it.

An operation's requirement that held in a run also tells, without another run, that its complement raises there.
What the model's own code compared opens another path, which a later run takes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapelint.contract import How, Region, RegionOutcome, union
from shapelint.failure import Kind
from shapelint.graph import TensorShape
from shapelint.size.isl_form import SolverError, Undecidable
from shapelint.size.number import plain
from shapelint.size.sets import SizeSet
from shapelint.trace.failure import Unanalysable
from shapelint.trace.operation import Shape
from shapelint.trace.record import Overrides
from shapelint.trace.run import Run, Subject, left_as_it_was, run_once

_PINNED = 8
_SCALES = ((1, 29), (5, 3), (17, 11), (1, 1))


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an exploration may cost before the rest is left unknown."""

    runs: int = 2048
    seconds: float = 15.0


@dataclass(slots=True)
class Exploration:
    """The regions found so far, and the runs that showed them."""

    subject: Subject
    domain: SizeSet
    overrides: Overrides
    regions: list[Region] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    replays: bool = True
    pinned: int = 0
    distrust: str = ""

    def run(self, sizes: Mapping[str, int], *, symbolic: bool) -> Run:
        with left_as_it_was(self.subject.module):
            return run_once(self.subject, sizes, symbolic=symbolic, overrides=self.overrides)

    def at(self, sizes: Mapping[str, int]) -> Run:
        """The run whose region a size lies in."""
        point = SizeSet.point(self.domain.symbols, sizes)
        return next(self.runs[region.run] for region in self.regions if point <= region.sizes)


def explore(
    subject: Subject,
    domain: SizeSet,
    first: Mapping[str, int],
    *,
    overrides: Overrides | None = None,
    replays: bool = True,
    budget: Budget | None = None,
) -> Exploration:
    """A partition of `domain` into regions with one outcome each; the first run is at the size `first`."""
    found = Exploration(subject, domain, overrides or {}, replays=replays)
    budget = budget or Budget()
    end = time.monotonic() + budget.seconds
    remaining, point = domain, dict(first)
    while remaining:
        if len(found.runs) >= budget.runs or time.monotonic() > end or found.pinned >= _PINNED:
            found.regions.append(_rest(found, remaining, budget))
            break
        found.runs.append(found.run(point, symbolic=True))
        regions = _regions(found, remaining)
        found.regions += regions
        remaining = (remaining - union(domain.symbols, [region.sizes for region in regions])).coalesced()
        point = remaining.sample() or {}
    found.regions = _merged([_trusted(found, region) for region in found.regions])
    return found


def _trusted(found: Exploration, region: Region) -> Region:
    """A region, not proved any more where some run lost a size in silence: it may have lost others."""
    if not found.distrust or region.how is not How.PROVED:
        return region
    return replace(region, how=How.SAMPLED, why=found.distrust)


def _rest(found: Exploration, remaining: SizeSet, budget: Budget) -> Region:
    lost = next((region for region in found.regions if region.why), None)
    if found.pinned < _PINNED or lost is None:
        why = f"the budget of {budget.runs} runs or {budget.seconds:g} s is used up"
        return Region(remaining, RegionOutcome(None), How.UNKNOWN, why, run=len(found.runs) - 1)
    return Region(remaining, RegionOutcome(None), How.UNKNOWN, lost.why, lost.place, len(found.runs) - 1)


def _regions(found: Exploration, remaining: SizeSet) -> list[Region]:
    """The regions that the last run shows inside of what remains."""
    index, run = len(found.runs) - 1, found.runs[-1]
    unexplained = run.failure is not None and run.failure.kind is Kind.UNEXPLAINED
    if unexplained and not isinstance(run.error, Unanalysable):
        return [_pinned(found, run, str(run.error))]
    try:
        regions = _split(run, remaining, index)
    except Undecidable as error:
        return [_pinned(found, run, f"the condition on {error} is not quasi-affine")]
    except SolverError as error:
        return [_pinned(found, run, f"the solver failed: {error}")]
    if run.leaks:
        reason, place = run.leaks[0]
        span = None if place is None else place.span()
        regions = [each if each.why else replace(each, how=How.SAMPLED, why=reason, place=span) for each in regions]
    return _replayed(found, run, regions)


def _split(run: Run, remaining: SizeSet, index: int) -> list[Region]:
    regions: list[Region] = []
    path = remaining
    for event in run.events:
        holds = SizeSet.where(remaining.symbols, event.condition)
        if event.failure is not None and (outside := path - holds):
            record = run.records[min(event.node, len(run.records) - 1)]
            place = None if record.place is None else record.place.span()
            outcome = RegionOutcome(False, (), event.failure, record.module, place)
            regions.append(Region(outside, outcome, run=index, node=event.node))
        path = path & holds
    assert run.sizes in path, f"the run at {run.sizes} left its own path"
    last = Region(path.coalesced(), _outcome(run), run=index, node=_failed_node(run))
    if isinstance(run.error, Unanalysable):
        place = None if run.place is None else run.place.span()
        last = replace(last, outcome=replace(last.outcome, ok=None), how=How.UNKNOWN, why=str(run.error), place=place)
    return [*regions, last]


def _failed_node(run: Run) -> int:
    return -1 if run.failure is None else len(run.records) - 1


def _outcome(run: Run) -> RegionOutcome:
    if run.failure is None:
        return RegionOutcome(True, tuple(map(frozen_shape, run.outputs)))
    place = None if run.place is None else run.place.span()
    module = run.records[-1].module if run.records and run.failure.kind is not Kind.PYTHON else ""
    return RegionOutcome(False, (), run.failure, module, place)


def frozen_shape(shape: Shape) -> TensorShape:
    """A shape whose sizes are ints and functions, so that it outlives its run."""
    return TensorShape(tuple(_frozen(dim) for dim in shape))


def _frozen(dim: int) -> Any:
    function = getattr(dim, "_function", None)
    return plain(dim) if function is None else function


def _pinned(found: Exploration, run: Run, why: str) -> Region:
    """What is known of one size only."""
    found.pinned += 1
    point = SizeSet.point(found.domain.symbols, run.sizes)
    outcome = _outcome(run)
    if run.failure is not None and run.failure.kind is Kind.UNEXPLAINED:
        outcome = replace(outcome, ok=None)
    place = None if run.place is None else run.place.span()
    return Region(point, outcome, How.SAMPLED, why, place, len(found.runs) - 1, _failed_node(run))


def _replayed(found: Exploration, run: Run, regions: list[Region]) -> list[Region]:
    """The regions, after a run with plain ints at a distant point of each showed the same outcome."""
    if not found.replays:
        return regions
    checked: set[int] = set()
    for region in regions:
        if region.node in checked or region.how is How.UNKNOWN:
            continue
        checked.add(region.node)
        for point in _distant(region.sizes, run.sizes, _replays(run, region)):
            why = _difference(found.run(point, symbolic=False), region, point)
            if why:
                found.distrust = found.distrust or region.why or why
                return [replace(_pinned(found, run, region.why or why), place=region.place)]
    return regions


def _replays(run: Run, region: Region) -> int:
    return len(_SCALES) if run.leaks else 3 if region.outcome.ok else 1


def _distant(sizes: SizeSet, hint: Mapping[str, int], count: int) -> list[dict[str, int]]:
    """Points of the set that are far from where the run was, at other scales, as far as there are any."""
    points: list[dict[str, int]] = []
    for factor, offset in _SCALES[:count]:
        bound = {name: value * factor + offset + 8 * index for index, (name, value) in enumerate(hint.items())}
        beyond = sizes.at_least(bound).smallest() or (sizes - SizeSet.point(sizes.symbols, hint)).sample()
        if beyond is not None and beyond not in points:
            points.append(beyond)
    return points


def _difference(replay: Run, region: Region, point: Mapping[str, int]) -> str:
    """What a replay did otherwise than its region says, in words; "" where nothing."""
    at = ", ".join(f"{name}={value}" for name, value in point.items())
    if region.outcome.ok is not (replay.failure is None):
        told = "runs" if replay.failure is None else f"raises ({replay.failure.at(point)})"
        return f"a run with plain integers at {at} {told}"
    observed = [tuple(map(plain, shape)) for shape in replay.outputs]
    predicted = [shape.value(dict(point)) for shape in region.outcome.outputs]
    if region.outcome.ok and observed != predicted:
        return f"a run with plain integers at {at} gave {observed}, not {predicted}"
    return ""


def _merged(regions: list[Region]) -> list[Region]:
    """Regions of equal outcome made one."""
    groups: dict[Any, Region] = {}
    for region in regions:
        key = (region.outcome, region.how, region.why, region.place)
        known = groups.get(key)
        sizes = region.sizes if known is None else known.sizes | region.sizes
        groups[key] = replace(known or region, sizes=sizes)
    return [replace(region, sizes=region.sizes.coalesced()) for region in groups.values()]
