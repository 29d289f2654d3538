"""What eager PyTorch does with a model at one input shape: the answer that every contract must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import nn

Shape = tuple[int, ...]
Answer = tuple[Shape, ...] | str


def shapes_of(value: Any) -> Iterator[Shape]:
    """The shapes of all tensors in a nested output, depth first."""
    if isinstance(value, torch.Tensor):
        yield tuple(int(size) for size in value.shape)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from shapes_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from shapes_of(item)


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
    try:
        return run(_module(factory), shape, seed=seed)
    except Exception as error:
        return type(error).__name__
