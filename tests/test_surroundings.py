"""What lies about where a check is run: files with the names of modules, odd names, links, disks, and two at once."""

from __future__ import annotations

import inspect
import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import shapelint
from shapelint.cli.app import run
from shapelint.size import symbol
from shapelint.size.condition import product
from shapelint.terminal.output import write
from tests.fabricated import MODEL

ANNOTATED = MODEL.replace("class Net", "# shapelint: input=1,3,5,5\nclass Net")
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


WORDS = {
    "--input": ("1,3,6,6", "", "1,3,H+,W", "x=1,3,6,6:foo", "1,3,2**31,6", "__import__('os'),1", "\u03a9,1"),
    "--sizes": ("H=", "H=5..1", "H=1..9:0", "Q=3", "H=1..2..3"),
    "--expect": ("...,...", "...", ""),
    "--kwargs": ("{", "[]", '{"a": NaN}', "null"),
    "--timeout": ("-1", "x", "nan"),
    "--format": ("html", "foo", ""),
    "--output": ("/nowhere/x", ".", "/dev/null/x", "a\0b"),
    "--baseline": ("/nowhere/x", "."),
    "--select": ("XX", ",", ""),
}
TARGETS = ("nowhere.py:Net", "nowhere:Net", ":", "", ".", "bin.py", "folder.py", "loop.py", "none.onnx", "--")


def test_drawn_arguments_end_in_an_exit_code_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin.py").write_bytes(b"\xff\xfe\0# shapelint: input=1")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "loop.py").symlink_to("loop.py")
    drawn = random.Random(8)
    for _ in range(150):
        command = drawn.choice(("check", "check", "sizes", "hook", "explain", "show", "clean"))
        arguments = [command, *drawn.sample(TARGETS, drawn.randint(0, 2))]
        for option in drawn.sample(sorted(WORDS), drawn.randint(0, 3)) if command in ("check", "sizes") else ():
            arguments += [option, drawn.choice(WORDS[option])]
        code, told = run(arguments), capsys.readouterr()
        assert code in (0, 1, 2), arguments
        assert bool(told.err) or code != 2, arguments
        assert "Traceback" not in told.err, arguments
        assert "internal error" not in told.err, arguments


def test_a_size_that_is_a_product_of_symbols_is_refused_where_it_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    height = symbol("H")
    built = product(height, height.plus(1)), product(symbol("W"), height.plus(1))  # as by a check that came before
    assert [str(each) for each in built] == ["H + H*H", "H*W + W"]
    for spec, told in (
        ("1,3,H*H+H,H*W+W", "H + H*H - 2*((H + H*H)//2) is 0 or more"),
        ("1,3,H*W*D-W*W*H,6", "D*H*W - H*W*W is 1 or more"),
    ):
        assert run(["check", "model.py:Net", "--input", spec, "--no-confirm"]) == 2
        line = f"shapelint: model.py:Net: the sizes at which {told} cannot be told; "
        assert capsys.readouterr().err == f"{line}write a product of symbols, such as H*W, as one symbol\n"
    assert run(["check", "model.py:Net", "--input", "1,3,H*H*H+W,6", "--no-confirm"]) == 0


PIPES = """
import os, sys
from shapelint.terminal.output import reserve_streams
reserve_streams()
sys.exit(0 if min(os.pipe()) > 2 else 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a shell")
def test_streams_that_are_closed_are_not_taken_for_pipes() -> None:
    closed = ("<&-", ">&-", "2>&-", "<&- >&- 2>&-")
    commands = [f"'{sys.executable}' -c '{PIPES}' {each}" for each in closed]
    done = subprocess.run(["sh", "-c", " && ".join(commands)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = subprocess.run(["sh", "-c", f"'{sys.executable}' -m shapelint rules >&-"], stderr=-1, check=False)
    assert (done.returncode, done.stderr) == (2, b"shapelint: cannot write standard output: it is closed\n")


def test_a_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for command in (["check"], ["check", str(tmp_path / "model.py")], ["hook", "model.py"], ["clean"]):
        assert run(command) == 2
        line = "shapelint: the current folder does not exist any more; change into another one\n"
        assert capsys.readouterr().err == line


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_and_a_full_standard_error_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["rules"], ["--version"], ["--help"], ["check", "--help"]):
        told = io.StringIO()
        with open("/dev/full", "w") as full, monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", full)
            patched.setattr(sys, "stderr", told)
            assert run(command) == 2
        assert told.getvalue() == "shapelint: cannot write standard output: No space left on device\n"
    monkeypatch.setattr(sys, "stderr", Full())
    assert run(["check", "nowhere.py"]) == 2


def test_a_report_can_go_to_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, into = os.pipe()
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(f"/dev/fd/{into}")
    write(str(link), "text")
    os.close(into)
    assert os.read(out, 10) == b"text"
    os.close(out)
    assert link.is_symlink()


def test_names_that_are_odd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("a b", "\u00fc", "co:lon", "line\nbreak", "esc\x1b[2J", "\u202egnol", "{left}", "%s", "-x", "n" * 245)
    for name in names if os.name == "posix" else names[:2]:
        Path(f"{name}.py").write_text(MODEL)
        assert run(["check", f"./{name}.py:Net", "--input", "1,3,6,6", "--no-confirm"]) == 1, name
        out, err = capsys.readouterr()
        assert err == ""
        assert "SL101" in out
        assert all(each.isprintable() for line in out.splitlines() for each in line), name


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_file_name_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"\xff.py")
    Path(name).write_text(MODEL)
    for form in ("text", "json", "sarif", "junit", "github", "gitlab", "html"):
        arguments = ["check", f"{name}:Net", "--input", "1,3,6,6", "--no-confirm", "--format", form, "--output", "out"]
        assert run(arguments) == 1, form
        Path("out").read_text("utf-8")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all folders")
def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "model.py").write_text(ANNOTATED)
    assert run(["check", "--no-confirm"]) == 0


def test_links_that_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop.py").symlink_to("loop.py")
    Path(".#net.py").symlink_to("someone@somewhere.17")
    for target in ("loop.py:Net", ".#net.py:Net"):
        assert run(["check", target, "--input", "1,3,6,6"]) == 2
        file = target.removesuffix(":Net")
        assert capsys.readouterr().err == f"shapelint: target {target!r}: there is no file {file!r}\n"
    Path("real").mkdir()
    Path("real/net.py").write_text(ANNOTATED)
    assert run(["check", "--no-confirm"]) == 0
    Path("link.py").symlink_to("real/net.py")
    assert run(["check", "link.py:Net", "--input", "1,3,6,6", "--no-confirm", "--fix"]) == 0
    assert Path("link.py").is_symlink()
    assert "output_padding=1" in Path("real/net.py").read_text()


class Nested(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.nested(x, self.depth)

    def nested(self, x: torch.Tensor, depth: int) -> torch.Tensor:
        return self.nested(x + 1, depth - 1) if depth else x


def test_a_model_that_nests_its_calls_as_deep_as_python_lets_it_is_checked() -> None:
    limit = sys.getrecursionlimit()
    depth = limit - len(inspect.stack(0)) - 30
    Nested(depth)(torch.zeros(1, 3))
    assert shapelint.check(Nested(depth), "1,T").contract.proved
    assert sys.getrecursionlimit() == limit
