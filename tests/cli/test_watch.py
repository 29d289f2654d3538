"""`shapelint watch`: a report after each save, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of a terminal")
def test_a_save_is_answered_until_ctrl_c(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text(MODEL)
    command = [sys.executable, "-m", "shapelint", "watch", "net.py", "--input", "1,3,6,6"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert any("SL101" in line for line in until(lines, "waiting for a save"))
        net.write_text(MODEL + "    def (")
        assert any("SyntaxError" in line for line in until(lines, "waiting for a save"))
        net.write_text(MODEL.replace("stride=2, padding=1)\n\n", "stride=2, padding=1, output_padding=1)\n\n"))
        assert any("ok" in line and "1,3,6,6" in line for line in until(lines, "waiting for a save"))
        process.send_signal(signal.SIGINT)
        assert "interrupted" in process.stdout.read()
    assert process.returncode in (130, -signal.SIGINT)
