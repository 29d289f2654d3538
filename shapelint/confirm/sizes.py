"""Which sizes a file with open sizes is run at: chosen from the contract, a few of each kind, and H other than W."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from itertools import chain, zip_longest
from math import lcm

from shapelint.facts.analysis import Analysis
from shapelint.facts.contract import Region
from shapelint.size.condition import divisible
from shapelint.size.function import Function, NotQuasiAffine, symbol
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.period import function_period
from shapelint.size.sets import SizeSet

Sizes = dict[str, int]
Point = tuple[tuple[str, int], ...]
_MOST = 64
_FEWEST = 4
_RAISING = 12
_STEPS = 1_500_000  # of isl
_LARGEST = 1 << 16
_SMALL = 4
_LISTED = 4096
_APART = 3
_BASES = (8, 40, 21)
_LARGE = {1: 500, 2: 97, 3: 33}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Sizes at which the model runs by its contract, those at which it raises, and what was left out, in words."""

    running: tuple[Sizes, ...]
    raising: tuple[Sizes, ...]
    left_out: tuple[str, ...] = ()


def chosen_sizes(analysis: Analysis) -> Chosen:
    """At least one size in each region that runs and of each residue of each symbol there; edges and larger ones."""
    found_periods = periods(analysis)
    regions = [region for region in analysis.contract.regions if region.outcome.ok and region.sizes & analysis.asked]
    share = max(1, (_MOST - 2 * len(found_periods) - 2) // max(1, len(regions)))
    steps = max([_FEWEST, *found_periods.values()])
    taken = range(steps) if steps <= share else [step * steps // share for step in range(share)]
    streams = [_of_region(region.sizes & analysis.asked, found_periods, taken) for region in regions]
    edges = list(_edges(analysis.contract.runs & analysis.asked))
    found = _within(chain(edges, _large(analysis), _interleaved(streams)))
    running = tuple(dict(each) for each in dict.fromkeys(found))[:_MOST]
    return Chosen(running, tuple(_raising(analysis, edges)), tuple(_left_out(regions, running, found_periods)))


def periods(analysis: Analysis) -> dict[str, int]:
    """After how many steps of each symbol every size in the model repeats, as far as one symbol decides it."""
    found = dict.fromkeys(analysis.contract.symbols, 1)
    dims = {dim for node in analysis.graph.nodes for shape in node.shapes for dim in shape.dims}
    for dim in dims:
        names = dim.symbols() if isinstance(dim, Function) else ()
        if len(names) == 1 and isinstance(dim, Function):
            (name,) = names
            try:
                found[name] = lcm(found[name], function_period(dim)[0])
            except NotQuasiAffine:
                continue
    return found


def _of_region(sizes: SizeSet, periods: Mapping[str, int], steps: Sequence[int]) -> Iterator[Point]:
    """One member for each residue: all symbols take a step at once, each from another residue, or one by one."""
    for number, step in enumerate(steps):
        base = _BASES[number % len(_BASES)]
        residues = {name: (step + place) % periods[name] for place, name in enumerate(sizes.symbols)}
        joint = _among(sizes, periods, residues)
        parts = [joint] if joint else [_among(sizes, periods, {name: step % periods[name]}) for name in sizes.symbols]
        for part in parts:
            yield from _member(part, base)


def _among(sizes: SizeSet, periods: Mapping[str, int], residues: Mapping[str, int]) -> SizeSet:
    for name, residue in residues.items():
        if periods[name] > 1:
            sizes = sizes & SizeSet.where(sizes.symbols, divisible(symbol(name).plus(-residue), periods[name]))
    return sizes


def _member(sizes: SizeSet, base: int) -> Iterator[Point]:
    """A member not too small whose symbols differ, where there is one."""
    lows = {name: base + _APART * place for place, name in enumerate(sizes.symbols)}
    found = sizes.at_least(lows).sample()
    yield from _written(found or sizes.example(_SMALL))


def _written(found: Sizes | None) -> Iterator[Point]:
    if found is not None and max(found.values(), default=0) <= _LARGEST:
        yield tuple(found.items())


def _large(analysis: Analysis) -> Iterator[Point]:
    """A size that is large on all axes, and ones that are large on one of them."""
    sizes = analysis.contract.runs & analysis.asked
    low = _LARGE.get(len(sizes.symbols), _LARGE[3])
    yield from _member(sizes, low)
    for name in sizes.symbols if len(sizes.symbols) > 1 else ():
        lows = {**dict.fromkeys(sizes.symbols, _BASES[0]), name: low // 2}
        yield from _written(sizes.at_least(lows).sample())


def _edges(sizes: SizeSet) -> Iterator[Point]:
    """The smallest size that runs, and for each symbol the smallest that it can have."""
    smallest = sizes.sample()
    if smallest is not None:
        yield tuple(smallest.items())
    for name in sizes.symbols:
        least = sizes.onto([name]).smallest()
        if least is not None:
            yield from _member(sizes.fixed(least), _BASES[0])


def _raising(analysis: Analysis, edges: Sequence[Point]) -> Iterator[Sizes]:
    """The sizes just below the smallest ones that run, and one of each region that raises."""
    contract, seen = analysis.contract, set[Point]()
    lower = ({**dict(edge), name: value - 1} for edge in edges for name, value in edge)
    below = (point for point in lower if point in contract.domain & analysis.asked)
    others = (_member(each.sizes & analysis.asked, _SMALL) for each in contract.regions if each.outcome.ok is False)
    for point in chain(below, map(dict, chain.from_iterable(others))):
        key = tuple(point.items())
        if key not in seen and contract.region_at(point).outcome.ok is False and len(seen) < _RAISING:
            seen.add(key)
            yield dict(point)


def _interleaved(streams: Sequence[Iterator[Point]]) -> Iterator[Point]:
    for row in zip_longest(*streams):
        yield from (each for each in row if each is not None)


def _within(points: Iterator[Point]) -> Iterator[Point]:
    """The points that isl finds in so many steps."""
    with suppress(Undecidable, SolverError), limited(_STEPS):
        yield from points


def _left_out(regions: Sequence[Region], running: Sequence[Sizes], periods: Mapping[str, int]) -> Iterator[str]:
    """Which regions and which residues of a symbol have no size among the chosen ones."""
    missed = sum(1 for region in regions if not any(point in region.sizes for point in running))
    if missed:
        yield f"{missed} of {len(regions)} regions"
    for name, period in periods.items() if regions else ():
        reach = reduce(SizeSet.__or__, [region.sizes.onto([name]) for region in regions])
        tried = range(min(period, _LISTED))
        possible = {residue for residue in tried if _among(reach, periods, {name: residue})}
        left = possible - {point[name] % period for point in running}
        if left:
            yield f"{len(left)} of {len(possible)} residues of {name}"
