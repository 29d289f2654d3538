"""What lies about where a check is run: files with the names of modules, odd names, links, disks, and two at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fabricated import MODEL

SHADOWS = ("click", "islpy", "json", "numpy", "onnx", "onnxruntime", "random", "string", "torch", "types")


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shapelint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_files_named_as_modules_are_not_imported_in_their_place(tmp_path: Path) -> None:
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("raise ImportError('the wrong file')\n")
    (tmp_path / "model.py").write_text(MODEL)
    done = started(tmp_path, "check", "model.py:Net", "--input", "1,3,6,6")
    assert (done.returncode, done.stderr) == (1, "")
    assert "6x6 with the repair" in done.stdout
    assert started(tmp_path, "rules").returncode == 0
