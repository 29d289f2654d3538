"""Finds models whose axes are mixed up: each of two sizes fits where all axes have it, and the two together do not.

Where the contract is proved, the sets tell. Elsewhere, as after `int(sqrt(n))`, runs at a few sizes do: what they
show is a fact about these sizes, and nothing more is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import reduce
from itertools import pairwise

from shapelint.diagnosis.reach import ExamplePoint, dims_of
from shapelint.facts.analysis import Crossing
from shapelint.facts.contract import Contract, Region, union
from shapelint.facts.failure import Failure, Kind
from shapelint.request.question import Question
from shapelint.size.condition import all_of, equal
from shapelint.size.function import Function, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Record
from shapelint.trace.run import Run

_STEPS = 5_000_000


def axis_mix_up(
    explored: Exploration, contract: Contract, question: Question, example: ExamplePoint
) -> Crossing | None:
    """The mix-up, told at the focus where it shows there; None where the axes are kept apart."""
    names = _square(question)
    if len(names) < 2:
        return None
    first = example.focus or question.first
    rest = {name: size for name, size in first.items() if name not in names}
    if contract.proved:
        with suppress(SolverError), limited(_STEPS):
            return _proved(explored, contract, names, rest, example, len(question.led.dims))
        return None
    return _seen(explored, names, rest, first)


def _square(question: Question) -> tuple[str, ...]:
    """The symbols of the spatial axes, each of which is one symbol alone."""
    names = tuple(next(iter(dim.symbols()), "") for dim in question.target)
    plain_symbols = all(name and dim == symbol(name) for dim, name in zip(question.target, names, strict=True))
    return names if plain_symbols and len(set(names)) == len(names) else ()


def _proved(
    explored: Exploration,
    contract: Contract,
    names: Sequence[str],
    rest: Mapping[str, int],
    example: ExamplePoint,
    rank: int,
) -> Crossing | None:
    for right in (contract.runs, contract.restores) if contract.meant else (contract.runs,):
        wrong = union(right.symbols, [region.sizes for region in contract.regions if not region.outcome.ok])
        wrong = wrong | (contract.runs - right) if right is contract.restores else wrong
        crossed = _crossed(right.fixed(rest), wrong.fixed(rest), names)
        at = example.at(crossed)
        if at is None or crossed.finite:  # a few pinned sizes that exclude each other tell nothing about axes
            continue
        region = contract.region_at(at)
        failure, turning = region.outcome.failure, _turning(explored.runs[region.run], names)
        alone = tuple(dict.fromkeys(at[name] for name in names))
        if failure is not None and _is_of_sizes(failure):
            records, error = explored.runs[region.run].records, failure.at(at)
            failed, mixing = records[region.node], _mixing(records, region.node, names, rank)
            place = None if mixing is None or mixing.place is None else mixing.place.span()
            if mixing is None or place is None:
                mixing, place = failed, region.outcome.place
            module = region.outcome.module if mixing is failed else mixing.module
            return Crossing(at, tuple(names), crossed, alone, mixing.name, module, place, error, failed.name)
        turned = _gives_turned(region, names) and right <= _square_sizes(right, names)
        if failure is None and turning is not None and turned:
            place = None if turning.place is None else turning.place.span()
            return Crossing(at, tuple(names), crossed, alone, turning.name, turning.module, place, "", "")
    return None


def _gives_turned(region: Region, names: Sequence[str]) -> bool:
    return any(_turned(shape.dims, names) for shape in region.outcome.outputs)


def _crossed(right: SizeSet, wrong: SizeSet, names: Sequence[str]) -> SizeSet:
    """The sizes that are wrong although each of their axes alone is right on all axes."""
    diagonal = right & _square_sizes(right, names)
    alone = [diagonal.onto([name]).lifted(right.symbols) for name in names]
    fixed = [name for name in right.symbols if name not in names]
    product = reduce(SizeSet.__and__, alone)
    if fixed:
        product = product & diagonal.onto(fixed).lifted(right.symbols)
    return (product & wrong).coalesced()


def _square_sizes(sizes: SizeSet, names: Sequence[str]) -> SizeSet:
    """The sizes, of any set over the same symbols, whose axes are all equal."""
    return SizeSet.where(sizes.symbols, all_of(equal(symbol(a), symbol(b)) for a, b in pairwise(names)))


def _is_of_sizes(failure: Failure | None) -> bool:
    """Whether an operation failed; a model that refuses by itself what is not square means it so."""
    return failure is not None and failure.kind is not Kind.PYTHON


def _turned(dims: Sequence[int | Function], names: Sequence[str]) -> bool:
    """Whether a shape ends in the spatial axes in another order than the input has them."""
    tail = [frozenset() if isinstance(dim, int) else dim.symbols() for dim in dims[-len(names) :]]
    own = [frozenset({name}) for name in names]
    return tail != own and set(tail) == set(own)


def _mixing(records: Sequence[Record], index: int, names: Sequence[str], rank: int) -> Record | None:
    """The call on the way to a failing one from which on a tensor of the input's rank has the axes in another order, or
    one that follows two of them; None where no operand is such a tensor.
    """
    found = None
    while True:
        mixed = [each for each in records[index].inputs if _is_mixed(dims_of(records[each]), names, rank)]
        if not mixed:
            return found
        index, found = mixed[0], records[mixed[0]]


def _is_mixed(dims: Sequence[Function], names: Sequence[str], rank: int) -> bool:
    """Whether a shape has two of the axes in one, or in another order than the input has them."""
    followed = [dim.symbols() & {*names} for dim in dims]
    order = [names.index(next(iter(each))) for each in followed if len(each) == 1]
    return len(dims) == rank and (any(len(each) > 1 for each in followed) or order != sorted(order))


def _turning(run: Run, names: Sequence[str]) -> Record | None:
    """The first call that gives the axes in another order."""
    return next((record for record in run.records if _turned(dims_of(record), names)), None)


def _seen(
    explored: Exploration, names: Sequence[str], rest: Mapping[str, int], sizes: Mapping[str, int]
) -> Crossing | None:
    """A mix-up that runs show: at one size, and at each of its sizes on all axes."""
    at = {name: rest.get(name, sizes[name]) for name in explored.domain.symbols}
    alone = tuple(dict.fromkeys(at[name] for name in names))
    if len(alone) < 2:
        return None
    crossed = explored.run(at, symbolic=False)
    if not _is_of_sizes(crossed.failure) or isinstance(crossed.error, Unanalysable) or crossed.failure is None:
        return None
    for size in alone:
        if explored.run({**at, **dict.fromkeys(names, size)}, symbolic=False).failure is not None:
            return None
    place = None if crossed.place is None else crossed.place.span()
    point = SizeSet.point(explored.domain.symbols, at)
    last, error = crossed.records[-1], crossed.failure.at(at)
    return Crossing(at, tuple(names), point, alone, last.name, last.module, place, error, last.name)
