"""All recorded calls of a model with their shapes in symbols, from every run that was made to explore it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shapelint.diagnosis.asked import tells_shapes
from shapelint.diagnosis.reach import UNSOLVED
from shapelint.facts.call import Call, SymbolicShape, Trail, Way
from shapelint.facts.contract import How, Region
from shapelint.facts.graph import Dimension, Pair, ShapeGraph, TensorShape, ticked
from shapelint.instrument.install import tracked_builtins
from shapelint.locks import one_check
from shapelint.size.condition import all_of, equal
from shapelint.size.function import as_function
from shapelint.size.isl_form import limited
from shapelint.size.sets import SizeSet
from shapelint.source.span import CallSite, Span
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import span_of
from shapelint.trace.recording.module_calls import ModuleCall
from shapelint.trace.recording.record import Record, Shape
from shapelint.trace.run import Run

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """A call of a run with the number of the last recorded call, and the conditions before it and after its end.

    A module's has the number of the first call that it made itself, or that is its own, and its frame.
    """

    call: Call
    index: int
    start: int
    stop: int
    first: int = 0
    frame: int = 0


def calls_of(
    explored: Exploration, shown: Region, graph: ShapeGraph, pairs: tuple[Pair, ...]
) -> tuple[Call, ...]:
    """The calls of the run behind the region `shown`, which `graph` holds, then those that other runs made besides.

    What a mirrored pair of layers loses is noted at the layer that gives back the other size.
    """
    gathered = _Gathered(explored)
    gathered.take(explored.runs[shown.run], _losses(graph, pairs, shown.sizes))
    others = [run for number, run in enumerate(explored.runs) if number != shown.run]
    for run in sorted(others, key=lambda each: not gathered.follows_symbols(each)):
        gathered.take(run, {})
    return tuple(gathered.calls.values())


def calls_at(explored: Exploration, calls: Sequence[Call], sizes: Mapping[str, int]) -> tuple[Call, ...]:
    """The calls of the run at one size, in its order, as they are known in symbols where they are.

    Where not all of them follow from the runs that were made (what is not proved, turns of a loop of which one stands
    for many), the model is run there on meta tensors; not where the data or chance decide what it does.
    """
    followed = dict[Trail, int]()
    known = tuple(call for call in calls if call.given(sizes, followed) is not None)
    if any(_tells_all(explored, run, sizes) for run in explored.runs):
        return known
    with one_check(), tracked_builtins(explored.subject.module):
        run = explored.run(sizes, symbolic=False)
    if run.choices or run.random or not tells_shapes(run):
        return known
    gathered, alike = _Gathered(explored), dict[Key, Call]()
    gathered.take(run, {})
    for call in reversed(known):
        alike[_asked(call, sizes, followed)] = call
    made = (call for call in gathered.calls.values() if call.given(sizes, followed) is not None)
    return tuple(alike.get(_asked(call, sizes, followed), call) for call in made)


def _tells_all(explored: Exploration, run: Run, sizes: Mapping[str, int]) -> bool:
    """Whether the calls of a run are those of the run at a size, each with its shapes in symbols."""
    if explored.distrust is not None or run.loops or run.sure < len(run.records) or run.random or run.choices:
        return False
    trail = _trail(explored, run)
    length = trail.followed(sizes)
    return length == len(trail.conditions) or (length >= 0 and trail.raising[length])


def _asked(call: Call, sizes: Mapping[str, int], followed: dict[Trail, int]) -> Key:
    """What tells a call of a run from the others, with the shapes that it gives at a size."""
    return (*_identity(call, inner=call.inner), call.given(sizes, followed))


def _identity(call: Call, *, inner: bool) -> Key:
    return call.place, call.module, call.call, call.name, call.kind, inner, call.composed


def _trail(explored: Exploration, run: Run) -> Trail:
    conditions = tuple(event.condition for event in run.events)
    raising = tuple(event.failure is not None for event in run.events)
    return Trail(explored.domain, dict(run.sizes), conditions, raising, run.loops)


@dataclass(slots=True)
class _Gathered:
    """The calls so far, by all that tells one from another."""

    explored: Exploration
    calls: dict[int, Call] = field(default_factory=dict)
    _numbers: dict[Key, int] = field(default_factory=dict)  # of what tells calls apart, which takes long to hash
    _at: dict[int, list[int]] = field(default_factory=dict)
    _ways: set[Key] = field(default_factory=set)
    _prefixes: dict[tuple[int, Any], int] = field(default_factory=dict)
    _parts: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, part in self.explored.subject.module.named_modules():
            self._parts[name] = type(part).__name__, sum(each.numel() for each in part.parameters() if _counted(each))

    def take(self, run: Run, losses: Mapping[int, str]) -> None:
        """Adds the calls of a run, and the way by which it comes to those that are known."""
        trail, prefix = _trail(self.explored, run), [0]
        for event in zip(trail.conditions, trail.raising, strict=True):
            prefix.append(self._prefixes.setdefault((prefix[-1], event), len(self._prefixes) + 1))
        symbolic = self.follows_symbols(run)
        sure, seen = run.sure if self.explored.distrust is None and symbolic else 0, dict[Trail, int]()
        times: Counter[int] = Counter()
        calls = list(self._made(run))
        parts = _parts_of_others(calls)
        for number, made in enumerate(calls):
            call, index, start, stop, inner = made.call, made.index, made.start, made.stop, number in parts
            where = self._number(_identity(call, inner=inner))
            times[where] += 1
            if not symbolic and self._tells(where, run, call.outputs, seen):
                continue
            proved = index < sure
            key = self._number((where, times[where], call.outputs, None if proved else tuple(run.sizes.items())))
            gives = bool(call.kind or call.composed or call.outputs or call.of_data)
            ends = run.failure is not None and index == len(run.records) - 1 and not gives
            way, mark = Way(trail, start, stop, ends), (key, prefix[start], prefix[stop], ends)
            known = self.calls.get(key)
            if known is None:
                how = How.PROVED if proved else How.SAMPLED
                notes = (losses[index],) if index in losses and not (call.kind or call.composed) else ()
                self.calls[key] = replace(call, ways=(way,), how=how, notes=notes, inner=inner)
                self._at.setdefault(where, []).append(key)
            elif mark not in self._ways:
                self.calls[key] = replace(known, ways=(*known.ways, way))
            self._ways.add(mark)

    def _number(self, key: Key) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _tells(self, where: int, run: Run, outputs: tuple[SymbolicShape, ...], followed: dict[Trail, int]) -> bool:
        """Whether a call of another run is known to give the same at the size of a run."""
        alike = (self.calls[key] for key in self._at.get(where, ()))
        shapes = tuple(shape.at(run.sizes) for shape in outputs)
        return any(call.given(run.sizes, followed) == shapes for call in alike)

    def follows_symbols(self, run: Run) -> bool:
        """Whether the sizes of a run remember their symbols; those of one at a single asked size are plain numbers."""
        taken = [dim for record in run.records if record.name == "input" for shape in record.outputs for dim in shape]
        return not self.explored.subject.symbols or any(type(dim) is not int for dim in taken)

    def _made(self, run: Run) -> Iterator[_Made]:
        """The calls of a run as they end; a condition of the model's own code that comes up ahead is none of a call."""
        modules, event, kept = list(reversed(run.module_calls)), 0, [0]
        for index, record in enumerate(run.records):
            while modules and modules[-1].node <= index:
                yield self._of_module(modules.pop(), kept)
            while event < len(run.events) and _is_before(run, event, index):
                event += 1
            start = event
            while event < len(run.events) and run.events[event].node <= index:
                event += 1
            if record.function is not None:
                yield _Made(self._of_function(record), index, start, event)
            kept.append(kept[-1] + (record.function is not None))
        for made in reversed(modules):
            yield self._of_module(made, kept)

    def _of_function(self, record: Record) -> Call:
        place, function = _where(record.place)
        outputs = () if record.made_up else _symbolic(record.outputs)
        named = record.name, record.module, record.call
        return Call(place, function, *named, outputs, (), of_data=record.made_up)

    def _of_module(self, made: ModuleCall, kept: Sequence[int]) -> _Made:
        """`kept` are the numbers of recorded calls that are told, before each of them."""
        place, function = _where(made.place)
        outputs, owner = () if made.made_up else _symbolic(made.outputs), (made.module, made.call)
        if made.function:
            call = Call(place, function, made.function, *owner, outputs, (), composed=True, of_data=made.made_up)
        else:
            kind, count = self._parts.get(made.module, ("", 0))
            call = Call(place, function, kind, *owner, outputs, (), kind=kind, parameters=count, of_data=made.made_up)
        return _Made(call, made.node - 1, made.events, made.events, kept[made.begun] + made.first, made.frame)


def _parts_of_others(made: list[_Made]) -> set[int]:
    """The numbers of the calls that are a part of a later one at the same place in the same frame."""
    parts: set[int] = set()
    outer: dict[Span | None, list[int]] = {}  # those that are a part of none so far, by their places
    for number, whole in enumerate(made):
        here = outer.setdefault(whole.call.place, []) if whole.call.place else []
        while here and whole.call.kind and here[-1] >= whole.first and made[here[-1]].frame in (0, whole.frame):
            parts.add(here.pop())
        here.append(number)
    return parts


def _counted(parameter: Any) -> bool:
    """Whether a parameter has a shape already, as a lazy one has not."""
    return not hasattr(parameter, "materialize")


def _is_before(run: Run, event: int, index: int) -> bool:
    """Whether a condition came up before a call, in the model's own code or in a call of which no record is kept."""
    found = run.events[event]
    return found.node < index or (found.node == index and found.failure is None)


def _where(site: CallSite | None) -> tuple[Any, str]:
    return (None, "") if site is None else (span_of(site), site.code.co_qualname)


def _symbolic(outputs: tuple[Shape, ...]) -> tuple[SymbolicShape, ...]:
    frozen: Iterator[TensorShape] = map(frozen_shape, outputs)
    return tuple(SymbolicShape(shape.dims) for shape in frozen)


def _losses(graph: ShapeGraph, pairs: tuple[Pair, ...], sizes: SizeSet) -> dict[int, str]:
    """What is to be said at the last call of a pair that gives back other sizes than its first one took.

    Only those of `sizes` matter, the sizes of the region that is shown.
    """
    found: dict[int, str] = {}
    known: list[SizeSet] = []  # most pairs give back the same sizes, for which words are found once
    for pair in pairs:
        if not (pair.down_nodes and pair.up_nodes):
            continue
        down, up = graph.nodes[pair.down_nodes[0]], graph.nodes[pair.up_nodes[-1]]
        before = graph.nodes[down.inputs[0]].shapes if down.inputs else ()
        if before and up.shapes and down.spatial:
            taken, given = (shape.dims[-down.spatial :] for shape in (before[0], up.shapes[0]))
            lost = _different(taken, given, sizes, known)
            if lost:
                back, into = (",".join(map(str, dims)) for dims in (given, taken))
                found[up.index] = f"gives back {back} where {ticked(pair.down[0])} took {into}: {lost}"
    return found


def _different(
    taken: Sequence[Dimension], given: Sequence[Dimension], sizes: SizeSet, known: list[SizeSet]
) -> str:
    """Which of some sizes give two equal shapes, in words; "" where all do, or where that is not found out."""
    alike = [equal(as_function(one), as_function(two)) for one, two in zip(taken, given, strict=False)]
    try:
        with limited():
            same = sizes & SizeSet.where(sizes.symbols, all_of(alike))
            same = next((each for each in known if each == same), same)
            known.append(same)
            return "" if same == sizes else f"the same only for {same}" if same else "never the same"
    except UNSOLVED:
        return ""
