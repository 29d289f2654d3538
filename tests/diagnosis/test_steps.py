"""Which axis of three is the length, where no convolution says so: the one ahead of features of a fixed number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import shapelint

Tensor = torch.Tensor


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.layer = nn.Embedding(40, 16), nn.TransformerEncoderLayer(16, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x + self.table(torch.arange(x.shape[1])))
        return y


class Table(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.layer = nn.Parameter(torch.zeros(1, 40, 16)), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x + self.table)
        return y


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(16, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)[0][:, -1]
        return y


class Channels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(50)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x)
        return y


class Windows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        y: Tensor = self.layer(x.reshape(b * (n // 8), 8, d))
        return y.reshape(b, n, 4)


@pytest.mark.parametrize(
    ("net", "size", "words"),
    [
        (Windows, 50, "L multiples of 8"),
        (Positions, 40, "L from 1 to 40"),
        (Positions, 50, "L from 1 to 40"),
        (Table, 40, "L only 1 or 40"),
        (Table, 50, "L only 1 or 40"),
        (Recurrent, 50, "every size"),
        (Channels, 50, "every size"),
    ],
)
def test_the_length_is_no_axis_of_features(net: type[nn.Module], size: int, words: str) -> None:
    report = shapelint.check(net, f"2,{size},16")
    assert str(report.contract.runs) == words
    assert report.asked.sample() == {"L": 16 if net is Channels else size}
    try:
        net().eval()(torch.zeros(2, size, 16))
    except (RuntimeError, IndexError):
        assert not report.ok
    else:
        assert report.ok


class Tokens(nn.Module):
    def __init__(self, step: int) -> None:
        super().__init__()
        self.step, self.table = step, nn.Embedding(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.table(torch.arange(x.shape[1]).unsqueeze(0) // self.step)
        return y


@pytest.mark.parametrize(("net", "needed"), [(lambda: Tokens(1), 200), (lambda: Tokens(4), 50)])
def test_a_table_needs_a_row_for_each_position(net: Callable[[], nn.Module], needed: int) -> None:
    (finding,) = shapelint.check(net, "2,200:int64").findings
    assert finding.message == f"`table` has 32 rows, and 2x200 needs {needed}"
