"""Views, splits and rearrangements against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, check_drawn, points

_SPECS = ("2,4,H,W", "1,6,H,W", "H,3,W", "2,H,4*W", "4,2*H,2*W", "1,H,1,W", "8,H//2+1,W", "H", "2,3,4")
_SIZES = ("2", "4", "8", "-1", "1", "x.shape[0]", "x.shape[-1]", "x.shape[-1] // 2", "x.shape[1]",
          "x.shape[1] * x.shape[-1]", "x.numel()",
          "x.shape[-1] * x.shape[-2]", "x.shape[0] * x.shape[1]", "3", "x.shape[-2]")  # fmt: skip


def _sizes(drawn: random.Random) -> str:
    return ", ".join(drawn.choice(_SIZES) for _ in range(drawn.choice((1, 2, 3, 4))))


def _draw_reshape(drawn: random.Random) -> tuple[str, list[str]]:
    before = drawn.choice(("x", "x", "x.transpose(-1, 0)", "x[..., ::2]", "x[..., :3]", "x[1:]"))
    text = drawn.choice((f"{before}.view({_sizes(drawn)})", f"{before}.reshape({_sizes(drawn)})",
                         f"torch.reshape({before}, ({_sizes(drawn)},))", f"x.unflatten(-1, ({_sizes(drawn)},))",
                         f"{before}.flatten({drawn.choice((0, 1, -2, 2))}, {drawn.choice((-1, 1, 2))})"))  # fmt: skip
    return text, [drawn.choice(_SPECS)]


def _draw_axes(drawn: random.Random) -> tuple[str, list[str]]:
    axis = lambda: drawn.choice((0, 1, 2, 3, -1, -2, -3, 4))  # noqa: E731
    order = drawn.sample(range(4), 4)
    text = drawn.choice((
        f"x.permute({', '.join(map(str, order))})", f"x.permute({axis()}, {axis()}, {axis()})",
        f"x.transpose({axis()}, {axis()})", f"torch.swapaxes(x, {axis()}, {axis()})", f"x.movedim({axis()}, {axis()})",
        f"torch.movedim(x, ({axis()}, {axis()}), (0, 1))", "x.mT", "x.T", "x.t()",
        f"x.squeeze({axis()})", "x.squeeze()",
        f"x.squeeze(({axis()}, {axis()}))", f"x.unsqueeze({axis()})", f"x.flip({axis()})", f"x.flip(({axis()}, 0))",
        f"x.roll(1, {axis()})", f"x.roll((1, 2), ({axis()}, {axis()}))", "x.roll(2)", f"x.unbind({axis()})",
        f"x.permute({', '.join(map(str, order))}).contiguous().flatten()",
        f"x.transpose({axis()}, {axis()}).view(x.shape[0], -1)"))  # fmt: skip
    return text, [drawn.choice(_SPECS)]


def _draw_parts(drawn: random.Random) -> tuple[str, list[str]]:
    axis = drawn.choice((0, 1, 2, -1, -1, 3))
    count = drawn.choice(("1", "2", "3", "4", "5", "0", "x.shape[-1]", "x.shape[-1] // 2", "x.shape[-1] - 2"))
    start = drawn.choice(("0", "1", "-1", "-2", "2", "x.shape[-1] // 2", "x.shape[-1] - 3"))
    text = drawn.choice((
        f"x.chunk({drawn.choice((1, 2, 3, 4, 0))}, {axis})", f"x.split({count}, {axis})",
        f"torch.split(x, [{count}, 2], {axis})",
        f"x.split([{count}, x.shape[{axis}] - 2], dim={axis})", f"x.tensor_split({drawn.choice((1, 2, 3))}, {axis})",
        f"x.narrow({axis}, {start}, {count})", f"x.select({axis}, {start})",
        f"x.unfold({axis}, {drawn.choice((1, 2, 3))}, 2)",
        f"x.repeat(1, 2, {count}, 1)", f"x.tile(2, {count})", f"x.repeat_interleave({drawn.choice((1, 2, 3))}, {axis})",
        f"x.expand({count}, -1, -1, -1)", f"x.expand(-1, {count}, {count})", "x.expand(2, 2, 4, *x.shape[-2:])",
        f"x.expand_as(torch.zeros(2, 4, {count.replace('x.shape[-1] - 2', '2')}, x.shape[-1]))"))  # fmt: skip
    return text, [drawn.choice(_SPECS)]


@pytest.mark.parametrize("seed", range(12))
def test_drawn_reshapes(seed: int) -> None:
    check_drawn(seed, _draw_reshape)


@pytest.mark.parametrize("seed", range(12))
def test_drawn_orders_of_axes(seed: int) -> None:
    check_drawn(seed, _draw_axes)


@pytest.mark.parametrize("seed", range(12))
def test_drawn_parts(seed: int) -> None:
    check_drawn(seed, _draw_parts)


_WINDOWS = "x.view(x.shape[0], x.shape[1], x.shape[2] // 2, 2, x.shape[3] // 2, 2)"
_CUT = f"{_WINDOWS}.permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, x.shape[1])"


@pytest.mark.parametrize("text", [
    _WINDOWS,
    _CUT,
    f"{_CUT}.view(x.shape[0], x.shape[2] // 2, x.shape[3] // 2, 2, 2, -1)",
    "x.flatten(2).transpose(1, 2).transpose(1, 2).view(x.shape)",
    "x.flatten(2).transpose(1, 2).contiguous().transpose(1, 2).view(x.shape[0], x.shape[1], *x.shape[2:])",
    "x.view(x.shape[0], 2, -1, *x.shape[2:]).transpose(1, 2).contiguous().view(x.shape)",
    "x.view(2, 48)",
    "x.reshape(-1, 24)",
    "x.view(x.size(0), -1)",
    "x.permute(0, 2, 3, 1).view(2, -1, 4)",
    "x.permute(0, 2, 3, 1).view(2, -1)",
    "x.relu().permute(0, 2, 3, 1).sigmoid().view(2, -1)",
    "x[..., ::2].view(2, -1)",
    "x[:, :, :3].view(2, -1)",
    "x[:, :2].flatten(1).view(2, -1)",
    "x.expand(3, 2, 4, *x.shape[2:]).view(6, -1)",
    "x.view(x.shape[2], -1)",
    "x.view(2, -1, -1)",
    "x.view(2, -2)",
    "x.unsqueeze(-1).squeeze(-1).view(x.shape)",
    "x.view(-1).view_as(x)",
    "x.view(-1, 4, x.shape[2] // 2, 2, x.shape[3] // 2, 2)",
    "F.avg_pool2d(x, 2, ceil_mode=True).reshape(2, x.shape[2] // 2, x.shape[3] // 2, -1)",
    "x.reshape(2, 4, -1, (x.shape[2] + 2) * (x.shape[3] + 1))",
    "x.reshape(x.shape[2] * 2, x.shape[3] // 3, -1)",
])  # fmt: skip
def test_known_reshapes(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 24))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("text", ["x.view(2, 4, x.shape[2] - 4, -1)", "x.view(x.shape[2] // 2, -1)"])
def test_what_does_not_cancel_is_not_claimed(text: str) -> None:
    assert check(text, ["2,4,H,W"], points(random.Random(text), 24)).reasons
