"""Files that train, load or lack a package as they are imported: the class is checked, what was left out is told."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import shapelint
from shapelint.errors import ShapelintError, TargetError
from shapelint.load import script
from shapelint.source.needed import work

NET = """
class Net(nn.Module):
    def __init__(self, width=WIDTH):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)

    def forward(self, images):
        return self.conv(images)
"""
HEAD = "import torch\nfrom torch import nn\nWIDTH = 8\n"
TRAINING = """
for images, labels in loader():
    loss = Net()(images).sum()
    loss.backward()
"""
FUNCTION = "\ndef train():\n    net = Net()\n    net.loss.backward()\n    raise SystemExit('trained')\n\ntrain()\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "net", raising=False)


def remarks(source: str, target: str = "net.py:Net", shape: str = "1,8,H,W") -> tuple[str, ...]:
    """What the report says of the import; the output has the width that the source gives it."""
    Path("net.py").write_text(source)
    report = shapelint.check(target, "1,3,H,W", expect=shape)
    assert report.ok, report.findings
    return report.remarks


@pytest.mark.parametrize("target", ["net.py:Net", "net:Net"])
@pytest.mark.parametrize(
    ("work", "line"),
    [
        (TRAINING, 13),
        (FUNCTION, 18),
        ("while True:\n    pass\n", 12),
        ("from torch import hub\ndata = hub.MNIST('data', download=True)\n", 13),
    ],
)
def test_what_trains_or_never_ends_is_not_run(work: str, line: int, target: str) -> None:
    said = f"only what Net needs of net.py was run: line {line} trains, downloads or never ends"
    assert remarks(HEAD + NET + work, target) == (said,)


def test_what_raises_beside_the_class_is_left_out() -> None:
    (said,) = remarks(HEAD + NET + "weights = torch.load('weights.pt')\n")
    assert said.startswith("only what Net needs of net.py was run: as a whole it raises FileNotFoundError")
    assert said.endswith("(net.py:12)")


def test_a_file_that_is_written_while_it_is_read_is_no_python_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def written(statements: list[ast.stmt]) -> ast.stmt | None:
        Path("net.py").write_text("class Net(")
        return work(statements)

    monkeypatch.setattr(script, "work", written)
    with pytest.raises(TargetError, match=r"cannot import 'net.py': SyntaxError: '\(' was never closed \(.*net.py:1\)"):
        remarks(HEAD + NET + TRAINING)


def test_what_the_class_needs_raises_as_it_does() -> None:
    Path("net.py").write_text("from torch import nn\nWIDTH = open('width').read()\n" + NET)
    with pytest.raises(ShapelintError, match=r"cannot import 'net.py': FileNotFoundError.*\(net.py:2\)"):
        shapelint.check("net.py:Net", "1,3,H,W")


def test_arguments_of_the_command_line_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["shapelint", "check", "net.py:Net"])
    parser = "import argparse as a\nparser = a.ArgumentParser()\nparser.add_argument('--width', type=int, default=16)\n"
    source = HEAD + parser + "WIDTH = parser.parse_args().width\n" + NET
    assert remarks(source, shape="1,16,H,W") == ()
    (said,) = remarks(source + TRAINING, shape="1,16,H,W")
    assert "line 17 trains" in said


def test_what_the_class_is_built_with_is_there_too() -> None:
    net = NET.replace("width=WIDTH", "layer").replace("nn.Conv2d(3, width, 3, padding=1)", "layer(3)")
    part = NET.replace("Net", "Part").replace("width=WIDTH", "width")
    Path("net.py").write_text(HEAD + part + net + "def make():\n    return Net(Part)\n" + TRAINING)
    report = shapelint.check("net.py:Net")
    assert report.assumed.startswith("assumed Net(Part) as in net.py:")


def test_two_classes_of_a_file_that_trains_are_each_run_for_itself() -> None:
    other = NET.replace("Net", "Other").replace("width=WIDTH", "width=OTHER")
    source = HEAD + "OTHER = 4\n" + NET + other + TRAINING
    assert len(remarks(source, "net.py:Net")) == len(remarks(source, "net.py:Other", "1,4,H,W")) == 1


UNUSED = """
import nowhere as no, torch
from nowhere.deep import Mixin, tool
from torch import nn
no.style.use("dark")
WIDTH = 8
@no.main(config="x")
def main(config): ...
class Trainer(no.Trainer):
    pass
"""


def test_a_package_that_the_model_does_not_use_need_not_be_there() -> None:
    said = "not installed, and the model runs without: `nowhere` (net.py:2)"
    assert remarks(UNUSED + NET) == (said,)
    assert "nowhere" not in sys.modules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("self.conv(images)", "tool(self.conv(images))"), "Net does not run: ModuleNotFoundError: .*'nowhere'"),
        (("self.conv(images)", "images if tool else images"), "Net does not run: ModuleNotFoundError: .*'nowhere'"),
        (("(nn.Module)", "(Mixin, nn.Module)"), "cannot build Net: ModuleNotFoundError: No module named 'nowhere'"),
        (("(nn.Module)", "(no.Module)"), "Net derives from a class of nowhere, which is not installed"),
        (("class Net", "WIDTH += tool\nclass Net"), r"cannot import 'net.py': ModuleNotFoundError: .*'nowhere'"),
        (("class Net", "@tool\nclass Net"), r"cannot import 'net.py:Net': ModuleNotFoundError.* \(net.py:2\)"),
    ],
)
def test_a_package_that_the_model_uses_is_missed(change: tuple[str, str], message: str) -> None:
    Path("net.py").write_text(UNUSED + NET.replace(*change))
    with pytest.raises(ShapelintError, match=message):
        shapelint.check("net.py:Net", "1,3,H,W")


def test_an_import_that_is_tried_is_missing_as_ever() -> None:
    tried = "import nowhere\ntry:\n    import nowhere\n    WIDTH = 4\nexcept ImportError:\n    WIDTH = 8\n"
    hasty = "import importlib.util\nWIDTH = 4 if importlib.util.find_spec('gone') else 8\nimport gone\n"
    assert remarks("from torch import nn\n" + tried.partition("\n")[2] + NET) == ()
    assert remarks("from torch import nn\n" + hasty + NET) != ()


USER = "from torch import nn\nfrom train import Net, DEPTH\n\nclass Two(nn.Sequential):\n    def __init__(self):\n"
TWO = USER + "        super().__init__(*(Net(each) for each in DEPTH))\n"


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (TRAINING, "line 14 trains, downloads or never ends"),
        ("weights = torch.load('none.pt')\n", "as a whole it raises FileNotFoundError"),
    ],
)
def test_of_an_imported_file_that_trains_or_raises_what_is_imported_is_run(work: str, reason: str) -> None:
    Path("train.py").write_text(HEAD + "DEPTH = [8]\n" + NET + work)
    Path("blocks.py").write_text(TWO)
    (said,) = remarks("from blocks import Two as Net\n", target="net.py:Net")
    assert said.startswith(f"only what is imported of train.py was run: {reason}")


def test_an_imported_file_that_needs_what_raises_is_told() -> None:
    Path("train.py").write_text("from torch import nn\nDEPTH = [8]\nWIDTH = open('width').read()\n" + NET)
    Path("net.py").write_text(TWO)
    with pytest.raises(ShapelintError, match=r"cannot import 'net.py': FileNotFoundError.*\(train.py:3\)"):
        shapelint.check("net.py:Two", "1,3,H,W")
