"""From runs to a partition of all sizes: a tree of the conditions that the model's runs meet.

A run covers its path, the sizes at which every one of its conditions comes out the same. An operation's requirement
that held in a run also tells, without another run, that its complement raises there. What the model's own code
compared opens another branch, which a later run takes. A condition both of whose sides end alike is forgotten.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapelint.facts.contract import How, Region, RegionOutcome
from shapelint.facts.failure import Failure, Kind
from shapelint.restore.module import left_as_it_was
from shapelint.size.condition import negate
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.branch import Branch, Doubt, cut, doubted, failed_node, outcome_of, regions_of, unvisited
from shapelint.trace.budget import Budget
from shapelint.trace.recording.answers import LeftOpen
from shapelint.trace.recording.errors import OutOfTime, Unanalysable
from shapelint.trace.recording.record import Leak, Overrides
from shapelint.trace.replay import asked_again, can_be_held, countable, difference, distant, how_many
from shapelint.trace.run import Run, Subject, run_once
from shapelint.trace.turns.plans import Again, Plans
from shapelint.trace.ways import Choices, run_all_ways

_RUNS, _CALLS, _SECONDS = 320, 100_000, 20.0
_PINNED = 8
_DEEPEST = 48
_TRIED = 24
_MOST_PIECES = 2000
_STEPS = 4_000_000
_LARGEST = 2**31 - 1
_TOO_LARGE = RegionOutcome(False, (), Failure(Kind.ARGUMENT, f"sizes end at {_LARGEST}"))


@dataclass(slots=True)
class Exploration:
    """The regions found, and the runs that showed them; `odd` are those that ended otherwise than their region says."""

    subject: Subject
    domain: SizeSet
    overrides: Overrides
    regions: list[Region] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    replays: bool = True
    pinned: int = 0
    distrust: tuple[str, Span | None] | None = None
    odd: list[Run] = field(default_factory=list)
    left_open: LeftOpen = field(default_factory=LeftOpen)
    budget: Budget = field(default_factory=Budget)
    plans: Plans = field(default_factory=Plans)
    unsolved: str = ""  # why some branch is left whose sizes isl could not tell within its steps

    def run(self, sizes: Mapping[str, int], *, symbolic: bool) -> Run:
        """One more run at these sizes, with Sizes that remember their symbols unless `symbolic` is False."""
        return self._run(sizes, symbolic=symbolic)

    def replay(self, sizes: Mapping[str, int]) -> Run:
        """A run with plain ints of which only the end is asked: places and layers of its calls are left out."""
        return self._run(sizes, symbolic=False, with_places=False)

    def either_way(self, sizes: Mapping[str, int], left_open: LeftOpen) -> Run:
        """A run in which the open comparisons go either way; its error is Unanalysable where the ways differ."""
        return self._run(sizes, symbolic=True, left_open=left_open)

    def followed(self, sizes: Mapping[str, int]) -> Run:
        """A run for a branch, with both sides of what no set could tell on another branch, where these end alike."""
        if self.left_open.places:
            run = self.either_way(sizes, self.left_open)
            if not isinstance(run.error, Unanalysable) and not run.leaks:
                return run
        return self.run(sizes, symbolic=True)

    def _run(self, sizes: Mapping[str, int], **options: Any) -> Run:
        """A run of every way that the data may decide, made again while it shows how a loop is to be run.

        Where a loop of one way moves the run to other sizes, all ways are run at these.
        """
        asked, at = {**options, "plans": self.plans}, sizes

        def run(choices: Choices) -> Run:
            nonlocal at
            while True:
                with left_as_it_was(self.subject.module, seeded=True):
                    once = run_once(self.subject, at, overrides=self.overrides, choices=choices, **asked)
                self.budget.spend(calls=once.calls if options["symbolic"] else once.calls // 2)  # of half the time
                if not isinstance(once.error, Again):
                    return once
                at = once.error.sizes or at

        while True:
            found = run_all_ways(run, by_sizes="left_open" in options)
            if found is not None:
                return found

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
    budget = budget or Budget(runs=_RUNS, calls=_CALLS, seconds=_SECONDS)
    found = Exploration(subject, domain, overrides or {}, replays=replays, budget=budget)
    root, spent = Branch(domain), ""
    waiting = deque([root])
    while waiting:
        spent = budget.spent(runs=len(waiting))
        if spent or found.pinned >= _PINNED:
            break
        branch = waiting.popleft()
        point = first if branch is root else _sample(found, branch) if branch.turns <= _DEEPEST else None
        if point is not None:
            waiting.extend(_grown(found, branch, point))
    rest = _rest(found, spent, list(unvisited(root)), all_visited=not waiting)
    regions = regions_of(root, rest)
    found.regions = [_trusted(found, replace(each, sizes=each.sizes.coalesced())) for each in regions]
    return found


def _sample(found: Exploration, branch: Branch) -> Mapping[str, int] | None:
    """A small member, or a large one too after sizes at which nothing could be told; None where isl finds none."""
    sizes, least = branch.sizes, dict.fromkeys(branch.sizes.symbols, 8 * 2**found.pinned)
    try:
        with limited(_STEPS):
            if sizes.piece_count > _MOST_PIECES:
                raise SolverError(f"a set of {sizes.piece_count} pieces")
            point = (sizes.at_least(least).sample() if found.pinned else None) or sizes.sample() or {}
            if any(value > _LARGEST for value in point.values()):  # torch has no such sizes; smaller ones, if there are
                point = sizes.at_most(dict.fromkeys(sizes.symbols, _LARGEST)).sample() or point
    except SolverError as error:
        point, found.unsolved = {}, f"the solver failed: {error}"
    return point or None


def _grown(found: Exploration, branch: Branch, point: Mapping[str, int]) -> Iterable[Branch]:
    """Runs the model at a size of the branch; the branches that this opens."""
    if any(value > _LARGEST for value in point.values()):
        branch.end = Region(branch.sizes, _TOO_LARGE, run=len(found.runs) - 1)
        return
    found.plans.begin(branch.sizes)
    found.runs.append(found.followed(point))
    found.plans.within = None
    found.budget.spend(runs=1)
    if len(found.runs) == 1 and isinstance(found.runs[0].error, OutOfTime):
        raise found.runs[0].error
    for part in _divide(found, branch, found.runs[-1]):
        if isinstance(part, Branch):
            yield part


def _divide(found: Exploration, branch: Branch, run: Run) -> list[Branch | Region]:
    """Cuts the branch along the run's path; what differs from a replay, or cannot be told, is known at one size."""
    unexplained = run.failure is not None and run.failure.kind in (Kind.UNEXPLAINED, Kind.OBSERVED)
    if unexplained and not isinstance(run.error, Unanalysable):
        return _pin(found, branch, run, f"{type(run.error).__name__}: {run.error}".split("\n")[0])
    try:
        with limited(_STEPS):
            run, doubts = _cut(found, branch, run)
    except SolverError as error:
        return _pin(found, branch, run, f"the solver failed: {error}")
    lost = run.unseen or next(iter(run.leaks), None) or next((Leak(each.why, each.place) for each in doubts), None)
    if lost is not None:
        place = None if lost.place is None else lost.place.span()
        doubted(branch, lost.reason, place, open_conditions=bool(doubts), unseen=lost.unseen)
    assert branch.end is not None
    regions = [part for _, part in branch.steps if isinstance(part, Region)] + [branch.end]
    why = _contradiction(found, run, regions)
    if why:
        return _pin(found, branch, run, branch.end.why or why, branch.end.place)
    return [part for _, part in branch.steps]


def _cut(found: Exploration, branch: Branch, run: Run) -> tuple[Run, list[Doubt]]:
    """Cuts the branch along the run, or along all the ways that its open comparisons allow, if these end alike."""
    index, shown, left_open = len(found.runs) - 1, run, replace(found.left_open, conditions=run.left_open)
    first = doubts = cut(branch, run, index)
    while doubts and not shown.leaks and all(each.event.place is not None for each in doubts):
        open_now = {way for each in doubts for way in (each.event.condition, negate(each.event.condition))}
        places = {each.event.place for each in doubts if each.event.place is not None}
        left_open = LeftOpen(left_open.conditions | open_now, left_open.places | places)
        shown = found.either_way(run.sizes, left_open)
        if isinstance(shown.error, Unanalysable):
            break
        doubts = cut(branch, shown, index)
    if first and not doubts:
        conditions = found.left_open.conditions | left_open.conditions
        found.runs[-1], found.left_open = shown, LeftOpen(conditions, left_open.places)
        return shown, doubts
    return run, cut(branch, run, index) if doubts is not first else first


def _pin(found: Exploration, branch: Branch, run: Run, why: str, place: Any = None) -> list[Branch | Region]:
    """What is known of one size only; the rest of the branch is a branch of its own."""
    found.pinned += 1
    point = SizeSet.point(found.domain.symbols, run.sizes)
    outcome = outcome_of(run)
    unexplained = run.failure is not None and run.failure.kind is Kind.UNEXPLAINED
    if unexplained or run.unseen or isinstance(run.error, Unanalysable):
        outcome = replace(outcome, ok=None)
    if place is None and run.place is not None:
        place = run.place.span()
    try:
        with limited(_STEPS):
            rest = Branch(branch.sizes - point, branch.given, branch.turns)
    except SolverError:  # as after the budget: nothing is said of the branch by itself
        found.unsolved, branch.end, branch.steps = why, None, []
        return []
    branch.end = Region(point, outcome, How.SAMPLED, why, place, len(found.runs) - 1, failed_node(run))
    branch.steps = [(branch.sizes, rest)] if rest.sizes else []
    return [part for _, part in branch.steps]


def _contradiction(found: Exploration, run: Run, regions: list[Region]) -> str:
    """What a run with plain ints at a distant point of a region did otherwise; "" where nothing."""
    if not found.replays:
        return ""
    for region in asked_again(regions):
        count = how_many(region, len(found.runs), loops=run.loops)
        for point in distant(region.sizes, run.sizes, count, loops=run.loops):
            if not _can_be_made(found.subject, point):
                continue
            replay = found.replay(point)
            why = difference(replay, region, point)
            if why and can_be_held(run, point):
                found.odd.append(replay)
                found.distrust = found.distrust or (region.why or why, region.place if region.why else None)
                return why
    return ""


def _can_be_made(subject: Subject, point: Mapping[str, int]) -> bool:
    """Whether torch can count the bytes of the inputs, which it must even on meta."""
    return all(countable([dim.value(point) for dim in spec.dims]) for spec in subject.inputs.tensors())


def _trusted(found: Exploration, region: Region) -> Region:
    """A region, not proved any more where some run lost a size in silence: it may have lost others."""
    if found.distrust is None or region.how is not How.PROVED:
        return region
    why, place = found.distrust
    return replace(region, how=How.SAMPLED, why=why, place=place)


def _rest(found: Exploration, spent: str, left: list[Branch], *, all_visited: bool) -> Region:
    """What is said of the branches that no run reached."""
    why, place = f"the budget of {spent} is used up", None
    lost = next((run for run in reversed(found.runs) if run.leaks or run.error is not None), None)
    if found.unsolved:
        why = found.unsolved
    elif all_visited:
        why = f"more than {_DEEPEST} ways through the model, one after the other"
    elif found.pinned >= _PINNED and lost is not None:
        first = lost.leaks[0] if lost.leaks else Leak(str(lost.error), lost.place)
        why, place = first.reason, None if first.place is None else first.place.span()
    elif found.pinned >= _PINNED and found.distrust is not None:
        why, place = found.distrust
    elif found.replays and (common := _common(found, left)) is not None:
        why = f"{len(found.runs)} of the ways through the model were followed, and a part of the others tried"
        return replace(common, how=How.SAMPLED, why=why, place=None)
    loop = found.plans.one_by_one()
    if loop is not None:
        why, place = loop
    return Region(found.domain, RegionOutcome(None), How.UNKNOWN, why, place, len(found.runs) - 1)


def _common(found: Exploration, left: list[Branch]) -> Region | None:
    """A region whose outcome is also seen at a member of each of some of the branches that are left, and nowhere else
    in them another one.
    """
    outcomes = Counter(outcome_of(run) for run in found.runs if run.failure is None and not run.unseen)
    if not outcomes:
        return None
    common = Region(found.domain, outcomes.most_common(1)[0][0], run=len(found.runs) - 1)
    within = [run for run in found.odd if any(run.sizes in branch.sizes for branch in left)]
    if any(difference(run, common, run.sizes) for run in within):
        return None
    for branch in left[:: 1 + len(left) // _TRIED]:
        point = _sample(found, branch)
        if not point:
            return None
        replay = found.replay(point)
        if replay.unseen or difference(replay, common, point):
            return None
    return common
