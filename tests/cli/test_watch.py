"""`shapelint watch`: a report after each save, until Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fabricated import MODEL


def until(lines: Iterator[str], words: str) -> list[str]:
    """The lines up to the one that has some words."""
    found = []
    for line in lines:
        found.append(line.rstrip())
        if words in line:
            return found
    raise AssertionError(found)


@contextmanager
def watching(
    folder: Path, stdout: int = subprocess.PIPE, name: str = "watch", *options: str
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "shapelint", name, "net.py", "--input", "1,3,6,6", *options]
    with subprocess.Popen(
        command, cwd=folder, stdout=stdout, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of a terminal")
def test_a_save_is_answered_until_ctrl_c(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text(MODEL)
    with watching(tmp_path) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert any("SL101" in line for line in until(lines, "waiting for a save"))
        net.write_text(MODEL + "    def (")
        assert any("SyntaxError" in line for line in until(lines, "waiting for a save"))
        net.unlink()
        assert any("No such file" in line for line in until(lines, "waiting for a save"))
        net.write_text(MODEL.replace("stride=2, padding=1)\n\n", "stride=2, padding=1, output_padding=1)\n\n"))
        said = until(lines, "waiting for a save")
        assert any("ok" in line and "1,3,6,6" in line for line in said)
        assert "\x1b" not in "".join(said)
        process.send_signal(signal.SIGINT)
        assert "interrupted" in process.stdout.read()
    assert process.returncode in (130, -signal.SIGINT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_saves_are_answered_by_one_warm_process_and_end_a_check_that_hangs(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    told = "import os\nprint('asked by', os.getppid())\n" + MODEL
    net.write_text(told)
    with watching(tmp_path) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        first = [line for line in until(lines, "waiting for a save") if "asked by" in line]
        net.write_text(told + "\n")
        again = [line for line in until(lines, "waiting for a save") if "asked by" in line]
        assert first == again != [f"asked by {process.pid}"]
        net.write_text(
            told.replace(
                "return ", "import time\n        time.sleep(print('hangs', flush=True) or 99)\n        return "
            )
        )
        until(lines, "hangs")
        net.write_text(told)
        assert any("SL101" in line for line in until(lines, "waiting for a save"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a terminal")
@pytest.mark.parametrize("command", ["watch", "check"])
def test_a_terminal_is_told_which_model_takes_long(tmp_path: Path, command: str) -> None:
    (tmp_path / "net.py").write_text(MODEL.replace("return ", "import time\n        time.sleep(99)\n        return "))
    ours, theirs = pty.openpty()
    with watching(tmp_path, theirs, command, "--timeout", "3"):
        os.close(theirs)
        with os.fdopen(ours, errors="replace") as terminal:
            said = "".join(until(iter(terminal), "does not end"))
    assert "checking net.py:Net" in said.partition("shapelint: net.py:Net: does not end")[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a terminal")
def test_a_terminal_is_cleared_for_each_report(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODEL + "    def (")
    ours, theirs = pty.openpty()
    with watching(tmp_path, theirs):
        os.close(theirs)
        with os.fdopen(ours, errors="replace") as terminal:
            assert until(iter(terminal), "waiting for a save")[0].startswith("\x1b[2J\x1b[1;1H")
