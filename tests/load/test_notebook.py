"""Notebooks as targets: what a class needs is run, findings name the cell and the line, nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.errors import TargetError
from shapelint.source.notebook import cells, place_in

NET = """\
%%time
class Net(nn.Module):
    def __init__(self, width=layers[1]):
        super().__init__()
        self.conv = nn.Conv2d(layers[0], width, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(width, total, 3, stride=2, padding=1)

    def forward(self, image):
        return self.deconv(self.conv(image))"""

CELLS = (
    ("markdown", "# A net\nclass Net: no code"),
    ("code", "%pip install torch\n!nvidia-smi\nimport torch\nfrom torch import nn\nraw = !ls\ntorch.rand?"),
    ("code", "%%bash\necho $HOME"),
    ("code", "layers = [3]\nlayers.append(8)\ntotal = 7 \\\n% 4"),
    ("code", "data = torch.load('huge.pt')\nfor batch in data:\n    raise SystemExit('training')"),
    ("code", NET),
    ("code", "net = Net()\nnet.load_state_dict(torch.load('weights.pt'))\nnet(torch.zeros(1, 3, 6, 6))"),
    ("code", "def is not Python"),
)


def notebook(*found: tuple[str, str]) -> str:
    written = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in found]
    Path("net.ipynb").write_text(json.dumps({"cells": written, "metadata": {}, "nbformat": 4}))
    return "net.ipynb"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook(*CELLS)


@pytest.mark.parametrize("target", ["net.ipynb:Net", "net.ipynb:net", "net.ipynb"])
def test_a_finding_names_the_cell_and_the_line(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    asks = () if target.endswith("ipynb") else ("--input", "1,3,6,6")
    assert run(["check", target, *asks, "--no-confirm"]) == 1
    out = capsys.readouterr().out
    head, _, line, *_ = out.splitlines()
    assert head == "net.ipynb:cell 6:6:23: error SL101 round-trip-size: `deconv` gives back 5x5 where `conv` took 6x6"
    assert line == " 6 |         self.deconv = nn.ConvTranspose2d(width, total, 3, stride=2, padding=1)"
    assert "= no edit: a notebook is not written; make the change in its cell" in out
    assert asks or "assumed 1,3,6,6: as in net.ipynb:cell 7:3" in out


def test_a_notebook_is_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("net.ipynb").read_bytes()
    assert run(["check", "net.ipynb:Net", "--input", "1,3,6,6", "--no-confirm", "--fix"]) == 1
    assert Path("net.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("github", ("::error file=net.ipynb,line=1,", "::cell 6, line 6: `deconv` gives back 5x5")),
        ("gitlab", ('"path": "net.ipynb"', "cell 6, line 6: `deconv`")),
        ("sarif", ('"uri": "net.ipynb"', "cell 6, line 6: `deconv`")),
    ],
)
def test_code_hosts_get_the_file_and_the_cell_in_words(
    form: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run(["check", "net.ipynb:Net", "--input", "1,3,6,6", "--no-confirm", "--format", form])
    out = capsys.readouterr().out
    assert all(word in out for word in words), out


def test_a_comment_in_a_cell_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    commented = NET.replace("class Net", "# shapelint: input=1,3,9,9\nclass Net").removeprefix("%%time\n")
    notebook(*CELLS[:5], ("code", commented))
    assert run(["check", "net.ipynb", "--no-confirm"]) == 0
    assert capsys.readouterr().out.startswith("net.ipynb:Net at 1,3,9,9: ok")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("net.ipynb:Nett", "no cell of 'net.ipynb' defines 'Nett', did you mean 'Net'?"),
        ("net.ipynb:Other", "no cell of 'net.ipynb' defines 'Other'; a cell is no Python: SyntaxError: invalid syntax"),
        ("nte.ipynb:Net", "there is no file 'nte.ipynb', did you mean 'net.ipynb'?"),
        ("text.ipynb:Net", "cannot read 'text.ipynb': it is no Jupyter notebook"),
    ],
)
def test_what_cannot_be_read_is_one_line(target: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.ipynb").write_text("print()")
    assert run(["check", target, "--input", "1,3,6,6", "--no-confirm"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert words in told


def test_cells_keep_their_lines_and_are_counted_with_those_of_text() -> None:
    found = cells("net.ipynb")
    assert [cell.file for cell in found] == [f"net.ipynb:cell {number}" for number in range(2, 9)]
    assert found[0].text == "pass\npass\nimport torch\nfrom torch import nn\nraw = None\npass"
    assert [len(cell.body) for cell in found] == [6, 0, 3, 2, 2, 3, 0]
    assert place_in("net.ipynb", 7) == ("net.ipynb:cell 3", 1)


@pytest.mark.parametrize(
    "cell",
    [
        "for channels in (3, 8):\n    layers.append(channels)",
        "def fill():\n    layers.extend([3, 8])\n\nfill()",
        "def fill():\n    global layers\n    layers = [3, 8]\n\nfill()",
        "layers += [3, 9, 8]\ndel layers[1]",
        "if torch.cuda.is_available() or True:\n    layers[:] = [3, 8]",
    ],
)
def test_all_that_changes_what_a_name_needs_is_run(cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    net = ("code", NET.replace("total", "3"))
    notebook(("code", "import torch\nfrom torch import nn\nlayers = []"), ("code", cell), net)
    assert run(["check", "net.ipynb:Net", "--input", "1,3,6,6", "--no-confirm", "--format", "concise"]) == 1
    assert "SL101" in capsys.readouterr().out


def test_another_language_is_refused() -> None:
    Path("r.ipynb").write_text('{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}')
    with pytest.raises(TargetError, match=r"'r.ipynb': it is no Jupyter notebook"):
        cells("r.ipynb")
