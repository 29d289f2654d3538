"""Regions are run again with plain ints, far from where they were found: a net under the proof, not a proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import prod

from shapelint.facts.contract import How, Region
from shapelint.size.function import as_function
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.number import plain
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import frozen_shape
from shapelint.trace.run import Run

_SCALES = ((1, 29), (5, 3), (17, 11), (1, 1))
_NEAR = ((1, 9),)
_EVERY = 4
_RAISING = 4
_STEPS = 8_000_000


def asked_again(regions: Iterable[Region]) -> list[Region]:
    """The regions of a run that are run again: one for each call with which they end.

    Of those that are proved to raise four do, the first and the last among them: their runs go the same way, and each
    ends at a size rule that the first run has asked.
    """
    found: dict[int, Region] = {}
    for region in regions:
        if region.how is not How.UNKNOWN:
            found.setdefault(region.node, region)
    raising = [node for node, each in found.items() if each.outcome.ok is False and each.how is How.PROVED]
    kept = {raising[number * (len(raising) - 1) // (_RAISING - 1)] for number in range(_RAISING)} if raising else set()
    return [each for node, each in found.items() if node in kept or node not in raising]


def how_many(region: Region, runs: int, *, loops: bool) -> int:
    """At how many points a region is run again: fewer for the later ones of many, and of those that cost many turns."""
    if runs > 32 or (loops and runs > 8):
        return 0 if runs % _EVERY else 1
    if runs > 8 or loops:
        return 1
    if region.why:
        return len(_SCALES)
    return 3 if region.outcome.ok else 1


def distant(sizes: SizeSet, hint: Mapping[str, int], count: int, *, loops: bool = False) -> list[dict[str, int]]:
    """Points of the set that are far from where the run was, at other scales, as far as there are any.

    They are nearer where loops have more turns at larger sizes; where isl takes too many steps to find one, there is
    none.
    """
    points: list[dict[str, int]] = []
    with suppress(SolverError), limited(_STEPS):
        for factor, offset in (_NEAR if loops else _SCALES)[:count]:
            bound = {name: value * factor + offset + 8 * index for index, (name, value) in enumerate(hint.items())}
            beyond = sizes.at_least(bound).smallest() or (sizes - SizeSet.point(sizes.symbols, hint)).sample()
            if beyond is not None and beyond not in points:
                points.append(beyond)
    return points


def can_be_held(run: Run, point: Mapping[str, int]) -> bool:
    """Whether torch can count the bytes of all that the calls of a run would give at a point.

    It cannot for the scores of a billion tokens, which even meta refuses.
    """
    shapes = (frozen_shape(shape) for record in run.records for shape in record.outputs)
    known = (shape for shape in shapes if all(as_function(dim).symbols() <= set(point) for dim in shape.dims))
    return all(countable(shape.value(dict(point))) for shape in known)


def countable(shape: Iterable[int]) -> bool:
    """Whether torch can count the bytes of a tensor, of whatever dtype."""
    return 16 * prod(shape) < 2**63


def difference(replay: Run, region: Region, point: Mapping[str, int]) -> str:
    """What a replay did otherwise than its region says, in words; "" where nothing."""
    at = ", ".join(f"{name}={value}" for name, value in point.items())
    if region.outcome.ok is not (replay.failure is None):
        with_places = "runs" if replay.failure is None else f"raises ({replay.failure.at(point)})"
        return f"a run with plain integers at {at} {with_places}"
    observed = [tuple(map(plain, shape)) for shape in replay.outputs]
    predicted = [shape.value(dict(point)) for shape in region.outcome.outputs]
    if region.outcome.ok and observed != predicted:
        return f"a run with plain integers at {at} gave {observed}, not {predicted}"
    return ""
