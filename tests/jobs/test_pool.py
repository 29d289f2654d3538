"""Several models at once: reports in the order of the targets, and one model's end is that model's error."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.jobs.pool import processes
from shapelint.terminal.progress import Bar
from tests.fabricated import MODEL

LEAVES = "class Leaves(Net):\n    def __init__(self):\n        import os\n        os._exit(3)\n"
MODELS = f"{MODEL}\n\nclass Other(Net):\n    pass\n\n\n{LEAVES}"


def test_reports_keep_the_order_of_the_targets(tmp_path: Path) -> None:
    Path(tmp_path, "nets.py").write_text(MODELS)
    targets = ["nets:Leaves", "nets:Other", "nets.py:Leaves", "nets:Net", "nets.py:Other"]
    command = [sys.executable, "-m", "shapelint", "check", *targets, "--input", "1,3,6,6", "--no-confirm", "-j", "2"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert [each["target"] for each in json.loads(done.stdout)["targets"]] == [
        "nets:Other",
        "nets:Net",
        "nets.py:Other",
    ]
    ended = "the model's code ended the process (exit code 3); nothing was checked"
    assert done.stderr.splitlines() == [f"shapelint: {name}: {ended}" for name in ("nets:Leaves", "nets.py:Leaves")]


def test_the_number_of_processes() -> None:
    assert processes(3) == 3
    assert processes(0) >= 1
    assert run(["check", "mymodel:Net", "-j", "many"]) == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_for_terminals_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    shown = {}
    for name, stream, total in (("two", Terminal(), 2), ("one", Terminal(), 1), ("pipe", io.StringIO(), 2)):
        monkeypatch.setattr(sys, "stderr", stream)
        bar = Bar(total)
        bar.show(1, ["net.py:Net"])
        bar.show_one("net.py:Net")  # where it takes long
        bar.finish()
        shown[name] = stream.getvalue()
    two, one = "############------------ 1/2 net.py:Net", "checking net.py:Net"
    assert shown == {"two": f"\r\x1b[2K{two}\r\x1b[2K", "one": f"\r\x1b[2K{one}\r\x1b[2K", "pipe": ""}
