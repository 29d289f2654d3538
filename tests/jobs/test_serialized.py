"""A report that went through bytes is the report that was written, and says so in every format."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from shapelint.engine import check
from shapelint.jobs import serialized
from shapelint.report.report import Report


class Undone(nn.Module):
    """An hourglass behind a layer of which no rule knows the size, with a branch on data."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        y = self.up(self.down(x))
        return {"y": torch.cat((y, x[..., : y.shape[2], : y.shape[3]])), "z": x[x > 0] if x.mean() > 0 else x}


@pytest.mark.parametrize("spec", ["B,3,H,W", "2,3,7,8", "1,4,H,W"])
def test_a_report_comes_back_as_it_was(spec: str) -> None:
    report = check(Undone, spec, confirm=("cpu",), picture=True)
    read = serialized.loads(serialized.dumps(report))
    assert isinstance(read, Report)
    assert (read, str(read), read.to_json()) == (report, str(report), report.to_json())
    assert read.picture is not None


def test_what_is_no_part_of_a_report_is_refused_where_it_is_written() -> None:
    report = check(Undone, "1,3,8,8")
    object.__setattr__(report, "remarks", (nn.ReLU(),))
    with pytest.raises(TypeError, match="a ReLU is no part of a report"):
        serialized.dumps(report)
