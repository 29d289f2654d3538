"""Files that are damaged, hostile, or no models: one line, exit 2, and nothing outside of their folder is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import shapelint
from shapelint.cli.app import run
from shapelint.errors import ShapelintError
from tests.onnx_graphs import constant, model, saved, zeros

RELU = [helper.make_node("Relu", ["x"], ["y"], name="relu")]
IMAGE = {"x": [1, 3, "H", "W"]}


def message(file: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["check", file, "--no-confirm"]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    return written.err.replace(file, "FILE").strip()


def told(file: str) -> str:
    """The one line where the file cannot be checked; "" where it can."""
    try:
        shapelint.check(file)
    except ShapelintError as error:
        return str(error)
    return ""


def refusal(proto: onnx.ModelProto, folder: Path) -> str:
    file = saved(proto, folder)
    with pytest.raises(ShapelintError) as caught:
        shapelint.check(file)
    return str(caught.value).replace(file, "FILE")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "shapelint: 'FILE' holds no ONNX graph"),
        (b"\x00\xff" * 90, "shapelint: 'FILE' is no ONNX file, or a damaged one"),
        (b"\x3a\xff\xff\xff\xff\x07", "shapelint: 'FILE' is no ONNX file, or a damaged one"),
        (b"class Net(nn.Module): pass\n", "shapelint: 'FILE' is no ONNX file, or a damaged one"),
    ],
    ids=["empty", "random bytes", "a claim of 2 GB", "Python"],
)
def test_what_is_no_onnx_file_is_one_line(
    data: bytes, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    assert message(str(file), capsys) == text


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert message(str(tmp_path / "gone.onnx"), capsys) == "shapelint: there is no file 'FILE'"
    (tmp_path / "folder.onnx").mkdir()
    assert message(str(tmp_path / "folder.onnx"), capsys) == "shapelint: there is no file 'FILE'"


def test_every_truncation_is_one_line_or_a_report(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])]
    data = model(nodes, IMAGE, ["y"], held=[zeros(4, 3, 3, 3, name="w")]).SerializeToString()
    file = tmp_path / "model.onnx"
    for length in range(0, len(data), 23):
        file.write_bytes(data[:length])
        assert "\n" not in told(str(file))


def test_flipped_bytes_are_one_line_or_a_report(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["t"], kernel_shape=[3, 3]), helper.make_node("Relu", ["t"], ["y"])]
    data = model(nodes, IMAGE, ["y"], held=[zeros(2, 3, 3, 3, name="w")]).SerializeToString()
    file = tmp_path / "model.onnx"
    for place in range(0, len(data), 29):
        for value in (0x00, 0x7F, 0xFF):
            file.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            assert "\n" not in told(str(file))


def test_a_cycle_is_told(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["b"], ["a"], name="one"), helper.make_node("Relu", ["a"], ["b"], name="two")]
    text = refusal(model(nodes, IMAGE, ["b"]), tmp_path)
    assert text in ("'FILE': 'one' and 'two' wait for each other", "'FILE': 'two' and 'one' wait for each other")


def test_a_tensor_that_nothing_gives_is_told(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "gone"], ["y"], name="add")]
    assert refusal(model(nodes, IMAGE, ["y"]), tmp_path) == "'FILE': 'add' takes 'gone', which nothing gives"
    assert refusal(model(RELU, IMAGE, ["z"]), tmp_path) == "'FILE' gives 'z', which nothing in it makes"


def test_two_makers_of_one_tensor_are_told(tmp_path: Path) -> None:
    nodes = [*RELU, helper.make_node("Abs", ["x"], ["y"], name="abs")]
    assert refusal(model(nodes, IMAGE, ["y"]), tmp_path) == "'FILE': both 'relu' and 'abs' give 'y'"


def test_steps_that_are_not_in_order_are_sorted_as_onnxruntime_does(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["t"], ["y"]), helper.make_node("MaxPool", ["x"], ["t"], kernel_shape=[2, 2])]
    report = shapelint.check(saved(model(nodes, IMAGE, ["y"]), tmp_path))
    assert report.contract.outcome(H=8, W=9).outputs == ((1, 3, 7, 8),)


@pytest.mark.parametrize("dims", [[-3, 2], [2**40, 2**40]], ids=["negative", "enormous"])
def test_impossible_shapes_of_weights_are_told(dims: Sequence[int], tmp_path: Path) -> None:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    text = refusal(model(RELU, IMAGE, ["y"], held=[weight]), tmp_path)
    assert text == f"'FILE': the tensor 'w' has the shape {list(dims)}, which cannot be"


def test_numbers_that_do_not_fit_their_shape_are_told(tmp_path: Path) -> None:
    shape = constant([1, -1], "s")
    shape.dims[0] = 5
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    text = refusal(model(nodes, IMAGE, ["y"], held=[shape]), tmp_path)
    assert text == "'FILE': the data of the tensor 's' do not fit its shape [5]"


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", ""])
def test_data_outside_of_the_folder_are_refused(location: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "models"
    folder.mkdir()
    shape = external("s", TensorProto.INT64, [2], location)
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    text = refusal(model(nodes, IMAGE, ["y"], held=[shape]), folder)
    assert text == f"'FILE': the data of 's' are in {location!r}, outside of its folder"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "data").symlink_to(tmp_path / "secret")
    text = refusal(model(RELU, IMAGE, ["y"], held=[external("w", TensorProto.FLOAT, [9], "data")]), folder)
    assert text == "'FILE': the data of 'w' are in 'data', outside of its folder"


def test_weights_in_a_file_beside_it_need_not_be_there(tmp_path: Path) -> None:
    weight = external("w", TensorProto.FLOAT, [8, 3, 3, 3], "weights.bin")
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])]
    report = shapelint.check(saved(model(nodes, IMAGE, ["y"], held=[weight]), tmp_path))
    assert report.contract.outcome(H=10, W=11).outputs == ((1, 8, 8, 9),)


def test_small_numbers_in_a_file_beside_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "numbers.bin").write_bytes(bytes(8) + constant([1, -1], "s").raw_data)
    shape = external("s", TensorProto.INT64, [2], "numbers.bin", offset=8)
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    report = shapelint.check(saved(model(nodes, IMAGE, ["y"], held=[shape]), tmp_path))
    assert report.contract.outcome(H=4, W=5).outputs == ((1, 60),)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_the_place_of_data_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = refusal(model(RELU, IMAGE, ["y"], held=[external("s", TensorProto.INT64, [2], "pipe")]), tmp_path)
    assert text == "'FILE': the data of 's' are in 'pipe', which is no file"


def external(name: str, dtype: int, dims: Sequence[int], location: str, offset: int = 0) -> TensorProto:
    tensor = TensorProto(name=name, data_type=dtype, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", str(offset))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def test_graphs_nested_too_deep_are_told(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    for _ in range(20):
        node = helper.make_node("If", ["c"], ["y"])
        inner = helper.make_graph(nodes, "inner", [], [onnx.ValueInfoProto(name="y")])
        node.attribute.append(helper.make_attribute("then_branch", inner))
        nodes = [node]
    text = refusal(model(nodes, IMAGE, ["y"], held=[constant(True, "c", bool)]), tmp_path)
    assert text == "'FILE' holds graphs inside of graphs, deeper than 16"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda proto: proto.opset_import[0].CopyFrom(helper.make_opsetid("", 5)),
         "'FILE' is written for opset 5; 6 is the oldest that onnxruntime runs"),
        (lambda proto: proto.graph.input[0].type.tensor_type.shape.dim[1].CopyFrom(dim(0)),
         "'FILE' takes 'x' with a size of 0, which no input has"),
        (lambda proto: proto.graph.input[0].type.tensor_type.shape.dim[1].CopyFrom(dim(-7)),
         "'FILE' takes 'x' with a size of -7, which no input has"),
        (lambda proto: setattr(proto.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING),
         "'FILE' takes 'x' in a dtype that PyTorch does not have"),
        (lambda proto: proto.graph.input[0].type.sequence_type.elem_type.tensor_type.SetInParent(),
         "'FILE' takes 'x', which is no tensor"),
        (lambda proto: proto.graph.input[0].type.tensor_type.ClearField("shape"),
         "'FILE' does not tell the shape of 'x'; give it with --input x=..."),
    ],
)  # fmt: skip
def test_models_that_cannot_be_run_are_told(
    change: Callable[[onnx.ModelProto], object], text: str, tmp_path: Path
) -> None:
    proto = model(RELU, IMAGE, ["y"])
    change(proto)
    assert refusal(proto, tmp_path) == text


def dim(value: int) -> onnx.TensorShapeProto.Dimension:
    return onnx.TensorShapeProto.Dimension(dim_value=value)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (helper.make_node("Magic", ["x"], ["y"], name="m", domain="com.acme"),
         "the operator `com.acme.Magic` of `m` is not known here"),
        (helper.make_node("NonZero", ["x"], ["y"], name="m"),
         "the size of what `NonZero` of `m` gives depends on the data"),
        (helper.make_node("MaxPool", ["x"], ["y"], name="m", kernel_shape="three"),
         "`MaxPool`: its attribute 'kernel_shape' is of a wrong type"),
        (helper.make_node("Reshape", ["x", "x"], ["y"], name="m"),
         "`Reshape`: the new shape depends on the numbers in a tensor, not on sizes"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(node: onnx.NodeProto, why: str, tmp_path: Path) -> None:
    report = shapelint.check(saved(model([node], IMAGE, ["y"]), tmp_path), "1,3,16,16")
    assert [(finding.code, str(finding.severity)) for finding in report.findings] == [("SL900", "warning")]
    assert not report.contract.proved
    assert report.contract.outcome(H=16, W=16).ok is None
    assert why in {region.why for region in report.contract.regions}


def test_a_source_elsewhere_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("password = 'hunter2'\n")
    here, folder = tmp_path / "here", tmp_path / "models"
    here.mkdir()
    folder.mkdir()
    monkeypatch.chdir(here)
    nodes = [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[40, 40])]
    nodes[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value=f'File "{secret}", line 1, in forward\n  x')
    report = shapelint.check(saved(model(nodes, IMAGE, ["y"]), folder), "1,3,8,8")
    assert report.findings
    assert "hunter2" not in str(report)
    assert report.findings[0].location is None
