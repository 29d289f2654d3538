"""A call run on small real tensors on the CPU, whose kernels decide: those for meta tensors allow what these refuse.

The numbers are ours. A call that raises with some of them and runs with others runs; where what it gives depends on
them, nothing is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from math import prod
from typing import Any, Final

import torch

from shapelint.source.fault import let_out
from shapelint.trace.fitting.dtypes import trusts_numbers
from shapelint.trace.fitting.trials import restored_random_numbers
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Recording
from shapelint.trace.recording.trees import flat_tensors, with_tensors

_MOST: Final = 1 << 22
_TRUSTING_NORMS: Final = re.compile(r"_?native_batch_norm\w*(\.\w+)?|_batch_norm_\w+(\.\w+)?")


class TooLarge(Exception):
    """The tensors of a call are too large to be made for a trial."""


def kernel_result(recorder: Recording, function: Any, args: Any, kwargs: Any) -> Any:
    """What a kernel gives; where the one for meta tensors refuses what a size rule allows, that of the CPU decides.

    Raises what the kernel raises.
    """
    try:
        return recorder.kernel(function, args, kwargs)
    except Exception as error:  # torch's kernel
        let_out(error)
        with suppress(TooLarge, Unanalysable):
            return real_result(recorder, function, args, kwargs)
        raise


def real_result(recorder: Recording, function: Any, args: Any, kwargs: Any, *, twice: bool = True) -> Any:
    """What a function gives on real tensors like the given ones, as tensors on meta with the same strides.

    Raises the first error where it raises with every filling; TooLarge; Unanalysable where its shapes depend on the
    numbers, which is looked for with two fillings, if `twice`.
    """
    tensors = flat_tensors((args, kwargs))
    name = getattr(function, "__name__", str(function))
    if _is_dangerous(name, tensors):
        raise Unanalysable(f"`{name}` is not tried: its kernel does not check what it is given")
    if sum(prod(tensor.shape) for tensor in tensors) > _MOST:
        raise TooLarge
    first: Exception | None = None
    found: list[Any] = []
    integers = any(each.is_meta and not each.is_floating_point() and not each.is_complex() for each in tensors)
    for fill in _FILLS_OF_INTEGERS if integers else _FILLS:
        made = {id(tensor): _real(tensor, fill) for tensor in tensors}
        given, named = with_tensors((args, kwargs), partial(_looked_up, made))
        try:
            with restored_random_numbers():
                value = recorder.kernel(function, given, named)
        except Exception as error:  # torch's kernel
            let_out(error)
            first = first or error
            continue
        found.append(_on_meta(value, {id(made[id(tensor)]): tensor for tensor in tensors}))
        if len(found) == 1 + twice:
            break
    if not found:
        assert first is not None, "each filling gave a result or an error"
        raise first
    if _shapes(found[0]) != _shapes(found[-1]):
        raise Unanalysable(f"`{name}`: what it gives depends on the numbers in its tensors")
    return found[0]


def _is_dangerous(name: str, tensors: Sequence[torch.Tensor]) -> bool:
    """Whether a kernel trusts numbers that nobody knows, or vectors that have not one value for each channel."""
    if not _TRUSTING_NORMS.fullmatch(name):
        return trusts_numbers(name)
    channels = tensors[0].shape[1:2]
    return any(tensor.shape != channels for tensor in tensors[1:])


def _looked_up(made: dict[int, torch.Tensor], tensor: torch.Tensor) -> torch.Tensor:
    return made[id(tensor)]


def _real(tensor: torch.Tensor, fill: Callable[[torch.Tensor], object]) -> torch.Tensor:
    """A tensor with numbers that lies in memory as the given one does; one with numbers keeps them."""
    if not tensor.is_meta:
        return tensor.detach().clone()
    apart = [1 if step == 0 else size for size, step in zip(tensor.shape, tensor.stride(), strict=True)]
    real = torch.empty_strided(apart, tensor.stride(), dtype=tensor.dtype, device="cpu")
    fill(real)
    return real.expand(tensor.shape)


def _on_meta(value: Any, originals: dict[int, torch.Tensor]) -> Any:
    """The same result without numbers; what is an argument is that argument."""

    def moved(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) in originals:
            if tensor.shape != originals[id(tensor)].shape:
                raise Unanalysable("a function without a size rule gives its argument another shape")
            return originals[id(tensor)]
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
            raise Unanalysable("a function without a size rule gives a quantized, sparse or nested tensor")
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")

    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_on_meta(part, originals) for part in value))
    if type(value).__module__ == "torch.return_types":
        return tuple(_on_meta(part, originals) for part in value)
    return with_tensors(value, moved)


def _shapes(value: Any) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape) for tensor in flat_tensors(value)]


def _drawn(tensor: torch.Tensor) -> None:
    if tensor.is_floating_point() or tensor.is_complex():
        tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(0)))
    else:
        tensor.zero_()


def _rising(tensor: torch.Tensor) -> None:
    tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape))


def _diagonal(tensor: torch.Tensor) -> None:
    """Ones where the last two indices are equal: matrices that have an inverse."""
    tensor.zero_()
    if tensor.dim() > 1:
        torch.diagonal(tensor, dim1=-2, dim2=-1).fill_(1)


_FILLS: Final[tuple[Callable[[torch.Tensor], object], ...]] = (
    _drawn, torch.Tensor.zero_, lambda tensor: tensor.fill_(1), _diagonal, _rising,
)  # fmt: skip
_FILLS_OF_INTEGERS: Final = (_drawn, *_FILLS[2:])
