"""One call has one name in the headline, the notes, the fix and the picture, and PyTorch's words stand in a note."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.report.network.hourglass import hourglass

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NET = """
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode={ceil})
        self.one = {up}
        self.two = {up}

    def forward(self, x):
        first = self.head(x)
        second = self.pool(first)
        y = self.one(self.pool(second)) + second
        y = self.{last}(y) + first
        return y
"""


class Level(nn.Module):
    """Halves and doubles by functions, around another level."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.skip, self.inner = nn.Conv2d(4, 4, 3, padding=1), inner

    def forward(self, x: Tensor) -> Tensor:
        deep = self.inner(F.max_pool2d(x, 2))
        return self.skip(x) + F.interpolate(deep, scale_factor=2)


class Unpooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x, first = self.pool(x)
        x, second = self.pool(x)
        result: Tensor = self.unpool(self.unpool(x, second), first)
        return result


class Levels(nn.Module):
    """Joins maps of strides 2 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.short = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        first: Tensor = self.down(x) + self.short(x)
        return first


class Windows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2).view(1, 3, x.shape[2] // 16, 16, x.shape[3] // 16, 16)
        return rows.mean((3, 5))


def test_a_layer_that_is_called_twice_is_named_with_its_call_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET.format(ceil=True, up="nn.Upsample(scale_factor=2)", last="one"))
    report = shapelint.check(f"{file}:Net", "1,3,17,17", picture=True)
    (finding,) = report.findings
    assert finding.message == "`add` joins 10x10 from `one` with 9x9 from `pool, call 1`"
    assert finding.notes[0] == "`pool, call 2` took 9x9, `one` gives back 10x10"
    assert report.picture is not None
    mended = hourglass(report.picture, repaired=True)
    told = {bracket.text.partition(" gives")[0]: bracket.change for bracket in mended.brackets}
    written = "F.interpolate(self.one(self.pool(second)), size=second.shape[-2:])"
    assert told == {"one, call 1": written, "one, call 2": ""}
    assert [text.text for text in mended.texts if text.kind == "change"] == [
        "with F.interpolate(self.one(y), size=first.shape[-2:])"
    ]


def test_what_is_to_be_written_is_told_once_where_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET.format(ceil=False, up="nn.ConvTranspose2d(4, 4, 2, stride=2)", last="two"))
    findings = shapelint.check(f"{file}:Net", "1,3,19,19", picture=True).findings
    titles = [each.fix.title for each in findings if each.fix is not None]
    assert [title.partition(";")[0] for title in titles] == [
        "for every size write `self.one(self.pool(second), output_size=second.shape[-2:])`",
        "for every size write `self.two(y, output_size=first.shape[-2:])`",
    ]


def test_a_name_that_the_fix_gives_is_told_with_it() -> None:
    (finding,) = shapelint.check(f"{EXAMPLES / 'unet65.py'}:Net", "1,3,65,65").findings
    assert finding.fix is not None
    said = "write `skip = skips.pop()` before the join, and `up(x, output_size=skip.shape[-2:])`; for this one"
    assert said in finding.fix.title


def test_a_function_is_named_with_the_module_that_calls_it() -> None:
    model = Level(Level(Level(nn.Identity())))
    (finding,) = shapelint.check(model, "1,4,20,20").findings
    assert finding.message == "`add` joins 4x4 from `interpolate` in `inner.inner` with 5x5 from `inner.inner.skip`"
    assert "`max_pool2d` in `inner.inner` took 5x5, `interpolate` in `inner.inner` gives back 4x4" in finding.notes


@pytest.mark.parametrize(
    ("model", "size", "code"), [(Unpooled, 34, "SL206"), (Levels, 33, "SL208"), (Windows, 99, "SL202")]
)
def test_what_pytorch_says_stands_in_a_note(model: type[nn.Module], size: int, code: str) -> None:
    (finding,) = shapelint.check(model(), (1, 3, size, size)).findings
    with pytest.raises(RuntimeError) as raised, torch.no_grad():
        model().eval()(torch.rand(1, 3, size, size))
    assert finding.code == code
    said = str(raised.value).partition("index:")[0].strip()  # of random numbers
    told = [each.partition("RuntimeError: ")[2] for each in finding.notes if each.startswith("PyTorch: RuntimeError: ")]
    assert any(said in each for each in (*told, finding.message))
