"""A bug in any room comes out as an internal error with its line and exit code 2, never as the model's or as "ok"."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from onnx import helper

import shapelint
from shapelint.cli.app import run
from shapelint.errors import InternalError, ModelError, RuleError
from shapelint.facts.finding import Finding, Severity
from shapelint.registry import load_rules
from shapelint.saved.onnx.call import OPERATORS
from shapelint.trace.recording.operation import RULES
from tests.exported_programs import exported
from tests.onnx_graphs import model, saved

ROOT = Path(__file__).parent.parent.parent
FILES = [file.relative_to(ROOT / "shapelint") for file in ROOT.glob("shapelint/**/*.py") if file.stem != "__main__"]
NAMES = [".".join(file.with_suffix("").parts).removesuffix("__init__").strip(".") for file in FILES]
MODULES = {name: import_module(f"shapelint.{name}".strip(".")) for name in NAMES}  # all of them, before one is broken
MODELS = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):  # the decoder loses a row
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.up(self.down(x))


class Skip(Net):  # a join of two sizes
    def forward(self, x):
        return torch.cat([F.interpolate(self.down(x), scale_factor=2), x], 1)


class Short(nn.Module):  # one row less, and nothing to repair it by
    def __init__(self):
        super().__init__()
        self.last = nn.Conv2d(3, 3, 2)

    def forward(self, x):
        return self.last(x)


class Pooled(Net):
    def forward(self, x):
        return F.max_pool2d(x, 2)  # plain


class Catching(Net):  # its own code takes any exception for its own
    def forward(self, x):
        try:
            return F.max_pool2d(x, 2)
        except Exception:
            return x


class Wrapping(Net):
    def forward(self, x):
        try:
            return F.max_pool2d(x, 2)
        except Exception as error:
            raise ValueError("no pool") from error


class Unruled(Net):  # an operation without a size rule
    def forward(self, x):
        return torch.transpose_copy(x, 2, 3)


class Halved(Net):  # a size in the model's own arithmetic
    def forward(self, x):
        return x.narrow(2, 0, max(x.shape[2] // 2, 1))


class Called(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def forward(self, x):
        return F.conv_transpose2d(F.conv2d(x, self.weight, None, 2, 1), self.weight, None, 2, 1)


class Commented(Net):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)  # shapelint: ignore[SL999]
"""
SIX, SEVEN, OPEN, SQUARE = "1,3,6,6", "1,3,7,7", "1,3,H,W", ("--expect", "...,6,6")

# By what is replaced: the model that comes by it, its input, and more options.
PLANTED: dict[str, tuple[Any, ...]] = {
    "request.inputs.parse_inputs": ("Net", SIX),
    "load.target.import_folders": ("Net", SIX),
    "load.build._move": ("Net", SIX),
    "load.sites.SiteRecorder._record": ("Net", SIX),
    "restore.module.Contents.put_back": ("Net", SIX),
    "instrument.reachable.Reached.followed": ("Net", SIX),
    "instrument.sized_shape.SizedShape.__getitem__": ("Halved", OPEN),
    "size.isl_set.IslSet.where": ("Net", SIX),
    "size.number.floor_divide": ("Halved", OPEN),
    "trace.recorder.Recorder.perform": ("Net", SIX),
    "trace.recorder.Recorder.enter": ("Net", SIX),
    "trace.fitting.fit.fitted": ("Unruled", OPEN),
    "trace.fitting.trials.trials": ("Unruled", OPEN),
    "trace.explore.regions_of": ("Net", OPEN),
    "trace.branch.cut": ("Net", OPEN),
    "trace.replay.difference": ("Net", OPEN),
    "trace.freeze.freeze": ("Net", SIX),
    "diagnosis.pairs.mirrored_pairs": ("Net", SIX),
    "diagnosis.intent.intent": ("Net", SIX),
    "diagnosis.output_padding.Solver.constant_for": ("Net", SIX),
    "diagnosis.output_padding.transposing_calls": ("Called", SIX),
    "diagnosis.single_change.single_change": ("Short", SIX, *SQUARE),
    "diagnosis.joins.unlike": ("Skip", SEVEN),
    "diagnosis.baked_branches.portability": ("Net", SIX),
    "repair.arguments.with_edits": ("Net", SIX),
    "repair.code.Trier.plan": ("Skip", SEVEN),
    "repair.code.Trier.graph": ("Skip", SEVEN),
    "edit.layers.proposals": ("Net", SIX),
    "edit.joins.rewritings": ("Skip", SEVEN),
    "edit.document.Document.edited": ("Skip", SEVEN),
    "confirm.points.chosen_points": ("Net", SIX, "--provider", "cpu"),
    "confirm.confirm.max_abs_error": ("Net", SIX, "--provider", "cpu"),
    "confirm.onnx_file.FlatModule.forward": ("Net", SIX, "--provider", "cpu"),
    "confirm.onnx_file.input_names": ("Net", SIX, "--provider", "cpu"),
    "confirm.dynamic._open_axes": ("Net", OPEN, "--provider", "cpu"),
    "confirm.many.RuntimeTask.asked": ("Net", OPEN, "--provider", "cpu"),
    "suppression.ignores.split": ("Net", SIX),
    "suppression.ignores._unused_codes": ("Commented", SIX),
    "engine._report": ("Net", SIX),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(MODELS)


def broken(function: Any) -> tuple[Callable[..., Any], str]:
    """A function that raises a KeyError at the first line of another one, and that line as it is told."""
    code = inspect.unwrap(getattr(function, "__func__", function)).__code__
    file, line = code.co_filename, code.co_firstlineno
    space: dict[str, Any] = {"__name__": "planted"}
    text = "\n" * (line - 1) + "def planted(*args, **kwargs): raise KeyError('planted')"
    exec(compile(text, file, "exec"), space)
    return space["planted"], f"{Path(file).relative_to(ROOT)}:{line}"


def plant(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Breaks a function wherever a module of ours has it; the line that raises then."""
    home, _, last = name.rpartition(".")
    owner: Any = MODULES.get(home) or getattr(MODULES[home.rpartition(".")[0]], home.rpartition(".")[2])
    function = getattr(owner, last)
    made, place = broken(function)
    having = [owner, *(each for each in MODULES.values() if vars(each).get(last) is function)]
    for each in having:
        monkeypatch.setattr(each, last, made)
    return place


def bug(place: str) -> str:
    return f"internal error: KeyError: 'planted' ({place}); this is a bug of shapelint, not of your model"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that could not be done."""
    assert run(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1, written.err
    return written.err.strip().removeprefix("shapelint: ").removesuffix(" (--traceback shows where)")


@pytest.mark.parametrize("name", PLANTED)
def test_a_bug_is_told_with_its_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = plant(name, monkeypatch)
    kind, spec, *options = PLANTED[name]
    confirm = () if "--provider" in options else ("--no-confirm",)
    line = told(capsys, "check", f"net.py:{kind}", "--input", spec, "--no-cache", *confirm, *options)
    assert line.removeprefix(f"net.py:{kind}: ") == bug(place)


def _break_rule(monkeypatch: pytest.MonkeyPatch) -> str:
    """Breaks the size rule of max pooling; the line that raises then."""
    rule = RULES[torch.nn.functional.max_pool2d]
    made, place = broken(getattr(rule, "func", rule))
    monkeypatch.setitem(RULES, torch.nn.functional.max_pool2d, made)
    return place


@pytest.mark.parametrize("name", ["Catching", "Wrapping"])
def test_what_a_model_catches_comes_out_all_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _break_rule(monkeypatch)
    with pytest.raises(InternalError) as caught:
        shapelint.check(f"net.py:{name}", OPEN)
    assert str(caught.value) == bug(place)


def test_where_torch_refuses_the_call_too_it_is_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size rule that has no words for wrong arguments is no reason to call a model's error ours."""
    Path("wrong.py").write_text(MODELS.replace("F.max_pool2d(x, 2)  # plain", "F.max_pool2d(x, 'two')"))
    _break_rule(monkeypatch)
    with pytest.raises(ModelError, match=r"^wrong.py:Pooled does not run: TypeError: max_pool2d.*not str .wrong.py:"):
        shapelint.check("wrong.py:Pooled", OPEN)


@pytest.mark.parametrize("code", ["SL101", "SL901"])
def test_a_bug_of_a_rule(code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    kind = next(type(rule) for rule in load_rules() if rule.code == code)
    made, place = broken(kind.check)
    monkeypatch.setattr(kind, "check", made)
    line = told(capsys, "check", "net.py:Net", "--input", SIX, "--no-cache", "--no-confirm")
    assert line == f"net.py:Net: {bug(place)}"


class Foreign:
    """A rule of another package."""

    code, name, valid, invalid = "XY101", "foreign", (), ()

    def check(self, analysis: object) -> list[Any]:
        raise KeyError("planted")


def test_a_bug_of_another_packages_rule_is_neither_ours_nor_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("engine", "rulings"):
        monkeypatch.setattr(f"shapelint.{module}.installed_rules", lambda: (*load_rules(), Foreign()))
    with pytest.raises(
        RuleError, match=r"^the rule XY101 \(tests.house.test_planted_errors\) raised KeyError: 'planted' .*"
    ):
        shapelint.check("net.py:Net", SIX)


def test_a_rule_that_asks_the_solver_too_much_says_so_after_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asking(Foreign):
        def check(self, analysis: Any) -> Any:
            yield Finding("XY101", "foreign", Severity.WARNING, "found before")
            sizes = analysis.contract.runs
            yield Finding("XY101", "foreign", Severity.WARNING, str(sizes - sizes.at_least({"H": 7})))

    monkeypatch.setattr("shapelint.rulings._STEPS", 10)
    monkeypatch.setattr("shapelint.engine.select_rules", lambda *_: (Asking(),))
    found = shapelint.check("net.py:Net", "1,3,H,W").findings
    unsaid = "what it says is not known: its sets of sizes have too many pieces to compare"
    assert [each.message for each in found] == ["found before", unsaid]


@pytest.mark.parametrize("form", ["text", "json", "html", "sarif"])
def test_a_bug_of_a_report(form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    place = plant(f"report.{form}.render", monkeypatch)
    line = told(capsys, "check", "net.py:Net", "--input", SIX, "--no-cache", "--no-confirm", "--format", form)
    assert line == bug(place)


def test_a_bug_of_the_baseline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("check", "net.py:Net", "--input", SIX, "--no-cache", "--no-confirm")
    assert run([*arguments, "--write-baseline", "known.json"]) == 0
    capsys.readouterr()
    place = plant("suppression.baseline.Baseline.marked", monkeypatch)
    assert told(capsys, *arguments, "--baseline", "known.json") == bug(place)


def test_a_bug_of_the_fixing_leaves_the_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = plant("cli.fix._is_better", monkeypatch)
    line = told(capsys, "check", "net.py:Net", "--input", SIX, "--no-cache", "--no-confirm", "--fix")
    assert (line, Path("net.py").read_text()) == (bug(place), MODELS)


@pytest.mark.parametrize("name", ["jobs.cache.unpacked", "jobs.present.Present.agrees"])
def test_a_bug_of_the_cache(name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shapelint.jobs.pool.can_fork", lambda: True)
    arguments = ("check", "net.py:Net", "--input", SIX, "--no-confirm")
    assert run(arguments, apart=True) == 1
    capfd.readouterr()
    place = plant(name, monkeypatch)
    assert run(arguments, apart=True) == 2
    assert capfd.readouterr().err == f"shapelint: {bug(place)} (--traceback shows where)\n"


@pytest.mark.parametrize("name", ["jobs.dependencies.Watching.data", "jobs.dependencies.Watching._note_environment"])
def test_a_bug_in_a_process_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shapelint.jobs.pool.can_fork", lambda: True)
    place = plant(name, monkeypatch)
    assert run(["check", "net.py:Net", "--input", SIX, "--no-confirm"], apart=True) == 2
    line = capfd.readouterr().err.strip().removeprefix("shapelint: ").removeprefix("net.py:Net: ")
    assert line == f"{bug(place)} (--traceback shows where)"


@pytest.mark.parametrize("name", ["saved.onnx.reader._OnnxReader.graph", "saved.onnx.module.GraphModule._step"])
def test_a_bug_in_what_reads_or_runs_an_onnx_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(model([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 3, "H", "W"]}, ["y"]), tmp_path)
    place = plant(name, monkeypatch)
    assert told(capsys, "check", file, "--no-confirm", "--no-cache") == f"{file}: {bug(place)}"


def test_a_bug_of_an_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])]
    made, place = broken(OPERATORS["MaxPool"])
    monkeypatch.setitem(OPERATORS, "MaxPool", made)
    file = saved(model(nodes, {"x": [1, 3, "H", "W"]}, ["y"]), tmp_path)
    assert told(capsys, "check", file, "--no-confirm", "--no-cache") == f"{file}: {bug(place)}"


@pytest.mark.parametrize("name", ["saved.pt2.reader._ProgramReader._ranges", "saved.pt2.module.ExportedModule._run"])
def test_a_bug_in_what_reads_or_runs_an_exported_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = exported(torch.nn.MaxPool2d(2), (torch.zeros(1, 3, 8, 8),), tmp_path / "net.pt2")
    place = plant(name, monkeypatch)
    assert told(capsys, "check", file, "--no-confirm", "--no-cache") == f"{file}: {bug(place)}"
