"""Operators of ONNX look at all that they are given: scales, biases, slopes, states, lengths, grids and indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
import torch
from onnx import TensorProto, helper

import shapelint
from shapelint.terminal.quiet import quiet
from tests.onnx_graphs import constant, contract_of, differences, model, saved, zeros

Shape = Sequence[int | str]
Size = Mapping[str, int]


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=f"/{operator}", **attributes)


INDICES = constant([[0], [1], [2]], "indices")
CASES: dict[str, tuple[onnx.NodeProto, dict[str, Shape], list[Any], list[Size]]] = {
    "LayerNormalization": (
        node("LayerNormalization", "x", "s", "b"), {"x": [2, "L"]}, [zeros(8, name="s"), zeros(8, name="b")],
        [{"L": 8}, {"L": 9}, {"L": 1}]),
    "BatchNormalization": (
        node("BatchNormalization", "x", "s", "s", "s", "v"), {"x": [2, 4, "L"], "v": ["C"]}, [zeros(4, name="s")],
        [{"L": 3, "C": 4}, {"L": 3, "C": 5}]),
    "Gemm": (
        node("Gemm", "x", "w", "b"), {"x": ["N", 3]}, [zeros(3, 5, name="w"), zeros(2, 5, name="b")],
        [{"N": 2}, {"N": 3}, {"N": 1}]),
    "PRelu": (
        node("PRelu", "x", "s"), {"x": ["N", "C", 3]}, [zeros(4, 1, name="s")],
        [{"N": 2, "C": 4}, {"N": 2, "C": 5}]),
    "LSTM": (
        node("LSTM", "x", "w", "r", "", "", "h", outputs=("y", "z"), hidden_size=4),
        {"x": ["T", "N", 3], "h": [1, "M", 4]}, [zeros(1, 16, 3, name="w"), zeros(1, 16, 4, name="r")],
        [{"T": 5, "N": 2, "M": 2}, {"T": 5, "N": 2, "M": 3}, {"T": 5, "N": 2, "M": 1}]),
    "GridSample": (
        node("GridSample", "x", "g"), {"x": ["N", 3, 4, 4], "g": ["M", 5, 6, 2]}, [],
        [{"N": 2, "M": 2}, {"N": 2, "M": 3}]),
    "ScatterND": (
        node("ScatterND", "x", "indices", "u"), {"x": [4, 6], "u": ["K", 6]}, [INDICES], [{"K": 3}, {"K": 2}]),
    "GatherElements": (
        node("GatherElements", "x", "i", axis=1), {"x": ["N", 4], "i": ["M", 2]}, [],
        [{"N": 3, "M": 3}, {"N": 3, "M": 2}, {"N": 3, "M": 4}]),
    "Conv": (
        node("Conv", "x", "w", group=2), {"x": [1, 4, "L"], "w": ["O", 2, 3]}, [],
        [{"L": 7, "O": 4}, {"L": 7, "O": 3}]),
    "MaxPool": (
        node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"), {"x": [1, 3, "H", "W"]}, [],
        [{"H": 7, "W": 8}, {"H": 1, "W": 2}]),
    "AveragePool": (
        node("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]), {"x": [1, 3, "H", "W"]}, [],
        [{"H": 7, "W": 8}, {"H": 1, "W": 2}]),
}  # fmt: skip
TYPES = {"GatherElements": {"i": TensorProto.INT64}}


@pytest.mark.parametrize("name", CASES)
def test_what_an_operator_takes_beside_its_input_must_fit_too(name: str, tmp_path: Path) -> None:
    made, inputs, held, points = CASES[name]
    proto = model([made], inputs, [each for each in made.output if each], held=held)
    for value in proto.graph.input:
        value.type.tensor_type.elem_type = TYPES.get(name, {}).get(value.name, value.type.tensor_type.elem_type)
    file = saved(proto, tmp_path)
    assert differences(file, points) == ([], [])
    assert shapelint.check(file).contract.proved


class Casting(torch.nn.Module):
    """A cast, a half along an axis, and every second of what is left: each a call of its own in an exported program."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(torch.float64).float()[:, 1:-1][:, ::2]


@pytest.mark.filterwarnings("ignore")
def test_a_program_with_casts_and_slices_is_proved(tmp_path: Path) -> None:
    file = tmp_path / "net.pt2"
    width = torch.export.Dim("W", min=6)
    with quiet():
        torch.export.save(torch.export.export(Casting(), (torch.zeros(2, 12),), dynamic_shapes=({1: width},)), file)
    contract = shapelint.check(str(file), "2,W").contract
    assert contract.proved
    for size in (6, 7, 12, 31):
        assert contract.outcome(W=size).outputs == (tuple(Casting()(torch.zeros(2, size)).shape),)


def test_numbers_made_of_sizes_that_only_scale_values_decide_nothing(tmp_path: Path) -> None:
    """`x / sqrt(d)`; and a Range of floats, such as the anchors of a detector, has a length."""
    nodes = [
        node("Shape", "x", outputs=["shape"]), node("Gather", "shape", "one", outputs=["d"]),
        node("Cast", "d", outputs=["float"], to=1), node("Sqrt", "float", outputs=["root"]),
        node("Div", "x", "root", outputs=["scaled"]), node("Range", "start", "float", "step"),
    ]  # fmt: skip
    held = [constant(1, "one"), constant(0.5, "start", numpy.float32), constant(0.75, "step", numpy.float32)]
    file = saved(model(nodes, {"x": [2, "D"]}, ["scaled", "y"], held=held), tmp_path)
    assert differences(file, [{"D": size} for size in (1, 2, 3, 4, 5, 8, 21)]) == ([], [])


def test_a_size_made_of_a_root_is_not_proved(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", outputs=["shape"]), node("Gather", "shape", "one", outputs=["d"]),
        node("Cast", "d", outputs=["float"], to=1), node("Sqrt", "float", outputs=["root"]),
        helper.make_node("Cast", ["root"], ["whole"], to=7), node("ConstantOfShape", "whole"),
    ]  # fmt: skip
    file = saved(model(nodes, {"x": [2, "D"]}, ["y"], held=[constant([1], "one")]), tmp_path)
    contract, _ = contract_of(file)
    assert not contract.proved
    assert {region.why for region in contract.regions} == {"a number of the graph that is no longer followed"}
