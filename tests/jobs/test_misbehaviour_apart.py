"""Models that hang, crash, end the program or spoil what is around them, checked in a process of their own.

They are checked by the command line's own way, but forked from this process, where torch is imported already. What is
stopped by the time loops without end, so that a slow machine changes nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.jobs.watchdog import run_here
from shapelint.source.ownership import dumped_frames
from tests.fabricated import MODEL

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]

MODELS = (
    MODEL
    + """

import argparse, bdb, ctypes, os, sys, tempfile, types, warnings


class Loops(Net):
    def forward(self, x):
        while True:
            pass


class Crashes(Net):
    def forward(self, x):
        ctypes.string_at(0)


class Leaves(Net):
    def __init__(self):
        os._exit(3)


class Halt(BaseException):
    pass


class Halts(Net):
    def forward(self, x):
        raise Halt("enough")


class Interrupts(Net):
    def forward(self, x):
        raise KeyboardInterrupt


class Exits(Net):
    def forward(self, x):
        exit()


class Recurses(Net):
    def forward(self, x):
        return self.forward(x)


class Wordless(BaseException):
    def __str__(self):
        raise ValueError("no words")


class Mute(Net):
    def forward(self, x):
        raise Wordless


class Stops(Net):
    def forward(self, x):
        raise bdb.BdbQuit  # as a breakpoint does without a terminal
        return super().forward(x)


class Moves(Net):
    def forward(self, x):
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        return super().forward(x)


class Forgets(Net):
    def forward(self, x):
        sys.meta_path.clear()
        sys.path_hooks.clear()
        sys.path_importer_cache.clear()
        return super().forward(x)


class Odd:
    def __getattr__(self, name):
        raise RuntimeError(name)


class Strange(Net):
    def __init__(self):
        super().__init__()
        sys.modules["odd"], sys.modules["number"] = Odd(), types.SimpleNamespace(__file__=5)


class Parses(Net):
    def __init__(self):
        super().__init__()
        parser = argparse.ArgumentParser()
        parser.add_argument("--depth", default=1)
        parser.parse_args()


class Warns(Net):
    def forward(self, x):
        warnings.warn("log() without a trainer")
        return super().forward(x)


class Prints(Net):
    def forward(self, x):
        print("printed")
        os.write(1, b"\\xff\\n")
        sys.stdout.close()
        return super().forward(x)
"""
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shapelint.jobs.pool.can_fork", lambda: True)
    Path("bad.py").write_text(MODELS)


def line_of(text: str) -> int:
    """The line of the models that holds the text."""
    return next(number for number, line in enumerate(MODELS.splitlines(), 1) if text in line)


OPTIONS = ("--input", "1,3,H,W", "--no-confirm", "--format", "json", "--no-cache")


def check(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, list[str]]:
    code = run(["check", *arguments, *OPTIONS], apart=True)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    return code, out, err.splitlines()


def test_each_model_that_fails_is_one_line_and_the_others_are_reported(capfd: pytest.CaptureFixture[str]) -> None:
    names = ("Prints", "Halts", "Interrupts", "Exits", "Recurses", "Crashes", "Mute", "Stops", "Leaves", "Net")
    code, out, err = check(capfd, *(f"bad:{name}" for name in names))
    assert code == 2
    assert [each["target"] for each in json.loads(out)["targets"]] == ["bad:Prints", "bad:Net"]
    raised = "nothing was checked (--traceback shows where)"
    told = [line.removeprefix("shapelint: bad:") for line in err if line.startswith("shapelint: ")]
    halts, interrupts, exits, recurses, crashes, mute, stops, leaves = told
    assert halts == f"Halts: the model's code raised Halt: enough; {raised}"
    assert interrupts == f"Interrupts: the model's code raised KeyboardInterrupt; {raised}"
    assert exits.startswith("Exits does not run: SystemExit")
    assert recurses.startswith("Recurses does not run: RecursionError: maximum recursion depth exceeded")
    place = f"at bad.py:{line_of('ctypes.string_at')}, in forward"
    assert crashes == f"Crashes: the process crashed with SIGSEGV (Segmentation fault) {place}"
    assert mute == f"Mute: the model's code raised Wordless; {raised}"
    assert stops == f"Stops does not run: BdbQuit (bad.py:{line_of('bdb.BdbQuit')}:9)"
    assert leaves == "Leaves: the model's code ended the process (exit code 3); nothing was checked"
    assert "printed" in err


def test_a_model_that_nobody_named_and_that_ends_the_process_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad.py").unlink()
    leaves = "\n\nclass Leaves(nn.Module):\n    def __init__(self):\n        import os\n        os._exit(3)\n"
    Path("net.py").write_text(MODEL + leaves + "    def forward(self, x): ...\n")
    assert run(["check", ".", "--no-confirm", "--no-cache", "--format", "json"], apart=True) == 0
    out, err = capfd.readouterr()
    assert [each["target"] for each in json.loads(out)["targets"]] == ["net.py:Net"]
    assert json.loads(out)["targets"][0]["assumed"].startswith("assumed 1,3,H,W: ")
    assert err.splitlines() == [
        "shapelint: net.py:Leaves: the model's code ended the process (exit code 3); nothing was checked",
        "shapelint: checked 1 of 2 models found by reading",
    ]


@pytest.mark.parametrize("name", ["Moves", "Forgets", "Strange", "Parses"])
def test_what_a_model_spoils_does_not_stop_its_check(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capfd, f"bad:{name}")
    assert (code, err) == (1, [])
    assert [each["code"] for each in json.loads(out)["targets"][0]["findings"]] == ["SL105"]


def test_what_an_import_removes_from_the_ways_of_imports_is_there_again(capfd: pytest.CaptureFixture[str]) -> None:
    Path("bare.py").write_text("import sys\nsys.path.clear()\nsys.meta_path = []\n" + MODEL)
    assert check(capfd, "bare.py:Net")[0] == 1


def test_a_warning_in_forward_is_told_once_at_its_line() -> None:
    command = [sys.executable, "-m", "shapelint", "check", "bad.py:Warns", *OPTIONS]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    place = Path("bad.py").absolute()
    words = "log() without a trainer"
    assert told == f'{place}:{line_of(words)}: UserWarning: {words}\n  warnings.warn("{words}")\n'


def test_a_model_that_does_not_end_is_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capfd, "bad:Loops", "--timeout", "3")
    lines = (line_of("while True"), line_of("while True") + 1)
    stopped = "does not end; it was stopped after 3 s (--timeout) at bad.py:"
    assert code == 2
    assert err[0] in [f"shapelint: bad:Loops: {stopped}{line}, in forward" for line in lines]
    assert json.loads(out)["not_checked"] == [err[0].removeprefix("shapelint: ")]


def test_without_fork_a_thread_looks_at_the_clock() -> None:
    over, stacks = threading.Event(), list[str]()

    def expired(stack: str) -> None:
        stacks.append(stack)
        over.set()

    run_here(lambda _: waiting(over), lambda *_: None, lambda: 0.1, expired)
    assert "waiting" in {function for _, _, function in dumped_frames(stacks[0])}


def waiting(over: threading.Event) -> None:
    while not over.wait(0.01):
        pass


def test_without_fork_the_command_ends_with_the_same_line() -> None:
    program = "import os, shapelint.engine; del os.fork\nfrom shapelint.cli.app import main\nmain()"
    command = [sys.executable, "-c", program, "check", "bad:Loops", "--timeout", "4", *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("shapelint: bad:Loops: does not end; it was stopped after 4 s (--timeout) at bad.py:")
