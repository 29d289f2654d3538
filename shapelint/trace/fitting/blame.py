"""Whether the dtypes of a call are to blame where PyTorch refuses it: asked of PyTorch itself on small tensors.

An error on small tensors may be about their sizes or numbers. So the dtypes are to blame only where the call raises
with every filling, and runs with other dtypes, or without `out`, on tensors of the same sizes. Size rules need not look
at dtypes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from math import prod
from typing import Any, Final

import torch

from shapelint.size.tracking import symbolic
from shapelint.trace.fitting.dtypes import refusal_of, trusts_numbers
from shapelint.trace.fitting.trials import restored_random_numbers
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.trees import flat_tensors, plain_tree

_HALVES: Final = frozenset({torch.float16, torch.bfloat16})
_WITH_HALVES: Final = _HALVES | {torch.int64, torch.int32, torch.bool}
_USUAL: Final = (frozenset({torch.float32}), frozenset({torch.float64}))
_SMALL: Final = 4096


def check_kinds(op: Operation, args: Any, kwargs: Any) -> None:
    """Refuses a call whose dtypes are to blame; what only 16-bit floats lack is a leak: other devices may have it.

    Some kernels are for some sizes, such as products of booleans: raises Unanalysable where open sizes decide.
    """
    kinds = {tensor.dtype for tensor in op.given}
    if not kinds or (kinds in _USUAL and kwargs.get("out") is None) or _excepted(op):
        return
    answers = _answers(op, op.given, partial(_asked, op.function, args, kwargs))
    refusal = next(filter(None, answers), "")
    if refusal and kinds & _HALVES and kinds <= _WITH_HALVES:
        op.recorder.leak(f"`{op.name}` on 16-bit floats depends on the device")
    elif refusal and "" not in answers:
        op.refuse(Kind.ARGUMENT, refusal)
    elif refusal and any(symbolic(dim) for tensor in op.given for dim in op.shape(tensor)):
        raise Unanalysable(f"`{op.name}`: sizes decide whether PyTorch takes these dtypes: {refusal}")
    elif refusal and answers[-1]:
        op.refuse(Kind.ARGUMENT, refusal)


def _answers(op: Operation, tensors: Sequence[torch.Tensor], asked: Callable[[int | None], str | None]) -> list[str]:
    """What is known of sizes that are all 1, all 2, and, last, the call's own where these are small."""
    empty = any(0 in tensor.shape for tensor in tensors)
    answers = [] if empty else [asked(1), asked(2)]
    if set(answers) != {""} and sum(prod(tensor.shape) for tensor in tensors) <= _SMALL:
        answers.append(asked(None))
    return [answer for answer in answers if answer is not None]


def _excepted(op: Operation) -> bool:
    """Whether it is no function of torch's, its kernel may die of numbers, or autocast decides on dtypes."""
    home = str(getattr(op.function, "__module__", ""))
    autocast = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
    return autocast or home.startswith("shapelint.") or trusts_numbers(op.name)


@dataclass(frozen=True, slots=True)
class _Likeness:
    """The tensor of this number in a call; `shape` is None where only the number of dimensions is kept."""

    number: int
    dtype: torch.dtype
    rank: int
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Any other argument, as a key: its type, and its value or the parts of it."""

    kind: type
    value: Any


def _asked(function: Callable[..., Any], args: Any, kwargs: Any, size: int | None) -> str | None:
    """What PyTorch says where the dtypes are to blame, "" where it takes them, None where neither is known.

    All tensors have this size in all axes, or, where it is None, the shapes that they have.
    """
    own = size is None
    if str(getattr(function, "__name__", "")).startswith("fft_"):  # whose numbers are lengths and axes
        args, kwargs = _shortened(args), _shortened(kwargs)
    numbers = {id(tensor): number for number, tensor in enumerate(flat_tensors((args, kwargs)))}
    sketch = partial(_sketched, numbers, own=own)
    written = kwargs.get("out")
    given = sketch(tuple(args)), sketch({name: each for name, each in kwargs.items() if name != "out"})
    try:
        return _blamed(function, *given, sketch(written, empty=True), size or 0)
    except TypeError:  # an argument that cannot be remembered
        return ""


def _shortened(tree: Any) -> Any:
    """Arguments with lengths that no transform takes long for."""
    if isinstance(tree, dict):
        return {name: _shortened(each) for name, each in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(map(_shortened, tree))
    return min(tree, _SMALL) if type(tree) is int else tree


def _sketched(numbers: Mapping[int, int], tree: Any, *, own: bool, empty: bool = False) -> Any:
    if isinstance(tree, torch.Tensor):
        shape = (0,) if empty else tuple(tree.shape) if own else None
        return _Likeness(numbers[id(tree)], tree.dtype, tree.dim(), shape)
    part = partial(_sketched, numbers, own=own, empty=empty)
    if isinstance(tree, dict):
        return _Part(dict, tuple((key, part(each)) for key, each in tree.items()))
    if isinstance(tree, (tuple, list)):
        return _Part(list if isinstance(tree, list) else tuple, tuple(map(part, tree)))
    if isinstance(tree, slice):
        return _Part(slice, tuple(map(part, (tree.start, tree.stop, tree.step))))
    value = 1 if not own and isinstance(tree, int) and symbolic(tree) else plain_tree(tree)
    return _Part(type(value), value)


Change = Callable[[int, torch.dtype], torch.dtype]


@lru_cache(maxsize=2048)
def _blamed(function: Callable[..., Any], args: Any, kwargs: Any, out: Any, size: int) -> str | None:
    """See `_asked`."""
    written = out != _Part(type(None), None)

    def error(fill: str, change: Change, *, with_out: bool) -> str:
        made = partial(_made, size=size, fill=fill, change=change)
        named = {**made(kwargs), **({"out": made(out)} if with_out else {})}
        return refusal_of(function, made(args), named)

    with restored_random_numbers():
        refusals = []
        for fill in _FILLS:
            refusals.append(error(fill, _as_it_is, with_out=written))
            if not refusals[-1] or "ZeroDivision" in refusals[-1]:
                return ""
        others = [*((change, written) for change in _CHANGES), *([(_as_it_is, False)] if written else [])]
        blamed = any(not error(fill, change, with_out=out) for (change, out), fill in product(others, _FILLS))
    return refusals[0] if blamed else None


def _made(tree: Any, *, size: int, fill: str, change: Change) -> Any:
    part = partial(_made, size=size, fill=fill, change=change)
    if isinstance(tree, _Likeness):
        return _tensor(tree, size, fill, change(tree.number, tree.dtype))
    if tree.kind is torch.dtype:
        return change(-1, tree.value)
    if tree.kind is dict:
        return {key: part(each) for key, each in tree.value}
    if tree.kind is slice:
        return slice(*map(part, tree.value))
    return tree.kind(map(part, tree.value)) if tree.kind in (tuple, list) else tree.value


def _tensor(sketch: _Likeness, size: int, fill: str, dtype: torch.dtype) -> torch.Tensor:
    """Its integers are all 0, an index of anything: kernels may die of others."""
    shape = (size,) * sketch.rank if sketch.shape is None else sketch.shape
    if not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool):
        return torch.zeros(shape, dtype=dtype, device="cpu")
    if fill == "unit" and len(shape) > 1:
        return torch.eye(*shape[-2:], dtype=dtype, device="cpu").expand(shape).clone()
    if fill == "halves" and dtype.is_floating_point:
        return torch.full(shape, 0.5, device="cpu").to(dtype)
    return torch.ones(shape, dtype=dtype, device="cpu")


def _as_it_is(number: int, dtype: torch.dtype) -> torch.dtype:
    return dtype


def _usual_floats(number: int, dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype.is_floating_point or dtype.is_complex else dtype


def _usual_but_for_one(kept: int, number: int, dtype: torch.dtype) -> torch.dtype:
    """Such as the index among floats."""
    return dtype if number == kept else torch.float32


def _all(wanted: torch.dtype, number: int, dtype: torch.dtype) -> torch.dtype:
    return wanted


_FILLS: Final = ("ones", "halves", "unit")  # "unit": matrices that have an inverse
_CHANGES: Final[tuple[Change, ...]] = (
    _usual_floats,
    *(partial(_all, dtype) for dtype in (torch.float32, torch.int64, torch.bool)),
    *(partial(_usual_but_for_one, number) for number in range(4)),
)
