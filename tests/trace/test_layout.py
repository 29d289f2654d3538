"""How a result lies in memory decides what a `view` allows; PyTorch's meta kernels often say something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import shapelint
from tests.oracle import attempt, given

LAST = torch.channels_last
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "from channels first": lambda x: x.permute(0, 2, 3, 1),
    "from channels last": lambda x: x.permute(0, 3, 1, 2),
    "channels-last": lambda x: x.contiguous(memory_format=LAST),
    "a part of channels-last": lambda x: x.contiguous(memory_format=LAST)[:, 1:],
    "one channel of channels-last": lambda x: x.permute(0, 2, 3, 1)[:, :1],
    "turned": lambda x: x.transpose(2, 3),
}
LAYERS: dict[str, Callable[[Tensor], Tensor]] = {
    "conv2d": lambda x: F.conv2d(x, torch.ones(3, x.shape[1], 3, 3, device=x.device), padding=1),
    "conv2d of channels-last weights": lambda x: F.conv2d(
        x, torch.ones(3, x.shape[1], 3, 3, device=x.device).contiguous(memory_format=LAST), padding=1
    ),
    "conv3d": lambda x: F.conv3d(x.unsqueeze(3), torch.ones(2, x.shape[1], 1, 1, 1, device=x.device)),
    "max_pool2d": lambda x: F.max_pool2d(x, 2, ceil_mode=True),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 2),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "reflect": lambda x: F.pad(F.pad(x, (1, 1, 1, 1)), (1, 1, 1, 1), mode="reflect"),
    "circular": lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),
    "batch_norm": lambda x: F.batch_norm(x, *torch.ones(2, x.shape[1], device=x.device)),
    "cat": lambda x: torch.cat([x, x], 1),
    "stack": lambda x: torch.stack([x, x], 2),
    "roll": lambda x: x.roll(1, 2),
    "dropout": lambda x: F.dropout(x, 0.5, training=False),
    "masked_fill": lambda x: x.masked_fill(x > 0, 0.0),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x),
}
SIZES = [(1, 1), (1, 6), (4, 1), (4, 3), (5, 8)]


class Flattened(nn.Module):
    def __init__(self, *steps: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Any:
        for step in self.steps:
            x = step(x)
        return x.view(x.shape[0], -1), x.view(-1, *x.shape[2:])


def runs(model: nn.Module, *shape: int) -> bool:
    return given(attempt(model, torch.zeros(shape))) is not None


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_view_is_allowed_where_eager_pytorch_allows_it(layout: str, layer: str) -> None:
    model = Flattened(LAYOUTS[layout], LAYERS[layer]).eval()
    contract = shapelint.check(model, "2,3,H,W").contract
    for height, width in SIZES:
        found = contract.outcome(H=height, W=width)
        assert found.ok == runs(model, 2, 3, height, width), (height, width)


def test_a_large_3d_convolution_of_one_image_keeps_channels_last_and_a_small_one_does_not() -> None:
    def convolved(x: Tensor) -> Tensor:
        return F.conv3d(x.permute(0, 4, 1, 2, 3), torch.ones(2, 3, 3, 3, 3, device=x.device), padding=1)

    model = Flattened(convolved)
    contract = shapelint.check(model, "1,8,H,8,3").contract
    for height in (2, 853, 854):  # channels, depth and height: 3 * 8 * 853 = 20,472, and 20,480 is the most
        assert contract.outcome(H=height).ok == runs(model, 1, 8, height, 8, 3) == (height < 854), height


def test_a_signal_whose_only_channel_was_last_makes_conv1d_keep_channels_last() -> None:
    """Eager PyTorch takes it for an image of one row that is channels-last, though it is contiguous."""

    def moved(x: Tensor) -> Tensor:
        return F.conv1d(x.transpose(1, 2), torch.ones(4, 1, 3, device=x.device))

    assert str(shapelint.check(Flattened(moved), "2,L,1").contract.runs) == "L only 3"
    assert [runs(Flattened(moved), 2, length, 1) for length in (3, 4, 12)] == [True, False, False]
    assert str(shapelint.check(Flattened(lambda x: moved(x).contiguous()), "2,L,1").contract.runs) == "L at least 3"


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM, nn.RNN])
def test_the_steps_of_a_recurrent_layer_come_first_in_memory(cell: type[nn.RNNBase]) -> None:
    """So that a `view` which merges batch and steps raises, unless one of them is 1."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = cell(4, 5, batch_first=True)

        def forward(self, x: Tensor) -> Any:
            return self.cell(x)[0].view(-1, 5)

    contract = shapelint.check(Net(), "2,L,4").contract
    assert str(contract.runs) == "L only 1"
    assert [runs(Net(), 2, steps, 4) for steps in (1, 2, 7)] == [True, False, False]


def test_complex_and_boolean_numbers_are_refused_where_pytorch_has_no_kernel_for_them() -> None:
    class Net(nn.Module):
        def __init__(self, step: Callable[[Tensor], Any]) -> None:
            super().__init__()
            self.step = step

        def forward(self, x: Tensor) -> Any:
            return x if x.shape[1] < 3 else self.step(torch.fft.rfft(x))

    steps: list[Callable[[Tensor], Any]] = [F.relu, F.gelu, torch.mean, lambda z: z.std(1), lambda z: z > 0,
                                            lambda z: (z.abs() > 0).argmax(1), lambda z: -(z.abs() > 0)]  # fmt: skip
    found = [shapelint.check(Net(step), "1,L").contract.outcome(L=8).ok for step in steps]
    assert found == [runs(Net(step), 1, 8) for step in steps] == [False, False, True, True, False, False, False]


@pytest.mark.parametrize("part", [lambda x: x[:, :, 1:], lambda x: x.narrow(2, 1, x.shape[2] - 1),
                                  lambda x: x.tensor_split([1], 2)[1], lambda x: x.split([1, x.shape[2] - 1], 2)[1]],
                         ids=["slice", "narrow", "tensor_split", "split"])  # fmt: skip
def test_one_row_does_not_tell_how_the_parts_of_a_tensor_lie(part: Callable[[Tensor], Tensor]) -> None:
    """At 2 rows the part has one row, whose strides do not matter; at 4 rows no view merges what it was cut from."""

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return x if x.shape[2] < 2 or x.shape[2] > 9 else part(x).view(1, -1, 2)

    contract = shapelint.check(Net(), "1,2,L").contract
    assert [contract.outcome(L=rows).ok for rows in range(1, 12)] == [runs(Net(), 1, 2, rows) for rows in range(1, 12)]
    assert not contract.outcome(L=4).ok


ORDERS: dict[str, Callable[[Tensor], Tensor]] = {
    "rows and columns turned": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "channels last": lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("view", [lambda x: x.view(1, -1), lambda x: x.permute(0, 2, 3, 1).view(-1, 3)])
def test_a_sum_that_repeats_a_row_where_there_is_one_lies_as_the_other_operand(
    view: Callable[[Tensor], Tensor], order: str
) -> None:
    """The second operand never has one row: at one row of the first it alone says how the sum lies, else the first."""

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            even = F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)
            return view(x + ORDERS[order](even))

    contract = shapelint.check(Net(), "1,3,H,W").contract
    assert contract.proved
    for height, width in ((1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (4, 1), (4, 4), (3, 4)):
        found = contract.outcome(H=height, W=width)
        assert found.ok == runs(Net(), 1, 3, height, width), (height, width)
