"""Normalisations against eager PyTorch, in training and in evaluation."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, check_drawn, points

_SPECS = ("1,4,H,W", "2,4,H,W", "1,6,H", "H,4,W", "W,6", "1,H,W", "4,H//2,W,2", "1,4,H,1,W", "4")


def _draw(drawn: random.Random) -> tuple[str, list[str]]:
    channels = drawn.choice((4, 4, 6))
    ones = f"torch.ones({channels})"
    home = drawn.choice(("x", "x", "x.transpose(-1, 1)"))
    affine = drawn.choice(("", f", weight={ones}, bias={ones}", f", weight={ones}"))
    return drawn.choice((
        f"F.batch_norm({home}, {ones}, {ones}, training={drawn.choice((True, False))}{affine})",
        f"F.batch_norm({home}, None, None{affine}, training={drawn.choice((True, True, False))})",
        f"F.instance_norm({home}{affine})", f"F.instance_norm({home}, {ones}, {ones}, use_input_stats=False)",
        f"F.group_norm({home}, {drawn.choice((1, 2, 3, 4, 6))}{affine})",
        f"F.layer_norm({home}, ({drawn.choice((4, 6, 'x.shape[-1]', '3, 4', 'x.shape[-2], x.shape[-1]'))},))",
        f"F.layer_norm({home}, ({channels},), {ones}, {ones})", f"F.rms_norm({home}, ({channels},), {ones})",
        f"F.local_response_norm({home}, 2)", f"F.normalize({home}, dim={drawn.choice((-1, 0, 1, 2))})",
    )), [drawn.choice(_SPECS)]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_drawn_norms(seed: int) -> None:
    check_drawn(seed, _draw)


@pytest.mark.parametrize("text", [
    "F.batch_norm(x, None, None, training=True)",
    "F.batch_norm(x, torch.ones(4), torch.ones(4))",
    "F.batch_norm(x, torch.ones(3), torch.ones(3))",
    "F.batch_norm(x.permute(0, 3, 1, 2), None, None, training=True)",
    "F.instance_norm(x)",
    "F.instance_norm(x[0])",
    "F.group_norm(x, 4)",
    "F.group_norm(x, 3)",
    "F.group_norm(x, 0)",
    "F.group_norm(x.transpose(1, 2), 2)",
    "F.layer_norm(x, (4, 3, 3))",
    "F.layer_norm(x, x.shape[2:])",
    "F.layer_norm(x, 5)",
    "F.layer_norm(x.permute(0, 2, 3, 1), (4,), torch.ones(4), torch.ones(3))",
    "F.rms_norm(x.permute(0, 2, 3, 1), (4,)).view(1, -1)",
    "F.group_norm(x.flatten(2).transpose(1, 2).transpose(1, 2), 1).view(1, -1)",
    "F.batch_norm(x.flatten(2).transpose(1, 2).contiguous().transpose(1, 2), None, None, training=True).view(1, -1)",
    "F.instance_norm(x.permute(0, 1, 3, 2)).view(1, -1)",
])  # fmt: skip
def test_known_norms(text: str) -> None:
    claims = check(text, ["1,4,H,W"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons
