"""Sizes in numpy arrays and in comparisons of whole tensors: followed, or told; never lost or refused in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.facts.contract import How
from tests.oracle import attempt, given

Tensor = torch.Tensor
SIZES = [(1, 1), (2, 3), (3, 2), (7, 9), (8, 8), (16, 31), (31, 16), (33, 65), (20, 20), (64, 48)]

GUARDED = """import math

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 3, 8, 8), nn.ConvTranspose2d(3, 3, 8, 8)

    def forward(self, x):
        h, w = x.shape[-2:]
        assert {}
        return self.up(self.down(x))
"""


@pytest.mark.parametrize(
    "guard",
    [
        "np.all(np.array(x.shape[-2:]) % 16 == 0)",
        "(np.asarray([h, w]) == np.array([h, w]) // 16 * 16).all()",
        "not np.any(np.mod(x.shape[-2:], 16))",
        "np.array_equal(np.array([h, w]) % 16, [0, 0])",
        "np.remainder(h, 16) == 0 and np.count_nonzero(np.array(x.shape[2:]) % 16) == 0",
        "(torch.tensor(x.shape[-2:]) % 16 == 0).all()",
        "not torch.any(torch.tensor(x.shape)[2:] % 16)",
        "torch.equal(torch.tensor([h, w]) // 16 * 16, torch.tensor([h, w]))",
        "math.fmod(h, 16) == 0 and np.fmod(w, 16) == 0",
        "not (h & 15) and divmod(w, 16)[1] == 0",
        "not (h | w) & 15",
        "h % 16 | w % 16 == 0",
    ],
)
def test_a_guard_is_seen_however_it_is_written(tmp_path: Path, guard: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(GUARDED.format(guard))
    report = shapelint.check(f"{path}:Net", "1,3,104,72")
    assert [each.code for each in report.findings] == ["SL203"]
    assert report.findings[0].notes[0] == "the guard accepts: H and W multiples of 16"
    assert str(report.contract.runs) == "H and W multiples of 16"


def padded(x: Tensor) -> Tensor:
    size = np.array(x.shape[-2:])
    rows, columns = (np.ceil(size / 16) * 16).astype(int) - size
    return F.pad(x, (0, columns, 0, rows))


def squared(x: Tensor) -> Tensor:
    size = np.asarray(x.shape[-2:])
    return F.pad(x, (0, size.max() - size[1], 0, np.max(size) - size[0]))


def changed(x: Tensor) -> Tensor:
    size = np.array(x.shape[2:])
    same, copied = size, size.copy()
    same *= 2
    size[0] = copied[1] + 1
    return F.interpolate(x, size=size[::-1].tolist())


def compared(x: Tensor) -> Tensor:
    size = np.array(x.shape[2:])
    if (size < 4).any() or 64 in size:
        return x
    return x[:, :, 1:] if (~(size % 4 == 0) & (size > 8)).all() else x[..., 1:]


def counted(x: Tensor) -> Tensor:
    return x[:, :, int(torch.count_nonzero(torch.tensor(np.array(x.shape[2:]).tolist()) % 2)) :]


def real(x: Tensor) -> Tensor:
    size = torch.from_numpy(np.array(x.shape[2:]))
    grid = np.array(x.shape[2:]).reshape(1, 2)
    assert isinstance(grid, np.ndarray)
    return F.interpolate(x, size=(int(size[0]) + 1, int(grid[0, 1])))


@pytest.mark.parametrize("function", [padded, squared, changed, compared, counted, real])
def test_an_array_of_sizes_does_as_numpy_does(function: Callable[[Tensor], Tensor]) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    contract = shapelint.check(Net(), "1,3,H,W").contract
    assert contract.proved is (function not in (real, changed))
    for height, width in SIZES:
        told = contract.outcome(H=height, W=width)
        expected = given(attempt(Net(), torch.zeros(1, 3, height, width)))
        assert told.ok is (expected is not None) or told.how is not How.PROVED
        assert not told.ok or expected is None or told.outputs == expected
