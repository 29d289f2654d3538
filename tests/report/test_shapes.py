"""`shapelint shapes`: what stands behind the lines, and what is said where it cannot be done."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from shapelint.cli.app import run

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        y = self.up(
            self.down(x),
        )
        if x.shape[-1] > 300:
            raise ValueError("too wide")
        return torch.cat([x, y], dim=1)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)


def test_a_shape_stands_where_its_expression_begins_and_what_fits_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["shapes", "net.py", "--input", "1,3,H,W"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "   13          y = self.up(                      # 1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1" in lines
    assert lines[-1].strip() == "^ `cat` fits only for: H and W odd"


def test_a_long_expression_is_explained_below(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace("stride=2", "stride=1000"))
    run(["shapes", "net.py", "--input", "1,3,H,W"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[5].endswith("# 1,3,h1,w1")
    assert lines[-2:] == ["h1 = 1000*((H + 999)//1000) - 999", "w1 = 1000*((W + 999)//1000) - 999"]


def test_the_line_that_raises_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    run(["shapes", "net.py", "--input", "1,3,H,W", "--at", "H=9,W=301"])
    lines = capsys.readouterr().out.splitlines()
    raising = next(number for number, line in enumerate(lines) if "raise ValueError" in line)
    assert lines[raising + 1].strip().startswith("^ raises ValueError: too wide")


def test_the_calls_are_data_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    run(["shapes", "net.py", "--input", "1,3,H,W", "--format", "json", "--at", "H=9", "--at", "W=10"])
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, json.loads(files("shapelint.report").joinpath("schema.json").read_text()))
    (target,) = told["targets"]
    calls = {call["name"]: call for call in target["calls"]}
    assert calls["ConvTranspose2d"]["assigned"] == ["y"]
    assert calls["ConvTranspose2d"]["at"] == [[1, 3, 9, 9]]
    assert calls["Conv2d"]["outputs"] == ["1,8,(H + 1)//2,(W + 1)//2"]
    assert calls["cat"]["at"] is None
    assert calls["Conv2d"]["sizes"] == "every size"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("H=9", "--at gives H; the sizes of the model are H, W"),
        ("H=9,W=0", "--at H=9,W=0 is no size of net.py:Net"),
        ("H=9,W=-1", "'W=-1' is no size; write H=65,W=70"),
        ("H=9,H=9", "H is given twice"),
    ],
)
def test_a_wrong_size_is_one_line(at: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["shapes", "net.py", "--input", "1,3,H,W", "--at", at]) == 2
    assert said in capsys.readouterr().err
