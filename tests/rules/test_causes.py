"""The causes that rules look for beyond the size itself: guards, odd differences, mixed axes, silent broadcasts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from shapelint_rules._words import some_of
from torch import Tensor, nn

import shapelint
from shapelint.facts.finding import Finding
from shapelint.report.report import Report
from shapelint.size import SizeSet
from shapelint.size.condition import divisible
from shapelint.size.function import symbol


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def only(report: Report, code: str) -> Finding:
    (found,) = (finding for finding in report.findings if finding.code == code)
    return found


class Halving(nn.Module):
    """Two levels, which need multiples of 4; `check` and `join` are what the tests are about."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.ModuleList([nn.Conv2d(3, 4, 3, padding=1), *(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))])
        self.up = nn.ModuleList(nn.ConvTranspose2d(4, 4, 2, stride=2) for _ in range(2))
        self.dec = nn.ModuleList(nn.Conv2d(8, 4, 3, padding=1) for _ in range(2))

    def check(self, x: Tensor) -> None:
        pass

    def join(self, y: Tensor, skip: Tensor, below: Tensor) -> Tensor:
        return torch.cat([skip, y], 1)

    def forward(self, x: Tensor) -> Tensor:
        self.check(x)
        first = self.enc[0](x)
        second = self.enc[1](F.max_pool2d(first, 2))
        x = self.enc[2](F.max_pool2d(second, 2))
        for up, dec, skip in zip(self.up, self.dec, (second, first), strict=True):
            x = dec(self.join(up(x), skip, x))
        return x


class Multiple(Halving):
    divisor = 6

    def check(self, x: Tensor) -> None:
        if any(size % self.divisor for size in x.shape[2:]):
            raise ValueError("a size that does not fit")


class AtLeast(Halving):
    def check(self, x: Tensor) -> None:
        if min(x.shape[2:]) < 32:
            raise ValueError("too small")


class Asserting(Halving):
    def check(self, x: Tensor) -> None:
        torch._assert(x.shape[2] % 8 == 0, "height")
        torch._assert(x.shape[3] % 8 == 0, "width")


class Checked(Halving):
    def join(self, y: Tensor, skip: Tensor, below: Tensor) -> Tensor:
        if y.shape != skip.shape:
            raise ValueError(f"{y.shape} is not {skip.shape}")
        return torch.cat([skip, y], 1)


def test_a_guard_that_is_too_lax_and_too_strict_is_one_finding() -> None:
    found = only(shapelint.check(Multiple, "1,3,H,W"), "SL203")
    assert found.message == "the guard refuses 16x16, which fits"
    assert found.notes[:2] == ("the guard accepts: H and W multiples of 6", "what fits: H and W multiples of 4")
    assert found.severity == "note"


@pytest.mark.parametrize(("size", "expected"), [(20, "SL203"), (21, "SL202"), (18, "SL201"), (24, None)])
def test_a_raise_of_the_model_has_one_error(size: int, expected: str | None) -> None:
    report = shapelint.check(Multiple, (1, 3, size, size))
    errors = [finding.code for finding in report.findings if finding.severity == "error"]
    assert errors == ([] if expected is None else [expected])


def test_the_model_keeps_its_guards() -> None:
    before = Multiple.check.__code__
    net = Multiple()
    assert "SL203" in codes(shapelint.check(net, "1,3,H,W"))
    assert Multiple.check.__code__ is before
    with pytest.raises(ValueError, match="does not fit"):
        net(torch.zeros(1, 3, 20, 20))


def test_the_assert_function_of_torch_is_a_guard() -> None:
    report = shapelint.check(Asserting, "1,3,H,W")
    assert report.contract.proved
    assert only(report, "SL203").message == "the guard refuses 16x20, which fits"


REFUSING = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 4, 2, 2))
        self.up = nn.Sequential(nn.ConvTranspose2d(4, 4, 2, 2), nn.ConvTranspose2d(4, 3, 2, 2))

    def forward(self, x):
        h, w = x.shape[-2:]
        {}
        return x + self.up(self.down(x))
"""
WAYS = {
    "if not (h % 8 == 0) and (w % 8 == 0): raise ValueError": "H and W multiples of 8; or any H, W no multiples of 8",
    "if h % 8 or w % 8: raise ValueError('no multiple of 8', h, w)": "H and W multiples of 8",
    "if any(n % 8 for n in (h, w)): raise ValueError": "H and W multiples of 8",
    "if not all(n % 8 == 0 for n in (h, w)): raise ValueError": "H and W multiples of 8",
    "if divmod(h, 8)[1] != 0 or divmod(w, 8)[1] != 0: raise ValueError": "H and W multiples of 8",
    "if not ((h % 8 == 0) & (w % 8 == 0)): raise ValueError": "H and W multiples of 8",
    "if h & 7 or w & 7: raise ValueError": "H and W multiples of 8",
    "torch._check(h % 8 == 0 and w % 8 == 0)": "H and W multiples of 8",
}


@pytest.mark.parametrize("guard", WAYS)
def test_a_guard_is_seen_however_it_is_written(tmp_path: Path, guard: str) -> None:
    """The first one binds `not` to the height alone, and so lets 12x12 through and refuses 12x16."""
    (tmp_path / "guarded.py").write_text(REFUSING.format(guard))
    report = shapelint.check(f"{tmp_path / 'guarded.py'}:Net", "1,3,H,W")
    found = only(report, "SL203")
    assert report.contract.proved
    assert found.notes[:2] == (f"the guard accepts: {WAYS[guard]}", "what fits: H and W multiples of 4")
    size = found.message.removeprefix("the guard refuses ").removesuffix(", which fits")
    x = torch.zeros(1, 3, *map(int, size.split("x")))
    h, w = x.shape[-2:]
    with pytest.raises((ValueError, RuntimeError)):
        exec(guard, {"h": h, "w": w, "torch": torch})


def test_a_guard_that_asks_for_a_least_size_is_lax_about_divisors_alone() -> None:
    found = only(shapelint.check(AtLeast, "1,3,H,W"), "SL203")
    assert found.message == "the guard lets 32x33 through, which raises"


class CropsATable(nn.Module):
    """Behind its guard a crop from the middle has a negative start, and leaves one row that fits every size."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.back = nn.Conv2d(3, 8, 2, stride=2), nn.ConvTranspose2d(8, 3, 2, stride=2)
        self.table = nn.Parameter(torch.zeros(1, 8, 16, 16))

    def forward(self, x: Tensor) -> Tensor:
        y = self.patch(x)
        h, w = y.shape[-2:]
        if h > 16:
            raise ValueError("too high")
        if w > 16:
            raise ValueError("too wide")
        top, left = (16 - h) // 2, (16 - w) // 2
        return self.back(y + self.table[:, :, top : top + h, left : left + w])


def test_a_guard_against_what_runs_by_chance_is_right() -> None:
    assert "SL203" not in codes(shapelint.check(CropsATable, "1,3,H,W"))


def test_a_guard_at_the_join_is_right() -> None:
    assert "SL203" not in codes(shapelint.check(Checked, "1,3,H,W"))


class PadsHalf(Halving):
    def join(self, y: Tensor, skip: Tensor, below: Tensor) -> Tensor:
        d, e = skip.shape[2] - y.shape[2], skip.shape[3] - y.shape[3]
        return super().join(F.pad(y, (e // 2, e // 2, d // 2, d // 2)), skip, below)


class Haar(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        half = x.shape[3] // 2
        return torch.cat([x[:, :, 0::2][:, :, :, 0:half], self.conv(x[:, :, 1::2])[:, :, :, 0:half]], 1)


def test_a_hand_made_pad_is_told_instead_of_the_join_and_once() -> None:
    report = shapelint.check(PadsHalf, (1, 3, 35, 35))
    assert codes(report) == ["SL204"]
    found = report.findings[0]
    assert found.fix is not None
    assert found.fix.title == "write `F.pad(y, (e // 2, e - e // 2, d // 2, d - d // 2))`"
    assert (1, 3) not in report.contract.runs
    assert found.message == "`pad` gives 16x16 where 17x17 is needed: it adds the same on both sides"


def test_every_second_row_and_a_crop_of_the_other_axis_are_no_crop() -> None:
    assert codes(shapelint.check(Haar, "1,1,H,W")) == ["SL202"]


class Upright(nn.Module):
    """Turns wide images, on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 2, stride=2), nn.ConvTranspose2d(4, 3, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > x.shape[-2]:
            x = x.transpose(-1, -2)
        return self.up(self.down(x))


class FourTokens(nn.Module):
    """Has positions for 2x2 patches; a single patch is repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 16, stride=16)
        self.positions = nn.Parameter(torch.zeros(1, 4, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.patch(x).flatten(2).transpose(1, 2) + self.positions


@pytest.mark.parametrize("net", [Upright, FourTokens])
def test_axes_that_are_turned_or_pinned_on_purpose_are_not_mixed_up(net: type[nn.Module]) -> None:
    assert "SL205" not in codes(shapelint.check(net, "1,3,H,W"))


class Gated(Halving):
    """The gate resizes the deeper features to the skip and comes after the up-sampling."""

    def join(self, y: Tensor, skip: Tensor, below: Tensor) -> Tensor:
        gate = torch.sigmoid(F.interpolate(below, size=skip.shape[2:]))
        return torch.cat([y, skip * gate], 1)


def test_the_tensor_of_the_decoder_is_to_be_brought_to_the_skip_also_behind_a_gate() -> None:
    found = only(shapelint.check(Gated, (1, 3, 34, 34)), "SL201")
    assert found.message.startswith("`cat` joins 16x16 from `up.0` with 17x17 from")
    assert found.fix is not None
    assert "resize or pad what `up.0` gives to the size of the skip" in found.fix.title


GUARDED = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x):
        if x.shape[-1] % 8:
            raise ValueError("no")
        return self.conv(x)
"""


@pytest.mark.parametrize("name", ["one.py", "two.py"])
def test_equal_code_in_two_files_has_two_places(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(GUARDED)
    found = only(shapelint.check(f"{file}:Net", (1, 1, 12)), "SL203")
    assert found.location is not None
    assert found.location.file == str(file)


def test_a_set_that_takes_long_to_say_is_told_by_its_members() -> None:
    sizes = SizeSet.empty(("H", "W"))
    for step in range(1, 15):
        sizes = sizes | SizeSet.point(("H", "W"), {"H": step, "W": step * step})
    assert some_of(sizes) == "1x1, 2x4, 3x9 and 11 more"
    multiples = SizeSet.where(("H", "W"), divisible(symbol("H"), 16))
    assert some_of(multiples) == str(multiples)
