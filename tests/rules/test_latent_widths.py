"""SL207 where the width of a latent may be the one that is wrong: the edit behind it is not called safe."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapelint

NET = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear({taken}, 12)
        self.second = nn.Linear(16, {made})

    def forward(self, x):
        z = self.first(x)
        y = torch.rand_like(z) * 0.1 + z
        return {result}
"""


@pytest.mark.parametrize(
    ("taken", "made", "result", "safety"),
    [
        (64, 64, "self.second(y)", "unsafe"),
        (64, 10, "(self.second(y), z)", "unsafe"),
        (64, 10, "self.second(y)", "safe"),
        (12, 12, "self.second(y)", "safe"),
    ],
)
def test_latent_widths(tmp_path: Path, taken: int, made: int, result: str, safety: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET.format(taken=taken, made=made, result=result))
    (found,) = shapelint.check(f"{path}:Net", "2,64" if taken == 64 else "2,12").findings
    assert found.code == "SL207"
    assert found.fix is not None
    assert (found.fix.title, found.fix.safety.value) == (f"write `nn.Linear(12, {made})`", safety)
