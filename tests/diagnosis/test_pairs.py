"""Pairs of down- and up-sampling layers, found in the nets that people write."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

import shapelint
from shapelint.facts.graph import Pair

Found = tuple[tuple[str, ...], tuple[str, ...]]


def pairs(module: nn.Module, *shape: int) -> tuple[Pair, ...]:
    return shapelint.check(module, shape).pairs


def names(found: tuple[Pair, ...]) -> list[Found]:
    return [(pair.down, pair.up) for pair in found]


def down(stride: int = 2, kernel: int = 3, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(4, 4, kernel, stride, padding)


def up(stride: int = 2, kernel: int = 3, padding: int = 1, output_padding: int = 0) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(4, 4, kernel, stride, padding, output_padding)


class UNet(nn.Module):
    """One pool, one up-sampling layer per level, the decoder built before the encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.up1, self.up2 = up(2, 2, 0), up(2, 2, 0)
        self.pool, self.encode, self.decode = nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.encode(x)
        second = self.encode(self.pool(first))
        bottom = self.encode(self.pool(second))
        middle = self.decode(torch.cat([self.up2(bottom), second], 1))
        result: torch.Tensor = self.decode(torch.cat([self.up1(middle), first], 1))
        return result


class Reused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.up(self.up(self.pool(self.pool(x))))
        return result


class Bottleneck(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.widen, self.up, self.narrow, self.down = nn.Linear(7, 64), up(), nn.Linear(64, 7), down()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        code = self.narrow(self.down(x).flatten(1))
        result: torch.Tensor = self.up(self.widen(code).view(-1, 4, 4, 4))
        return result


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv1d(4, 4, 4, 2, 1), nn.ConvTranspose1d(4, 4, 4, 2, 1)
        self.memory = nn.LSTM(4, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        between = self.memory(self.down(x).transpose(1, 2))[0].transpose(1, 2)
        result: torch.Tensor = self.up(between)
        return result


def test_a_symmetrical_autoencoder_closes_from_the_inside() -> None:
    found = pairs(nn.Sequential(down(), down(), up(), up()), 1, 4, 28, 29)
    assert names(found) == [(("1",), ("2",)), (("0",), ("3",))]
    inner, outer = found
    assert (inner.size_in, inner.size_out, inner.remainder) == ((14, 15), (13, 15), (1, 0))
    assert (outer.size_in, outer.size_out, outer.remainder) == ((28, 29), (25, 29), (1, 0))
    assert (outer.down_nodes, outer.up_nodes) == ((1,), (4,))


def test_two_strided_layers_are_mirrored_by_one_of_their_product() -> None:
    (found,) = pairs(nn.Sequential(down(), down(), up(4, 4, 0)), 1, 4, 30, 33)
    assert (found.down, found.up) == (("0", "1"), ("2",))
    assert (found.size_in, found.size_out) == ((30, 33), (32, 36))


def test_one_pool_is_undone_by_two_layers() -> None:
    (found,) = pairs(nn.Sequential(nn.MaxPool2d(4), up(2, 2, 0), nn.ReLU(), up(2, 2, 0)), 1, 4, 30, 28)
    assert (found.down, found.up) == (("0",), ("1", "3"))
    assert (found.size_in, found.size_out, found.remainder) == ((30, 28), (28, 28), (2, 0))


def test_axes_may_be_undone_one_after_the_other() -> None:
    halves = nn.Upsample(scale_factor=(2.0, 1.0)), nn.Upsample(scale_factor=(1.0, 2.0))
    (found,) = pairs(nn.Sequential(down(), *halves), 1, 4, 9, 9)
    assert (found.down, found.up) == (("0",), ("1", "2"))


def test_a_u_net_pairs_each_level_whatever_the_order_of_definition() -> None:
    found = pairs(UNet(), 1, 4, 64, 48)
    assert names(found) == [(("pool, call 2",), ("up2",)), (("pool, call 1",), ("up1",))]
    assert [pair.size_in for pair in found] == [(32, 24), (64, 48)]


def test_a_u_net_that_raises_at_the_asked_size_still_has_its_pairs() -> None:
    assert names(pairs(UNet(), 1, 4, 65, 48)) == [(("pool, call 2",), ("up2",)), (("pool, call 1",), ("up1",))]


def test_down_and_up_twice_in_a_row_are_two_pairs() -> None:
    found = pairs(nn.Sequential(down(), up(), down(), up()), 1, 4, 9, 8)
    assert names(found) == [(("0",), ("1",)), (("2",), ("3",))]
    assert [pair.remainder for pair in found] == [(0, 1), (0, 0)]


def test_a_module_that_is_called_twice_is_named_with_the_call() -> None:
    found = pairs(Reused(), 1, 4, 10, 11)
    assert names(found) == [(("pool, call 2",), ("up, call 1",)), (("pool, call 1",), ("up, call 2",))]
    assert [pair.remainder for pair in found] == [(1, 1), (0, 1)]


def test_kernels_without_stride_or_padding_are_mirrored_by_their_transposes() -> None:
    layers = nn.Conv2d(4, 4, 5), nn.Conv2d(4, 4, 3), nn.ConvTranspose2d(4, 4, 3), nn.ConvTranspose2d(4, 4, 5)
    found = pairs(nn.Sequential(*layers), 1, 4, 30, 20)
    assert names(found) == [(("1",), ("2",)), (("0",), ("3",))]
    assert all(pair.size_in == pair.size_out and pair.remainder == (0, 0) for pair in found)


def test_a_pixel_shuffle_mirrors_a_strided_convolution() -> None:
    (found,) = pairs(nn.Sequential(down(), nn.Conv2d(4, 16, 1), nn.PixelShuffle(2)), 1, 4, 30, 31)
    assert (found.down, found.up, found.size_out) == (("0",), ("2",), (30, 32))


def test_three_axes_have_their_own_strides() -> None:
    encode, decode = nn.Conv3d(4, 4, 3, (1, 2, 2), 1), nn.ConvTranspose3d(4, 4, 3, (1, 2, 2), 1)
    (found,) = pairs(nn.Sequential(encode, decode), 1, 4, 5, 8, 9)
    assert (found.size_in, found.size_out, found.remainder) == ((5, 8, 9), (5, 7, 9), (0, 1, 0))


def test_a_dense_bottleneck_does_not_part_a_pair() -> None:
    (found,) = pairs(Bottleneck(), 1, 4, 8, 8)
    assert (found.down, found.up, found.size_in, found.size_out) == (("down",), ("up",), (8, 8), (7, 7))


def test_a_recurrent_layer_does_not_part_a_pair() -> None:
    (found,) = pairs(Recurrent(), 1, 4, 65)
    assert (found.down, found.up, found.size_in, found.size_out, found.remainder) == (
        ("down",), ("up",), (65,), (64,), (1,)
    )  # fmt: skip


def test_layers_in_nested_containers_have_their_whole_path() -> None:
    encoder = nn.Sequential(OrderedDict(head=nn.Sequential(down(), nn.ReLU())))
    found = pairs(
        nn.Sequential(OrderedDict(encoder=encoder, decoder=nn.ModuleDict({"tail": up()})["tail"])), 1, 4, 8, 8
    )
    assert names(found) == [(("encoder.head.0",), ("decoder",))]


@pytest.mark.parametrize(
    ("module", "size"),
    [
        (nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()), 16),
        (nn.Sequential(down(), down(), nn.Flatten(), nn.Linear(64, 2)), 16),
        (nn.Sequential(nn.Upsample(scale_factor=2), up()), 16),
    ],
)
def test_what_does_not_go_down_and_up_has_no_pairs(module: nn.Module, size: int) -> None:
    assert pairs(module, 1, 4, size, size) == ()


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "size"),
    [(3, 2, 1, 1, 28), (4, 3, 0, 1, 31), (3, 4, 2, 3, 29), (1, 5, 0, 1, 33), (5, 2, 2, 2, 21)],
)
def test_the_remainder_is_what_the_formula_says(
    kernel: int, stride: int, padding: int, dilation: int, size: int
) -> None:
    encode = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    decode = nn.ConvTranspose1d(1, 1, kernel, stride, padding, 0, dilation=dilation)
    (found,) = pairs(nn.Sequential(encode, decode), 1, 1, size)
    lost = (size + 2 * padding - dilation * (kernel - 1) - 1) % stride
    assert found.remainder == (lost,)
    assert found.size_out == (size - lost,)
