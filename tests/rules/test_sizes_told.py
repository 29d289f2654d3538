"""Which sizes a report names and how, and that one cause is told once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.finding import Finding


def only(model: type[nn.Module], spec: str, code: str) -> Finding:
    report = shapelint.check(model, spec, confirm=())
    (found,) = [each for each in report.findings if each.code == code]
    return found


class Pyramid(nn.Module):
    """Joins maps of rounded-up sizes: runs at 0 and 31 mod 32, so also at 385 and 415."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(1 if level == 0 else 2, 2, 3, 2, 1) for level in range(5)])
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x: Tensor) -> Tensor:
        maps = []
        for down in self.down:
            x = down(x)
            maps.append(x)
        for each in maps[-2::-1]:
            x = self.up(x) + each
        return x


class Pinned(nn.Module):
    """A Linear behind a flatten: 83 and 84 give 39x39, and 23x343 gives as many features."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(9, 2, 3, 2), nn.Conv2d(2, 2, 3))
        self.fc = nn.Linear(2 * 39 * 39, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.convs(x).flatten(1))


class Windows(nn.Module):
    """A view by floors of a map that is rounded up, of which nothing cancels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).view(1, 4, x.shape[-2] // 4, -1)


def test_the_sizes_near_the_asked_one_are_multiples_of_the_stride() -> None:
    assert "sizes near 400x400 that run: 384x384 and 416x416" in only(Pyramid, "1,1,400,400", "SL201").notes


def test_a_pinned_model_is_told_by_a_square() -> None:
    found = only(Pinned, "1,9,H,W", "SL304")
    assert "it runs for: H = W 83 or 84, and others such as 23x343" in found.notes
    assert "for every size, put `nn.AdaptiveAvgPool2d(39)` before the flatten" in found.notes
    assert "nearest to 100x100 that run: 84x84" in only(Pinned, "1,9,100,100", "SL304").notes


class Halves(nn.Module):
    """Gives back multiples of 4; 5 to 7 come back as 4, and less than 4 raises."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 1, 4, 4)
        self.up = nn.ConvTranspose2d(1, 1, 4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))


def test_what_happens_at_the_other_sizes_is_said_with_an_example() -> None:
    found = only(Halves, "1,1,H,W", "SL202")
    assert found.message == "it restores H and W multiples of 4 only"
    assert "it runs for: H and W at least 4" in found.notes
    assert "where it runs and does not restore, another size comes back: 16x16 at 16x17" in found.notes
    assert Halves()(torch.zeros(1, 1, 16, 17)).shape[2:] == (16, 16)


class Placed(nn.Module):
    """Adds a map of positions to the input, which at 1x1 is repeated."""

    def __init__(self, rows: int = 32) -> None:
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(1, 3, rows, rows))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, torch.ones(3, 3, 1, 1)) + self.pos


def test_a_table_is_made_for_the_size_that_has_its_positions() -> None:
    found = only(Placed, "1,3,H,W", "SL305")
    assert found.message == "`pos` is for 32 positions, so it runs for H and W only 1 or 32"
    assert "it was made for 32x32" in found.notes


class Banked(nn.Module):
    """Filters a signal of shape 1,T with a convolution for images."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = nn.Conv2d(1, 4, (1, 4), (1, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.bank(x[None, None])


def test_a_signal_of_one_sample_has_one_size() -> None:
    assert str(shapelint.check(Banked, (1, 16000), confirm=()).contract.runs) == "L at least 4"


def test_many_undecided_sizes_of_one_call_are_one_note() -> None:
    found = only(Windows, "1,3,H,W", "SL900")
    assert "a reshape by a product of sizes that does not cancel" in found.message
    assert found.notes == ("for: 1x1, 1x2, 1x3 and many more",)


class Behind(nn.Module):
    """A Linear that 32x32 fits, and a mistake behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8 * 30 * 30, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(self.conv(x).flatten(1))
        return self.fc2(x)  # type: ignore[operator]


def test_a_mistake_behind_a_layer_is_not_that_no_size_fits_the_layer() -> None:
    assert only(Behind, "1,3,H,W", "SL304").message.startswith("`fc` takes 7200 features, and 64x128 gives it")
