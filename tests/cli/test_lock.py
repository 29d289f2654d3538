"""`shapelint lock` and `shapelint diff`: what a change of the code did to the sizes of a project's models."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from shapelint.cli.app import run

NET = """
import torch
from torch import nn


# shapelint: input=1,3,H,W
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, image):
        return self.deconv(self.conv(image))
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with one model, whose lock is committed."""
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("")
    Path("net.py").write_text(NET)
    assert run(["lock"]) == 0
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], check=True)


def test_sizes_that_are_lost_fail_and_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace(", output_padding=1", ""))
    assert run(["diff"]) == 1
    assert capsys.readouterr().out == (
        "net.py:Net at 1,3,H,W\n"
        "  no longer restores the size for: H and W even\n"
        "  gives another size for: every size\n"
        "  now restores the size for: H and W odd\n"
        "1 model lost sizes, 0 lost none\n"
    )


def test_a_size_that_raises_now_comes_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace("return self.deconv", "return image + self.deconv"))
    Path("shapelint.lock").unlink()  # the one of the revision is meant
    assert run(["diff", "--base", "HEAD", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["models"]["net.py:Net at 1,3,H,W"]
    assert found["no_longer_run"].startswith("every size but H and W even")
    assert all(cause["at"] == "`forward` (net.py:14:16)" for cause in found["causes"])


def test_a_model_that_is_gone_is_lost_and_a_new_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff"]) == 0
    Path("net.py").write_text(NET.replace("Net(", "Other("))
    assert run(["diff"]) == 1
    printed = capsys.readouterr().out
    assert "net.py:Net at 1,3,H,W\n  is in the lock, and is no more\n" in printed
    assert "net.py:Other at 1,3,H,W\n  is not in the lock: write it with `shapelint lock`\n" in printed
    assert run(["lock"]) == 0
    assert run(["diff"]) == 0


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("net.py", "net.py is no lock; write one with `shapelint lock`"),
        ("nowhere", "no lock at 'nowhere': fatal: invalid object name 'nowhere'."),
        ("--output=x", "'--output=x' is neither a file nor a git revision"),
    ],
)
def test_what_is_no_lock_is_told_in_a_line(base: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", f"--base={base}"]) == 2
    assert capsys.readouterr().err.splitlines() == [f"shapelint: {line}"]
