"""Idioms of real models: each is proved and agrees with eager PyTorch at sizes on both sides of every edge."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import shapelint
from shapelint.facts.contract import How
from tests.oracle import attempt, given

Tensor = torch.Tensor
SIZES = [(1, 1), (2, 3), (3, 2), (7, 9), (8, 8), (16, 31), (31, 16), (33, 65), (37, 37), (64, 48), (65, 20), (97, 5)]
RATIO = math.sqrt(0.25)


def square_to(x: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(x, size=(height, width))


@cache
def halves(height: int, width: int) -> tuple[int, int]:
    return height // 2 + 1, width // 2 + 1


def pad_to_multiple(x: Tensor, scale: float = 0.25) -> Tensor:
    quarter = math.ceil(scale * x.shape[2])
    return F.pad(x, (0, 0, 0, 4 * quarter - x.shape[2]))


def checked(x: Tensor) -> Tensor:
    if x.shape[2] % 4:
        text = "height %d of %s" % (x.shape[2], tuple(x.shape))  # noqa: UP031
        raise ValueError(text)
    return x


def mapped(x: Tensor) -> Tensor:
    height, width = map(int, x.shape[-2:])
    whole = int
    return square_to(x, height // 2 + 1, whole(width / 2) + 1)


def tiled(x: Tensor) -> Tensor:
    kernel = [1, 2, 3, 4][min(x.shape[2] // 16, 3)]
    return F.max_pool2d(x, kernel) if x.shape[3] >= kernel else x


def resized_back(x: Tensor) -> Tensor:
    y = F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)
    if x.shape[-2:] != y.shape[-2:]:
        y = F.interpolate(y, size=x.size()[2:])
    return torch.cat([x, y], 1)


def as_tensor(x: Tensor) -> Tensor:
    height, width = torch.tensor(x.shape[-2:]) + 1
    return square_to(x, int(height), int(width))


def written(x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, :, 1:] = x[:, :, :-1]
    y += x
    torch.add(y, x, out=y)
    return y


def windows_of(x: Tensor, side: int) -> Tensor:
    """Swin's partition into windows, and its reverse, which works out the batch from quotients of sizes."""
    height, width = x.shape[2:]
    x = F.pad(x, (0, -width % side, 0, -height % side)).permute(0, 2, 3, 1)
    _, rows, columns, _ = x.shape
    x = x.view(len(x), rows // side, side, columns // side, side, 3).permute(0, 1, 3, 2, 4, 5).contiguous()
    x = x.view(-1, side, side, 3)
    batch = int(x.shape[0] / (rows * columns / side / side))
    x = x.view(batch, rows // side, columns // side, side, side, -1).permute(0, 1, 3, 2, 4, 5).contiguous()
    return x.view(batch, rows, columns, -1)[:, :height, :width].permute(0, 3, 1, 2)


def cropped_by_tensors(x: Tensor) -> Tensor:
    """The centre crop of a well-known U-Net package: half of a difference of shapes, as a tensor."""
    y = F.interpolate(F.max_pool2d(x, 2), scale_factor=2)
    difference = torch.tensor(x.shape)[2:] - torch.tensor(y.shape)[2:]
    half = (difference / 2).int()
    pad = -torch.stack((half, half)).t().flatten()
    return torch.cat((F.pad(x, pad.tolist()), y), dim=1)


IDIOMS: dict[str, Callable[[Tensor], Any]] = {
    "int(h / 2)": lambda x: square_to(x, int(x.shape[2] / 2) + 1, int(x.shape[3] * 0.5) + 1),
    "a float in a name": lambda x: square_to(x, int(RATIO * x.shape[2]) + 1, round(RATIO * x.shape[3]) + 1),
    "a float in a default": pad_to_multiple,
    "ceil and floor": lambda x: square_to(x, math.ceil(x.shape[2] / 3), -(-x.shape[3] // 2)),
    "numpy": lambda x: square_to(x, int(np.ceil(x.shape[2] / 2)), np.floor(x.shape[3] / 4).astype(int) + 1),
    "np.prod": lambda x: x.view(1, int(np.prod(x.shape[1:]))),
    "numpy integers": lambda x: x[:, :, : int(np.int64(2) * x.shape[2] // np.int32(3))],
    "math.prod": lambda x: x.reshape(x.shape[0], math.prod(x.shape[1:])),
    "numel of a shape": lambda x: x.reshape(x.shape[:2].numel(), x.shape[2:].numel()),
    "math.isfinite": lambda x: x[..., math.isnan(x.shape[3]) :] if math.isfinite(x.shape[2] / 2) else x[0],
    "math.gcd": lambda x: F.avg_pool2d(x, (math.gcd(x.shape[2], 6), 1)),
    "divmod": lambda x: F.pad(x, (0, 0, 0, -divmod(x.shape[2], 4)[1] % 4)),
    "max and min": lambda x: F.pad(x, (0, max(x.shape) - x.shape[3], 0, 0)) if max(x.shape) > 3 else x,
    "sum, any, all": lambda x: x.new_zeros(sum(x.shape), int(any(s % 2 for s in x.shape[2:]))),
    "sorted, abs": lambda x: x.new_zeros(*sorted(x.shape[2:]), abs(x.shape[2] - x.shape[3])),
    "len": lambda x: torch.zeros(len(x), len(x[0, 0])),
    "bits": lambda x: F.pad(x, (0, x.shape[3] & 1, 0, (x.shape[2] >> 1) << 1)),
    "shapes as tuples": lambda x: x.new_zeros(tuple(reversed(x.shape)) + x.shape[:1] + (2,)),
    "a shape": lambda x: x.new_zeros((*x.size()[2:], *torch.Size([x.shape[3]]))) if x.shape == x.mT.shape else x,
    "map(int, shape)": mapped,
    "a list indexed by a size": tiled,
    "resized if different": resized_back,
    "torch.tensor(shape)": as_tensor,
    "written in place": written,
    "a text in an error": checked,
    "windows of 4": lambda x: windows_of(x, 4),
    "windows of 7": lambda x: windows_of(x, 7),
    "a crop by tensors": cropped_by_tensors,
    "lru_cache": lambda x: square_to(x, *halves(*x.shape[2:])),
    "a checkpoint": lambda x: checkpoint(lambda y: F.max_pool2d(y, 2, ceil_mode=True), x, use_reentrant=False),
    "complex": lambda x: torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[2:]) if x.shape[3] > 1 else x,
    "FloatTensor(sizes)": lambda x: x + torch.FloatTensor(x.size(0), 3, x.shape[2], x.size()[3]).fill_(0),
    "Tensor(shape)": lambda x: torch.Tensor(x.size()[2:]).fill_(0) + torch.Tensor(x).sum(),
    "Tensor(numbers)": lambda x: (torch.Tensor(list(x.shape)), torch.LongTensor([x.shape[2]]).expand(x.shape[3], 1)),
    "Tensor()": lambda x: torch.Tensor().new().resize_(x.size()).zero_(),
    "Variable": lambda x: torch.autograd.Variable(x.data.new(x.size()).fill_(0), requires_grad=False) + x,
    "new(sizes)": lambda x: (x.new(x.shape[2], 2), x.new(x.size()[1:]), x.new((4, 5, 6))),
    "half": lambda x: F.avg_pool2d(x.half(), 1).float(),
}


def agrees(report: Any, build: Callable[[], nn.Module]) -> None:
    """Every outcome is that of eager PyTorch, run on a fresh model."""
    for height, width in SIZES:
        found = report.contract.outcome(H=height, W=width)
        seen = attempt(build().eval(), torch.zeros(1, 3, height, width))
        assert isinstance(seen, tuple) or seen in ("RuntimeError", "ValueError")
        assert found.outputs == (given(seen) or ()), (height, width)


@pytest.mark.parametrize("name", IDIOMS)
def test_an_idiom_is_proved_and_agrees_with_eager_pytorch(name: str) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return IDIOMS[name](x)

    report = shapelint.check(Net, "1,3,H,W")
    assert report.contract.proved, [region.why for region in report.contract.regions]
    agrees(report, Net)


WIDER, NARROWER = lambda x: F.pad(x, (1, 1)), lambda x: F.pad(x, (0, -1))


def test_lambdas_of_one_line_that_differ_in_a_constant_are_told_apart() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return WIDER(x), NARROWER(x)

    report = shapelint.check(Net, "1,3,H,W")
    agrees(report, Net)


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does."""

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for axis in (1, 0):
            size, stride, kernel = x.shape[2 + axis], self.stride[axis], self.kernel_size[axis]
            missing = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(x, pads))


class Scaled(nn.Module):
    """Floats in attributes and dicts, on the left of a size."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.settings = 0.5, {"limit": 20.0}

    def forward(self, x: Tensor) -> Tensor:
        if self.settings["limit"] < x.shape[2]:
            x = x[:, :, 1:]
        return F.interpolate(x, size=(int(self.scale * x.shape[2] + 1), round(self.scale * x.shape[3]) + 1))


class Remembering(nn.Module):
    """A grid that is kept for the next call of the same size."""

    def forward(self, x: Tensor) -> Tensor:
        if not hasattr(self, "grid") or self.grid.shape[-2:] != x.shape[-2:]:
            self.register_buffer("grid", torch.zeros(1, 1, *x.shape[-2:], device=x.device), persistent=False)
        return x + self.grid


class Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2, ceil_mode=True).round()


@dataclass
class Output(OrderedDict[str, Any]):
    """As transformers and diffusers give their results."""

    sample: Any = None

    def __post_init__(self) -> None:
        self["sample"] = self.sample


class Custom(nn.Module):
    def forward(self, x: Tensor) -> Output:
        return Output(Straight.apply(x))  # type: ignore[no-untyped-call]


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(4, 3, padding=1), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(5))


def hooked() -> nn.Module:
    net = nn.Conv2d(3, 4, 3, padding=1)
    net.register_forward_hook(lambda part, given, result: result[..., 1:] if result.shape[3] > 1 else result)
    return net


def normed() -> nn.Module:
    parametrizations = nn.utils.parametrizations
    return nn.Sequential(
        parametrizations.weight_norm(nn.Conv2d(3, 4, 3, 2, 1)),
        nn.utils.weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
        parametrizations.spectral_norm(nn.ConvTranspose2d(4, 3, 3, 2, 1)),
    )


MODELS = [lambda: SameConv(3, 4, 3, 2), Scaled, Remembering, Custom, lazy, hooked, normed,
          lambda: nn.DataParallel(nn.Conv2d(3, 4, 1))]  # fmt: skip


@pytest.mark.parametrize("build", MODELS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:Lazy modules:UserWarning")
def test_a_model_is_proved_and_agrees_with_eager_pytorch(build: Callable[[], nn.Module]) -> None:
    report = shapelint.check(build, "1,3,H,W")
    assert report.contract.proved, [region.why for region in report.contract.regions]
    agrees(report, build)


def test_einops_caches_shapes_and_is_proved_all_the_same() -> None:
    einops = pytest.importorskip("einops")

    class Patches(nn.Module):
        def forward(self, x: Tensor) -> Any:
            y = einops.rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=4, q=4)
            return einops.reduce(y, "b n c -> b c", "mean"), einops.repeat(y, "b n c -> b n (c r)", r=2)

    report = shapelint.check(Patches, "1,3,H,W")
    assert report.contract.proved
    assert str(report.contract.runs) == "H and W multiples of 4"


def test_the_second_input_has_sizes_of_its_own() -> None:
    class Guided(nn.Module):
        def forward(self, x: Tensor, guide: Tensor) -> Tensor:
            return F.interpolate(x, size=guide.shape[-2:]) + guide

    found = shapelint.check(Guided, ["1,3,H,W", "1,3,h,w"]).contract
    assert found.proved
    assert found.outcome(H=5, W=6, h=9, w=4).outputs == ((1, 3, 9, 4),)
    assert found.outcome(H=5, W=6, h=9, w=4).how is How.PROVED
