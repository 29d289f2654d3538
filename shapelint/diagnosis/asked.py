"""Decides asked sizes one by one: those that are not proved, and one that is, as a witness against ourselves.

Eager PyTorch is asked where that costs little. Where it does not, a run with plain integers on meta knows every size
that it meets, and decides where nothing in it is left to the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shapelint.confirm.witness import Seen, Witness
from shapelint.facts.analysis import Contradiction
from shapelint.facts.contract import How, Region, RegionOutcome, union
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import TensorShape
from shapelint.request.inputs import Inputs
from shapelint.size.number import plain
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import failed_node, outcome_of
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Run

_MOST = 24


@dataclass(frozen=True, slots=True)
class Settled:
    """The regions, with one of its own for each asked size that was decided by itself; `seen` are these sizes.

    `contradictions` are where eager PyTorch does otherwise than is proved; `remark` says why it was not asked, and
    `pytorch` is what it raised at the first size.
    """

    regions: tuple[Region, ...]
    seen: SizeSet
    contradictions: tuple[Contradiction, ...] = ()
    remark: str = ""
    pytorch: str = ""


@dataclass(slots=True)
class Judge:
    """Runs the model at asked sizes; at most 24 of them, the others stay as they are.

    There is no `witness` for a file, whose module is ours.
    """

    explored: Exploration
    inputs: Inputs
    witness: Witness | None
    remark: str = ""
    raised: dict[tuple[int, ...], str] = field(default_factory=dict)

    def settled(self, regions: Sequence[Region], asked: SizeSet, first: Mapping[str, int]) -> Settled:
        """What is known of the asked sizes, of which `first` is one."""
        left = [region for region in regions if region.how is not How.PROVED and region.sizes & asked]
        found: list[Region] = []
        for region in left:
            for point in _points(region.sizes & asked, _MOST - len(found)):
                decided = self._decided(region, point)
                found += [] if decided is None else [decided]
        seen = union(asked.symbols, [each.sizes for each in found])
        rest = [replace(region, sizes=region.sizes - seen) if region in left else region for region in regions]
        parts = (*(region for region in rest if region.sizes), *found)
        sure = next((region for region in regions if region.how is How.PROVED and first in region.sizes), None)
        wrong = [] if sure is None else self._contradictions(sure, first)
        return Settled(parts, seen, tuple(wrong), self.remark, self.raised.get(tuple(first.values()), ""))

    def _decided(self, region: Region, point: Mapping[str, int]) -> Region | None:
        """A region of one size, as it was seen there; None where nothing shows what happens.

        Where the data decide, a run for real may go on with numbers as good as any; that it raises says nothing.
        """
        run = self.explored.run(point, symbolic=False)
        self.explored.runs.append(run)
        seen = self._seen(run, point)
        at = SizeSet.point(region.sizes.symbols, point)
        found = Region(at, outcome_of(run), How.SAMPLED, region.why, region.place, len(self.explored.runs) - 1)
        if seen is not None and seen.counts and ((seen.real and seen.shapes is not None) or is_conclusive(run)):
            return replace(found, outcome=_as_seen(seen, found.outcome), node=failed_node(run))
        return replace(found, node=failed_node(run)) if is_conclusive(run) else None

    def _contradictions(self, region: Region, point: Mapping[str, int]) -> Iterator[Contradiction]:
        run = self.explored.runs[region.run]
        run = run if run.sizes == dict(point) else self.explored.replay(point)
        seen = self._seen(run, point)
        if seen is None or not seen.counts or (seen.shapes is None and run.choices):
            return
        said = None if run.failure is not None else tuple(tuple(map(plain, shape)) for shape in run.outputs)
        if said != seen.shapes:
            yield Contradiction(dict(point), said, seen.shapes, seen.error)

    def _seen(self, run: Run, point: Mapping[str, int]) -> Seen | None:
        """What eager PyTorch does; None where that costs too much."""
        if self.witness is None:
            return None
        too_large = self.witness.too_large(run)
        if too_large:
            self.remark = f"not run in eager PyTorch: {too_large}"
            return None
        seen = self.witness.at(self.inputs, point)
        self.raised[tuple(point.values())] = seen.error
        return seen


def unseen_size(explored: Exploration, first: Mapping[str, int]) -> Mapping[str, int] | None:
    """With symbols alone, a size at which eager PyTorch may show what no run on meta does; None where one runs."""
    regions = explored.regions
    open_ones = [each.sizes for each in regions if each.outcome.ok is None and explored.runs[each.run].unseen]
    if not open_ones or any(region.outcome.ok for region in regions):
        return None
    return first if any(first in sizes for sizes in open_ones) else open_ones[0].sample()


def is_conclusive(run: Run) -> bool:
    """Whether a run with plain integers tells what eager PyTorch does at its sizes, with nothing left to chance."""
    return shows_sizes(run) and not run.random


def tells_shapes(run: Run) -> bool:
    """Whether no number stands in the shapes of a run with plain integers that the data decide."""
    return not any(each.made_up for each in run.leaks)


def shows_sizes(run: Run) -> bool:
    """Whether a run with plain integers met every size that eager PyTorch meets, with the random numbers it drew."""
    unexplained = run.failure is not None and run.failure.kind is Kind.UNEXPLAINED
    return not (unexplained or run.unseen or isinstance(run.error, Unanalysable))


def _as_seen(seen: Seen, predicted: RegionOutcome) -> RegionOutcome:
    """The outcome that was seen; of an error, with the words and place of the run that met it too."""
    if seen.shapes is not None:
        return RegionOutcome(True, tuple(map(TensorShape, seen.shapes)))
    if predicted.failure is not None:
        return replace(predicted, ok=False)
    return RegionOutcome(False, (), Failure(Kind.OBSERVED, seen.error.replace("{", "(").replace("}", ")")))


def _points(sizes: SizeSet, most: int) -> Iterator[Mapping[str, int]]:
    """Members of a set, the smallest first."""
    left = sizes
    for _ in range(most):
        point = left.sample()
        if point is None:
            return
        yield point
        left = left - SizeSet.point(sizes.symbols, point)
