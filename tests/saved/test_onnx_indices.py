"""What depends on indices and on the mode of a resize, at sizes on both sides of each condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from tests.onnx_graphs import constant, contract_of, differences, model, saved

Size = Mapping[str, int]


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=f"/{operator}", **attributes)


PAIRS = constant([[0, 2], [1, -3]], "i")
IMAGE = {"x": ("A", "B", "C", "D")}
CASES: dict[str, tuple[onnx.NodeProto, dict[str, Sequence[int | str]], list[Any], list[Size], int]] = {
    "GatherElements": (
        node("GatherElements", "x", "i", axis=1), {"x": ["A", "B"]}, [PAIRS],
        [{"A": 2, "B": 3}, {"A": 2, "B": 2}, {"A": 1, "B": 3}], 17),
    "GatherND": (
        node("GatherND", "x", "i"), {"x": ["A", "B"]}, [PAIRS], [{"A": 2, "B": 3}, {"A": 1, "B": 3}, {"A": 2, "B": 2}],
        17),
    "ScatterND": (
        node("ScatterND", "x", "i", "u"), {"x": ["A", "B"], "u": [2]}, [PAIRS],
        [{"A": 2, "B": 3}, {"A": 1, "B": 3}, {"A": 2, "B": 2}], 17),
    "ScatterElements": (
        node("ScatterElements", "x", "i", "u", axis=1), {"x": ["A", "B"], "u": [2, 2]}, [PAIRS],
        [{"A": 2, "B": 3}, {"A": 1, "B": 3}, {"A": 2, "B": 2}], 17),
    "ScatterElements along rows": (
        node("ScatterElements", "x", "i", "u", axis=1), {"x": ["A", "B"], "i": ["C", "D"], "u": ["C", "D"]}, [],
        [{"A": 3, "B": 1, "C": 2, "D": 4}, {"A": 3, "B": 1, "C": 4, "D": 1}], 17),
    "Resize linear": (
        node("Resize", "x", "", "", "s", mode="linear"), IMAGE, [constant([1, 3, 9, 8], "s")],
        [{"A": 1, "B": 3, "C": 4, "D": 5}, {"A": 2, "B": 3, "C": 4, "D": 5}, {"A": 1, "B": 2, "C": 4, "D": 5},
         {"A": 1, "B": 2, "C": 4, "D": 8}], 18),
    "Resize cubic": (
        node("Resize", "x", "", "", "s", mode="cubic"), IMAGE, [constant([1, 3, 9, 8], "s")],
        [{"A": 1, "B": 2, "C": 4, "D": 8}, {"A": 1, "B": 4, "C": 4, "D": 8}, {"A": 1, "B": 3, "C": 10, "D": 9}], 18),
    "Resize of a row": (
        node("Resize", "x", "", "", "s", mode="nearest"), {"x": ["A"]}, [constant([9], "s")], [{"A": 4}], 18),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_indices_and_resizes_raise_where_onnxruntime_does(name: str, tmp_path: Path) -> None:
    made, inputs, held, points, opset = CASES[name]
    proto = model([made], inputs, ["y"], held=held, opset=opset)
    for value in proto.graph.input:
        value.type.tensor_type.elem_type = TensorProto.INT64 if value.name == "i" else TensorProto.FLOAT
    assert differences(saved(proto, tmp_path), points) == ([], [])


def test_an_unpooling_is_decided_where_no_index_can_lie_beyond_it(tmp_path: Path) -> None:
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [node("MaxPool", "x", outputs=("p", "i"), **window), node("MaxUnpool", "p", "i", "s", **window)]
    for size, decided in ((7, True), (6, False)):
        held = [constant(numpy.array([1, 3, size, 8]), "s")]
        file = saved(model(nodes, {"x": [1, 3, "H", 8]}, ["y"], held=held), tmp_path, f"{size}.onnx")
        assert contract_of(file)[0].outcome(H=7).ok is (True if decided else None)
    wrong, unknown = differences(file, [{"H": 6}, {"H": 8}])
    assert not wrong
    assert len(unknown) == 1


def test_channels_that_onnxruntime_may_fill_up_are_not_decided(tmp_path: Path) -> None:
    """Some processors have instructions for blocks of 16: there 8 channels run where the weight wants 4."""
    weight = constant(numpy.zeros((4, 1, 3, 3)), "w", numpy.float32)
    made = node("Conv", "x", "w", group=4)
    file = saved(model([made], {"x": [1, "C", 5, 5]}, ["y"], held=[weight]), tmp_path)
    contract, _ = contract_of(file)
    assert [contract.outcome(C=channels).ok for channels in (4, 8, 5, 20)] == [True, None, False, False]
    assert differences(file, [{"C": 4}, {"C": 5}, {"C": 20}]) == ([], [])
