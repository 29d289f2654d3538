"""`--write-inputs`: what was assumed becomes a comment above the class, and is what the next check takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.cli.app import run

NETS = """import functools
from torch import nn


@functools.total_ordering
class Net(nn.Module):
    __lt__ = nn.Module.__eq__

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.conv(x)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Embedding(9, 4)

    def forward(self, batch):
        return self.layer(batch["ids"])


class Built(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(width, 4)

    def forward(self, x):
        return self.layer(x)


net = Built(5)
"""
COMMENT = "# shapelint: input=1,3,H,W\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NETS)


def test_the_diff_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "net.py", "--no-confirm", "--write-inputs", "--diff"]) == 0
    assert f"\n+{COMMENT} @functools.total_ordering\n" in capsys.readouterr().out
    assert Path("net.py").read_text() == NETS


def test_the_comment_stands_above_the_decorators_and_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "net.py", "--no-confirm", "--write-inputs"]) == 0
    # No comment can say how a class is built.
    words = "# shapelint: input=batch.ids=1,L:int64\n"
    assert Path("net.py").read_text() == NETS.replace("@func", f"{COMMENT}@func").replace(
        "class Words", f"{words}class Words"
    )
    captured = capsys.readouterr()
    assert "wrote `# shapelint: input=1,3,H,W` into net.py:5\n" in captured.err
    assert "assumed 1,3,H,W" in captured.out
    for name in ("Net", "Words"):
        assert run(["check", f"net.py:{name}", "--no-confirm"]) == 0
        assert "assumed" not in capsys.readouterr().out
