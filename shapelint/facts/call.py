"""The calls of a model with their places and their shapes in symbols, each with the sizes whose run reaches it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from shapelint.facts.contract import How
from shapelint.facts.graph import Dimension
from shapelint.size.condition import Condition
from shapelint.size.isl_form import Undecidable
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span, span_of
from shapelint.source.syntax import expression_at, statement_at


@dataclass(frozen=True, slots=True)
class SymbolicShape:
    """The dimensions of one tensor, each a number or a function of the symbols; `str` is "1,8,(H + 1)//2,W//2"."""

    dims: tuple[Dimension, ...]

    def at(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape where the symbols have the given sizes."""
        return tuple(dim if isinstance(dim, int) else dim.value(sizes) for dim in self.dims)

    def __str__(self) -> str:
        return ",".join(map(str, self.dims))


@dataclass(frozen=True, slots=True)
class Trail:
    """The conditions on which one recorded run took its way, in order, within a domain; `seen` are its own sizes.

    Where one of those with `raising` fails, the call that asks for it raises; where another one does, the model goes
    another way. With `loops` a turn of a loop stands for many.
    """

    domain: SizeSet
    seen: Mapping[str, int]
    conditions: tuple[Condition, ...]
    raising: tuple[bool, ...]
    loops: bool = False

    def __hash__(self) -> int:
        return hash((len(self.conditions), *self.seen.items()))

    def followed(self, sizes: Mapping[str, int]) -> int:
        """How many of the conditions hold before the first that does not; -1 outside of the domain."""
        if sizes != self.seen and sizes not in self.domain:
            return -1
        fail = (index for index, condition in enumerate(self.conditions) if not condition.holds(sizes))
        return next(fail, len(self.conditions))

    def sizes(self, stop: int) -> SizeSet:
        """The sizes at which the first conditions hold; its own alone where no set can say it."""
        try:
            return reduce(_meeting, self.conditions[:stop], self.domain)
        except Undecidable:
            return SizeSet.point(self.domain.symbols, self.seen)

    def holding(self, start: int, stop: int) -> SizeSet:
        """The sizes at which those of some conditions hold whose call raises else; raises Undecidable."""
        asked = zip(self.conditions[start:stop], self.raising[start:stop], strict=True)
        return reduce(_meeting, (condition for condition, raising in asked if raising), self.domain)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a call: the first `start` conditions of a trail lead to it, and with `stop` of them it gives a result.

    `ends` tells that the run of the trail ended at it with an error.
    """

    trail: Trail
    start: int
    stop: int
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a torch function, or of a module (`kind` is its class then), and the shapes that it gives.

    `place` is its place in the source, where it has one, and `function` the function in which that is; `call` counts
    the runs of the `module` that makes it, or that it is. `how` is "proved", or "sampled" where the shapes were only
    seen in a run. `parameters` is the number of parameters of the module that is called. `notes` say what is lost. An
    `inner` call is a part of another one at the same place, such as a layer of an `nn.Sequential`; a `composed` one is
    that of a function of the user's, whose own calls stand ahead of it. With `of_data` the data decide its shapes.
    """

    place: Span | None
    function: str
    name: str
    module: str
    call: int
    outputs: tuple[SymbolicShape, ...]
    ways: tuple[Way, ...]
    how: How = How.PROVED
    kind: str = ""
    parameters: int = 0
    notes: tuple[str, ...] = ()
    inner: bool = False
    composed: bool = False
    of_data: bool = False

    @property
    def sizes(self) -> SizeSet:
        """The sizes whose run reaches it, as far as they are known."""
        return reduce(SizeSet.__or__, (way.trail.sizes(way.start) for way in self.ways))

    @property
    def conditional(self) -> bool:
        """Whether it raises at some of the sizes that reach it, as far as conditions tell."""
        return any(way.ends or any(way.trail.raising[way.start : way.stop]) for way in self.ways)

    @property
    def fits(self) -> SizeSet:
        """The sizes at which all holds that it asks for itself; raises Undecidable."""
        found = [way.trail.holding(way.start, way.stop) for way in self.ways]
        ended = [way.trail.sizes(way.stop) for way in self.ways if way.ends]
        return reduce(SizeSet.__sub__, ended, reduce(SizeSet.__and__, found))

    def at(self, **sizes: int) -> tuple[tuple[int, ...], ...] | None:
        """The shapes that it gives; None where the run there does not reach it, raises in it, or was not followed."""
        return self.given(sizes, {})

    def given(self, sizes: Mapping[str, int], followed: dict[Trail, int]) -> tuple[tuple[int, ...], ...] | None:
        """As `at`; `followed` keeps how far each trail leads at these sizes, for further calls."""
        for way in () if self.of_data else self.ways:
            known = self.how is How.PROVED or sizes == way.trail.seen
            if known and not way.ends and _length(way.trail, sizes, followed) >= way.stop:
                return tuple(shape.at(sizes) for shape in self.outputs)
        return None

    def raises(self, sizes: Mapping[str, int], followed: dict[Trail, int]) -> bool:
        """Whether the run at a size ends at it with an error."""
        for way in self.ways:
            length = _length(way.trail, sizes, followed)
            if way.start <= length < way.stop and way.trail.raising[length]:
                return True
            if way.ends and length >= way.stop and (self.how is How.PROVED or sizes == way.trail.seen):
                return True
        return False

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names that the source gives to its result; () where it is a part of something else."""
        if self.place is None or self.inner:
            return ()
        statement = statement_at(self.place)
        if isinstance(statement, ast.AugAssign) and self.place == span_of(self.place.file, statement):
            return (ast.unparse(statement.target),)
        value = expression_at(self.place)
        if value is None or statement is None:
            return ()
        if isinstance(statement, ast.Assign):
            return tuple(name for target in statement.targets for name in _given(target, statement.value, value))
        if isinstance(statement, ast.AnnAssign):
            return tuple(_given(statement.target, statement.value, value))
        named = (node for node in ast.walk(statement) if isinstance(node, ast.NamedExpr))
        return tuple(name for node in named for name in _given(node.target, node.value, value))


def _meeting(path: SizeSet, condition: Condition) -> SizeSet:
    """The members at which a condition holds; raises Undecidable."""
    try:
        return path & SizeSet.where(path.symbols, condition)
    except Undecidable:
        return path.meeting(condition)


def _length(trail: Trail, sizes: Mapping[str, int], followed: dict[Trail, int]) -> int:
    if trail not in followed:
        followed[trail] = trail.followed(sizes)
    return followed[trail]


def _given(target: ast.expr, whole: ast.expr | None, value: ast.expr) -> list[str]:
    """The names of a target that get a value, which is the whole on the right, a part of a tuple, or one of two."""
    if whole is value:
        return _names(target)
    if isinstance(whole, ast.IfExp):
        return [name for part in (whole.body, whole.orelse) for name in _given(target, part, value)]
    if isinstance(whole, ast.NamedExpr):
        found = _given(whole.target, whole.value, value)
        return found + _names(target) * bool(found)
    if isinstance(whole, ast.Tuple) and isinstance(target, ast.Tuple) and len(whole.elts) == len(target.elts):
        starred = any(isinstance(each, ast.Starred) for each in (*whole.elts, *target.elts))
        pairs = [] if starred else zip(target.elts, whole.elts, strict=True)
        return [name for each, part in pairs for name in _given(each, part, value)]
    return []


def _names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Tuple | ast.List):
        return [name for part in target.elts for name in _names(part)]
    return [ast.unparse(target)]
