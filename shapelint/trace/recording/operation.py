"""What a size rule works with: the shapes of its tensors, PyTorch's requirements, and the result it declares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import torch

from shapelint.errors import foreseen
from shapelint.size.bound import lower_bound
from shapelint.size.condition import FALSE, Condition, any_of, at_least, equal
from shapelint.size.function import Function, constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.source.fault import call_foreign
from shapelint.trace.recording.errors import Failure, Kind, Unanalysable
from shapelint.trace.recording.record import Recording, Shape

_MOST_NUMBERS = 1 << 24
_META: Final = torch.device("meta")


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new tensor of this shape, made without a kernel.

    It is contiguous unless `layout` is a memory format, or a tensor of the same shape whose strides it keeps.
    """

    shape: Shape
    like: torch.Tensor
    dtype: torch.dtype | None = None
    layout: torch.Tensor | torch.memory_format | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """A tensor that is there already, such as what an in-place function returns."""

    tensor: torch.Tensor
    shape: Shape


@dataclass(frozen=True, slots=True)
class Kernel:
    """What torch's own kernel gives, whose shapes must be these (depth first, None: as the kernel says)."""

    shapes: tuple[Shape | None, ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """A result that is no tensor, such as a shape."""

    value: Any


@foreseen
class NoRule(Exception):
    """Raised by a size rule for arguments that it does not cover: the fallback takes over."""


Result = Fresh | Same | Kernel | Plain | tuple["Result", ...]
SizeRule = Callable[..., Result]

RULES: dict[Any, SizeRule] = {}
VALUE_RULES: dict[Any, SizeRule] = {}
"""Rules for tensors that hold sizes; they are asked first, where there are such tensors."""
NUMBER_CHECKS: dict[str, list[Callable[[Operation, Any, Any], None]]] = {}
"""For the name of a function what it refuses besides shapes: numbers, where sizes decide on them."""


def is_fresh_contiguous(result: Result) -> bool:
    """Whether the result is contiguous at every size."""
    return isinstance(result, Fresh) and result.layout is None


def is_on_meta(result: Fresh | Same) -> bool:
    """Whether a declared result has no numbers; what has some is made for real, since it may be asked for them."""
    return (result.like if isinstance(result, Fresh) else result.tensor).is_meta


def refuse_other_shapes(name: str, tensors: Sequence[torch.Tensor], dims: Sequence[Shape]) -> None:
    """Raises Unanalysable where a kernel gave another shape than the size rule of the operation claims."""
    for tensor, shape in zip(tensors, dims, strict=False):
        claimed = tuple(map(plain, shape))
        if tuple(tensor.shape) != claimed:
            raise Unanalysable(f"{name} gave {tuple(tensor.shape)}, its size rule {claimed}")


def without_numbers(result: Fresh | Same) -> Fresh | None:
    """The result on meta where its numbers would fill the memory, such as a mask over all pairs of tokens."""
    if isinstance(result, Same) or math.prod(map(plain, result.shape)) <= _MOST_NUMBERS:
        return None
    return replace(result, like=torch.empty(0, dtype=result.like.dtype, device="meta"))


def fresh_parts(result: Any) -> Iterable[Fresh | Same]:
    """What a declared result makes or gives back, depth first."""
    if isinstance(result, (Fresh, Same)):
        return [result]
    return [] if isinstance(result, Plain) else [part for each in result for part in fresh_parts(each)]


def created(result: Any) -> Any:
    """The tensors that a declared result tells of, made without a kernel; its value where it is no tensor."""
    if isinstance(result, tuple):
        return tuple(map(created, result))
    if isinstance(result, Same):
        return result.tensor
    if isinstance(result, Plain):
        return result.value
    dtype, shape, layout = result.dtype or result.like.dtype, tuple(map(plain, result.shape)), result.layout
    assert not shape or min(shape) >= 0, f"a size rule gives the shape {shape}"
    if layout is None or (isinstance(layout, torch.Tensor) and layout.is_contiguous()):
        return call_foreign(torch.empty, shape, dtype=dtype, device=_META)  # the sizes may be too large
    if not isinstance(layout, torch.Tensor):
        return call_foreign(torch.empty, shape, dtype=dtype, device=_META, memory_format=layout)
    if _is_dense(layout):  # as the CPU does; the kernel for meta takes twenty times as long
        return torch.empty_strided(layout.shape, layout.stride(), dtype=dtype, device=_META)
    return torch.empty_like(layout, dtype=dtype, device=_META)


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether its elements, of which there are some, fill a stretch of memory once."""
    block = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1:
            if stride != block:
                return False
            block *= size
    return block > 0


def unit_sizes(result: Result) -> tuple[Condition, ...]:
    """For each size of a result in some format the condition that it is 1: what its strides allow depends on it."""
    parts = () if isinstance(result, Kernel) else fresh_parts(result)
    laid = [part.shape for part in parts if isinstance(part, Fresh) and part.layout is not None]
    sizes = [dim for shape in laid for dim in shape if symbolic(dim)]
    return tuple(equal(function_of(dim), constant(1)) for dim in sizes)


def _is_larger(function: Function) -> bool:
    """Whether a size is certainly not 1."""
    bound = lower_bound(function)
    return equal(function, constant(1)) == FALSE or (bound is not None and bound > 1)


def _fraction(number: Fraction | int) -> Fraction:
    return number if type(number) is Fraction else Fraction(number)


def size_rule(*functions: Any) -> Callable[[SizeRule], SizeRule]:
    """Registers a size rule for torch functions; a function that already has one is a bug of ours."""

    def register(rule: SizeRule) -> SizeRule:
        for function in functions:
            assert function not in RULES, f"{function} has two size rules"
            RULES[function] = rule
        return rule

    return register


def spellings(name: str, *, inplace: bool = True) -> tuple[Any, ...]:
    """Every form in which torch offers a function: torch.f, Tensor.f, Tensor.f_, F.f and the like, once each."""
    homes = (torch, torch.Tensor, torch.nn.functional, torch._C._nn, torch.special)
    names = (name, name + "_") if inplace else (name,)
    found = [getattr(home, each) for home in homes for each in names if hasattr(home, each)]
    return tuple(dict.fromkeys(found))


class Operation:
    """One call of a torch function, as its size rule sees it.

    A rule that changes one of its arguments names it in `writes`; the conditions in `layout` decide at which sizes
    the strides of the result are those of this run; `values` are the numbers that each result holds, in its order.
    `given` are the tensors among its arguments, depth first. Of a join, `times` are how many tensors each of those that
    it joins stands for, where that is not one.
    """

    spatial: int = 0
    factor: tuple[Fraction, ...] = ()
    layout: tuple[Condition, ...] = ()
    values: tuple[tuple[Any, ...] | None, ...] | None = None
    writes: torch.Tensor | None = None
    given: Sequence[torch.Tensor] = ()
    times: tuple[int, ...] = ()

    def __init__(self, recorder: Recording, function: Any) -> None:
        self.recorder, self.function = recorder, function
        self.name = getattr(function, "__name__", None) or str(function)
        self.parameters: dict[str, tuple[int, ...]] = {}

    def shape(self, tensor: torch.Tensor) -> Shape:
        """The shape of a tensor, each dimension a Size where it depends on a symbol."""
        return self.recorder.shape(tensor)

    def require(
        self, condition: Condition, kind: Kind, text: str, *, between: Sequence[int] = (0, 0), shape: Sequence[int] = ()
    ) -> None:
        """Raises as PyTorch does where the condition fails; where it holds, its complement is known to raise.

        `between` are the two sizes that `text` calls {left} and {right}, `shape` those that it calls {shape}.
        """
        if kind is not Kind.CHANNELS and self.recorder.has_met(condition):
            return
        left, right, *dims = (function_of(each) if symbolic(each) else plain(each) for each in (*between, *shape))
        self.recorder.require(condition, Failure(kind, text, left, right, None, tuple(dims)), self)

    def settled(self, first: int, second: int) -> bool:
        """Whether two sizes are the same at every size that comes here."""
        if type(first) is int and type(second) is int:
            return first == second
        return first is second or (plain(first) == plain(second) and not (symbolic(first) or symbolic(second)))

    def require_equal(self, first: int, second: int, kind: Kind, text: str) -> None:
        """The two sizes must be the same."""
        if not self.settled(first, second) or (kind is Kind.CHANNELS and self.recorder.overrides):
            self.require(equal(function_of(first), function_of(second)), kind, text, between=(first, second))

    def require_at_least(self, size: int, bound: int, kind: Kind, text: str) -> None:
        """The size must be at least the bound."""
        if type(size) is int and type(bound) is int and size >= bound:
            return
        if plain(size) < plain(bound) or symbolic(size) or symbolic(bound):
            self.require(at_least(function_of(size), function_of(bound)), kind, text, between=(size, bound))

    def refuse(self, kind: Kind, text: str) -> None:
        """Raises at every size that comes here."""
        self.require(any_of(()), kind, text)

    def decide(self, condition: Condition) -> bool:
        """Whether the condition holds in this run, remembered as part of the path."""
        return self.recorder.decide(condition)

    def resamples(self, spatial: int, factor: Iterable[Fraction | int]) -> None:
        """Tells that the call treats the last `spatial` axes as spatial and multiplies them by `factor`."""
        if self.recorder.with_places:
            self.spatial, self.factor = spatial, tuple(map(_fraction, factor))

    def broadcast(self, *shapes: Shape) -> Shape:
        """The common shape of tensors that are combined element by element (PyTorch's broadcasting semantics)."""
        result: list[int] = []
        rank = max(map(len, shapes), default=0)
        for axis in range(-rank, 0):
            sizes = [shape[axis] for shape in shapes if len(shape) >= -axis]
            common = sizes[0]
            for size in sizes[1:]:
                common = self._broadcast(common, size, axis + rank)
            result.append(common)
        return tuple(result)

    def _broadcast(self, first: int, second: int, axis: int) -> int:
        if first is second or (not symbolic(first) and plain(first) == 1):
            return second
        if not symbolic(second) and plain(second) == 1:
            return first
        one, two = function_of(first), function_of(second)
        if one is two:
            return first
        unit = function_of(1)
        same, first_one, second_one = equal(one, two), equal(one, unit), equal(two, unit)
        text = "The size of tensor a ({left}) must match the size of tensor b ({right}) at non-singleton dimension "
        text += str(axis)
        self.require(any_of([same, first_one, second_one]), Kind.JOIN, text, between=(first, second))
        if one.constant is None is two.constant and (_is_larger(one) or _is_larger(two)):
            # Where they are equal the result is either, and else the one that is never 1: no other way for size 1.
            self.layout = (*self.layout, second_one if _is_larger(one) else first_one)
            return first if _is_larger(one) else second
        if plain(first) == plain(second):
            self.decide(any_of([same, second_one]))
            return first
        taken, other = (second_one, first) if plain(second) == 1 else (first_one, second)
        self.decide(taken)
        return other
