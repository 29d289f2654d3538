"""Confirmation at many sizes: one file with open sizes, run by onnxruntime in a process of its own."""

from __future__ import annotations

import io
import json
import math
import os
import pty
import subprocess
import sys
from itertools import chain, repeat
from math import inf
from pathlib import Path
from types import SimpleNamespace

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import shapelint
from shapelint.confirm import dynamic, many
from shapelint.confirm.many import RuntimeTask, SizedRun, Worker
from shapelint.confirm.onnx_file import Exporter, FlatModule, OnnxFile, export_open, input_names
from shapelint.confirm.runtime import RunRefused, check_used, message
from shapelint.errors import ProviderError
from shapelint.facts.finding import Confirmation
from shapelint.report.report import Report
from shapelint.request.inputs import parse_inputs
from shapelint.terminal import progress
from shapelint.terminal.quiet import quiet

ROOT = Path(__file__).parent.parent.parent


def confirmed(net: nn.Module, spec: object = "1,3,H,W", **options: object) -> Report:
    return shapelint.check(net, spec, confirm=("cpu",), **options)  # type: ignore[arg-type]


def at_many(report: Report) -> list[Confirmation]:
    """What onnxruntime gave with open sizes."""
    return [each for each in report.confirmations if each.dynamic and each.exporter]


def sizes(confirmations: list[Confirmation], name: str) -> set[int]:
    return {each.sizes[name] for each in confirmations}


class Founding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.deconv(self.conv(x)))


class Shrinking(nn.Module):
    """Three halvings of at least 7 rows, and what is left times 8."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 7)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.pool(self.pool(self.first(x)))
        return nn.functional.interpolate(y, scale_factor=8)


def test_every_residue_edges_large_and_oblong_sizes_are_run_in_one_file() -> None:
    report = confirmed(Shrinking())
    found = at_many(report)
    assert all(each.ok and each.predicted == each.observed for each in found)
    assert {each.exporter for each in found} == {"dynamo=False"}
    for name in ("H", "W"):
        assert {size % 4 for size in sizes(found, name)} == {0, 1, 2, 3}
        assert min(sizes(found, name)) == 10
        assert max(sizes(found, name)) >= 97
    assert sum(each.sizes["H"] != each.sizes["W"] for each in found) > len(found) // 2
    assert all(each.max_abs_error is None for each in found)


def test_eager_pytorch_raises_just_below_the_smallest_size() -> None:
    report = confirmed(Shrinking())
    raised = [each for each in report.confirmations if each.provider == "PyTorch"]
    assert {(9, 10), (10, 9)} <= {(each.sizes["H"], each.sizes["W"]) for each in raised}
    assert all(each.ok and each.predicted is None and each.observed is None for each in raised)
    assert raised[0].note.startswith("raises, as predicted: ")
    assert {type(text) for each in report.confirmations for text in (each.version, each.exporter)} == {str}


def test_each_region_has_its_sizes() -> None:
    class TwoWays(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[..., :5] if x.shape[-1] > 1000 else x

    found = at_many(confirmed(TwoWays(), "1,3,L"))
    assert min(sizes(found, "L")) < 1000 < max(sizes(found, "L"))


def test_only_asked_sizes_are_run() -> None:
    found = at_many(confirmed(Founding(), sizes={"H": range(32, 65, 8), "W": [33, 47]}))
    assert found
    assert sizes(found, "H") <= set(range(32, 65, 8))
    assert sizes(found, "W") == {33, 47}


def test_one_size_needs_no_file_with_open_sizes() -> None:
    assert not any(each.dynamic for each in confirmed(Founding(), (1, 3, 6, 6)).confirmations)
    assert not any(each.dynamic for each in confirmed(Founding(), sizes={"H": [6], "W": [6]}).confirmations)


def test_what_is_left_out_is_said() -> None:
    report = confirmed(nn.Sequential(nn.AvgPool1d(97), nn.Upsample(scale_factor=97)), "1,1,L")
    assert len(at_many(report)) == 61
    assert report.remarks == ("not run by onnxruntime: 36 of 97 residues of L",)


def test_several_inputs_share_a_symbol() -> None:
    class Joined(nn.Module):
        def forward(self, x: torch.Tensor, *, mask: torch.Tensor) -> torch.Tensor:
            return x * mask.to(x.dtype) + nn.functional.pad(x[..., 1:], [0, 1])

    found = at_many(confirmed(Joined(), ["1,3,H,W", "mask=1,1,H,W:bool"]))
    assert len(found) > 3
    assert all(each.ok for each in found)


class Counting(nn.Module):
    """Its quick export keeps the length that it is traced at, the other exporter's does not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x, [0, math.ceil(x.shape[-1] / 2) * 2 - x.shape[-1]])


def test_a_size_that_the_quick_exporter_bakes_is_asked_of_the_other_exporter() -> None:
    report = confirmed(Counting(), "1,3,L")
    found = at_many(report)
    assert {each.exporter for each in found} == {"dynamo=True"}
    assert all(each.ok for each in found)
    (remark,) = report.remarks
    assert remark == f"with dynamo=False: {len(found)} of {len(found)} sizes come out otherwise"
    assert report.ok


def test_a_symbol_that_becomes_a_constant_is_named() -> None:
    class Keyed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + {}.get(int(x.shape[-1]), 1)

    arguments = ((torch.zeros(1, 3, 20, 23),), {})
    with quiet():
        file = export_open(FlatModule(Keyed(), arguments), arguments[0], ({2: "H", 3: "W"},), Exporter.DYNAMO)
    inputs = parse_inputs("1,3,H,W")
    assert dynamic._constants(file, inputs) == ("`W`",)


class Refused(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.shapelint_many.nothing(x)  # type: ignore[no-any-return]


def test_a_refusal_is_one_line() -> None:
    torch.library.define("shapelint_many::nothing", "(Tensor x) -> Tensor")
    torch.library.impl("shapelint_many::nothing", ("CPU", "Meta"), lambda x: x + 1)
    report = confirmed(Refused())
    assert report.remarks == ("not confirmed: the exporter refuses shapelint_many::nothing",)
    assert report.confirmations == ()


def tiny(*nodes: onnx.NodeProto, shape: tuple[object, ...] = (1, 1, "L"), opset: int = 20) -> OnnxFile:
    """A file with one input and one output, made by hand."""
    ends = [onnx.helper.make_tensor_value_info(input_names(1)[0], 1, shape),
            onnx.helper.make_tensor_value_info("y", 1, None)]  # fmt: skip
    graph = onnx.helper.make_graph(nodes, "tiny", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=9)
    return OnnxFile(model.SerializeToString(), Exporter.DYNAMO)


def runs(file: OnnxFile, *lengths: int, seconds: float = inf) -> list[SizedRun]:
    task = RuntimeTask(file, ("float32",), {}, tuple(((1, 1, n),) for n in lengths))
    with Worker("cpu") as worker:
        return list(worker.runs(task, seconds=seconds, waiting=60.0))


CRASHING = """
import json, os, pickle, signal, sys
asked = pickle.load(sys.stdin.buffer)
print(json.dumps({"provider": "CPUExecutionProvider"}), flush=True)
for sizes in asked["sizes"]:
    if sizes["input_0"][-1] == 4:
        os.kill(os.getpid(), signal.SIGFPE)
    print(json.dumps({"shapes": [sizes["input_0"]]}), flush=True)
"""
LOADING = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"


def test_a_crash_over_a_file_of_the_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "crashing.py"
    program.write_text(CRASHING.replace('sizes["input_0"]', "sizes[0]"))
    monkeypatch.setattr(many, "_WORKER", program)
    path = tmp_path / "net.onnx"
    path.write_bytes(tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"])).data)
    (found,) = shapelint.check(str(path), "1,1,4", confirm=("cpu",)).confirmations
    assert (found.ok, found.observed, found.note) == (False, None, "onnxruntime crashes (SIGFPE)")
    (found,) = shapelint.check(str(path), "1,1,6", confirm=("cpu",)).confirmations
    assert (found.ok, found.observed) == (True, ((1, 1, 6),))
    program.write_text(LOADING)
    report = shapelint.check(str(path), "1,1,4", confirm=("cpu",))
    assert report.confirmations == ()
    assert "not confirmed: onnxruntime crashes while it loads the file (SIGSEGV)" in report.remarks


def test_a_crash_of_onnxruntime_costs_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "crashing.py"
    program.write_text(CRASHING)
    monkeypatch.setattr(many, "_WORKER", program)
    identity = tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"]))
    found = runs(identity, 6, 4, 7)
    assert found == [SizedRun(((1, 1, 6),)), SizedRun(None, "onnxruntime crashes (SIGFPE)"), SizedRun(((1, 1, 7),))]


def test_time_that_is_up_ends_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hanging.py"
    program.write_text(CRASHING.replace("os.kill(os.getpid(), signal.SIGFPE)", "__import__('time').sleep(600)"))
    monkeypatch.setattr(many, "_WORKER", program)
    identity = tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"]))
    clock = chain((0.0, 0.0), repeat(1000.0))
    monkeypatch.setattr(many, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert runs(identity, 6, 4, 7) == [SizedRun(((1, 1, 6),))]


def test_processor_time_that_is_used_up_ends_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor time of the other process, whatever the clock says; a crash does not give any back."""
    program = tmp_path / "slow.py"
    program.write_text(CRASHING.replace('"shapes": [sizes["input_0"]]', '"shapes": [sizes["input_0"]], "seconds": 2.0'))
    monkeypatch.setattr(many, "_WORKER", program)
    identity = tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"]))
    whole = [SizedRun(((1, 1, 6),)), SizedRun(None, "onnxruntime crashes (SIGFPE)"), SizedRun(((1, 1, 7),)),
             SizedRun(((1, 1, 8),))]  # fmt: skip
    assert runs(identity, 6, 4, 7, 8, seconds=5.0) == whole
    assert runs(identity, 6, 4, 7, 8, seconds=3.0) == whole[:3]
    assert runs(identity, 6, 4, 7, 8, seconds=1.0) == whole[:1]


def test_the_time_that_onnxruntime_takes_is_told() -> None:
    identity = tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"]))
    assert runs(identity, 6, 7, seconds=0.0) == [SizedRun(((1, 1, 6),))]


def test_a_file_that_onnxruntime_does_not_load() -> None:
    with pytest.raises(RunRefused, match=r"^onnxruntime cannot load it: .*No Op registered for Nothing"):
        runs(tiny(onnx.helper.make_node("Nothing", [input_names(1)[0]], ["y"])), 4)


def test_a_provider_that_fell_back_in_the_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "on_the_cpu.py"
    program.write_text(CRASHING)
    monkeypatch.setattr(many, "_WORKER", program)
    file = tiny(onnx.helper.make_node("Identity", [input_names(1)[0]], ["y"]))
    with Worker("cuda") as worker, pytest.raises(ProviderError, match="fell back to CPUExecutionProvider"):
        list(worker.runs(RuntimeTask(file, ("float32",), {}, (((1, 1, 6),),)), waiting=60.0))
    with pytest.raises(ProviderError, match=r"^CUDAExecutionProvider does not start \(onnxruntime fell back to CPUE"):
        check_used("CPUExecutionProvider", "cuda")


def test_reasons_are_without_the_places_of_other_peoples_code() -> None:
    text = "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : code: 'Concat' Status Message: concat.h:135 Make "
    assert message(text + "Axes must match: 5 and 4") == "Axes must match: 5 and 4"


def test_no_process_is_left() -> None:
    with Worker("cpu") as worker:
        process = worker._process
    assert process.poll() is not None


def test_text_and_json_of_many_sizes() -> None:
    report = confirmed(Shrinking())
    count = len(at_many(report))
    text = str(report)
    line = f"onnxruntime {onnxruntime.__version__} (CPUExecutionProvider), one file with H and W open (dynamo=False): "
    assert f"{line}{count} of {count} sizes as predicted (H from 10 to 97, W from 10 to 100)\n" in text
    assert f"PyTorch {torch.__version__}: 9 of 9 sizes raise as predicted (H from 4 to 10, W from 4 to 11)" in text
    entry = json.loads(report.to_json())["targets"][0]["confirmations"][-1]
    assert (entry["dynamic"], entry["provider"], entry["exporter"]) == (True, "PyTorch", "")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal that is its standard error."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "shapelint", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=there, cwd=ROOT, env={**os.environ, **environment}
    )
    os.close(there)
    written = io.BytesIO()
    while True:
        try:
            written.write(os.read(here, 1024))
        except OSError:  # Linux, where the other end is closed
            break
    process.wait()
    os.close(here)
    return written.getvalue().decode()


def test_progress_is_for_terminals_only(capfd: pytest.CaptureFixture[str]) -> None:
    check = ("check", "examples/mymodel.py:Net", "--input", "1,3,H,W")
    shown = on_a_terminal(*check, NO_COLOR="1", TERM="xterm")
    assert "onnxruntime" in shown
    assert shown.endswith(progress._ERASE)
    assert "\x1b[3" not in shown
    with progress.progress_shown(), progress.terminal() as stream:
        assert stream is None


def test_a_dtype_that_numpy_lacks_is_one_line() -> None:
    report = confirmed(nn.Conv2d(3, 4, 3).to(torch.bfloat16), "1,3,H,W:bfloat16")
    assert not at_many(report)
    said = [remark.partition(": ")[0] for remark in report.remarks]
    assert said == ["H and W come back 2 smaller", "not confirmed at many sizes"]


def test_no_process_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    report = confirmed(Founding())
    assert not at_many(report)
    assert report.remarks == ("not confirmed at many sizes: [Errno 2] No such file or directory: '/nowhere/python'",)
