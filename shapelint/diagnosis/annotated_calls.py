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
from itertools import zip_longest
from types import FrameType, FunctionType
from typing import Any

import torch

from shapelint.evidence.annotations import Axis, Claim, Claimed, ClaimTree, Dim, claims
from shapelint.size.condition import FALSE, Condition, any_of, equal
from shapelint.size.function import Function, constant
from shapelint.source.ownership import installed, is_foreign_class

Shape = tuple[Function, ...]
Key = tuple[str, str, int]
_ONE = constant(1)


@dataclass(frozen=True, slots=True)
class ClaimedTensor:
    """A tensor of a call and what is claimed of it: of an argument, or of what is returned ("").

    `apart` tells that it is one of any number of items: who checks them may look at one alone, so it is held to the
    names that are bound elsewhere, and binds none.
    """

    argument: str
    claim: Claim
    shape: Shape
    apart: bool = False


@dataclass(slots=True)
class AnnotatedCall:
    """One call of an annotated function; `is_root` tells that it is the model's own.

    The tensors that are claimed anything of are those of the arguments first, then those that are returned.
    """

    claimed: Claimed
    is_root: bool
    tensors: list[ClaimedTensor] = field(default_factory=list)

    def add(self, argument: str, claim: ClaimTree | None, value: object, *, apart: bool = False) -> None:
        """Notes the tensors of a value that are claimed anything of."""
        if isinstance(claim, Claim):
            shape = _shape(value)
            if shape is not None:
                self.tensors.append(ClaimedTensor(argument, claim, shape, apart))
            return
        items = list(value.values()) if isinstance(value, Mapping) else value
        if claim is None or not isinstance(items, list | tuple):
            return
        wanted = claim.items * len(items) if claim.alike else claim.items
        for each, item in zip(wanted, items, strict=True) if len(wanted) == len(items) else ():
            self.add(argument, each, item, apart=apart or claim.alike)


def annotated(module: torch.nn.Module) -> dict[Key, Claimed]:
    """The annotated functions of the user's files in which the classes of a model's modules are written."""
    kinds = {kind for part in module.modules() for kind in type(part).__mro__}
    values = (value for kind in kinds if not is_foreign_class(kind) for value in vars(kind).values())
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
            calls.append(AnnotatedCall(claimed, root))
            for name, claim in claimed.arguments.items():
                calls[-1].add(name, claim, given.get(name))
            running[id(frame)] = calls[-1]
        elif event == "return" and id(frame) in running:
            running.pop(id(frame)).add("", claimed.result, value)

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
    """The names that the annotations of one call have bound; None is a size that is not known for certain.

    Of names of several axes it is known whether they were bound where a 1 may stand in the place of a size.
    """

    sizes: dict[str, Function | None] = field(default_factory=dict)
    several: dict[str, tuple[bool, tuple[Function | None, ...]]] = field(default_factory=dict)

    def copy(self) -> BoundNames:
        """The names as they are now."""
        return BoundNames(dict(self.sizes), dict(self.several))

    def asks_of(self, tensor: ClaimedTensor) -> list[tuple[int, Condition]]:
        """What the claim on a tensor of the call asks of its shape, as `asks` says it."""
        return (self.copy() if tensor.apart else self).asks(tensor.claim, tensor.shape)

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
        return [*found, *((many, condition) for condition in self._several(claim.dims[many], shape[many:end]))]

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

    def _several(self, dim: Dim, shape: Shape) -> Iterator[Condition]:
        """What `*name` asks of the axes that it stands for, as jaxtyping compares them with those bound before."""
        if not dim.name:
            return
        if dim.name not in self.several:
            self.several[dim.name] = dim.broadcasts, shape
            return
        before, known = self.several[dim.name]
        if not (before or dim.broadcasts):
            fits = len(known) == len(shape)
        else:
            fits = (before or len(shape) <= len(known)) and (dim.broadcasts or len(known) <= len(shape))
        if not fits:
            yield FALSE
            return
        for one, other in zip(reversed(shape), reversed(known), strict=False):
            if other is not None:
                ways = [equal(one, other), *([equal(one, _ONE)] * dim.broadcasts), *([equal(other, _ONE)] * before)]
                yield any_of(ways)
        if before:
            self.several[dim.name] = dim.broadcasts, _broadcast(shape, known) if dim.broadcasts else shape


def _broadcast(one: Shape, other: tuple[Function | None, ...]) -> tuple[Function | None, ...]:
    """The axes that two shapes have where they are broadcast; None for one that could be either's."""
    pairs = list(zip_longest(reversed(one), reversed(other), fillvalue=_ONE))[::-1]
    return tuple(second if first == _ONE else first if second in (_ONE, first) else None for first, second in pairs)


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
