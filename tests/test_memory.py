"""A process that checks many models keeps no more of them than of a few."""

from __future__ import annotations

import gc
from itertools import product

import pytest
import torch
from torch import Tensor, nn

import shapelint
from shapelint import caches
from shapelint.instrument import compiled
from shapelint.size import function


class Net(nn.Module):
    """Each kernel and stride makes functions of its own."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, kernel, stride), nn.ConvTranspose2d(4, 3, kernel, stride)
        self.divisor = 7 * kernel + stride

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.up(self.down(x))
        return y[..., : max(1, x.shape[3] // self.divisor)] if x.shape[2] % self.divisor == 3 else y


def test_functions_live_as_long_as_somebody_has_them() -> None:
    counts = []
    for kernel, stride in product(range(2, 6), range(1, 4)):
        report = shapelint.check(Net(kernel, stride), "1,3,H,W")
        caches.forget(most=0)
        gc.collect()
        assert report.contract.outcome(H=9, W=9).outputs == (tuple(Net(kernel, stride)(torch.zeros(1, 3, 9, 9)).shape),)
        del report
        caches.forget(most=0)
        gc.collect()
        counts.append((len(function._functions), len(function._atoms)))
    assert counts[-1] == counts[0]
    assert sum(caches.sizes().values()) == 0


def test_what_is_kept_for_the_next_check_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "_MOST", 50)
    monkeypatch.setattr(compiled, "_MOST", 0)
    for kernel, stride in product((2, 3), (1, 2)):
        shapelint.check(Net(kernel, stride), "1,3,H,W")
        assert max(caches.sizes().values()) <= 50
        assert not compiled._ours
