"""`shapelint shapes`: what stands behind the lines, and what is said where it cannot be done."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

import shapelint
from shapelint.cli.app import run
from shapelint.report import shapes

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


UNPOOLED = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, x):
        x, first = self.pool(x)
        x, second = self.pool(x)
        x = self.unpool(x, second)
        return self.unpool(x, first)
"""
MASKED = """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        y = x.permute(0, 2, 3, 1)[x.mean(1) > 0]
        return y
"""
NEVER = """
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        rows = x.unfold(2, 20, 1)
        return torch.cat([rows, rows[..., :-1]], 1)
"""
MUST_MATCH = (
    "Sizes of tensors must match except in dimension 1. Expected size 20 but got size 19 "
    "for tensor number 1 in the list."
)


def test_a_run_at_the_asked_size_alone_tells_of_no_other_size() -> None:
    Path("net.py").write_text(UNPOOLED)
    report = shapelint.check("net.py:Net", "1,3,33,33")  # whose run at 33x33 has plain numbers
    pools = [call for call in report.calls if (call.module, call.call, call.kind) == ("pool", 1, "MaxPool2d")]
    for size in (33, 64):
        told = {call.at(H=size, W=size) for call in pools} - {None}
        assert told == {((1, 3, size // 2, size // 2),) * 2}
    assert "not proved" not in shapes.render(report)


@pytest.mark.parametrize(
    ("text", "spec", "marks"),
    [
        (MASKED, "1,3,H,W", ["not decided: a boolean mask as an index: how many elements it keeps depends on values"]),
        (NEVER, "1,3,L", ["`unfold` fits only for: L at least 20", f"`cat` raises at every size: {MUST_MATCH}"]),
    ],
)
def test_what_a_line_does_is_not_blamed_on_the_call_before(text: str, spec: str, marks: list[str]) -> None:
    Path("net.py").write_text(text)
    lines = shapes.render(shapelint.check("net.py:Net", spec)).splitlines()
    assert [line.partition("^ ")[2] for line in lines if "^ " in line] == marks


OWN = """
import torch.nn.functional as F
from torch import nn


class Half(nn.Module):
    def forward(self, x):
        return F.avg_pool2d(x, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Half()
        self.both = nn.Sequential(self.first, Half())

    def pooled(self, x, size):
        return F.max_pool2d(x, size), size

    def forward(self, x):
        kept = [x]
        y, _ = self.pooled(x, 3); z = self.both(x)
        skip = kept.pop()
        y, z = skip.mean(1), y.sum() if skip is x else None
        return y, z
"""


def test_a_line_has_what_functions_and_layers_of_the_file_give_and_what_a_list_held() -> None:
    Path("net.py").write_text(OWN)
    report = shapelint.check("net.py:Net", "1,3,H,W")
    told = {line[:5].strip(): line.rpartition("# ")[2] for line in shapes.render(report).splitlines() if "# " in line}
    assert told["22"] == "1,3,H//3,W//3, then 1,3,H//4,W//4"
    assert told["23"] == "1,3,H,W"
    assert list(told) == ["21", "22", "23", "24", "18", "8"]  # a function stands ahead of what it calls
    named = [(call.name, call.assigned) for call in report.every_call if call.assigned]
    assert named == [
        ("pooled", ("y", "_")), ("Sequential", ("z",)), ("pop", ("skip",)), ("mean", ("y",)), ("sum", ("z",)),
    ]  # fmt: skip
    assert [call.name for call in report.calls if call.composed] == []
    table = shapes.render(report, table=True).splitlines()[4:8]
    assert [line.partition("  Half")[0].partition("  Seq")[0].partition("  Net")[0].rstrip() for line in table] == [
        "(model)", "  both", "    first", "    both.1",
    ]  # fmt: skip


def test_on_a_terminal_a_shape_without_room_stands_below_its_line() -> None:
    Path("net.py").write_text(OWN)
    report = shapelint.check("net.py:Net", "1,3,H,W")
    wide = shapes.render(report).splitlines()
    narrow = shapes.render(report, width=60).splitlines()
    number = next(index for index, line in enumerate(narrow) if line.startswith("   22"))
    assert narrow[number] == "   22          y, _ = self.pooled(x, 3); z = self.both(x)"
    assert narrow[number + 1] == " " * 15 + "  # 1,3,H//3,W//3, then 1,3,H//4,W//4"
    assert shapes.render(report, width=200).splitlines() == wide
    table = shapes.render(report, table=True, width=50).splitlines()
    assert max(map(len, table[3:])) <= 50


def test_what_a_layer_loses_is_said_at_the_layer_and_not_at_the_function_around_it() -> None:
    Path("net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)\n"
        "        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)\n\n"
        "    def both(self, x):\n        return self.up(self.down(x))\n\n"
        "    def forward(self, x):\n        y = self.both(x)\n        return y\n"
    )
    lines = shapes.render(shapelint.check("net.py:Net", "1,3,H,W")).splitlines()
    marks = [line.strip() for line in lines if "^" in line]
    assert [mark.partition(" gives back")[0] for mark in marks] == ["^ `up`"]


SCALAR = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.LazyConv2d(2, 1)

    def forward(self, x):
        y = self.second(self.first(x)).mean()
        return y
"""


def test_a_tensor_without_dims_has_a_shape_and_lazy_layers_are_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(SCALAR)
    assert run(["shapes", "net.py", "--input", "1,3,H,W"]) == 0
    assert "y = self.second(self.first(x)).mean()  # ()" in capsys.readouterr().out
    assert run(["shapes", "net.py", "--input", "1,3,H,W", "--table"]) == 0
    assert capsys.readouterr().out.endswith("\n16 parameters, without those of lazy layers\n")


ROOTS = """
import math
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, size=int(math.sqrt(3 * x.shape[2]))))
"""
CHUNKS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 3, padding=1)

    def forward(self, x):
        made = []
        for i in range(x.shape[2] // 4):
            made.append(self.conv(x[:, :, 4 * i:4 * i + 4]))
        return torch.cat(made, dim=2)
"""


def test_a_size_that_is_not_proved_is_run_for_its_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(ROOTS)
    assert run(["shapes", "net.py", "--input", "1,3,L"]) == 0
    assert "# 1,8,13 (seen at L=64, not proved)\n" in capsys.readouterr().out
    assert run(["shapes", "net.py", "--input", "1,3,L", "--at", "L=41"]) == 0
    said = capsys.readouterr().out
    assert "at L=41: not proved; gave 1,8,11 in a run on meta tensors" in said
    assert "# 1,8,11\n" in said
    report = shapelint.check("net.py:Net", "1,3,L")
    assert [call.at(L=41) for call in report.calls_at(L=41) if call.kind] == [((1, 8, 11),), ((1, 8, 11),)]
    with pytest.raises(shapelint.ShapelintError, match="sizes are asked for L; got H"):
        report.calls_at(H=41)


def test_each_turn_of_a_loop_is_a_call_at_one_size(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(CHUNKS)
    report = shapelint.check("net.py:Net", "1,3,L")
    calls = [(call.module, call.call, call.at(L=41)) for call in report.calls_at(L=41) if call.kind]
    assert calls == [*(("conv", turn, ((1, 8, 4),)) for turn in range(1, 11)), ("", 1, ((1, 8, 40),))]
    said = shapes.render(report)
    assert "# 1,8,4 (several times)\n" in said
    assert "^ `cat` fits only for: L at least 4\n" in said
    run(["shapes", "net.py", "--input", "1,3,L", "--at", "L=41"])
    assert "# 1,8,4 (10 times)\n" in capsys.readouterr().out


NAMES = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, 1)

    def forward(self, x):
        skip = x
        feats = [x, self.down(x)]
        low = feats[1]
        one, two = feats
        row = x[0]
        a = low if x.shape[2] > 4 else skip
        self.size, b = x.shape[2], two
        return a
"""


def test_another_name_for_a_tensor_has_its_shape() -> None:
    Path("net.py").write_text(NAMES)
    said = shapes.render(shapelint.check("net.py:Net", "1,3,H,W"))
    small = "1,8,(H + 1)//2,(W + 1)//2"
    lines = [line.partition("# ") for line in said.splitlines() if " = " in line]
    assert [(line[0].split(maxsplit=1)[1].strip(), line[2]) for line in lines] == [
        ("skip = x", "1,3,H,W"),
        ("feats = [x, self.down(x)]", f"1,3,H,W, then {small}"),
        ("low = feats[1]", small),
        ("one, two = feats", f"1,3,H,W and {small}"),
        ("row = x[0]", "3,H,W"),
        ("a = low if x.shape[2] > 4 else skip", f"{small}, then 1,3,H,W for H from 1 to 4, any W"),
        ("self.size, b = x.shape[2], two", small),
    ]


PATCHES = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 32, 32)
        self.table = nn.Parameter(torch.zeros(1, 8, 65))

    def forward(self, x):
        x = self.patch(x).flatten(2)
        return x + self.table[:, :, : x.shape[2]]
"""


def test_sizes_that_fit_a_line_are_named_of_those_that_reach_it() -> None:
    Path("net.py").write_text(PATCHES)
    said = shapes.render(shapelint.check("net.py:Net", "1,3,H,W"))
    (mark,) = [line.strip() for line in said.splitlines() if "`add` fits only for" in line]
    assert mark.startswith("^ `add` fits only for: ")
    assert "1x1" not in mark
