"""An ONNX file as a target: inputs from the file, findings at its nodes, confirmed by onnxruntime on the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

import shapelint
from shapelint.cli.app import run
from shapelint.errors import SpecError, TargetError
from shapelint.saved.onnx.ops.resize import exact_scale
from shapelint.terminal.quiet import quiet
from tests.onnx_graphs import Runtime, constant, differences, model, saved, zeros

CONV = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
FOUNDING = [
    helper.make_node("Conv", ["x", "w"], ["down"], name="/conv", **CONV),
    helper.make_node("ConvTranspose", ["down", "w"], ["y"], name="/deconv", **CONV),
]
WEIGHT = zeros(8, 3, 3, 3, name="w")
OPEN = {"x": [1, 3, "H", "W"]}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.deconv(self.conv(image))  # type: ignore[no-any-return]


def test_the_founding_example_is_found_in_a_file(tmp_path: Path) -> None:
    report = shapelint.check(saved(model(FOUNDING, OPEN, ["y"], held=[WEIGHT]), tmp_path), "1,3,6,6", confirm=("cpu",))
    finding = report.findings[0]
    assert (finding.code, finding.module, finding.location) == ("SL101", "/deconv", None)
    assert finding.message == "`/deconv` gives back 5x5 where `/conv` took 6x6"
    assert finding.fix is not None
    assert (str(finding.fix.safety), dict(finding.fix.assignments)) == ("advice", {"/deconv.output_padding": (1, 1)})
    assert [(pair.down, pair.up) for pair in report.pairs] == [(("/conv",), ("/deconv",))]
    assert str(report.contract.restores) == "H and W odd"
    assert [(each.observed, each.ok) for each in report.confirmations] == [(((1, 3, 5, 5),), True)]


@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
def test_both_exporters_keep_the_founding_example(
    dynamo: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    file, image = str(tmp_path / "net.onnx"), torch.zeros(1, 3, 16, 16)
    sizes: dict[str, Any] = {"dynamic_axes": {"image": {2: "H", 3: "W"}}}
    if dynamo:
        sizes = {"dynamic_shapes": ({2: torch.export.Dim("H"), 3: torch.export.Dim("W")},), "verbose": False}
    with quiet():
        torch.onnx.export(Net().eval(), (image,), file, dynamo=dynamo, input_names=["image"], **sizes)
    report = shapelint.check(file, "1,3,6,6")
    name = "node_conv2d" if dynamo else "/conv/Conv"
    assert report.findings[0].message.endswith(f"gives back 5x5 where `{name}` took 6x6")
    assert str(report.contract.restores) == "H and W odd"
    if dynamo:
        place = report.findings[0].location
        assert place is not None
        assert Path(place.file) == Path(__file__)
        assert "self.deconv(self.conv(image))" in place.text()


def test_open_sizes_become_symbols(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "z"], ["y"])]
    inputs = {"x": ["batch size", 3, None, None], "z": [None, 3, "H", "2*w"]}
    report = shapelint.check(saved(model(nodes, inputs, ["y"]), tmp_path))
    assert report.inputs == ("x=batch_size,3,H2,W", "z=N,3,H,s_2_w")


def test_a_long_name_of_a_size_becomes_a_usual_one(tmp_path: Path) -> None:
    names = ["the_dynamic_batch_size_of_the_input", 3, "the_dynamic_height_of_the_input", "encoder_sequence_length"]
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    report = shapelint.check(saved(model(nodes, {"x": names}, ["y"]), tmp_path))
    assert report.inputs == ("N,3,H,encoder_sequence_length",)


def test_a_file_with_fixed_sizes_has_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(model(FOUNDING, {"x": [1, 3, 7, 7]}, ["y"], held=[WEIGHT]), tmp_path)
    run(["sizes", file])
    told = capsys.readouterr().out
    assert "runs for: H and W only 7" in told
    assert "\u00b7\u00b7\u00b7" not in told


def test_an_end_beyond_every_axis_is_in_no_formula(tmp_path: Path) -> None:
    held = [constant([1], "from"), constant([2**31 - 1], "to"), constant([1], "axes")]
    nodes = [helper.make_node("Slice", ["x", "from", "to", "axes"], ["y"])]
    file = saved(model(nodes, {"x": [2, "L"]}, ["y"], held=held), tmp_path)
    (region,) = shapelint.check(file).contract.regions
    assert [str(each) for each in region.outcome.outputs] == ["(2, L - 1)"]
    assert differences(file, [{"L": 1}, {"L": 5}]) == ([], [])


def test_inputs_are_bound_by_place_and_by_name(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "z"], ["y"])]
    file = saved(model(nodes, {"x": [1, "A"], "z": [1, "B"]}, ["y"]), tmp_path)
    assert shapelint.check(file, ["z=1,Z", "1,7"]).inputs == ("x=1,7", "z=1,Z")
    with pytest.raises(SpecError, match="has no input 'q'; known are x, z"):
        shapelint.check(file, ["q=1,7"])
    with pytest.raises(SpecError, match=r"takes 2 inputs \(x, z\), but 3 are given"):
        shapelint.check(file, ["1,7", "1,7", "1,7"])
    with pytest.raises(SpecError, match=r"input '1,7,7': 'x' of '.*' has 2 dims \(1,A\)"):
        shapelint.check(file, ["1,7,7"])
    with pytest.raises(SpecError, match=r"input '1,7:int64': 'x' of '.*' is of dtype float32"):
        shapelint.check(file, ["1,7:int64"])


def test_a_size_that_the_file_fixes_is_not_open(tmp_path: Path) -> None:
    file = saved(model(FOUNDING, {"x": [1, 3, 7, "W"]}, ["y"], held=[WEIGHT]), tmp_path)
    report = shapelint.check(file, "1,3,H,W")
    assert str(report.contract.runs) == "H only 7, any W"
    assert "the file fixes axis 2 of `x` at 7, and it is 9" in report.contract.outcome(H=9, W=9).error
    assert Runtime(file).shapes([(1, 3, 9, 9)]) is None
    report = shapelint.check(file, "1,3,9,9", confirm=("cpu",))
    assert [(each.code, str(each.severity)) for each in report.findings] == [("SL202", "error")]
    assert [(each.ok, each.observed) for each in report.confirmations] == [(True, None)]


@pytest.mark.parametrize("divisor", [2, 3, 49])
def test_sizes_go_through_the_arithmetic_of_a_graph(divisor: int, tmp_path: Path) -> None:
    """A part of the height, floored and doubled, as exporters write `x.shape[2] // 2 * 2` down."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "two"], ["h"], axis=0),
        helper.make_node("Cast", ["h"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["f", "two_f"], ["half"]),
        helper.make_node("Floor", ["half"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["i"], to=TensorProto.INT64),
        helper.make_node("Mul", ["i", "two"], ["even"]),
        helper.make_node("Unsqueeze", ["even", "zero"], ["row"]),
        helper.make_node("Concat", ["front", "row", "width"], ["target"], axis=0),
        helper.make_node("Resize", ["x", "", "", "target"], ["y"], mode="nearest"),
    ]
    held = [constant(2, "two"), constant(divisor, "two_f", "float32"), constant([0], "zero"), constant([1, 3], "front"),
            constant([5], "width")]  # fmt: skip
    file = saved(model(nodes, OPEN, ["y"], held=held), tmp_path)
    wrong, unknown = differences(file, [{"H": h, "W": w} for h in (2, 3, 8, 31, 49, 98) for w in (1, 6)])
    assert not wrong + unknown
    assert shapelint.check(file).contract.proved


def test_an_if_takes_the_way_that_a_size_picks(tmp_path: Path) -> None:
    def branch(name: str, kernel: int) -> onnx.GraphProto:
        node = helper.make_node("MaxPool", ["x"], [name], name=f"pool{kernel}", kernel_shape=[kernel, kernel])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])

    nodes = [
        helper.make_node("Shape", ["x"], ["s"], start=2, end=3),
        helper.make_node("Squeeze", ["s", "zero"], ["h"]),
        helper.make_node("Greater", ["h", "ten"], ["large"]),
        helper.make_node("If", ["large"], ["y"], then_branch=branch("a", 4), else_branch=branch("b", 2)),
    ]
    held = [constant([0], "zero"), constant(10, "ten")]
    proto = model(nodes, OPEN, ["y"], held=held)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, None))
    file = saved(proto, tmp_path)
    wrong, unknown = differences(file, [{"H": h, "W": w} for h in (2, 9, 10, 11, 30) for w in (4, 7)])
    assert not wrong + unknown
    assert shapelint.check(file).contract.outcome(H=11, W=9).outputs == ((1, 3, 8, 6),)


@pytest.mark.parametrize(
    ("scale", "n", "size"), [(1.4, 45, 63), (0.7, 90, 63), (2.3, 50, 115), (2.0, 7, 14), (0.5, 7, 3)]
)
def test_a_scale_is_rounded_as_in_onnxruntime(scale: float, n: int, size: int, tmp_path: Path) -> None:
    """PyTorch floors in float64, and gives 62 for 1.4 times 45."""
    nodes = [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest")]
    file = saved(model(nodes, OPEN, ["y"], held=[constant([1, 1, scale, 1], "s", "float32")]), tmp_path)
    assert Runtime(file).shapes([(1, 3, n, 4)]) == ((1, 3, size, 4),)
    assert shapelint.check(file).contract.outcome(H=n, W=4).outputs == ((1, 3, size, 4),)


def test_a_padding_that_onnxruntime_refuses_raises_at_every_size(tmp_path: Path) -> None:
    up = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="/up", kernel_shape=[3, 3], dilations=[2, 2],
                          output_padding=[1, 1])  # fmt: skip
    file = saved(model([up], {"x": [1, 8, "H", "W"]}, ["y"], held=[WEIGHT]), tmp_path)
    assert Runtime(file).shapes([(1, 8, 9, 9)]) is None
    report = shapelint.check(file, "1,8,9,9")
    assert not report.contract.runs
    assert not report.ok


def test_a_function_that_the_file_brings_along_is_followed(tmp_path: Path) -> None:
    body = [helper.make_node("MaxPool", ["a"], ["b"])]
    body[0].attribute.append(onnx.AttributeProto(name="kernel_shape", ref_attr_name="k", type=onnx.AttributeProto.INTS))
    proto = model([helper.make_node("Own", ["x"], ["y"], domain="mine", k=[3, 2])], OPEN, ["y"])
    proto.opset_import.append(helper.make_opsetid("mine", 1))
    function = helper.make_function("mine", "Own", ["a"], ["b"], body, [helper.make_opsetid("", 17)], attributes=["k"])
    proto.functions.append(function)
    file = saved(proto, tmp_path)
    wrong, unknown = differences(file, [{"H": 3, "W": 2}, {"H": 9, "W": 8}])
    assert not wrong + unknown


def test_options_for_code_are_refused(tmp_path: Path) -> None:
    file = saved(model(FOUNDING, OPEN, ["y"], held=[WEIGHT]), tmp_path)
    for options, name in (({"train": True}, "--train"), ({"method": "encode"}, "--method"),
                          ({"init_kwargs": {"depth": 4}}, "--kwargs")):  # fmt: skip
        with pytest.raises(TargetError, match=f"is a file with a graph, and no code that {name}"):
            shapelint.check(file, **options)  # type: ignore[arg-type]


def test_the_command_line_takes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(model(FOUNDING, OPEN, ["y"], held=[WEIGHT]), tmp_path)
    assert run(["check", file, "--input", "x=1,3,6,6", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["targets"][0]
    assert told["findings"][0]["module"] == "/deconv"
    assert told["confirmations"][0]["observed"] == [[1, 3, 5, 5]]
    assert run(["sizes", file]) == 0
    assert "restores the size for: H and W odd" in capsys.readouterr().out


def test_a_project_configures_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(model(FOUNDING, OPEN, ["y"], held=[WEIGHT]), tmp_path, "net.onnx")
    entry = '[tool.shapelint]\nmodels = [{ target = "net.onnx", input = "1,3,6,6" }]\n'
    for text, code in ((entry, 1), (entry + 'per-file-ignores = { "*.onnx" = ["SL101"] }\n', 0)):
        (tmp_path / "pyproject.toml").write_text(text)
        assert run(["check", "--no-confirm"]) == code
        assert "net.onnx at 1,3,6,6" in capsys.readouterr().out


def test_known_indices_must_lie_inside(tmp_path: Path) -> None:
    node = helper.make_node("Gather", ["x", "i"], ["y"], axis=2)
    file = saved(model([node], OPEN, ["y"], held=[constant([3, -2], "i")]), tmp_path)
    wrong, unknown = differences(file, [{"H": h, "W": 5} for h in (1, 2, 3, 4, 9)])
    assert not wrong + unknown
    assert str(shapelint.check(file).contract.runs) == "H at least 4, any W"


def test_a_changed_file_is_checked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cache keeps the report of a file only as long as the file stays."""
    file = saved(model(FOUNDING, OPEN, ["y"], held=[WEIGHT]), tmp_path)
    for expected in (1, 1):
        assert run(["check", file, "--input", "1,3,6,6", "--no-confirm"]) == expected
    saved(model(FOUNDING[:1], OPEN, ["down"], held=[WEIGHT]), tmp_path)
    assert run(["check", file, "--input", "1,3,6,6", "--no-confirm"]) == 0
    assert "ok" in capsys.readouterr().out


def test_a_rounded_scale_is_told_up_to_where_it_is_a_fraction(tmp_path: Path) -> None:
    """0.3333 in float32 is 3333/10000 only below some thousand rows; there onnxruntime rounds up to the next row."""
    nodes = [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest")]
    proto = model(nodes, {"x": [1, 1, "H", 1]}, ["y"], held=[constant([1, 1, 0.3333, 1], "s", "float32")])
    fraction, bound = exact_scale(float(numpy.float32(0.3333)))
    assert 1000 < bound < 1 << 20
    file = saved(proto, tmp_path)
    runtime = Runtime(file)
    told = [(n * fraction.numerator // fraction.denominator) for n in (bound - 1, bound)]
    assert runtime.shapes([(1, 1, bound - 1, 1)]) == ((1, 1, told[0], 1),)
    assert runtime.shapes([(1, 1, bound, 1)]) == ((1, 1, told[1] + 1, 1),)
    wrong, _ = differences(file, [{"H": n} for n in (64, bound - 1, bound, bound + 1, 3 * bound)])
    assert not wrong


class Positions(nn.Module):
    """Takes rows of a table by their places, from the front and from the back."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(50, 16), nn.Embedding(64, 16)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        return self.embed(ids) + self.place(places.unsqueeze(0).expand(ids.shape[0], -1))  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore")
def test_a_table_of_positions_bounds_the_tokens_of_an_exported_file(tmp_path: Path) -> None:
    file, ids = str(tmp_path / "net.onnx"), torch.zeros(2, 12, dtype=torch.int64)
    axes = {"ids": {0: "N", 1: "S"}}
    with quiet():
        torch.onnx.export(Positions(), (ids,), file, dynamo=False, input_names=["ids"], dynamic_axes=axes)
    contract = shapelint.check(file).contract
    assert contract.proved
    assert str(contract.runs) == "any N, S from 1 to 64"
    assert differences(file, [{"N": 1, "S": 1}, {"N": 3, "S": 64}, {"N": 1, "S": 65}, {"N": 2, "S": 200}]) == ([], [])
