"""The verdict is bound to what is known: never ok where eager PyTorch raises, never an error where it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.errors import ModelError
from shapelint.facts.failure import Kind
from tests.drawn.load import load
from tests.drawn.models import draw
from tests.oracle import attempt, eager

Tensor = torch.Tensor


class Calls(nn.Module):
    """A model that is one function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


class Guarded(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % 4 == 0, "sizes are multiples of 4"
        return x


def pooled_and_back(kernel: int) -> Callable[[Tensor], Tensor]:
    def function(x: Tensor) -> Tensor:
        y, indices = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(y, indices, kernel, output_size=(9, 9))

    return function


class Stretched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 4, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.up(x, output_size=(9, 9))
        return y


# What raises, as a function and as a module where there is one, and at which size; each at 2,4,H,W.
RAISING: dict[tuple[Kind, str], tuple[Any, tuple[int, int]]] = {
    (Kind.JOIN, "cat"): (lambda x: torch.cat((x, F.max_pool2d(x, 2)), 1), (6, 6)),
    (Kind.JOIN, "add"): (lambda x: x + F.interpolate(F.max_pool2d(x, 2), scale_factor=2), (7, 8)),
    (Kind.JOIN, "in place"): (lambda x: x[..., :3, :3].add_(x), (6, 6)),
    (Kind.KERNEL, "conv2d"): (lambda x: F.conv2d(x, torch.zeros(4, 4, 7, 7)), (6, 6)),
    (Kind.KERNEL, "Conv2d"): (nn.Conv2d(4, 4, 7), (6, 6)),
    (Kind.KERNEL, "AvgPool2d"): (nn.AvgPool2d(7), (6, 6)),
    (Kind.EMPTY, "max_pool2d"): (lambda x: F.max_pool2d(x[:, :, 6:], 2), (6, 6)),
    (Kind.EMPTY, "amax"): (lambda x: x[:, :, 6:].amax(2), (6, 6)),
    (Kind.EMPTY, "interpolate"): (lambda x: F.interpolate(x, scale_factor=0.1), (6, 6)),
    (Kind.CHANNELS, "Conv2d"): (nn.Conv2d(3, 4, 1), (6, 6)),
    (Kind.CHANNELS, "linear"): (lambda x: F.linear(x, torch.zeros(5, 9)), (6, 6)),
    (Kind.CHANNELS, "Linear"): (nn.Linear(9, 5), (6, 6)),
    (Kind.CHANNELS, "LayerNorm"): (nn.LayerNorm(9), (6, 6)),
    (Kind.CHANNELS, "matmul"): (lambda x: x @ x, (6, 7)),
    (Kind.RESHAPE, "view"): (lambda x: x.view(2, 4, 3, -1), (7, 7)),
    (Kind.RESHAPE, "unflatten"): (nn.Unflatten(2, (2, -1)), (7, 7)),
    (Kind.RESHAPE, "strides"): (lambda x: x.transpose(2, 3).view(2, -1), (6, 6)),
    (Kind.MULTIPLE, "GroupNorm"): (lambda x: F.group_norm(x, 3), (6, 6)),
    (Kind.MULTIPLE, "PixelShuffle"): (nn.PixelShuffle(3), (6, 6)),
    (Kind.MULTIPLE, "PixelUnshuffle"): (nn.PixelUnshuffle(2), (7, 6)),
    (Kind.PAD, "pad"): (lambda x: F.pad(x, (7, 7, 0, 0), mode="reflect"), (6, 6)),
    (Kind.PAD, "ReflectionPad2d"): (nn.ReflectionPad2d(7), (6, 6)),
    (Kind.WRAP, "pad"): (lambda x: F.pad(x, (9, 9, 0, 0), mode="circular"), (6, 6)),
    (Kind.WRAP, "CircularPad2d"): (nn.CircularPad2d(9), (6, 6)),
    (Kind.UNPOOL, "max_unpool2d"): (pooled_and_back(2), (6, 6)),
    (Kind.OUTPUT_PADDING, "conv_transpose2d"): (
        lambda x: F.conv_transpose2d(x, torch.zeros(4, 4, 3, 3), stride=2, output_padding=2), (6, 6)),
    (Kind.OUTPUT_PADDING, "ConvTranspose2d"): (nn.ConvTranspose2d(4, 4, 3, 1, output_padding=1), (6, 6)),
    (Kind.OUTPUT_SIZE, "ConvTranspose2d"): (Stretched(), (6, 6)),
    (Kind.NORM, "batch_norm"): (lambda x: F.instance_norm(x[:, :, :1, :1]), (6, 6)),
    (Kind.NORM, "InstanceNorm2d"): (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.InstanceNorm2d(4)), (6, 6)),
    (Kind.ARGUMENT, "narrow"): (lambda x: x.narrow(2, 4, 4), (6, 6)),
    (Kind.ARGUMENT, "chunk"): (lambda x: x.chunk(0), (6, 6)),
    (Kind.ARGUMENT, "unfold"): (lambda x: x.unfold(2, 8, 1), (6, 6)),
    (Kind.ARGUMENT, "zeros"): (lambda x: x.new_zeros(x.shape[2] - 8), (6, 6)),
    (Kind.AXES, "conv1d"): (lambda x: F.conv1d(x, torch.zeros(4, 4, 3)), (6, 6)),
    (Kind.AXES, "MaxPool2d"): (nn.Sequential(nn.Flatten(), nn.MaxPool2d(2)), (6, 6)),
    (Kind.INDEX, "select"): (lambda x: x[:, :, 7], (6, 6)),
    (Kind.INDEX, "Embedding"): (lambda x: F.embedding(torch.arange(x.shape[2]), torch.zeros(5, 4)), (6, 6)),
    (Kind.INDEX, "gather"): (lambda x: x.index_select(2, torch.arange(x.shape[3])), (6, 7)),
    (Kind.PYTHON, "assert"): (Guarded(), (6, 6)),
}  # fmt: skip


AT_EVERY_SIZE = {(Kind.ARGUMENT, "chunk")}  # for a reason that is no size rule
OF_WHAT_COMES_BACK = {"SL101", "SL102", "SL106", "SL206", "SL204", "SL205", "SL401", "SL402"}


def test_the_examples_are_of_every_kind_of_failure_that_a_size_can_have() -> None:
    assert {kind for kind, _ in RAISING} == {*Kind} - {Kind.OBSERVED, Kind.UNEXPLAINED}


@pytest.mark.parametrize("symbols", [False, True], ids=["one size", "symbols"])
@pytest.mark.parametrize("case", RAISING, ids=str)
def test_an_asked_size_that_raises_is_an_error(case: tuple[Kind, str], symbols: bool) -> None:
    """Whichever rule speaks; where none has a word for it, SL299 does."""
    found, size = RAISING[case]
    model = found if isinstance(found, nn.Module) else Calls(found)
    model.train(case[0] is Kind.NORM)
    shape = (2 if case[0] is not Kind.NORM else 1, 4, *size)
    assert isinstance(attempt(model, torch.rand(shape)), str)
    asked: Any = {"inputs": shape}
    if symbols:
        asked = {"inputs": f"{shape[0]},4,H,W", "sizes": {"H": size[0], "W": size[1]}}
    if case in AT_EVERY_SIZE:
        with pytest.raises(ModelError, match=" does not run: "):
            shapelint.check(model, **asked)
        return
    report = shapelint.check(model, train=case[0] is Kind.NORM, **asked)
    assert not report.ok
    assert "error" in {finding.severity for finding in report.findings}
    assert not report.contract.outcome(**dict(zip(report.contract.symbols, size, strict=False))).ok


def test_a_size_at_which_a_call_was_seen_on_meta_tensors_alone_is_not_ok() -> None:
    def distances(x: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten._euclidean_dist(x.flatten(1), x.flatten(1))  # type: ignore[no-any-return]

    report = shapelint.check(Calls(distances), (4, 3, 20800, 29200))
    assert report.contract.outcome(**dict(zip(report.contract.symbols, (20800, 29200), strict=True))).ok is None
    assert not report.ok
    assert [(each.code, each.severity) for each in report.findings] == [("SL900", "warning")]
    assert shapelint.check(Calls(distances), (4, 3, 20, 30)).ok


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(100, 130))
def test_of_a_drawn_model_at_a_drawn_size_the_verdict_is_what_eager_pytorch_shows(seed: int) -> None:
    """Never ok where it raises, and where it does not, an error is about a size that does not come back."""
    drawn = draw(seed)
    net = load(drawn.source, f"verdict{seed}").Net
    for point in drawn.points[:3]:
        shape = drawn.shape(point)
        report = shapelint.check(net, shape)
        wrong = {finding.code for finding in report.findings if finding.severity == "error"}
        assert bool(wrong) != report.ok, drawn.source
        if isinstance(eager(net, shape), str):
            assert wrong, drawn.source
        else:
            assert wrong <= OF_WHAT_COMES_BACK, (wrong, drawn.source)


class ChangesAHalf(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one, other = self.conv(x).chunk(2, 1)
        one.mul_(2)
        return torch.cat([one, other], 1)


def test_what_runs_without_gradients_is_not_said_to_raise() -> None:
    """With them, PyTorch refuses to change one of several views in place."""
    assert not shapelint.check(ChangesAHalf, "1,3,8,8").findings
