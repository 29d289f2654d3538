"""What a comparison leaves of a size: an `if` on one of its values makes numbers of all that is computed from it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 64, 65]


def partition(x: Tensor, side: int) -> Tensor:
    batch, height, width, channels = x.shape
    x = x.view(batch, height // side, side, width // side, side, channels)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, side * side, channels)


def masked_windows(x: Tensor) -> Tensor:
    """SwinIR's block: the mask is made in advance for one size, and made anew for every other one."""
    height, width = x.shape[2:]
    x = F.pad(x, (0, -width % 8, 0, -height % 8)).permute(0, 2, 3, 1)
    size = tuple(x.shape[1:3])
    windows = partition(x, 8)
    mask = torch.zeros(16, 64, 1) if size == (32, 32) else partition(torch.zeros(1, *size, 1), 8)
    attention = (windows @ windows.mT).view(len(windows) // len(mask), len(mask), 64, 64) + mask
    windows = attention.view(-1, 64, 64) @ windows
    batch = int(len(windows) / (size[0] * size[1] / 8 / 8))
    x = windows.view(batch, size[0] // 8, size[1] // 8, 8, 8, -1).permute(0, 1, 3, 2, 4, 5).contiguous()
    return x.view(batch, *size, -1)[:, :height, :width]


def joined_windows(x: Tensor) -> Tensor:
    """DRCT's way back from windows, the channels left open: it fits where the windows fill the picture."""
    height, width = x.shape[2:]
    tokens = F.pad(x.flatten(2).mT, (0, 17))
    windows = partition(tokens.view(1, height, width, 20), 8)
    x = windows.view(1, height // 8, width // 8, 8, 8, -1).permute(0, 1, 3, 2, 4, 5).contiguous()
    return x.view(1, height, width, -1)


def windows_of_small_maps(x: Tensor) -> Tensor:
    """Windows of 6 rows, or as small as the map is: a divisor of which the minimum leaves six."""
    side = min(6, *x.shape[2:])
    x = F.pad(x, (0, -x.shape[3] % side, 0, -x.shape[2] % side)).permute(0, 2, 3, 1)
    return partition(x, side)


def halved_as_often_as_a_logarithm_says(x: Tensor) -> Tensor:
    """One row is left of every map: each power of two begins a way of its own."""
    for _ in range(int(math.log2(x.shape[2]))):
        x = F.avg_pool2d(x, (2, 1))
    return x


def padded_to_a_power_of_two(x: Tensor) -> Tensor:
    rows = x.shape[2]
    x = F.pad(x, (0, 0, 0, 2 ** math.ceil(math.log2(rows)) - rows))
    return x.view(*x.shape[:2], 1 << (rows - 1).bit_length(), -1)


def known_through_another(x: Tensor) -> Tensor:
    """Nowhere is the height compared with 32: it is a multiple of 8 that has four rows of windows."""
    height = x.shape[2]
    if height // 8 * 8 == height and height // 8 == 4:
        return x.reshape(1, 3, 32 // (36 - height), 8, -1)
    return x


def divided_by_a_size(x: Tensor) -> Tensor:
    rows = (x.shape[2] + 3) // 4
    return x.repeat(1, 1, 1, 48 // rows) if 16 % rows else torch.zeros(16, x.shape[3]).view(rows, 16 // rows, -1)


def window_of_a_small_picture(x: Tensor) -> Tensor:
    """Swin of transformers: where the picture is smaller than a window, the window is as large as the picture."""
    side = 7
    if min(x.shape[2:]) <= side:
        side = min(x.shape[2:])
    x = F.pad(x, (0, (side - x.shape[3] % side) % side, 0, (side - x.shape[2] % side) % side))
    return x.view(1, 3, x.shape[2] // side, side, x.shape[3] // side, side).permute(0, 2, 4, 3, 5, 1).flatten(0, 2)


def windows_of_what_divides(x: Tensor) -> Tensor:
    """Swin as it was first written: the picture is not padded, and the batch is counted from the windows."""
    height, width = x.shape[2:]
    windows = partition(x.permute(0, 2, 3, 1), 8)
    batch = int(windows.shape[0] / (height * width / 8 / 8))
    x = windows.view(batch, height // 8, width // 8, 8, 8, -1).permute(0, 1, 3, 2, 4, 5).contiguous()
    return x.view(batch, height, width, -1)


def windows_of_a_picture_made_longer(x: Tensor) -> Tensor:
    """SwinIR's frame: the picture is continued by its mirror image, which a small one has too little of."""
    height = x.shape[2] + 8 - x.shape[2] % 8
    x = torch.cat([x, x.flip(2)], 2)[:, :, :height]
    windows = x.view(1, 3, height // 4, 4, x.shape[3], 1).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 3)
    batch = int(windows.shape[0] / (height * x.shape[3] / 4))
    return windows.view(batch, height // 4, x.shape[3], 4, 1, -1)


def local_by_regional(x: Tensor) -> Tensor:
    """RegionViT's windows are as large as the one map by the other."""
    rows, regions = x.shape[2] // 2, x.shape[2] // 14
    side = rows // regions
    return x[:, :, : side * regions].view(1, 3, regions, side, -1)


def quarters(x: Tensor) -> Tensor:
    """A loop whose step is a size has a number of turns that is none."""
    step, parts = x.shape[2] // 4, []
    for start in range(0, 4 * step, step):
        parts.append(x[:, :, start : start + step])  # noqa: PERF401 - a loop and a comprehension
    return torch.cat(parts, 2) + torch.cat([x[:, :, start : start + step] for start in range(0, 4 * step, step)], 2)


def divided_by_nothing(x: Tensor) -> Tensor:
    """No row is left of a small picture, and nothing is divided by 0."""
    rows = x.shape[2] // 8
    return x[: x.shape[0] * rows // rows]


FUNCTIONS = [masked_windows, joined_windows, windows_of_small_maps, known_through_another, divided_by_a_size,
             window_of_a_small_picture, windows_of_what_divides, windows_of_a_picture_made_longer, local_by_regional,
             quarters, divided_by_nothing, halved_as_often_as_a_logarithm_says, padded_to_a_power_of_two]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_is_proved_and_agrees_with_eager(function: Callable[[Tensor], Tensor]) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    contract = shapelint.check(Net, "1,3,H,W").contract
    assert contract.proved, [region.why for region in contract.regions]
    for height in SIZES:
        for width in (5, 8, 32):
            seen = given(attempt(Net(), torch.zeros(1, 3, height, width)))
            assert contract.outcome(H=height, W=width).outputs == (seen or ()), (height, width)


def test_what_is_divided_by_a_negative_number_is_asked_of_no_path_of_positive_ones() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.new_zeros(60 // (x.shape[2] - 5) + 20)

    contract = shapelint.check(Net, "1,3,H,4").contract
    for height in SIZES:
        found = contract.outcome(H=height)
        assert found.ok is None or found.outputs == (given(attempt(Net(), torch.zeros(1, 3, height, 4))) or ()), height
