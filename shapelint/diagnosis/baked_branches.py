"""Finds what a file with open sizes would keep of the size that it is exported at: branches, and `output_padding`.

A run holds all that such a file holds: the calls of one way through the code, and functions for its sizes. What the
file does at a size on another way is read from it: a requirement of a call that fails there, or another output size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from shapelint.diagnosis.reach import UNSOLVED, dims_of, reaching
from shapelint.diagnosis.resize_rounding import roundings
from shapelint.facts.analysis import Analysis
from shapelint.facts.contract import How, Region
from shapelint.facts.graph import TensorShape
from shapelint.facts.portability import NOTHING_KNOWN, Baked, Portability, Stretched
from shapelint.instrument.choices import some_left_out, tests_as_written
from shapelint.size.condition import Condition, all_of, at_least, divisible, equal
from shapelint.size.function import as_function, constant, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import span_of
from shapelint.trace.recording.record import Event, Record
from shapelint.trace.run import Run

_WAYS = 6
_STEPS = 1_000_000  # of isl, some in a microsecond
_LOOKS = (16, 33, 1)
_OUTPUT_PADDING = 5


@dataclass(frozen=True, slots=True)
class _File:
    """What a file exported at one size is known to do: the run there, the comparisons that it keeps, its outputs."""

    run: Run
    exported: Mapping[str, int]
    decided: tuple[tuple[Event, Span], ...]
    outputs: tuple[TensorShape, ...]


def portability(explored: Exploration, analysis: Analysis) -> Portability:
    """What is known, without an export, of how an exported file would differ; where one size is asked, at that."""
    sizes = analysis.contract.runs & analysis.asked
    if not sizes:
        return NOTHING_KNOWN
    known = Portability(_is_open(analysis), _exported_at(analysis))
    with suppress(*UNSOLVED):
        known = replace(known, roundings=roundings(explored, analysis))
        if known.open:
            known = replace(known, stretched=stretched(explored, sizes, known.exported))
            known = replace(known, baked=baked_branches(explored, analysis, known.exported))
    return known


def _is_open(analysis: Analysis) -> bool:
    point = analysis.asked.sample() if analysis.certain else None
    return point is None or bool(analysis.asked.without(point))


def _exported_at(analysis: Analysis) -> Mapping[str, int]:
    """Where `graph` holds, not too small, all different where that can be had; usual ones where tests are left out."""
    sizes = analysis.contract.region_at(analysis.graph.sizes).sizes & analysis.asked & analysis.contract.runs
    lows = {name: _LOOKS[0] + 3 * place for place, name in enumerate(sizes.symbols)}
    usual = all_of(divisible(symbol(name), _LOOKS[0]) for name in sizes.symbols)
    if some_left_out() and (even := (sizes & SizeSet.where(sizes.symbols, usual)).at_least(lows).sample()):
        return even
    return sizes.at_least(lows).sample() or sizes.sample() or analysis.graph.sizes


def baked_branches(explored: Exploration, analysis: Analysis, exported: Mapping[str, int]) -> tuple[Baked, ...]:
    """Each comparison that a file keeps and that makes it wrong somewhere, once."""
    found: dict[Span, Baked] = {}
    likely: list[_File] = []
    with suppress(SolverError), limited(_STEPS):
        for file in _files(explored, analysis, exported):
            wrong = list(_wrong(file, analysis))
            likely += [] if wrong else [file]
            for each in wrong:
                found.setdefault(each.place, each)
    right_from = next((file.exported for file in likely if found and _is_right(file, analysis)), None)
    return tuple(replace(each, right_from=right_from) for each in found.values())


def _is_right(file: _File, analysis: Analysis) -> bool:
    """Whether a way is proved to end as the model does at every size, and no pad on it cuts anything off."""
    sizes, regions = analysis.contract.runs & analysis.asked, analysis.contract.regions
    needs = [event.condition for event in file.run.events if event.failure is not None]
    for record in file.run.records:
        if record.name == "pad" and record.inputs and record.outputs:  # none where the model caught its error
            before = dims_of(file.run.records[record.inputs[0]])
            needs += [at_least(after, taken) for after, taken in zip(dims_of(record), before, strict=True)]
    with suppress(*UNSOLVED), limited(_STEPS):
        if sizes - SizeSet.where(sizes.symbols, all_of(needs)):
            return False
        alike = (region for region in regions if region.sizes & sizes)
        return all(region.how is How.PROVED and _ends_alike(file, region, region.sizes & sizes) for region in alike)
    return False


def _ends_alike(file: _File, region: Region, sizes: SizeSet) -> bool:
    pairs = [
        (as_function(one), as_function(other))
        for told, given in zip(region.outcome.outputs, file.outputs, strict=False)
        for one, other in zip(told.dims, given.dims, strict=False)
    ]
    same = [len(each.dims) for each in region.outcome.outputs] == [len(each.dims) for each in file.outputs]
    return same and not sizes - SizeSet.where(sizes.symbols, all_of(equal(*pair) for pair in pairs))


def _files(explored: Exploration, analysis: Analysis, first: Mapping[str, int]) -> Iterator[_File]:
    """The file that is exported where a confirmation exports it, then those of other ways through the model."""
    sizes = analysis.contract.runs & analysis.asked
    running = sorted(_ways_of_files(explored, sizes, first), key=lambda run: not _holds(run, first))
    for run in running[:_WAYS]:
        at = first if _holds(run, first) else reaching(run, -1, sizes).example(_LOOKS[0])
        if at is not None:
            decided = tuple((event, span_of(event.place)) for event in run.events if event.place is not None)
            yield _File(run, at, decided, tuple(map(frozen_shape, run.outputs)))


def _ways_of_files(explored: Exploration, sizes: SizeSet, first: Mapping[str, int]) -> Iterator[Run]:
    """The runs that give an output; where the test of an `if` was left out, others that ask it."""
    runs = [run for run in explored.runs if run.failure is None]
    with tests_as_written():
        run = explored.run(first, symbolic=True) if some_left_out() else None
    same = next((each for each in runs if _holds(each, first)), None)
    if run is None or (same is not None and _compared(run) == _compared(same)):
        yield from runs
        return
    left = sizes
    for _ in range(_WAYS):
        if run.failure is None:
            yield run
        left -= reaching(run, -1, left)
        at = left.at_least(dict.fromkeys(left.symbols, _LOOKS[0])).sample() or left.sample()
        if at is None or run.failure is not None:
            return
        with tests_as_written():
            run = explored.run(at, symbolic=True)


def _compared(run: Run) -> set[Condition]:
    return {event.condition for event in run.events}


def _holds(run: Run, sizes: Mapping[str, int]) -> bool:
    return all(event.condition.holds(sizes) for event in run.events)


def _wrong(file: _File, analysis: Analysis) -> Iterator[Baked]:
    """The comparisons that come out otherwise at sizes at which the file is wrong."""
    sizes = analysis.contract.runs & analysis.asked
    told: set[Span] = set()
    for event in file.run.events if file.decided else ():
        if event.failure is not None:
            continue
        holds = SizeSet.where(sizes.symbols, event.condition)
        other, sizes = sizes - holds, sizes & holds
        place = None if event.place is None else span_of(event.place)
        if place is None or place in told or not other:
            continue
        for found in _looked_at(file, analysis, other):
            told.add(place)
            yield _told(file, analysis, place, *found)
            break


Difference = tuple[Mapping[str, int], tuple[int, ...], tuple[int, ...] | None, str]


def _looked_at(file: _File, analysis: Analysis, sizes: SizeSet) -> Iterator[Difference]:
    """The sizes among a few that are looked at at which the file is wrong, and how."""
    looks = [sizes.at_least(dict.fromkeys(sizes.symbols, low)).sample() for low in _LOOKS]
    for at in looks:
        found = None if at is None else _difference(file, analysis, at)
        if found is not None:
            yield found


def _difference(file: _File, analysis: Analysis, at: Mapping[str, int]) -> Difference | None:
    """How the file is wrong at a size; None where it is right, or where that cannot be told."""
    wanted = analysis.contract.region_at(at).outcome.outputs
    if len(wanted) != len(file.outputs) or not wanted:
        return None
    pairs = zip(wanted, file.outputs, strict=True)
    shapes = [(shape.value(dict(at)), given.value(dict(at))) for shape, given in pairs]
    for event in file.run.events:
        if event.condition.holds(at):
            continue
        if event.failure is not None:
            return at, shapes[0][0], None, event.failure.at(at)
        if event.place is None:
            return None
    return next(((at, shape, given, "") for shape, given in shapes if shape != given), None)


def _told(
    file: _File, analysis: Analysis, place: Span, at: Mapping[str, int], wanted: tuple[int, ...],
    given: tuple[int, ...] | None, error: str,
) -> Baked:  # fmt: skip
    sizes = analysis.contract.runs & analysis.asked
    conditions = all_of(event.condition for event, where in file.decided if where == place)
    same = sizes & SizeSet.where(sizes.symbols, conditions)
    module = next((record.module for record in file.run.records if record.place is not None
                   and span_of(record.place).file == place.file), "")  # fmt: skip
    other = (sizes - same).coalesced()
    return Baked(place, module, file.exported, at, wanted, given, error, same.coalesced(), other, None)


def stretched(explored: Exploration, sizes: SizeSet, exported: Mapping[str, int]) -> tuple[Stretched, ...]:
    """The transposed convolutions whose `output_padding` is not the same at all of the sizes."""
    run = next((run for run in explored.runs if run.failure is None and _holds(run, exported)), None)
    found: dict[Span | str, Stretched] = {}
    for record in () if run is None else run.records:
        each = _stretched(record, sizes, exported)
        if each is not None:
            found.setdefault(each.place or each.module, each)
    return tuple(found.values())


def _stretched(record: Record, sizes: SizeSet, exported: Mapping[str, int]) -> Stretched | None:
    given = record.keywords.get("output_padding", record.arguments[_OUTPUT_PADDING : _OUTPUT_PADDING + 1] or None)
    if not record.name.startswith("conv_transpose") or given is None:
        return None
    given = given[0] if record.keywords.get("output_padding") is None else given
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    functions = [as_function(each) for each in frozen_shape(values).dims]
    kept = tuple(function.value(exported) for function in functions)
    same = all_of(equal(function, constant(value)) for function, value in zip(functions, kept, strict=True))
    wrong = sizes - SizeSet.where(sizes.symbols, same)
    at = wrong.example(_LOOKS[0])
    if at is None:
        return None
    needed = tuple(function.value(at) for function in functions)
    place = None if record.place is None else span_of(record.place)
    stride = record.parameters.get("stride", ())
    return Stretched(record.module, record.name, place, exported, at, kept, needed, stride, wrong.coalesced())
