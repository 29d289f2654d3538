"""Graphs inside of a graph, and sequences: what is followed is what onnxruntime gives, and the rest is not decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from tests.onnx_graphs import FLOAT, constant, contract_of, differences, model, saved, zeros

Size = Mapping[str, int]
Value = tuple[str, int]
YES = constant(numpy.array(True), "yes", numpy.bool_)
TRIPS = constant(numpy.array(3), "trips")
SIZES = [{"A": 3, "B": 4}, {"A": 1, "B": 5}, {"A": 2, "B": 1}]


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    name = f"/{operator}/{outputs[0]}"
    return helper.make_node(operator, list(inputs), list(outputs), name=name, **attributes)


def graph(nodes: Sequence[onnx.NodeProto], inputs: Sequence[Value], outputs: Sequence[Value], **held: Any) -> Any:
    tensors = [constant(numpy.array(value), name) for name, value in held.items()]
    info = helper.make_tensor_value_info
    known = {"turn": [], "go": [], "more": []}
    given, made = ([info(name, kind, known.get(name)) for name, kind in values] for values in (inputs, outputs))
    return helper.make_graph(list(nodes), "inner", given, made, tensors)


def body(*nodes: onnx.NodeProto, collects: bool = False, **held: Any) -> Any:
    """The body of a Loop that makes `w` of `v`, and `part` where it collects."""
    given = [("turn", TensorProto.INT64), ("go", TensorProto.BOOL), ("v", FLOAT)]
    outputs = [("more", TensorProto.BOOL), ("w", FLOAT), *([("part", FLOAT)] if collects else [])]
    return graph([node("Identity", "go", outputs=["more"]), *nodes], given, outputs, **held)


RELU = graph([node("Relu", "x", outputs=["then"])], [], [("then", FLOAT)])
NEGATED = graph([node("Neg", "x", outputs=["else"])], [], [("else", FLOAT)])
CUT = graph([node("Slice", "x", "from", "to", outputs=["cut"])], [], [("cut", FLOAT)], **{"from": [1], "to": [9]})
LARGE = [node("ReduceMax", "x", outputs=["max"], keepdims=0), node("Greater", "max", "zero", outputs=["large"])]
LENGTH = [node("Shape", "x", outputs=["shape"]), node("Gather", "shape", "first", outputs=["rows"])]
SUM = graph([node("Add", "s", "row", outputs=["t"])], [("s", FLOAT), ("row", FLOAT)], [("t", FLOAT)])
KEPT = body(node("Relu", "v", outputs=["w"]), node("Identity", "v", outputs=["part"]), collects=True)
ROW = body(node("Relu", "v", outputs=["w"]), node("Gather", "x", "turn", outputs=["part"], axis=1), collects=True)
CASES: dict[str, tuple[list[onnx.NodeProto], list[str], list[Any]]] = {
    "If of the data, alike": ([*LARGE, node("If", "large", then_branch=RELU, else_branch=NEGATED)], ["y"], []),
    "Loop that grows": (
        [node("Loop", "trips", "yes", "x", body=body(node("Concat", "v", "x", outputs=["w"], axis=0)))], ["y"], []),
    "Loop that collects": ([node("Loop", "trips", "yes", "x", outputs=("y", "z"), body=KEPT)], ["y", "z"], []),
    "Loop as often as there are rows": (
        [*LENGTH, node("Loop", "rows", "yes", "x", outputs=("y", "z"), body=KEPT)], ["y", "z"], []),
    "Loop over columns, as often as there are rows": (
        [*LENGTH, node("Loop", "rows", "yes", "x", outputs=("y", "z"), body=ROW)], ["y", "z"], []),
    "Scan": ([node("Scan", "start", "x", body=SUM, num_scan_inputs=1)], ["y"], [zeros(4, name="start")]),
    "sequence": (
        [node("SequenceConstruct", "x", "more", outputs=["s"]), node("SequenceInsert", "s", "x", outputs=["t"]),
         node("ConcatFromSequence", "t", axis=1)], ["y"], [zeros(3, 2, name="more")]),
    "parts": (
        [node("SplitToSequence", "x", "parts", outputs=["s"], axis=1), node("SequenceAt", "s", "first")], ["y"],
        [constant([1, 3], "parts")]),
}  # fmt: skip


def file_of(name: str, folder: Path, nodes: list[onnx.NodeProto], outputs: list[str], held: list[Any]) -> str:
    zero, first = constant(numpy.array(0), "zero", numpy.float32), constant(numpy.array(0), "first")
    return saved(model(nodes, {"x": ["A", "B"]}, outputs, held=[YES, TRIPS, zero, first, *held]), folder, name)


@pytest.mark.parametrize("name", CASES)
def test_a_graph_inside_of_a_graph_is_followed(name: str, tmp_path: Path) -> None:
    file = file_of("model.onnx", tmp_path, *CASES[name])
    wrong, unknown = differences(file, SIZES)
    assert not wrong
    assert not unknown or name == "Scan"  # where a turn changes the state


def test_what_the_data_decide_is_not_decided(tmp_path: Path) -> None:
    """Ways that give different sizes, and a loop that grows as long as the data say."""
    ways = [*LARGE, node("If", "large", then_branch=RELU, else_branch=CUT)]
    grown = graph(
        [node("ReduceMax", "v", outputs=["max"], keepdims=0), node("Less", "max", "zero", outputs=["more"]),
         node("Concat", "v", "x", outputs=["w"], axis=0)],
        [("turn", TensorProto.INT64), ("go", TensorProto.BOOL), ("v", FLOAT)],
        [("more", TensorProto.BOOL), ("w", FLOAT)],
    )  # fmt: skip
    for nodes in (ways, [node("Loop", "trips", "yes", "x", body=grown)]):
        contract, _ = contract_of(file_of("model.onnx", tmp_path, nodes, ["y"], []))
        assert contract.outcome(A=3, B=4).ok is None
