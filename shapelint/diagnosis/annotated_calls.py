"""The calls of annotated functions in a run, with the shapes that came and went, and what the annotations ask of them.

The scope of the names is one call, as jaxtyping has it: the arguments bind them, and the result is held to them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, FunctionType
from typing import Any

import torch

from shapelint.evidence.annotations import Axis, Claim, Claimed, Dim, claims
from shapelint.size.condition import FALSE, Condition, any_of, equal
from shapelint.size.function import Function, constant
from shapelint.source.ownership import installed, is_foreign

Shape = tuple[Function, ...]
Key = tuple[str, str, int]
_ONE = constant(1)


@dataclass(slots=True)
class AnnotatedCall:
    """One call of an annotated function; `is_root` tells that it is the model's own. None is what is no tensor."""

    claimed: Claimed
    is_root: bool
    arguments: Mapping[str, Shape | None]
    results: tuple[Shape | None, ...] = ()
    ended: bool = False

    def tensors(self) -> Iterator[tuple[str, Claim, Shape]]:
        """What is claimed of each tensor, with its shape: of the arguments first, then of what is returned ("")."""
        for name, claim in self.claimed.arguments.items():
            shape = self.arguments.get(name)
            if shape is not None:
                yield name, claim, shape
        wanted = self.claimed.result if isinstance(self.claimed.result, tuple) else (self.claimed.result,)
        if self.ended and len(wanted) == len(self.results):
            for each, given in zip(wanted, self.results, strict=True):
                if each is not None and given is not None:
                    yield "", each, given


def annotated(module: torch.nn.Module) -> dict[Key, Claimed]:
    """The annotated functions of the user's files in which the classes of a model's modules are written."""
    kinds = {kind for part in module.modules() for kind in type(part).__mro__}
    values = (value for kind in kinds if not is_foreign(kind.__module__) for value in vars(kind).values())
    functions = (inspect.unwrap(value) for value in values if isinstance(value, FunctionType))
    files = {each.__code__.co_filename for each in functions if isinstance(each, FunctionType)}
    own = sorted(file for file in files if not installed(file))
    return {(file, *key): claimed for file in own for key, claimed in claims(file).items()}


@contextmanager
def listening(known: Mapping[Key, Claimed], module: torch.nn.Module) -> Iterator[list[AnnotatedCall]]:
    """The state in which the calls of annotated functions are noted, in their order."""
    calls: list[AnnotatedCall] = []
    running: dict[int, AnnotatedCall] = {}

    def heard(frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        claimed = known.get((code.co_filename, code.co_name, code.co_firstlineno))
        if claimed is None or code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
            return
        if event == "call":
            given = frame.f_locals
            root = not calls and any(given.get(name) is module for name in code.co_varnames[:1])
            calls.append(AnnotatedCall(claimed, root, {name: _shape(given.get(name)) for name in claimed.arguments}))
            running[id(frame)] = calls[-1]
        elif event == "return" and id(frame) in running:
            call = running.pop(id(frame))
            parts = value if isinstance(claimed.result, tuple) and isinstance(value, tuple) else (value,)
            call.results, call.ended = tuple(map(_shape, parts)), value is not None

    before = sys.getprofile()
    sys.setprofile(heard)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def _shape(value: object) -> Shape | None:
    if not isinstance(value, torch.Tensor):
        return None
    return tuple(_function(size) for size in value.shape)


def _function(size: Any) -> Function:
    found = getattr(size, "_function", None)
    return found if isinstance(found, Function) else constant(int(size))


@dataclass(slots=True)
class BoundNames:
    """The names that the annotations of one call have bound; None is a size that is not known for certain."""

    sizes: dict[str, Function | None] = field(default_factory=dict)
    several: dict[str, Shape] = field(default_factory=dict)

    def asks(self, claim: Claim, shape: Shape) -> list[tuple[int, Condition]]:
        """What the axes of a claim ask of a shape, by their index, and binds its names; index -1 is their number."""
        many = next((index for index, dim in enumerate(claim.dims) if dim.kind is Axis.MANY), None)
        count = len(claim.dims)
        if len(shape) < count - 1 or (many is None and len(shape) != count):
            return [(-1, FALSE)]
        if many is None:
            return list(self._each(claim.dims, shape, 0))
        rest = count - many - 1
        end = len(shape) - rest
        found = [*self._each(claim.dims[:many], shape[:many], 0)]
        found += self._each(claim.dims[many + 1 :], shape[end:], many + 1)
        return [*found, *self._several(claim.dims[many].name, shape[many:end], many)]

    def _each(self, dims: Sequence[Dim], shape: Shape, start: int) -> Iterator[tuple[int, Condition]]:
        for index, (dim, size) in enumerate(zip(dims, shape, strict=True), start):
            wanted = self._wanted(dim, size)
            if wanted is not None and not (dim.broadcasts and size == _ONE):
                same = equal(size, wanted)
                yield index, any_of([equal(size, _ONE), same]) if dim.broadcasts else same

    def _wanted(self, dim: Dim, size: Function) -> Function | None:
        """The size that an axis must have; None where it binds a name, or where nothing is claimed."""
        if dim.kind is Axis.FIXED:
            return constant(int(dim.name))
        if dim.kind is Axis.COMPUTED:
            return value_of(dim.name, self.sizes)
        if dim.kind is not Axis.NAMED:
            return None
        if dim.name in self.sizes:
            return self.sizes[dim.name]
        if not (dim.broadcasts and size == _ONE):
            self.sizes[dim.name] = None if dim.broadcasts and size.constant is None else size
        return None

    def _several(self, name: str, shape: Shape, index: int) -> Iterator[tuple[int, Condition]]:
        known = self.several.setdefault(name, shape) if name else shape
        if len(known) != len(shape):
            yield index, FALSE
            return
        for one, other in zip(known, shape, strict=True):
            yield index, equal(other, one)


def value_of(text: str, names: Mapping[str, Function | None]) -> Function | None:
    """The value of an expression of names; None where it has a name that is not known, or is no function of sizes."""
    return _value(ast.parse(text, mode="eval").body, names)


def _value(node: ast.expr, names: Mapping[str, Function | None]) -> Function | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Constant):
        return constant(node.value) if type(node.value) is int else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand, names)
        return None if inner is None else inner.times(-1)
    if not isinstance(node, ast.BinOp):
        return None
    left, right = _value(node.left, names), _value(node.right, names)
    return None if left is None or right is None else _computed(node.op, left, right)


def _computed(operator: ast.operator, left: Function, right: Function) -> Function | None:
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    divisor = right.constant
    if divisor is None or divisor <= 0:
        return None
    if isinstance(operator, ast.FloorDiv):
        return left.floor_divide(divisor)
    return left - left.floor_divide(divisor).times(divisor) if isinstance(operator, ast.Mod) else None
