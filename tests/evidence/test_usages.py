"""How a project builds and calls a class, as far as its source says it in literals."""

from __future__ import annotations

import json
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


MORE = {
    "another file's constant": ("from consts import WIDE\nNet(WIDE)", "12"),
    "another file's module": ("import consts\nNet(consts.WIDE, consts.Config().classes)", "12, 4"),
    "a dataclass": ("from consts import Config\nconfig = Config(width=9)\nNet(config.width, config.classes)", "9, 4"),
    "an object": ("from consts import Config\nNet(Config(width=9))", "Config(width=9)"),
    "argparse in a function": ("from consts import parse\noptions = parse()\nNet(options.wide)", "7"),
    "a comprehension": ("Net([2 ** i for i in range(3)])", "[1, 2, 4]"),
    "a spread dict": ("CFG = {'model': {'channels': 5}}\nNet(**CFG['model'])", "channels=5"),
    "a file that the code names": ("c = yaml.safe_load(open('conf.yaml'))\nNet(c['deep']['channels'])", "6"),
    "a class": ("class Block(nn.Module): ...\nNet(Block, nn.ReLU(inplace=True))", "Block, nn.ReLU(inplace=True)"),
    "the annotation of a function": (
        "from consts import Config\ndef main(config: Config):\n    Net(config.width)", "8",
    ),
    "hydra": ("@hydra.main(config_path='.', config_name='conf')\ndef main(cfg):\n    Net(**cfg.named)", "channels=6"),
    "another's name": ("config = load()\nparser.add_argument('--width', default=3)\nNet(config.width)", None),
    "a loop": ("n = 3\nfor n in range(4): ...\nNet(n)", None),
}  # fmt: skip

CONSTANTS = """
import argparse
from dataclasses import dataclass

WIDE = 4 * 3


@dataclass
class Config:
    width: int = 8
    classes: int = 4


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wide", type=int, default="7")
    return parser.parse_args()
"""


@pytest.mark.parametrize(("code", "built"), MORE.values(), ids=MORE)
def test_what_is_no_literal_at_the_call_is_read_where_it_stands(code: str, built: str | None, tmp_path: Path) -> None:
    (tmp_path / "consts.py").write_text(CONSTANTS)
    (tmp_path / "conf.yaml").write_text("deep: {channels: 6}\nnamed: {channels: '${deep.channels}'}\n")
    (tmp_path / "net.py").write_text(NET + code)
    assert [each.built for each in usages(str(tmp_path / "net.py"), "Net")] == [built] * (built is not None)


CONFIGURED = {
    "hydra's name": ("_target_: net.Net\nchannels: 4\nclasses: 7", "channels=4, classes=7"),
    "Lightning's name": ("model:\n  class_path: net.Net\n  init_args: {channels: 4}", "channels=4"),
    "a model's mapping": ("lr: 0.1\nmodel: {channels: 5}", "channels=5"),
    "a number of YAML 1.2": ("model: {channels: 1e2}", "channels=100.0"),
    "another's mapping": ("data: {channels: 5}", None),
    "another class": ("_target_: elsewhere.Net\nchannels: 4", None),
    "an object that is built": ("_target_: net.Net\nchannels: {_target_: net.Count}", None),
    "nothing that YAML reads": ("model: {channels: ", None),
}


@pytest.mark.parametrize(("text", "built"), CONFIGURED.values(), ids=CONFIGURED)
def test_files_of_settings_say_how_a_class_is_built(text: str, built: str | None, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "conf.yaml").write_text(text)
    assert [each.built for each in usages(str(tmp_path / "net.py"), "Net")] == [built] * (built is not None)


def test_code_counts_before_files_of_settings(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET + "Net(3)")
    (tmp_path / "conf.yaml").write_text("model: {channels: 5}")
    assert [each.built for each in usages(str(tmp_path / "net.py"), "Net")] == ["3"]


def test_a_class_of_the_same_name_in_another_file_is_another_one(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (tmp_path / "setup.py").write_text("")
    (package / "__init__.py").write_text("from pkg.wide import Net\n")
    (package / "wide.py").write_text(NET)
    (package / "net.py").write_text(NET)
    (tmp_path / "train.py").write_text("from pkg import Net\nNet(3)\n")
    (tmp_path / "own.py").write_text(NET + "from pkg.net import other\nNet(4)\n")
    (tmp_path / "both.py").write_text("from pkg import net\nNet = net.Net\nmodel = net.Net(5)\n")
    assert [each.built for each in usages(str(package / "wide.py"), "Net")] == ["3"]
    assert [each.built for each in usages(str(package / "net.py"), "Net")] == ["5"]


def test_names_that_two_files_import_from_each_other_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from other import SIZE\n" + NET + "Net(SIZE)\n")
    (tmp_path / "other.py").write_text("from net import SIZE\n")
    assert usages(str(tmp_path / "net.py"), "Net") == ()


README = """
# Net

```sh
pip install Net(1)
```

```python
from net import Net

net = Net(3)
net(torch.randn(1, 3, 64, 64))
```

```python
from elsewhere import Net
Net(4)
```
"""
CELL = {"cell_type": "code", "source": "from net import Net\nNet(6)"}
NOTEBOOK = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4})


def test_blocks_of_a_readme_and_cells_of_notebooks_count(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "try.ipynb").write_text(NOTEBOOK)
    found = usages(str(tmp_path / "net.py"), "Net")
    assert [(each.built, each.line) for each in found if each.file.endswith(".md")] == [("3", 12), ("3", 11)]
    assert [each.built for each in found if each.file.endswith(".ipynb")] == ["6"]
