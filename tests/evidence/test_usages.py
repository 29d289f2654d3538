"""How a project builds and calls a class, as far as its source says it in literals."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.evidence.usages import usages

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, channels, classes=2): ...
"""

CALLS = {
    "one line": ("y = Net(3)(torch.randn(1, 3, 64, 64))", [("3", "1,3,64,64")]),
    "a name": ("net = Net(3, classes=4)\nx = torch.rand((2, 3, 32, 32))\nnet(x)", [("3, classes=4", "2,3,32,32")]),
    "a device": ("net = Net(3).to('cpu').eval()\nnet(torch.zeros(1, 3, 8, 8).cuda())", [("3", "1,3,8,8")]),
    "a constant": ("SIZE = 64 // 2\nnet = Net(3)\nnet(torch.ones(1, 3, SIZE, SIZE))", [("3", "1,3,32,32")]),
    "an integer": ("net = Net(9)\nnet(torch.randint(0, 9, (2, 7)))", [("9", "2,7:int64")]),
    "under main": ("if __name__ == '__main__':\n    net = Net(1)\n    net(torch.randn(1, 1, 9))", [("1", "1,1,9")]),
    "a default": ("def main(depth=5):\n    return Net(depth)", [("5", None)]),
    "argparse": ("parser.add_argument('--width', type=int, default=12)\nnet = Net(args.width)", [("12", None)]),
    "a test's own": (
        "class T:\n  def setUp(self):\n    self.net = Net(3)\n  def test(self):\n    self.net(torch.randn(1, 3, 5, 5))",
        [("3", "1,3,5,5"), ("3", None)],
    ),
    "two values": ("n = 3\nif y:\n    n = 4\nNet(n)", []),
    "unknown": ("Net(depth())", []),
    "raising": ("net = Net(3)\nwith pytest.raises(RuntimeError):\n    net(torch.randn(1, 1, 5, 5))", [("3", None)]),
    "tried": ("net = Net(3)\ntry:\n    net(torch.randn(1, 1, 5, 5))\nexcept RuntimeError: pass", [("3", None)]),
}


@pytest.mark.parametrize(("code", "found"), CALLS.values(), ids=CALLS)
def test_literals_are_read(code: str, found: list[tuple[str, str | None]], tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET + code)
    seen = [(each.built, None if each.inputs is None else str(each.inputs[0])) for each in usages(str(file), "Net")]
    assert sorted(set(seen), key=str) == sorted({*found, *((built, None) for built, _ in found)}, key=str)


def test_another_file_counts_where_it_imports_the_class(tmp_path: Path) -> None:
    file, tests = tmp_path / "net.py", tmp_path / "tests"
    file.write_text(NET)
    tests.mkdir()
    (tests / "test_net.py").write_text("from net import Net\nimport torch\nNet(3)(torch.randn(1, 3, 64, 64))\n")
    (tests / "test_other.py").write_text("from elsewhere import Net\nimport torch\nNet(5)(torch.randn(1, 5, 9, 9))\n")
    assert {each.built for each in usages(str(file), "Net")} == {"3"}


def test_nothing_is_run(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("raise SystemExit('run')\n" + NET + "\nNet(3)")
    assert [each.args for each in usages(str(file), "Net")] == [(3,)]
