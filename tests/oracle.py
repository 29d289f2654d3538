"""What eager PyTorch does with a model at one input shape: the answer that every contract must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from shapelint.request.spec import TensorSpec
from shapelint.trace.run import output_tensors

Shape = tuple[int, ...]
Answer = tuple[Shape, ...] | str


def shapes_of(value: Any) -> Iterator[Shape]:
    """The shapes of all tensors in a nested output, depth first."""
    for tensor in output_tensors(value):
        yield tuple(int(size) for size in tensor.shape)


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Answer:
    """The shapes of what a real call gives, or the name of the class of the error that it raises."""
    try:
        with torch.no_grad():
            return tuple(shapes_of(function(*args, **kwargs)))
    except Exception as error:
        return type(error).__name__


def given(answer: Answer) -> tuple[Shape, ...] | None:
    """The shapes of an answer; None where the call raised."""
    return None if isinstance(answer, str) else answer


def real(spec: TensorSpec, sizes: Mapping[str, int], *, drawn: bool = False) -> torch.Tensor:
    """A tensor for a spec where the symbols have `sizes`: ones, or, where `drawn`, normal numbers for floats."""
    shape, dtype = [dim.value(sizes) for dim in spec.dims], getattr(torch, spec.dtype)
    random = drawn and (dtype.is_floating_point or dtype.is_complex)
    return torch.randn(shape).to(dtype) if random else torch.ones(shape, dtype=dtype)


@lru_cache(maxsize=256)
def _module(factory: Callable[[], nn.Module]) -> nn.Module:
    torch.set_num_threads(1)
    return factory().eval()


def run(module: nn.Module, *shapes: Shape, seed: int = 0) -> tuple[Shape, ...]:
    """The output shapes of a real run on random tensors of the given shapes; raises what the model raises."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        return tuple(shapes_of(module(*(torch.randn(shape, generator=generator) for shape in shapes))))


@lru_cache(maxsize=100_000)
def eager(factory: Callable[[], nn.Module], shape: Shape, seed: int = 0) -> Answer:
    """The output shapes of the factory's model at one shape, or the name of the class of the error it raises.

    The model is built once (a class or another hashable factory is the key) and run in eval mode on the CPU.
    """
    generator = torch.Generator().manual_seed(seed)
    return attempt(lambda: _module(factory)(torch.randn(shape, generator=generator)))
