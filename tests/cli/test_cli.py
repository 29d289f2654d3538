"""The command line: exit codes, where the text goes, and one clear line for each wrong use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shapelint.cli.app import run
from shapelint.cli.checker import FORMATS
from shapelint.errors import InferenceError, InternalError, ModelError
from shapelint.jobs.serialized import dumps, loads
from shapelint.report.report import Report
from tests import fabricated
from tests.fabricated import MODEL

# As they come from the process that checks: a set of sizes has its own words there.
CLEAN, FAILING = (loads(dumps(report)) for report in (fabricated.CLEAN, fabricated.FAILING))
ANNOTATED = MODEL.replace("class Net", "# shapelint: input=1,3,6,6\nclass Net")


@dataclass
class Engine:
    """Stands in for shapelint.engine: answers with `reports` by target and remembers the calls."""

    reports: dict[str, Report | BaseException] = field(default_factory=dict)
    calls: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)

    def check(self, target: str, inputs: Any, **options: Any) -> Report:
        self.calls.append((target, inputs, options))
        sys.stdout.write("the model prints\n")
        found = self.reports.get(target, FAILING)
        if isinstance(found, BaseException):
            raise found
        return replace(found, target=target)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)
    Path("annotated.py").write_text(ANNOTATED)
    Path("notes.txt").write_text("no model")
    Path("nothing").mkdir()
    Path("wrong.py").write_text("class Net(")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()
    module = ModuleType("shapelint.engine")
    module.check = fake.check  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shapelint.engine", module)
    return fake


Output = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shapelint(capsys: pytest.CaptureFixture[str]) -> Output:
    """Runs one command line in this process: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_options_reach_the_engine(engine: Engine, shapelint: Output) -> None:
    shapelint(
        *["check", "mymodel:Net", "--input", "1,3,H,W", "--input", "t=1:int64", "--sizes", "H=32..64:32"],
        *["--expect", "...,H,W", "--kwargs", '{"depth": 4}', "--call-kwargs", '{"scale": 0.5}', "--method", "encode"],
        *["--train", "--no-confirm", "--select", "SL1,SL201", "--select", "too-small", "--ignore", "SL105"],
    )
    assert engine.calls == [
        (
            "mymodel:Net",
            ["1,3,H,W", "t=1:int64"],
            {
                "init_kwargs": {"depth": 4},
                "build": None,
                "call_kwargs": {"scale": 0.5},
                "sizes": ("H=32..64:32",),
                "expect": "...,H,W",
                "method": "encode",
                "train": True,
                "confirm": (),
                "select": ("SL1", "SL201", "too-small"),
                "ignore": ("SL105",),
                "picture": False,
                "calls": False,
            },
        )
    ]


def test_the_cpu_confirms_by_default(engine: Engine, shapelint: Output) -> None:
    shapelint("check", "mymodel:Net", "--input", "1,3,6,6")
    assert engine.calls[0][2]["confirm"] == ("cpu",)


def test_exit_codes(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Clean": CLEAN, "mymodel:Broken": ModelError("it raises at every size")}
    assert shapelint("check", "mymodel:Clean", "--input", "1,3,5,5")[0] == 0
    assert shapelint("check", "mymodel:Net", "--input", "1,3,6,6")[0] == 1
    assert shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--exit-zero")[0] == 0
    assert shapelint("check", "mymodel:Broken", "--input", "1,3,6,6", "--exit-zero")[0] == 2


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_written_by_its_module(engine: Engine, shapelint: Output, form: str) -> None:
    code, out, _ = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--format", form)
    written = import_module(f"shapelint.report.{form}").render((replace(FAILING, target="mymodel:Net"),))
    assert (code, out) == (1, written)


def test_what_the_model_prints_is_not_in_the_report(engine: Engine, shapelint: Output) -> None:
    code, out, err = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--format", "json")
    assert (code, json.loads(out)["version"], err) == (1, 1, "the model prints\n")


def test_one_target_that_fails_leaves_the_others(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Broken": ModelError("it raises at every size")}
    code, out, err = shapelint("check", "mymodel:Broken", "mymodel:Net", "--input", "1,3,6,6")
    assert code == 2
    assert out.endswith("1 error in mymodel:Net at 1,3,6,6\n1 fixable with --fix\n")
    assert "shapelint: mymodel:Broken: it raises at every size\n" in err


OURS = "this is a bug of shapelint, not of your model (--traceback shows where)"
NOTHING = "nothing was checked (--traceback shows where)"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            InternalError("KeyError: 'up' (ops/conv.py:1)"),
            f"shapelint: mymodel:Net: internal error: KeyError: 'up' (ops/conv.py:1); {OURS}",
        ),
        (KeyError("up"), f"shapelint: mymodel:Net: the model's code raised KeyError: 'up'; {NOTHING}"),
        (SystemExit(3), "shapelint: mymodel:Net: the model's code ended the program (exit 3); nothing was checked"),
        (ModelError("two\nlines"), "shapelint: mymodel:Net: two lines"),
        (ModelError("mymodel:Net cannot run"), "shapelint: mymodel:Net cannot run"),
    ],
)
def test_an_error_is_one_line(engine: Engine, shapelint: Output, error: BaseException, line: str) -> None:
    engine.reports = {"mymodel:Net": error}
    assert shapelint("check", "mymodel:Net", "--input", "1,3,6,6") == (2, "", f"the model prints\n{line}\n")
    _, _, traced = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--traceback")
    assert "Traceback (most recent call last)" in traced
    assert traced.endswith(f"{line}\n")


def test_interrupted(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Net": KeyboardInterrupt()}
    code, out, err = shapelint("check", "mymodel:Net", "--input", "1,3,6,6")
    assert (code, out) == (130, "")
    assert err.endswith("shapelint: interrupted\n")


WRONG = {
    "no command": (["--foo"], "No such option '--foo'."),
    "unknown command": (["chek"], "No such command 'chek'."),
    "unknown option": (["check", "--inputs", "1"], "No such option '--inputs'."),
    "format": (["check", "mymodel:Net", "--format", "xml"], "'xml' is not one of 'text', 'concise', 'json',"),
    "provider": (["check", "mymodel:Net", "--provider", "tpu"], "'tpu' is not one of 'cpu', 'cuda'."),
    "both": (
        ["check", "mymodel:Net", "--no-confirm", "--provider", "cpu"],
        "--no-confirm and --provider cpu contradict each other; give one",
    ),
    "json": (
        ["check", "mymodel:Net", "--kwargs", '{"depth": }'],
        "Invalid value for '--kwargs': no JSON: Expecting value at line 1 column 11 of '{\"depth\": }'",
    ),
    "no object": (["check", "mymodel:Net", "--call-kwargs", "[1]"], "'[1]' is no JSON object; write {\"name\": value}"),
    "rule": (["check", "mymodel:Net", "--select", "SL110"], "there is no rule `SL110`; did you mean `SL1"),
    "ignored rule": (["check", "mymodel:Net", "--ignore", "skipsize"], "did you mean `skip-size`?"),
    "empty rule": (["check", "mymodel:Net", "--select", "SL1,"], "a code is empty; write SL101,SL2 or a name"),
    "output folder": (["check", "mymodel:Net", "--output", "."], "cannot write .: it is a folder"),
    "output nowhere": (["check", "mymodel:Net", "--output", "no/r.txt"], "cannot write no/r.txt: No such file or dir"),
    "no colon": (["check", "mymodel"], "target 'mymodel' names no model; write pkg.mod:mymodel or path/file.py:"),
    "dotted": (["check", "mymodel.Net"], "target 'mymodel.Net' names no model; write mymodel:Net"),
    "empty folder": (["check", "nothing"], "'nothing' has no model: no class in it derives from torch.nn.Module and"),
    "no folder": (["check", "src/nets"], "target 'src/nets': there is no such file or folder"),
    "no Python file": (["check", "notes.txt"], "target 'notes.txt' names no model; it is no Python file; write path/"),
    "model in no Python": (["check", "notes.txt:Net"], "target 'notes.txt:Net': 'notes.txt' is no Python file"),
    "no Python": (["check", "wrong.py"], "cannot read 'wrong.py': SyntaxError: '(' was never closed (wrong.py, line 1"),
    "negative time": (["check", "mymodel:Net", "--timeout", "-1"], "-1 is no number of seconds; write 60, or 0 for n"),
    "no time": (["check", "mymodel:Net", "--timeout", "nan"], "Invalid value for '--timeout': nan is no number of se"),
    "no module": (["check", "nowhere:Net"], "target 'nowhere:Net': there is no module 'nowhere' here or in the envi"),
    "no file": (["check", "nowhere.py"], "cannot read 'nowhere.py': No such file or directory"),
    "input alone": (["check", "--input", "1,3,6,6"], "--input needs a TARGET, such as mymodel:Net"),
    "explain": (["explain", "SL110"], "there is no rule `SL110`; did you mean `SL1"),
    "hook": (["hook", "nowhere.py"], "cannot read 'nowhere.py': No such file or directory"),
}


@pytest.mark.parametrize(("arguments", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_use_is_one_line(engine: Engine, shapelint: Output, arguments: list[str], text: str) -> None:
    code, out, err = shapelint(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("shapelint: ")
    assert text in err
    assert engine.calls == []


@pytest.mark.parametrize("mark", ["", "# shapelint: input=1,3,H,W\n"])
def test_a_text_that_is_nested_too_deep_for_the_parser_is_one_line(shapelint: Output, mark: str) -> None:
    Path("deep.py").write_text(f"{mark}x = {'-' * 100_000}1")
    code, _, err = shapelint("check", "deep.py")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("shapelint: cannot read 'deep.py': MemoryError: nested too deep")


def test_an_annotation_gives_the_input(engine: Engine, shapelint: Output) -> None:
    for target in ("annotated:Net", "annotated.py:Net", "annotated.py"):
        shapelint("check", target)
    named = [(target, inputs) for target, inputs, _ in engine.calls]
    assert named == [(target, ["1,3,6,6"]) for target in ("annotated:Net", "annotated.py:Net", "annotated.py:Net")]


def test_without_an_input_it_is_left_to_the_check(engine: Engine, shapelint: Output) -> None:
    shapelint("check", "mymodel:Net")
    assert engine.calls[0][:2] == ("mymodel:Net", None)


def test_options_win_over_the_annotation(engine: Engine, shapelint: Output) -> None:
    shapelint("check", "annotated.py", "--input", "1,3,H,W", "--expect", "...,H,W")
    assert engine.calls[0][1] == ["1,3,H,W"]
    assert engine.calls[0][2]["expect"] == "...,H,W"


def test_a_module_in_a_package_is_found_without_importing_it(engine: Engine, shapelint: Output) -> None:
    Path("pkg/nets").mkdir(parents=True)
    Path("pkg/__init__.py").write_text("raise SystemExit('imported')")
    Path("pkg/nets/unet.py").write_text(ANNOTATED)
    assert shapelint("check", "pkg.nets.unet:Net")[0] == 1
    assert engine.calls[0][:2] == ("pkg.nets.unet:Net", ["1,3,6,6"])


def test_without_target_all_annotated_models_below_are_checked(engine: Engine, shapelint: Output) -> None:
    for folder in ("b", ".hidden", "env"):
        Path(folder).mkdir()
        Path(folder, "net.py").write_text(ANNOTATED)
    Path("env/pyvenv.cfg").write_text("")
    shapelint("check")
    assert [target for target, *_ in engine.calls] == ["annotated.py:Net", f"{Path('b', 'net.py')}:Net"]


PARTS = """
from torch import nn


class Block(nn.Module):
    def forward(self, x): ...


class MyLoss(nn.Module):
    def forward(self, x, target): ...


class Net(nn.Module):
    def __init__(self): self.block = Block()
    def forward(self, x): ...


class Other(nn.Module):
    def forward(self, x): ...
"""


def test_the_models_of_a_file_are_found_by_reading(engine: Engine, shapelint: Output) -> None:
    Path("parts.py").write_text(PARTS)
    _, _, err = shapelint("check", "parts.py")
    assert [call[:2] for call in engine.calls] == [("parts.py:Net", None), ("parts.py:Other", None)]
    assert err.endswith("checked 2 of 2 models found by reading (passed over: 1 loss, 1 part of a model)\n")
    Path("parts.py").write_text(PARTS + PARTS.replace("Block", "Piece").replace("Net", "Whole"))
    assert "(passed over: 1 loss, 2 parts of models)" in shapelint("check", "parts.py")[2]


def test_a_folder_stands_for_the_models_below_it(engine: Engine, shapelint: Output) -> None:
    Path("src/deep").mkdir(parents=True)
    Path("src/parts.py").write_text(PARTS)
    Path("src/deep/net.py").write_text(ANNOTATED)
    shapelint("check", "src")
    assert {call[0] for call in engine.calls} == {"src/deep/net.py:Net", "src/parts.py:Net", "src/parts.py:Other"}


def test_without_target_and_annotation_the_models_below_are_checked(engine: Engine, shapelint: Output) -> None:
    Path("annotated.py").unlink()
    shapelint("check")
    assert [call[:2] for call in engine.calls] == [("mymodel.py:Net", None)]


def test_a_model_that_nobody_named_is_no_failure(engine: Engine, shapelint: Output) -> None:
    Path("parts.py").write_text(PARTS)
    engine.reports = {"parts.py:Net": InferenceError("Net: could not infer an input"), "parts.py:Other": CLEAN}
    code, _, err = shapelint("check", "parts.py")
    assert code == 0
    assert "shapelint: parts.py:Net: Net: could not infer an input\nshapelint: checked 1 of 2 models" in err
    code, out, _ = shapelint("check", "parts.py", "--format", "json")
    assert (code, json.loads(out)["not_checked"]) == (0, ["parts.py:Net: Net: could not infer an input"])


def test_where_no_model_could_be_checked_the_check_failed(engine: Engine, shapelint: Output) -> None:
    Path("parts.py").write_text(PARTS)
    engine.reports = dict.fromkeys(("parts.py:Net", "parts.py:Other"), InferenceError("could not infer an input"))
    assert shapelint("check", "parts.py")[0] == 2


def test_a_model_that_is_alone_in_its_file_was_named(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel.py:Net": InferenceError("could not infer an input")}
    assert shapelint("check", "mymodel.py")[0] == 2


def test_an_input_is_for_one_model(engine: Engine, shapelint: Output) -> None:
    Path("parts.py").write_text(PARTS)
    code, _, err = shapelint("check", "parts.py", "--input", "1,3,H,W")
    assert (code, engine.calls) == (2, [])
    assert "--input is for one model; name it, such as parts.py:Net" in err


def test_the_output_file_is_whole_and_stdout_empty(engine: Engine, shapelint: Output) -> None:
    Path("report.txt").write_text("old")
    Path("report.txt").chmod(0o640)
    code, out, _ = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "-o", "report.txt")
    assert (code, out) == (1, "")
    assert Path("report.txt").read_text() == str(FAILING)
    assert Path("report.txt").stat().st_mode & 0o777 == 0o640
    assert not list(Path.cwd().glob(".shapelint*"))


def test_a_link_stays_a_link(engine: Engine, shapelint: Output) -> None:
    Path("link.json").symlink_to("report.json")
    shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--format", "json", "--output", "link.json")
    assert Path("link.json").is_symlink()
    assert json.loads(Path("report.json").read_text())["targets"][0]["target"] == "mymodel:Net"


def test_a_device_is_written_to_and_not_replaced(engine: Engine, shapelint: Output) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--output", "pipe")
    assert os.read(reader, 65536).decode() == str(FAILING)
    assert Path("pipe").is_fifo()
    os.close(reader)


def test_a_failed_check_leaves_the_output_file(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Net": ModelError("it raises at every size")}
    Path("report.txt").write_text("old")
    assert shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--output", "report.txt")[0] == 2
    assert Path("report.txt").read_text() == "old"


def test_a_failed_check_is_in_the_forms_that_have_a_place_for_it(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Net": ModelError("it raises at every size")}
    targets = ("mymodel:Net", "nomodel")
    for form in ("sarif", "junit"):
        code, out, err = shapelint("check", *targets, "--input", "1,3,6,6", "--format", form)
        assert code == 2
        assert out.count("mymodel:Net: it raises at every size") == 1
        assert "names no model" in out
        assert "mymodel:Net: it raises at every size" in err


def test_a_disk_that_fills_up_while_writing_is_one_line(
    engine: Engine, shapelint: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    Path("report.txt").write_text("old")
    monkeypatch.setattr(Path, "replace", full)
    code, _, err = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--output", "report.txt")
    assert code == 2
    assert err.endswith("shapelint: cannot write report.txt: No space left on device\n")
    assert Path("report.txt").read_text() == "old"
    assert not list(Path.cwd().glob(".shapelint*"))


def test_quiet_shows_only_what_is_wrong(engine: Engine, shapelint: Output) -> None:
    engine.reports = {"mymodel:Net": CLEAN}
    assert shapelint("check", "mymodel:Net", "--input", "1,3,5,5", "-q")[1] == ""
    assert shapelint("check", "mymodel:Net", "--input", "1,3,5,5")[1] == str(CLEAN)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colour_is_for_terminals(
    engine: Engine, shapelint: Output, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    arguments = ("check", "mymodel:Net", "--input", "1,3,6,6")
    piped = "\x1b[" in shapelint(*arguments)[1]
    assert piped is (coloured and "FORCE_COLOR" in environment)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert ("\x1b[" in shapelint(*arguments)[1]) is coloured


def test_concise(engine: Engine, shapelint: Output) -> None:
    out = shapelint("check", "mymodel:Net", "--input", "1,3,6,6", "--format", "concise")[1]
    assert out == "mymodel.py:8:23: SL101 `deconv` gives back 5x5 where `conv` took 6x6\n"


def test_sizes(engine: Engine, shapelint: Output) -> None:
    code, out, _ = shapelint("sizes", "mymodel:Net", "--input", "1,3,H,W")
    assert code == 0
    assert f"restores the size for: {CLEAN.contract.restores}" in out
    assert engine.calls[0][2]["confirm"] == ()


def test_the_hook_checks_annotated_models(engine: Engine, shapelint: Output) -> None:
    code, out, _ = shapelint("hook", "mymodel.py", "annotated.py")
    assert code == 1
    assert out.endswith("1 error in annotated.py:Net at 1,3,6,6\n1 fixable with --fix\n")
    assert engine.calls[0][2]["confirm"] == ()
    assert shapelint("hook", "mymodel.py") == (0, "", "")
    assert shapelint("hook") == (0, "", "")
    assert shapelint("hook", "--", "mymodel.py", "annotated.py")[:2] == (code, out)


def test_explain_prints_one_page_or_all(shapelint: Output) -> None:
    one, every, listed = shapelint("explain", "sl101"), shapelint("explain", "--all"), shapelint("explain")
    assert one[0] == every[0] == listed[0] == 0
    hint = "\n`shapelint explain SL101` prints the page of a rule, and --all prints all of them\n"
    assert listed[1] == shapelint("rules")[1] + hint
    line = "shapelint: --all prints all pages, and 'SL101' is one; give one of them\n"
    assert shapelint("explain", "SL101", "--all") == (2, "", line)
    assert one[1].startswith("# SL101 round-trip-size\n\n")
    assert "# SL900 not-proved" in every[1]
    assert "# SL900 not-proved" not in one[1]


def test_rules_lists_the_rules(shapelint: Output) -> None:
    code, out, _ = shapelint("rules")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()][:2] == ["SL101", "SL102"]


def test_help_and_no_command(shapelint: Output) -> None:
    assert shapelint("--help")[0] == 0
    code, out, err = shapelint()
    assert (code, out) == (2, "")
    assert "Usage: shapelint" in err


def process(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, "-m", "shapelint", *arguments], **pipes)


def test_it_runs_as_a_module() -> None:
    done = process("--version")
    assert done.communicate() == ("shapelint 0.1.0\n", "")
    assert done.returncode == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    running = process("explain", "--all")
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert (running.stderr.read(), running.wait()) == ("", 0)
    running.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        done = process("rules", stdout=full)
        _, error = done.communicate()
    assert (done.returncode, error) == (2, "shapelint: cannot write standard output: No space left on device\n")


# ----------------------------------------------------------------------------------------------------------------
# With the real engine, in processes of their own: the founding example from the command line to the exit code.


def checked(*arguments: str) -> tuple[int, str, str]:
    done = process("check", *arguments)
    out, err = done.communicate()
    return done.returncode, out, err


def test_founding_example_at_6x6() -> None:
    code, out, err = checked("mymodel:Net", "--input", "1,3,6,6")
    assert (code, err) == (1, "")
    assert len(out.splitlines()) <= 15
    first = "mymodel.py:8:23: error SL101 round-trip-size: `deconv` gives back 5x5 where `conv` took 6x6"
    assert out.splitlines()[0] == first
    assert " 8 |         self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)\n" in out
    for words in ("5x5 and 6x6 both become 3x3", "output_padding=1", "even", "odd", "6x6 with the repair"):
        assert words in out
    assert out.endswith("1 error in mymodel:Net at 1,3,6,6\n1 fixable with --fix\n")


def test_founding_example_at_5x5() -> None:
    code, out, err = checked("mymodel:Net", "--input", "1,3,5,5")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 3
    assert "onnxruntime" in out
    assert "odd" in out


def test_founding_example_for_all_sizes() -> None:
    code, out, err = checked("mymodel:Net", "--input", "1,3,H,W")
    assert (code, err) == (1, "")
    assert " warning SL105 hop-misaligned: " in out
    assert "output_size=x.shape[-2:]" in out


def test_founding_example_as_json() -> None:
    code, out, _ = checked("mymodel:Net", "--input", "1,3,6,6", "--format", "json", "--no-confirm")
    finding = json.loads(out)["targets"][0]["findings"][0]
    assert (code, finding["code"], finding["location"]["line"]) == (1, "SL101", 8)
    assert finding["fix"]["assignments"] == {"deconv.output_padding": [1, 1]}


def test_without_confirmation_no_runtime_is_imported() -> None:
    code = (
        "import sys\nfrom shapelint.cli.app import run\n"
        "code = run(['check', 'mymodel:Net', '--input', '1,3,5,5', '--no-confirm'])\n"
        "sys.exit(f'imported' if {'onnx', 'onnxruntime'} & set(sys.modules) else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_it_with_130() -> None:
    Path("slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    running = process("check", "slow:Net", "--input", "1,3,6,6")
    assert running.stderr is not None
    first = running.stderr.readline()
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (first, out, err.strip()) == ("importing\n", "", "shapelint: interrupted")
    assert running.returncode == 130


PLUGIN_TEST = """
from mymodel import Net


def test_right(shapelint):
    report = shapelint.check(Net, "1,3,5,5")
    assert report.ok


def test_wrong(shapelint):
    assert not shapelint.report(Net, (1, 3, 6, 6)).ok
    shapelint.check(Net, (1, 3, 6, 6))
"""


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_the_fixture(pytester: pytest.Pytester, workers: list[str]) -> None:
    pytester.makepyfile(mymodel=MODEL, test_sizes=PLUGIN_TEST)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*error SL101 round-trip-size: `deconv` gives back 5x5 where `conv` took 6x6*"])


def test_the_fixture_costs_nothing_where_it_is_not_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import sys\n\n\ndef test_nothing():\n    assert 'torch' not in sys.modules\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_known_findings_do_not_set_the_exit_code(engine: Engine, shapelint: Output) -> None:
    call = ("check", "mymodel:Net", "--input", "1,3,6,6")
    told = "known.json: 1 known finding; check with `--baseline known.json` from now on\n"
    assert shapelint(*call, "--write-baseline", "known.json")[:2] == (0, told)
    code, out, _ = shapelint(*call, "--baseline", "known.json", "--format", "json")
    assert (code, json.loads(out)["targets"][0]["findings"][0]["baseline"]) == (0, "known")
    code, out, _ = shapelint("check", "mymodel:Other", "--input", "1,3,6,6", "--baseline", "known.json")
    assert (code, "1 error in mymodel:Other" in out) == (1, True)


def test_a_baseline_is_not_written_where_a_check_failed(engine: Engine, shapelint: Output) -> None:
    engine.reports["mymodel:Broken"] = ModelError("it raises at every size")
    call = ("check", "mymodel:Net", "mymodel:Broken", "--input", "1,3,6,6", "--write-baseline", "known.json")
    code, out, err = shapelint(*call)
    assert (code, out, Path("known.json").exists()) == (2, "", False)
    assert err.endswith("shapelint: known.json is not written, since a check could not be done\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--baseline", "a", "--write-baseline", "b"),
            "--baseline and --write-baseline contradict each other; give one",
        ),
        (
            ("--write-baseline", "notes.txt"),
            "notes.txt is no baseline, nor any JSON; write one with --write-baseline OTHER_FILE",
        ),
        (
            ("--write-baseline", "a", "--output", "b"),
            "--write-baseline writes the baseline only; leave out --output, --fix and --diff",
        ),
        (("--write-baseline", "no/a"), "cannot write no/a: No such file or directory"),
    ],
)
def test_a_wrong_baseline_stops_before_anything_is_checked(
    engine: Engine, shapelint: Output, arguments: tuple[str, ...], line: str
) -> None:
    assert shapelint("check", "mymodel:Net", "--input", "1,3,6,6", *arguments) == (2, "", f"shapelint: {line}\n")
    assert engine.calls == []
