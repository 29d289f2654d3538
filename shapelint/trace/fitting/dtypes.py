"""Whether PyTorch takes the dtypes and settings of a call element by element, asked of it on single numbers.

Its kernels for meta tensors take what those of the CPU refuse, such as a ReLU of complex numbers.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from shapelint.size.tracking import symbolic
from shapelint.source.fault import call_foreign, let_out
from shapelint.trace.fitting.trials import restored_random_numbers
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.trees import flat_tensors, plain_tree

_TRUSTING = re.compile(
    r"(lu_unpack|(linalg_)?(lu|ldl)_solve|_?segment_reduce|_unsafe_(masked_)?index|_?histogramdd\w*|_?embedding_bag\w*"
    r"|\w+_backward)(\.\w+)?"
)
_BITS = re.compile(r"bitwise_\w+|__[ir]?(and|or|xor|lshift|rshift|invert)__|gcd|lcm|float_power_")


def check_dtypes(op: Operation, *args: Any, **named: Any) -> None:
    """Refuses dtypes for which the function of the call has no kernel on the CPU; floats are asked of bits only."""
    if all(tensor.is_floating_point() for tensor in flat_tensors((args, named))) and not _BITS.fullmatch(op.name):
        return
    _check(op, args, named)


def check_settings(op: Operation, *args: Any, **named: Any) -> None:
    """Refuses what a function element by element refuses on single numbers: dtypes, and values of other arguments."""
    others = [each for each in (*args, *named.values()) if not isinstance(each, torch.Tensor)]
    if others and not any(isinstance(each, int) and symbolic(each) for each in others):
        _check(op, args, named)
    else:
        check_dtypes(op, *args, **named)


def is_refused(op: Operation, args: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Whether PyTorch refuses the call on single numbers with these plain ones."""
    return bool(_refusal_on_ones(op, args, named))


def _check(op: Operation, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    refusal = _refusal_on_ones(op, args, named)
    if refusal:
        op.refuse(Kind.ARGUMENT, refusal)


def _refusal_on_ones(op: Operation, args: tuple[Any, ...], named: dict[str, Any]) -> str:
    given = tuple(map(_sketched, args)), tuple((name, _sketched(each)) for name, each in named.items())
    try:
        return _refusal(op.function, *given)
    except TypeError:  # an argument that cannot be remembered
        return _refusal.__wrapped__(op.function, *given)


def trusts_numbers(name: str) -> bool:
    """Whether a kernel reads and writes beyond its memory, or fills all there is, where numbers in it do not fit."""
    return _TRUSTING.fullmatch(name) is not None


class _Sketch(tuple[torch.dtype, int, int]):
    """The dtype and the number of dimensions of a tensor, and 0 where it is empty, which kernels may not look at."""

    __slots__ = ()


def _sketched(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _Sketch((value.dtype, value.dim(), int(0 not in value.shape)))
    return 1 if isinstance(value, int) and symbolic(value) else plain_tree(value)


def _drawn(value: Any) -> Any:
    return torch.ones(value[2:] * value[1], dtype=value[0], device="cpu") if isinstance(value, _Sketch) else value


@lru_cache(maxsize=1024, typed=True)
def _refusal(function: Callable[..., Any], args: tuple[Any, ...], named: tuple[tuple[str, Any], ...]) -> str:
    with restored_random_numbers():
        return refusal_of(function, tuple(map(_drawn, args)), {name: _drawn(each) for name, each in named})


def refusal_of(function: Callable[..., Any], args: Any, named: Any) -> str:
    """What the function says where it raises, "" where it runs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call_foreign(function, *args, **named)
    except Exception as error:  # torch's
        let_out(error)
        return (str(error).partition("\n")[0] or type(error).__name__).replace("{", "(").replace("}", ")")
    return ""
