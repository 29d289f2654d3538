"""The table of `shapelint sizes`: where a model runs comes first, and a call that raises has one row."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.report import shapes, sizes

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Rows(nn.Module):
    """Makes rows of 400 of what it gets: right at 5x5, and mixed samples where 16 maps are a multiple of that."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(400, 10)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.last(F.relu(self.conv(x)).view(-1, 400))
        return result


def test_each_call_that_raises_is_told_once() -> None:
    report = shapelint.check(f"{EXAMPLES / 'unet65.py'}:Net", "1,3,H,W")
    assert len(report.contract.regions) == 17
    found = sizes.rows(report.contract)
    assert [row[0] for row in found] == ["H and W multiples of 16", "every size but H and W at least 16", "all others"]
    assert found[0][1:] == ("gives (1, 2, H, W)", "proved")
    assert "the pool's output size H//2 is too small, and 7 alike, in `pool`" in found[1][1]
    assert sizes.render(report).splitlines()[5].split() == ["sizes", "outcome"]  # all are proved


def test_sizes_at_which_samples_are_mixed_are_told_apart() -> None:
    found = sizes.rows(shapelint.check(Rows, "2,3,5,5").contract)
    assert [outcome.endswith(", with samples mixed") for _, outcome, _ in found] == [False, True, False]
    assert found[0][0] == "(H, W) only (1, 25), (5, 5) or (25, 1)"


def test_a_model_at_one_size_gives_or_raises() -> None:
    right, wrong = (shapelint.check(nn.Linear(width, 4), "2,8") for width in (8, 9))
    assert sizes.render(right) == "Linear at 2,8\n  gives (2, 4)\n"
    said = "raises mat1 and mat2 shapes cannot be multiplied (...x8 and 9x4)"
    assert sizes.render(wrong).splitlines()[1].startswith(f"  {said} in `forward`")
    assert shapes.render(wrong).splitlines()[1] == f"  {said}"
