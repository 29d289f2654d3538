"""Reductions and losses against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, check_drawn, points

_SPECS = ("2,4,H,W", "1,6,H,W", "H,3,W", "2,H,2*W", "4,W,H//2+1", "H", "W//2,H")
_NAMES = ("sum", "mean", "amax", "amin", "logsumexp", "prod", "argmax", "argmin", "all", "any", "max", "min", "median",
          "var", "std", "norm", "nansum", "nanmean", "cummax", "mode")  # fmt: skip
_AXES = (
    "0",
    "1",
    "-1",
    "2",
    "3",
    "-4",
    "(0, 1)",
    "(1, 2)",
    "(-1, -2)",
    "(2, 3)",
    "(1, 1)",
    "(0, -1)",
    "None",
    "()",
    "[1]",
)


def _draw(drawn: random.Random) -> tuple[str, list[str]]:
    name, axes, spec = drawn.choice(_NAMES), drawn.choice(_AXES), drawn.choice(_SPECS)
    keep = drawn.choice(("", ", keepdim=True", ", keepdim=False"))
    home = drawn.choice(("x", "x[..., 1:]", "x.transpose(0, -1)"))
    if name == "norm":
        return f"{home}.norm(2, {axes}{keep})", [spec]
    return drawn.choice(
        (f"{home}.{name}({axes}{keep})", f"torch.{name}({home}, dim={axes}{keep})", f"{home}.{name}()")
    ), [spec]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_reductions(seed: int) -> None:
    check_drawn(seed, _draw)


@pytest.mark.parametrize("text", [
    "x.mean((2, 3), keepdim=True)",
    "x.mean(axis=1)",
    "x.max(1)",
    "x.max(dim=1, keepdim=True)[0]",
    "torch.max(x, y)",
    "x.max()",
    "torch.sum(x)",
    "x.sum(1, dtype=torch.float64)",
    "x.topk(3, 2)",
    "torch.topk(x, k=2, dim=1).values",
    "x.sort(-1)",
    "torch.sort(x, dim=2, descending=True)[1]",
    "x.argsort(1)",
    "torch.std_mean(x, 1)",
    "torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)",
    "torch.norm(x)",
    "F.mse_loss(x, y)",
    "F.l1_loss(x, y, reduction='none')",
    "F.smooth_l1_loss(x, y, reduction='sum')",
    "F.binary_cross_entropy(x, y)",
    "F.binary_cross_entropy_with_logits(x, y)",
    "x.var(1, unbiased=False, keepdim=True)",
    "x.std((2, 3))",
    "x.long().sum(1)",
    "x.long().mean(1)",
    "x.amax((2, 3))",
    "x[:, :, 2:].amax((2, 3))",
    "x[:, :, 2:].max(2)",
    "x[:, :, 2:].mean((2, 3))",
    "x.flatten(2).logsumexp(-1)",
])  # fmt: skip
def test_known_reductions(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons
