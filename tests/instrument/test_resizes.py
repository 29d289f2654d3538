"""An `if` that only resizes or crops a map is no way of its own where the map is so already when the test fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.instrument import resizes
from tests.oracle import attempt, given

Fit = Callable[[Tensor, Tensor], Tensor]


class Levels(nn.Module):
    """Goes down by two and up again, each time fitted to what it is joined with."""

    def __init__(self, fit: Fit, levels: int = 2) -> None:
        super().__init__()
        self.fit, self.levels = fit, levels
        self.up = nn.ConvTranspose2d(1, 1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for _ in range(self.levels):
            skips.append(x)
            x = F.max_pool2d(x, 2)
        for skip in reversed(skips):
            x = self.fit(self.up(x), skip) + skip
        return x


def by_shapes(x: Tensor, skip: Tensor) -> Tensor:
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
    return x


def by_axes(x: Tensor, skip: Tensor) -> Tensor:
    if x.size(2) != skip.size(2) or x.size(3) != skip.size(3):
        return F.interpolate(x, (skip.size(2), skip.size(3)))
    return x


def in_an_expression(x: Tensor, skip: Tensor) -> Tensor:
    return F.interpolate(x, skip.size()[2:]) if x.size() != skip.size() else x


def padded_in_lines(x: Tensor, skip: Tensor) -> Tensor:
    if x.shape != skip.shape:
        below = skip.shape[2] - x.shape[2]
        right = skip.shape[3] - x.shape[3]
        x = F.pad(x, [right // 2, right - right // 2, below // 2, below - below // 2])
    return x


def cropped(x: Tensor, skip: Tensor) -> Tensor:
    x = F.pad(x, (0, 1, 0, 1))
    below, right = x.shape[2] - skip.shape[2], x.shape[3] - skip.shape[3]
    if below or right:
        x = x[..., below // 2 : below // 2 + skip.shape[2], right // 2 : right // 2 + skip.shape[3]]
    return x


def by_one_axis(x: Tensor, skip: Tensor) -> Tensor:
    if x.shape[2] != skip.shape[2]:
        x = F.interpolate(x, size=skip.shape[2:])
    return x


def to_another_size(x: Tensor, skip: Tensor) -> Tensor:
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=(skip.shape[3], skip.shape[2]))
    return x


def from_the_end(x: Tensor, skip: Tensor) -> Tensor:
    below = skip.shape[2] - x.shape[2]
    if below > 0:
        skip = skip[:, :, :-below]
    return F.interpolate(x + skip[..., : x.shape[3]], skip.shape[3]) if below else F.pad(x, (0, skip.shape[3] % 2))


def in_no_mode(x: Tensor, skip: Tensor) -> Tensor:
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=skip.shape[2:], mode="linear")
    return x


def of_whole_numbers(x: Tensor, skip: Tensor) -> Tensor:
    x = x.int()
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=skip.shape[2:])
    return x


def that_counts(x: Tensor, skip: Tensor) -> Tensor:
    below = 0
    if x.shape[2:] != skip.shape[2:]:
        below = skip.shape[2] - x.shape[2]
        x = F.interpolate(x, size=skip.shape[2:])
    return x[:, :, below:]


def without_rows(x: Tensor, skip: Tensor) -> Tensor:
    x = x[:, :, : x.shape[2] - 4] if x.shape[2] > 4 else x[:, :, :0]
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=skip.shape[2:])
    return x


ONE_WAY = by_shapes, by_axes, in_an_expression, padded_in_lines, cropped


@pytest.mark.parametrize("fit", [
    *ONE_WAY, by_one_axis, to_another_size, from_the_end, in_no_mode, of_whole_numbers, that_counts, without_rows,
])  # fmt: skip
def test_every_size_is_as_eager_has_it(fit: Fit) -> None:
    model = Levels(fit)
    contract = shapelint.check(model, "1,1,H,W").contract
    for height in (1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 22):
        for width in (1, 3, 4, 5, 8, 18):
            seen, told = given(attempt(model, torch.zeros(1, 1, height, width))), contract.outcome(H=height, W=width)
            assert told.outputs == (seen or ()), (height, width)
            assert told.how == "proved" or fit is of_whole_numbers


@pytest.mark.parametrize("fit", ONE_WAY)
def test_six_levels_are_one_way(fit: Fit) -> None:
    report = shapelint.check(Levels(fit, 6), "1,1,H,W")
    assert report.contract.proved
    assert str(report.contract.runs) == "H and W at least 64"
    assert [finding.code for finding in report.findings] == ["SL501"] * (1 + (fit in (by_axes, cropped)))


def test_torchvision_resizes_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def resize(img: Tensor, size: list[int]) -> Tensor:
        return img if list(img.shape[2:]) == list(size) else F.interpolate(img, list(size))

    monkeypatch.setattr(resize, "__module__", "torchvision.transforms.functional")
    monkeypatch.setattr(resizes, "is_resize", lambda function: function is resize)
    model = Levels(lambda x, skip: resize(x, skip.shape[2:]), 6)
    contract = shapelint.check(model, "1,1,H,W").contract
    assert contract.proved
    assert contract.outcome(H=65, W=127).outputs == ((1, 1, 65, 127),)


def in_a_set(x: Tensor, fitted: Tensor) -> int:
    return len({x, fitted})


def as_a_key(x: Tensor, fitted: Tensor) -> int:
    return {x: 2}.get(fitted, 1)


def in_a_list(x: Tensor, fitted: Tensor) -> int:
    return 1 + [x, fitted].index(fitted)


def by_a_mark(x: Tensor, fitted: Tensor) -> int:
    fitted.kept = True  # type: ignore[attr-defined]
    return 1 + hasattr(x, "kept")


def by_its_axes(x: Tensor, fitted: Tensor) -> int:
    fitted.unsqueeze_(0)
    return x.dim()


def by_its_memory(x: Tensor, fitted: Tensor) -> int:
    return 1 + fitted._is_view()


def resized_or_not(x: Tensor) -> Tensor:
    if x.shape[2:] != (8, 8):
        x = F.interpolate(x, (8, 8))
    return x


def cropped_or_not(x: Tensor) -> Tensor:
    odd = x.shape[2] % 2
    if odd:
        x = x[:, :, odd:]
    return x


@pytest.mark.parametrize("fit", [resized_or_not, cropped_or_not])
@pytest.mark.parametrize("ask", [in_a_set, as_a_key, in_a_list, by_a_mark, by_its_axes, by_its_memory])
def test_code_that_tells_the_very_tensor_from_another_is_as_eager_has_it(
    ask: Callable[[Tensor, Tensor], int], fit: Callable[[Tensor], Tensor]
) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = F.relu(x)
            return x.new_zeros(ask(y, fit(y)))

    contract, model = shapelint.check(Net(), "1,1,H,W").contract, Net()
    for height in (7, 8):
        told, seen = contract.outcome(H=height, W=8), given(attempt(model, torch.zeros(1, 1, height, 8)))
        assert told.how != "proved" or told.outputs == (seen or ()), height


def test_a_mark_that_is_there_before_is_on_the_very_tensor() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = F.relu(x)
            y.kept = True  # type: ignore[attr-defined]
            return x.new_zeros(1 + hasattr(resized_or_not(y), "kept"))

    assert shapelint.check(Net(), "1,1,H,W").contract.outcome(H=8, W=8).outputs in ((), ((2,),))


class Counted(nn.Module):
    """As many values as there are objects."""

    def forward(self, x: Tensor) -> Tensor:
        y = fitted = F.relu(x)
        if fitted.shape[2:] != (8, 8):
            fitted = F.interpolate(fitted, (8, 8))
        return x.new_zeros(len(set(map(id, (y, fitted)))))


def test_an_if_beside_what_tells_objects_apart_is_as_written() -> None:
    contract = shapelint.check(Counted(), "1,1,H,W").contract
    assert [contract.outcome(H=size, W=8).outputs for size in (7, 8)] == [((2,),), ((1,),)]
