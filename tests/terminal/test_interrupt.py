"""Ctrl-C and SIGTERM: the exit code of an interrupt, and every file as it was or as it was to become."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.cli.fix import Fixer
from shapelint.edit.document import Document
from shapelint.terminal.interrupt import undisturbed, unfinished
from shapelint.terminal.output import write
from tests.fabricated import MODEL

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]

PRESSED = MODEL.replace("class Net", "# shapelint: input=1,3,6,6\nclass Net") + (
    "\n    def forward(self, image):\n        import os, signal, time\n"
    "        os.kill(os.getppid(), signal.SIGINT)\n        time.sleep(100)\n"
)
COMMANDS = (
    ["check", "net.py", "--no-confirm"],
    ["check", "net.py", "net.py:Net", "--input", "1,3,H,W", "--no-confirm", "-j", "2"],
    ["check", "net.py", "--no-confirm", "--fix"],
    ["check", "net.py", "--no-confirm", "--output", "report.txt"],
    ["check", "net.py", "--no-confirm", "--write-baseline", "known.json"],
    ["hook", "net.py"],
    ["show", "net.py", "-o", "net.html"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_ctrl_c_ends_a_command_and_nothing_is_written(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shapelint.jobs.pool.can_fork", lambda: True)
    Path("net.py").write_text(PRESSED)
    assert run(command, apart=True) == 130
    assert capfd.readouterr().out == ""
    assert {each.name for each in tmp_path.iterdir()} <= {"net.py", "__pycache__"}
    assert Path("net.py").read_text() == PRESSED
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_process_ends_by_itself_at_ctrl_c() -> None:
    program = (
        "import os, signal\nfrom shapelint.terminal.interrupt import leave_at_ctrl_c\nleave_at_ctrl_c()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\nfinally:\n    print('swallowed')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "shapelint: interrupted\n")


def test_what_is_unfinished_is_ended_by_exceptions() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"), unfinished():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_file_is_whole_where_its_writing_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.txt"
    file.write_text("old")
    replace = Path.replace

    def pressed(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", pressed)
    with pytest.raises(KeyboardInterrupt):
        write(str(file), "new")
    assert (file.read_text(), os.listdir(tmp_path)) == ("new", ["report.txt"])


def test_fixes_are_taken_back_where_their_last_check_is_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("old\n")
    before = Document.read(str(file))
    fixer = Fixer(lambda *_: (), unsafe=False)
    fixer.before[str(file)], fixer.after[str(file)] = before, Document(str(file), "new\n", before.encoding)
    seen = []
    with pytest.raises(SystemExit, match="143"), fixer.written():  # noqa: PT012
        seen.append(file.read_text())
        os.kill(os.getpid(), signal.SIGTERM)
    assert seen == ["new\n"]
    assert (file.read_text(), os.listdir(tmp_path)) == ("old\n", ["net.py"])


def test_nothing_disturbs_what_is_not_to_be_disturbed() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), undisturbed():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        done.append(True)
    assert done
