"""What onnxruntime asks of the scales, biases, slopes and states that an operator takes beside its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapelint.saved.onnx.call import Kind, Need, OperatorCall
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic


def same(left: int, right: int, what: str) -> Need:
    """That an axis has a size: `what` is wanted of `right`."""
    return Need(left, right, Kind.CHANNELS, f"{what}: {{left}} elements where {{right}} are wanted", True)


def of_shape(call: OperatorCall, index: int, wanted: Sequence[int], what: str) -> tuple[Need, ...]:
    """That an input has just this shape, where it is given. Raises ValueError for another number of axes."""
    if not call.has(index):
        return ()
    shape = call.shape(index)
    if len(shape) != len(wanted):
        raise ValueError(f"{what} of {len(shape)} axes, {len(wanted)} are wanted")
    return tuple(same(dim, size, what) for dim, size in zip(shape, wanted, strict=True))


def one_or(left: int, right: int, what: str) -> tuple[Need, ...]:
    """That an axis has a size, or 1."""
    return () if left == 1 else (same(left, right, what),)


def surely(call: OperatorCall, left: int, right: int, what: str) -> None:
    """That two sizes are equal where the runtime does not look.

    Raises Unanalysable where they are not: it reads beyond the end then.
    """
    if left != right:
        raise call.unsupported(what)


def one_number(call: OperatorCall, *indices: int) -> None:
    """That inputs, where they are given, are single numbers: scales and zero points of a whole tensor.

    Raises ValueError for a row of other than one number, and Unanalysable for an open one.
    """
    for index in indices:
        shape = call.shape(index) if call.has(index) else ()
        if any(map(symbolic, shape)):
            raise call.unsupported(f"its input {index + 1} of an open size")
        if tuple(map(plain, shape)) not in ((), (1,)):
            raise ValueError(f"input {index + 1} has the shape {list(map(plain, shape))}, and one number is wanted")


def parameters(call: OperatorCall, count: int, *indices: int) -> None:
    """That inputs, where they are given, are single numbers or rows of `count`, as the runtime takes them for sure.

    Raises Unanalysable for others: of those it refuses some, and reads beyond the end of some.
    """
    for index in indices:
        if not call.has(index):
            continue
        shape = call.shape(index)
        single = not any(map(symbolic, shape)) and shape in ((), (1,))
        if not single and not (len(shape) == 1 and _alike(shape[0], count)):
            raise call.unsupported(f"its input {index + 1} of {len(shape)} axes, which is no row of numbers,")


def spread_over(call: OperatorCall, index: int, shape: Sequence[int], what: str) -> tuple[Need, ...]:
    """That an input is broadcast to a shape, and the shape not to it.

    Raises ValueError for more axes, and Unanalysable for an open size, which may be 1 or not.
    """
    if not call.has(index):
        return ()
    own = call.shape(index)
    if len(own) > len(shape):
        raise ValueError(f"{what} of {len(own)} axes, at most {len(shape)} are wanted")
    pairs: list[tuple[Any, Any]] = list(zip(reversed(own), reversed(shape), strict=False))
    if any(symbolic(dim) and not _alike(dim, size) for dim, size in pairs):
        raise call.unsupported(f"{what} of an open size")
    return tuple(same(size, dim, "the input") for dim, size in pairs if symbolic(dim) or plain(dim) != 1)


def _alike(one: Any, two: Any) -> bool:
    return function_of(one) == function_of(two)
