"""The strides of results whose operands were permuted, cropped, broadcast or expanded, against eager PyTorch's."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.request.inputs import Inputs
from shapelint.trace.meta_state import MetaState
from shapelint.trace.run import Subject, run_once

CallSite = Callable[[list[Tensor]], Tensor]


class _Calling(torch.nn.Module):
    """Makes one call on tensors that hang on the module."""

    def __init__(self, call: CallSite, tensors: list[Tensor]) -> None:
        super().__init__()
        self.call, self.tensors = call, tensors

    def forward(self) -> Tensor:
        return self.call(self.tensors)


def _drawn(source: random.Random, sizes: Sequence[int]) -> Tensor:
    """A tensor of these sizes whose axes lie in memory in any order, with gaps, or one over and over."""
    rank = len(sizes)
    order = source.sample(range(rank), rank) if source.random() < 0.7 else list(range(rank))
    whole = torch.zeros([sizes[axis] + source.choice((0, 0, 1, 3)) for axis in order])
    tensor = whole.permute([order.index(axis) for axis in range(rank)])
    for axis, size in enumerate(sizes):
        once = size > 1 and source.random() < 0.05
        tensor = tensor.narrow(axis, 0, 1 if once else size)
        tensor = tensor.expand([size if each == axis else -1 for each in range(rank)])
    if rank == 4 and source.random() < 0.2:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor


def _strides(tensor: Tensor) -> list[int]:
    """The strides that say where elements lie."""
    return [stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1 and tensor.numel()]


def _compared(call: CallSite, tensors: list[Tensor]) -> None:
    made = [torch.empty_strided(each.shape, each.stride(), device="meta") for each in tensors]
    model = _Calling(call, made)
    subject = Subject(model, model, Inputs(()), (), {id(model): ""}, MetaState(model, train=False))
    run = run_once(subject, {}, symbolic=False)
    assert run.error is None
    wanted, found = call(tensors), run.records[-1].result
    told = [(tuple(each.shape), each.stride()) for each in tensors]
    assert (found.shape, _strides(found)) == (wanted.shape, _strides(wanted)), told


def _operands(source: random.Random) -> list[Tensor]:
    sizes = [source.choice((1, 1, 2, 3, 4)) for _ in range(source.randint(2, 5))]
    parts = [[1 if source.random() < 0.2 else size for size in sizes] for _ in range(source.choice((2, 2, 3)))]
    return [_drawn(source, part[source.choice((0, 0, 0, 1)) :]) for part in parts]


def _sum(given: list[Tensor]) -> Tensor:
    return given[0] + given[1]


def _sum_with_product(given: list[Tensor]) -> Tensor:
    return torch.addcmul(*given)


@pytest.mark.parametrize("seed", range(12))
def test_operands_of_any_strides_give_pytorchs_strides(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(5):
        tensors = _operands(source)
        _compared(_sum if len(tensors) == 2 else _sum_with_product, tensors)


def _convolution(source: random.Random) -> tuple[CallSite, list[Tensor]]:
    axes = source.choice((1, 2))
    lead = [source.choice((1, 2)), source.choice((1, 2, 4))]
    image = _drawn(source, [*lead, *(source.randint(3, 6) for _ in range(axes))])
    weight = torch.zeros(image.shape[1], image.shape[1], *(3 for _ in range(axes)))
    name = source.choice(("conv", "conv_transpose"))
    function = getattr(functional, f"{name}{axes}d")
    return lambda given: function(given[0], given[1], None, 2, 1), [image, weight]


def _resize(source: random.Random) -> tuple[CallSite, list[Tensor]]:
    mode = source.choice(("linear", "bilinear", "bicubic", "nearest"))
    axes = {"linear": 1, "nearest": source.choice((1, 2, 3))}.get(mode, 2)
    image = _drawn(source, [source.choice((1, 2)), source.choice((1, 3)), *(source.randint(2, 5) for _ in range(axes))])
    return lambda given: functional.interpolate(given[0], scale_factor=2, mode=mode), [image]


def _product(source: random.Random) -> tuple[CallSite, list[Tensor]]:
    lead = [source.choice((1, 2)) for _ in range(source.choice((0, 1, 2)))]
    left = _drawn(source, [*lead, source.randint(1, 4), 3])
    if source.random() < 0.5:
        return lambda given: functional.linear(given[0], given[1]), [left, _drawn(source, [source.randint(1, 4), 3])]
    right = _drawn(source, [*lead[: source.choice((0, len(lead)))], 3, source.randint(1, 4)])
    return lambda given: torch.matmul(*given), [left, right]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("draw", [_convolution, _resize, _product])
def test_layers_of_any_strides_give_pytorchs_strides(
    draw: Callable[[random.Random], tuple[CallSite, list[Tensor]]], seed: int
) -> None:
    source = random.Random(seed)
    for _ in range(5):
        _compared(*draw(source))
