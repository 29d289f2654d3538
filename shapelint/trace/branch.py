"""The tree of an exploration: what each run cut off from the sizes that it was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from shapelint.facts.contract import How, Region, RegionOutcome
from shapelint.facts.failure import Kind
from shapelint.facts.graph import TensorShape
from shapelint.size.condition import Condition, FloatCompare, Not, negate
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.number import plain
from shapelint.size.sets import SizeSet
from shapelint.source.span import CallSite
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Event, Shape
from shapelint.trace.run import Run

_FORMULA, _FEW = 40, 8
_MOST_PIECES, _MOST_MEETINGS, _MOST_DIVISIONS, _MOST_OPEN = 2000, 20_000, 32, 256
_OF_PRODUCTS = "a condition on products of sizes"


@dataclass(slots=True)
class Branch:
    """Sizes that one run is to divide: `steps` are what it cut off, one after the other, from what was left then.

    `given` are the conditions that hold on all of them; `turns` counts the conditions that came out otherwise than
    in the run before, from the root of the tree.
    """

    sizes: SizeSet
    given: frozenset[Condition] = frozenset()
    turns: int = 0
    steps: list[tuple[SizeSet, Branch | Region]] = field(default_factory=list)
    end: Region | None = None


def _both(path: SizeSet, other: SizeSet) -> SizeSet:
    """What is in both; raises SolverError where isl would meet each of many pieces with each of many."""
    if path.piece_count * other.piece_count > _MOST_MEETINGS:
        raise SolverError(f"sets of {path.piece_count} and of {other.piece_count} pieces")
    return path & other


def _holding(path: SizeSet, condition: Condition) -> SizeSet:
    """Where a condition holds, at all sizes or else at those of the path; raises Undecidable."""
    try:
        return SizeSet.where(path.symbols, condition)
    except Undecidable:
        return path.meeting(condition)


def _outside(path: SizeSet, condition: Condition, holds: SizeSet) -> SizeSet:
    """Where it does not hold: the opposite is often simpler than what is left of the path."""
    try:
        return _both(path, SizeSet.where(path.symbols, negate(condition)))
    except Undecidable:
        return path - holds


@dataclass(frozen=True, slots=True)
class Doubt:
    """A condition of which no set says where it holds: why, and where it was asked."""

    event: Event
    why: str
    place: CallSite | None


def cut(branch: Branch, run: Run, index: int) -> list[Doubt]:
    """Gives the branch its steps and its end; returns the conditions that leave it without proof.

    Raises SolverError where the sizes become such that isl takes long with each further condition.
    """
    path, given, doubts, many = branch.sizes, set(branch.given), [], _FEW
    branch.steps = []
    for event in _in_order(run):
        if event.condition in given or run.leaves_open(event):
            continue
        try:
            holds = _holding(path, event.condition)
        except Undecidable as error:
            kind = "a comparison of floats made of sizes" if _of_floats(event.condition) else _OF_PRODUCTS
            why = f"{kind}, {_cut_short(str(error))}"
            doubts.append(Doubt(event, why, _asked_at(run, event)))
            continue
        outside = _outside(path, event.condition, holds)
        if outside:
            opposite = frozenset({*given, negate(event.condition)})
            part = _failing(run, event, outside, index) or Branch(outside, opposite, branch.turns + 1)
            branch.steps.append((path, part))
            path = _both(path, holds)
            if path.piece_count > many:
                path = _in_few_pieces(path)
                many = max(_FEW, 2 * path.piece_count)
            if path.division_count > _MOST_DIVISIONS:  # with each of which the next step takes far longer
                raise SolverError(f"sizes that are told by more than {_MOST_DIVISIONS} remainders")
        given.add(event.condition)
    assert run.sizes in path, f"the run at {run.sizes} left its own path"
    branch.end = _end(run, path, index)
    return doubts


def _in_few_pieces(sizes: SizeSet) -> SizeSet:
    """The same sizes in fewer pieces; raises SolverError where these are so many that each next step takes minutes."""
    sizes = sizes.coalesced()
    if sizes.piece_count > _MOST_PIECES:
        raise SolverError(f"a set of {sizes.piece_count} pieces")
    return sizes


def _of_floats(condition: Condition) -> bool:
    return isinstance(condition.part if isinstance(condition, Not) else condition, FloatCompare)


def _in_order(run: Run) -> list[Event]:
    """The conditions on a run's path. Of those after its first decision all that some way alone asks come first: what
    every way asks tells of the sizes at which the others hold.
    """
    sure, later = run.events[: run.sure_events], run.events[run.sure_events :]
    return [*sure, *sorted(later, key=lambda event: event.failure is not None)] if run.choices else run.events


def _cut_short(text: str) -> str:
    """The beginning of a long formula."""
    return text if len(text) <= _FORMULA else f"{text[:_FORMULA].rpartition(' ')[0]} ..."


def _asked_at(run: Run, event: Event) -> CallSite | None:
    """Where a condition came up: in the model's own code, or in a call."""
    record = run.records[event.node] if event.node < len(run.records) else None
    return event.place or (None if record is None else record.place)


def _failing(run: Run, event: Event, outside: SizeSet, index: int) -> Region | None:
    if event.failure is None:
        return None
    node = min(event.node, len(run.records) - 1)  # a run that stops within a call has no record of that
    record = run.records[node]
    place = None if record.place is None else record.place.span()
    outcome = RegionOutcome(False, (), event.failure, record.module, place)
    return Region(outside, outcome, run=index, node=node)


def _end(run: Run, path: SizeSet, index: int) -> Region:
    last = Region(path, outcome_of(run), run=index, node=failed_node(run))
    if isinstance(run.error, Unanalysable):
        place = None if run.place is None else run.place.span()
        last = replace(last, outcome=replace(last.outcome, ok=None), how=How.UNKNOWN, why=str(run.error), place=place)
    return last


def doubted(branch: Branch, why: str, place: Any, *, open_conditions: bool, unseen: bool) -> None:
    """Takes the proof from every region that the branch's run showed.

    With `open_conditions`, of which no set says where they hold, one run is no evidence that other sizes raise; with
    something `unseen` in it, none that they run.
    """

    def less(part: Any) -> Any:
        if part.why:
            return part
        if not (unseen if part.outcome.ok else open_conditions):
            return replace(part, how=How.SAMPLED, why=why, place=place)
        return replace(part, outcome=replace(part.outcome, ok=None), how=How.UNKNOWN, why=why, place=place)

    branch.steps = [(path, less(part) if isinstance(part, Region) else part) for path, part in branch.steps]
    branch.end = less(branch.end)


def failed_node(run: Run) -> int:
    """The index of the call at which a run raised; -1 for none."""
    return -1 if run.failure is None else len(run.records) - 1


def outcome_of(run: Run) -> RegionOutcome:
    """How a run ended, sizes as functions."""
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


def unvisited(branch: Branch) -> Iterator[Branch]:
    """The branches that no run divided."""
    if branch.end is None:
        yield branch
    for _, part in branch.steps:
        if isinstance(part, Branch):
            yield from unvisited(part)


def regions_of(root: Branch, rest: Region) -> list[Region]:
    """The regions of a tree, equal neighbours made one; what was never run is as `rest`.

    Those that are not proved are one that is unknown where each question of so many pieces would take long: it has the
    reason and the run of the first of them.
    """
    regions = _leaves(root, rest)
    others = [region for region in regions if region.how is not How.PROVED]
    count = sum(region.sizes.piece_count for region in others)
    if count > _MOST_OPEN:
        proved = [region for region in regions if region.how is How.PROVED]
        with suppress(SolverError), limited():
            left = reduce(SizeSet.__sub__, (region.sizes for region in proved), root.sizes)
            if left.piece_count < count:
                first = min(others, key=lambda region: region.run)
                return [*proved, replace(first, sizes=left, outcome=RegionOutcome(None), how=How.UNKNOWN)]
    return regions


def _leaves(branch: Branch, rest: Region) -> list[Region]:
    if branch.end is None:
        return [replace(rest, sizes=branch.sizes)]
    regions = [_like(branch.end, rest)]
    for whole, part in reversed(branch.steps):
        others = [_like(part, rest)] if isinstance(part, Region) else _leaves(part, rest)
        regions = _joined(whole, regions, others)
    return regions


def _like(region: Region, rest: Region) -> Region:
    """The region, said to be as sure as the rest where both end alike: one sentence about one outcome."""
    if region.outcome != rest.outcome or region.how is not How.PROVED:
        return region
    return replace(region, how=rest.how, why=rest.why, place=rest.place)


def _joined(whole: SizeSet, first: list[Region], second: list[Region]) -> list[Region]:
    """Two partitions of the parts of `whole`: regions of equal outcome made one."""
    if len(first) == len(second) == 1 and _key(first[0]) == _key(second[0]):
        return [replace(first[0], sizes=whole)]
    groups: dict[Any, Region] = {}
    for region in (*first, *second):
        known = groups.get(_key(region))
        groups[_key(region)] = region if known is None else replace(known, sizes=known.sizes | region.sizes)
    return list(groups.values())


def _key(region: Region) -> Any:
    return region.outcome, region.how, region.why, region.place
