"""What is said of a map that is no whole part or multiple of the input, where nothing tells that it should be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import shapelint


class ValidUNet(nn.Module):
    """One level of the U-Net of the paper: no padding, the skip cropped to what comes up."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.inner = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
        self.up, self.tail = nn.ConvTranspose2d(4, 4, 2, 2), nn.Conv2d(8, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.head(x)
        up = self.up(self.inner(F.max_pool2d(skip, 2)))
        rows, columns = ((skip.shape[axis] - up.shape[axis]) // 2 for axis in (2, 3))
        skip = skip[..., rows : rows + up.shape[2], columns : columns + up.shape[3]]
        return self.tail(torch.cat([skip, up], 1))


def patches() -> nn.Sequential:
    """The discriminator of pix2pix, which scores patches."""
    steps = [(3, 2), (8, 2), (8, 2), (8, 1)]
    return nn.Sequential(*[nn.Conv2d(width, 8, 4, step, 1) for width, step in steps], nn.Conv2d(8, 1, 4, 1, 1))


def convolutions(*kernels: int) -> nn.Sequential:
    """Convolutions of 3 channels without padding."""
    return nn.Sequential(*[nn.Conv2d(3, 3, kernel) for kernel in kernels])


@pytest.mark.parametrize(
    ("net", "spec", "told"),
    [
        (convolutions(9, 9), "1,3,128,128", "H and W come back 16 smaller: 128 gives 112"),
        (convolutions(9), "1,3,H,W", "H and W come back 8 smaller: 64x128 gives 56x120"),
        (nn.Conv2d(3, 3, (3, 5), padding=(1, 0)), "1,3,32,32", "W comes back 4 smaller: 32x32 gives 32x28"),
        (nn.ConvTranspose1d(1, 1, 3), "1,1,100", "L comes back 2 larger: 100 gives 102"),
        (ValidUNet(), "1,1,64,64", "H and W come back 8 to 9 smaller: 64 gives 56"),
        (patches(), "1,3,256,256", "H and W come back as 1/8 of the size less 2: 256 gives 30"),
        (nn.ConvTranspose2d(3, 3, 3, 2, 1), "1,3,16,16", "H and W come back as 2 times the size less 1: 16 gives 31"),
        (nn.Upsample(scale_factor=1.5), "1,3,64,64", "H and W come back as 3/2 of the size: 64 gives 96"),
    ],
)
def test_a_map_of_another_size_is_told_in_one_line_and_is_no_finding(net: nn.Module, spec: str, told: str) -> None:
    report = shapelint.check(net, spec)
    assert report.remarks == (told,)
    assert report.ok
    assert not report.findings
    assert told in str(report).splitlines()
    assert told in report.to_dict()["remarks"]


@pytest.mark.parametrize(
    ("net", "spec"),
    [
        (nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.MaxPool2d(3, 2, 1)), "1,3,65,65"),  # 17: a fourth, rounded up
        (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Upsample(scale_factor=2)), "1,3,64,64"),
        (convolutions(3).append(nn.AdaptiveAvgPool2d(1)).append(nn.Flatten()), "1,3,32,32"),
        (convolutions(3).append(nn.AdaptiveAvgPool2d(7)), "1,3,32,32"),
        (nn.Linear(16, 8), "1,4,16"),
        (nn.ConvTranspose2d(8, 3, 4), "1,8,1,1"),  # a generator's latent vector
        (nn.Sequential(nn.Conv2d(3, 3, 1, 8), nn.ConvTranspose2d(3, 3, 8, 8)), "1,3,64,64"),
    ],
)
def test_nothing_is_said_of_what_comes_back_in_whole_parts_or_of_a_fixed_size(net: nn.Module, spec: str) -> None:
    assert shapelint.check(net, spec).remarks == ()


def test_nothing_is_said_beside_a_finding_or_where_a_size_is_expected() -> None:
    lossy = nn.Sequential(nn.Conv2d(3, 3, 3, 2, 1), nn.ConvTranspose2d(3, 3, 3, 2, 1))
    assert shapelint.check(lossy, "1,3,64,64").remarks == ()
    assert shapelint.check(convolutions(3), "1,3,64,64", expect="...,62,62").remarks == ()
