"""An `if` that only resizes a map: `if x.shape != skip.shape: x = F.interpolate(x, skip.shape[2:])`, or crops it.

Where the test fails the map has that size already, so that it may be resized in any case: the run needs no second way.
Five levels of a U-Net would be 243 ways.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import FunctionType
from typing import Any, Final, TypeGuard

import torch

from shapelint.caches import kept
from shapelint.instrument.choices import OF_THE_OTHER, needs_no_way
from shapelint.instrument.identity import watch_identity
from shapelint.instrument.paddings import row_of, zeros_of
from shapelint.size.bound import identical
from shapelint.size.function import Function
from shapelint.size.number import function_of
from shapelint.size.period import value_where
from shapelint.size.tracking import symbolic, tracker
from shapelint.source.fault import call_foreign

RESIZES: Final = "__shapelint_resizes__"
CUTS: Final = "__shapelint_cuts__"
_FLOATS: Final = (torch.float32, torch.float64)
_GIVEN: Final = {"img", "size", "antialias"}
_Settings = tuple[tuple[str, Any], ...]


def resizes(described: Callable[[], tuple[Any, ...]], test: Callable[[], Any]) -> Any:
    """The test of an `if` that only resizes; true where the map has the size already when the test fails.

    A contiguous tensor stays so either way. That it may be the very tensor is known to `ops/same_memory.py`.
    """
    with suppress(*OF_THE_OTHER):
        function, whole, _, settings, _ = call_foreign(described)
        if _fits(whole) and _is_allowed(function, whole.dim(), settings):
            _, _, size, _, tests = call_foreign(described)  # anew: what was asked may have settled a size
            if needs_no_way(_is_so_anyway(tuple(whole.shape[2:]), size, tests)):
                watch_identity()
                return True
    return call_foreign(test)


def cuts(described: Callable[[], tuple[Any, ...]], test: Callable[[], Any]) -> Any:
    """The test of an `if` that only crops; true where the crop takes nothing when the test fails."""
    with suppress(*OF_THE_OTHER):
        if needs_no_way(_takes_nothing(*call_foreign(described))):
            watch_identity()
            return True
    return call_foreign(test)


def _takes_nothing(whole: Any, axes: tuple[Any, ...], tests: tuple[Any, ...]) -> bool:
    """Whether each axis of a tensor is taken from its first row to its last where all the tests fail."""
    zeros = zeros_of(tests)
    if type(whole) is not torch.Tensor or not zeros:
        return False
    bounds, lengths = axes, tuple(whole.shape)
    if axes[0] is Ellipsis:
        bounds, lengths = axes[1:], lengths[len(lengths) - len(axes) + 1 :]
    if len(bounds) > len(lengths) or not any(map(symbolic, lengths)):
        return False
    row = row_of([part for (start, stop), length in zip(bounds, lengths, strict=False)
                  for part in (start, length if stop is None else stop)])  # fmt: skip
    if row is None:
        return False
    wanted = [each for length in lengths[: len(bounds)] for each in (0, length)]
    return all(
        _is_zero(function_of(one) - function_of(other), zeros) for one, other in zip(row, wanted, strict=True)
    )


def _is_so_anyway(lengths: tuple[int, ...], size: Any, tests: tuple[Any, ...]) -> bool:
    """Whether a map has rows, and as many as it is to have where all the tests fail."""
    row, zeros = row_of(size), zeros_of(tests)
    if row is None or not zeros or len(row) != len(lengths) or not any(map(symbolic, (*row, *lengths))):
        return False
    apart = [function_of(one) - function_of(other) for one, other in zip(row, lengths, strict=True)]
    return all(_is_zero(each, zeros) for each in apart) and all(each >= 1 for each in lengths)


def _is_zero(apart: Function, zeros: list[Function]) -> bool:
    """Whether a difference is 0 wherever all of these are."""
    if apart.constant == 0:
        return True
    signs = apart, apart.times(-1)
    return any(identical(sign, zero) or value_where(apart, zero, 0) == 0 for sign in signs for zero in zeros)


def _fits(whole: Any) -> TypeGuard[torch.Tensor]:
    """Whether something is a map that is contiguous at every size, as what is made of it is too."""
    listener = tracker()
    known = None if listener is None else listener.known.get(id(whole))
    if known is None or known.layout or type(whole) is not torch.Tensor:
        return False
    return whole.dtype in _FLOATS and whole.dim() > 2 and whole.is_contiguous()


def _is_allowed(function: Any, rank: int, settings: _Settings) -> bool:
    """Whether a function resizes maps of a rank with such settings."""
    if is_resize(function):
        return rank == 4 and {name for name, _ in settings} <= _GIVEN
    return function is torch.nn.functional.interpolate and _takes(rank, settings)


@kept(256)
def _takes(rank: int, settings: _Settings) -> bool:
    """Whether `interpolate` does: asked of PyTorch, on a small map."""
    try:
        with torch._C.DisableTorchFunction():
            small: Any = torch.zeros(1, 1, *(2,) * (rank - 2), device="cpu")
            torch.nn.functional.interpolate(small, size=(2,) * (rank - 2), **dict(settings))
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        return False
    return True


def is_resize(function: Any) -> bool:
    """Whether a function is torchvision's, which gives back the picture itself where it has the size already."""
    named = isinstance(function, FunctionType) and function.__name__ == "resize"
    return named and function.__module__ == "torchvision.transforms.functional"


def resized(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What torchvision's `resize(image, size)` makes of maps, done in any case."""
    given = {**dict(zip(("img", "size"), args, strict=False)), **kwargs}
    image, row = given.get("img"), row_of(given.get("size"))
    plain = len(args) <= 2 and given.keys() <= _GIVEN
    if not plain or not _fits(image) or image.dim() != 4 or row is None or len(row) != 2:
        return call_foreign(function, *args, **kwargs)
    asked = any(map(symbolic, (*row, *image.shape[2:]))) and all(each >= 1 for each in image.shape[2:])
    if not needs_no_way(asked):
        return call_foreign(function, *args, **kwargs)
    watch_identity()
    settings: Any = {"mode": "bilinear", "align_corners": False, "antialias": bool(given.get("antialias", True))}
    return torch.nn.functional.interpolate(image, size=list(row), **settings)
