"""`report.calls`: every shape that is told of a call is the one that eager PyTorch gives, at drawn sizes."""

from __future__ import annotations

import pickle
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import shapelint
from benchmarks.packages.entry import Entry
from examples.mymodel import Net as Autoencoder
from examples.unet65 import Net as UNet
from shapelint.facts.call import Call, Trail
from shapelint.instrument.frames import calling_place
from shapelint.jobs.serialized import dumps, loads
from shapelint.report.report import Report
from shapelint.request.inputs import parse_inputs
from shapelint.trace.recording.module_calls import tensors_in
from tests.oracle import attempt, real

Seen = Counter[tuple[str, tuple[tuple[int, ...], ...]]]
CHOSEN = (
    "smp Unet tu-mobilenetv3_small_050",
    "smp Linknet mobilenet_v2",
    "smp Segformer resnet18",
    "monai AutoEncoder 2d odd",
    "monai UNet 3d",
    "monai SegResNet 3d",
    "monai DiffusionModelUNet context",
    "diffusers ControlNetModel",
    "diffusers AutoencoderDC",
    "timm resnet10t",
    "timm convnext_atto features",
    "timm vit dynamic padded",
    "timm swin not strict",
)


def told(calls: tuple[Call, ...], sizes: Mapping[str, int]) -> Seen:
    """What is told of the calls of modules at a size."""
    followed: dict[Trail, int] = {}
    shapes = [(call.module, call.given(sizes, followed)) for call in calls if call.kind]
    return Counter((module, shape) for module, shape in shapes if shape is not None)


@contextmanager
def listening(module: nn.Module) -> Iterator[Seen]:
    """What the modules of a model really give."""
    seen: Seen = Counter()
    names = {part: name for name, part in module.named_modules()}

    def hear(part: nn.Module, _: Any, output: Any) -> None:
        if tensors := tensors_in(output):
            seen[names[part], tuple(tuple(tensor.shape) for tensor in tensors)] += 1

    handles = [part.register_forward_hook(hear) for part in names]
    yield seen
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("name", CHOSEN)
def test_what_is_told_of_the_layers_of_a_package_is_so(name: str, network: Callable[[str], Entry]) -> None:
    entry = network(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = shapelint.check(entry.build, entry.inputs, call_kwargs=entry.call_kwargs, method=entry.method)
        module = entry.build().eval()
    inputs = parse_inputs(entry.inputs, entry.call_kwargs)
    function = module if entry.method is None else getattr(module, entry.method)
    source, all_seen, all_told = random.Random(0), 0, 0
    for _ in range(5):
        sizes = {symbol: source.randint(1, entry.largest) for symbol in report.contract.symbols}
        sizes = next((each for each in report.contract.nearest(**sizes) if each), sizes)
        args, kwargs = inputs.map(partial(real, sizes=sizes))
        with listening(module) as seen:
            attempt(function, *args, **kwargs)
        said = told(report.calls, sizes)
        assert not said - seen, f"{sizes}: {list((said - seen).items())[:3]}"
        all_seen, all_told = all_seen + seen.total(), all_told + said.total()
    assert all_told >= 0.98 * all_seen or not report.contract.proved


class Listening(TorchFunctionMode):
    """Hears where each call of a torch function stands, and what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Seen = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if tensors := tensors_in(output):
            place = calling_place(sys._getframe(1))
            shapes = tuple(tuple(tensor.shape) for tensor in tensors)
            self.seen["" if place is None else str(place.span()), shapes] += 1
        return output


@pytest.mark.parametrize("name", ["timm resnet10t", "timm vit dynamic padded", "monai UNet 3d", "monai SegResNet 3d"])
def test_what_is_told_of_the_functions_of_a_package_is_so(name: str, network: Callable[[str], Entry]) -> None:
    entry = network(name)
    report = shapelint.check(entry.build, entry.inputs)
    sizes = dict.fromkeys(report.contract.symbols, 40)
    sizes = next((each for each in report.contract.nearest(**sizes) if each), sizes)
    args, kwargs = parse_inputs(entry.inputs, None).map(partial(real, sizes=sizes))
    module, heard = entry.build().eval(), Listening()
    with heard:
        attempt(module, *args, **kwargs)
    followed: dict[Trail, int] = {}
    shapes = [(str(call.place), call.given(sizes, followed)) for call in report.calls if not call.kind]
    said = Counter((place, shape) for place, shape in shapes if shape)
    assert not said - heard.seen
    assert said.total() >= 0.98 * heard.seen.total()


class Halves(nn.Module):
    """Takes another way at odd sizes, which it makes even."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] % 2:
            x = F.pad(x, (0, 1))
        y = torch.cat([self.conv(x), self.conv(x)], 1)
        a, b = y.chunk(2, dim=-1)
        a += b
        return a


def test_a_call_of_one_way_is_told_for_the_sizes_that_take_it() -> None:
    report = shapelint.check(Halves, "1,3,H,W")
    pad = next(call for call in report.calls if call.name == "pad")
    assert str(pad.sizes) == "any H, W odd"
    assert [str(shape) for shape in pad.outputs] == ["1,3,H,W + 1"]
    assert pad.at(H=5, W=7) == ((1, 3, 5, 8),)
    assert pad.at(H=5, W=8) is None
    assert pad.assigned == ("x",)
    cats = [call for call in report.calls if call.name == "cat"]
    assert {call.at(H=5, W=7) for call in cats} == {((1, 16, 5, 8),), None}
    split = next(call for call in report.calls if call.name == "chunk" and call.at(H=5, W=8))
    assert split.assigned == ("a", "b")
    assert split.at(H=5, W=8) == ((1, 16, 5, 4), (1, 16, 5, 4))


@pytest.mark.parametrize("carry", [lambda report: report, lambda report: loads(dumps(report)), lambda report:
                                   pickle.loads(pickle.dumps(report))], ids=["here", "sent", "pickled"])  # fmt: skip
def test_nothing_is_told_behind_the_call_that_raises(carry: Callable[[Report], Report]) -> None:
    report = carry(shapelint.check(UNet, "1,3,H,W"))
    cats = [call for call in report.calls if call.name == "cat"]
    assert [call.at(H=65, W=64) for call in cats] == [((1, 256, 8, 8),), ((1, 128, 16, 16),), ((1, 64, 32, 32),), None]
    assert [call.name for call in report.calls if call.raises({"H": 65, "W": 64}, {})] == ["cat"]
    assert str(cats[3].fits) == "H and W even"
    head = next(call for call in report.calls if call.module == "head")
    assert head.at(H=65, W=64) is None
    assert head.at(H=64, W=64) == ((1, 2, 64, 64),)


def test_a_layer_that_gives_back_less_says_so() -> None:
    report = shapelint.check(Autoencoder, "1,3,H,W")
    (note,) = [note for call in report.calls for note in call.notes]
    assert note.startswith("gives back 2*((H + 1)//2) - 1,2*((W + 1)//2) - 1 where `conv` took H,W: the same only for")


class Named(nn.Module):
    """A size becomes a text after its first call."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        return F.relu(x * len(str(x.shape[-1])))


def test_what_is_not_proved_is_told_for_the_size_that_was_seen_alone() -> None:
    report = shapelint.check(Named, "1,3,W")
    first, *_, last = [call for call in report.calls if call.name == "relu"]
    assert (first.how, last.how) == ("proved", "sampled")
    assert first.at(W=100) == ((1, 3, 100),)
    assert last.at(W=100) is None


class Kept(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[x > 0]


class Masked(nn.Module):
    """How many elements its mask keeps is the data's matter."""

    def forward(self, x: Tensor) -> Tensor:
        return x + F.relu(x[x > 0] * 2).mean()


def test_shapes_that_the_data_decide_are_not_told() -> None:
    report = shapelint.check(Masked, "1,3,H,W")
    sizes = {"H": 8, "W": 8}
    assert [call.outputs for call in report.calls if call.name in ("__getitem__", "mul", "relu")] == [(), (), ()]
    assert report.calls[-1].at(H=8, W=8) == ((1, 3, 8, 8),)
    assert all(call.at(**sizes) is None for call in report.calls_at(**sizes) if call.name in ("mul", "relu"))
    kept = shapelint.check(Kept, "1,3,H,W").contract.outcome(**sizes)
    assert (kept.ok, kept.outputs) == (None, ())
