"""Decides asked sizes that are not proved, one by one: a run with plain integers knows every size that it meets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shapelint.facts.contract import How, Region, union
from shapelint.facts.failure import Kind
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import failed_node, outcome_of
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Run

_MOST = 24


def settled(explored: Exploration, regions: Sequence[Region], asked: SizeSet) -> tuple[tuple[Region, ...], SizeSet]:
    """The regions, with one of its own for each asked size that a run decided, and the set of these sizes.

    At most 24 sizes are run; the others stay as they are.
    """
    left = [region for region in regions if region.how is not How.PROVED and region.sizes & asked]
    found: list[Region] = []
    for region in left:
        for point in _points(region.sizes & asked, _MOST - len(found)):
            run = explored.run(point, symbolic=False)
            explored.runs.append(run)
            if is_conclusive(run):
                found.append(_at_point(region, run, len(explored.runs) - 1))
    seen = union(asked.symbols, [each.sizes for each in found])
    rest = [replace(region, sizes=region.sizes - seen) if region in left else region for region in regions]
    return (*(region for region in rest if region.sizes), *found), seen


def is_conclusive(run: Run) -> bool:
    """Whether a run with plain integers tells what eager PyTorch does at its sizes, with nothing left to chance."""
    unexplained = run.failure is not None and run.failure.kind is Kind.UNEXPLAINED
    return not (unexplained or isinstance(run.error, Unanalysable) or run.random)


def _at_point(region: Region, run: Run, index: int) -> Region:
    point = SizeSet.point(region.sizes.symbols, run.sizes)
    return Region(point, outcome_of(run), How.SAMPLED, region.why, region.place, index, failed_node(run))


def _points(sizes: SizeSet, most: int) -> Iterator[Mapping[str, int]]:
    """Members of a set, the smallest first."""
    left = sizes
    for _ in range(most):
        point = left.sample()
        if point is None:
            return
        yield point
        left = left - SizeSet.point(sizes.symbols, point)
