"""Files that were quantised: products and convolutions of whole numbers, at sizes that fit and that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from tests.onnx_graphs import constant, differences, model, saved

Size = Mapping[str, int]
BYTE, FLOAT = TensorProto.UINT8, TensorProto.FLOAT
MICROSOFT = "com.microsoft"


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=f"/{operator}", **attributes)


def held(**tensors: tuple[Sequence[int], Any]) -> list[onnx.TensorProto]:
    """A scale and a zero point of all, and tensors of ones."""
    ones = [constant(numpy.ones(shape), name, dtype) for name, (shape, dtype) in tensors.items()]
    return [constant(0.1, "s", numpy.float32), constant(1, "z", numpy.uint8), *ones]


KERNEL = {"w": ((6, 2, 3, 3), numpy.uint8), "scales": ((6,), numpy.float32), "points": ((6,), numpy.uint8)}
IMAGES = {"x": (1, "C", "H", "W")}
IMAGE_SIZES = [{"C": 4, "H": 7, "W": 8}, {"C": 3, "H": 7, "W": 8}, {"C": 4, "H": 2, "W": 8}, {"C": 4, "H": 3, "W": 3}]
ROWS = [{"N": 2, "K": 4}, {"N": 1, "K": 3}, {"N": 5, "K": 1}]
CASES: dict[str, tuple[list[onnx.NodeProto], dict[str, Sequence[int | str]], int, dict[str, Any], list[Any]]] = {
    "MatMulInteger": (
        [node("DynamicQuantizeLinear", "x", outputs=("q", "scale", "zero")), node("MatMulInteger", "q", "w", "zero")],
        {"x": ("N", 2, "K")}, FLOAT, {"w": ((4, 3), numpy.int8)}, ROWS),
    "QLinearMatMul": (
        [node("QLinearMatMul", "x", "s", "z", "w", "scales", "points", "s", "z")], {"x": ("N", "K")}, BYTE,
        {"w": ((4, 3), numpy.uint8), "scales": ((3,), numpy.float32), "points": ((3,), numpy.uint8)}, ROWS),
    "ConvInteger": (
        [node("ConvInteger", "x", "w", "z", "z", group=2, strides=[2, 2])], IMAGES, BYTE, KERNEL, IMAGE_SIZES),
    "QLinearConv": (
        [node("QLinearConv", "x", "s", "z", "w", "scales", "points", "s", "z", group=2, pads=[0, 0, 1, 1])], IMAGES,
        BYTE, KERNEL, IMAGE_SIZES),
    "QLinearConv with channels last": (
        [node("QLinearConv", "x", "s", "z", "w", "s", "z", "s", "z", domain=MICROSOFT, group=2, channels_last=1)],
        {"x": (1, "H", "W", "C")}, BYTE, KERNEL, IMAGE_SIZES),
    "DequantizeLinear for each channel": (
        [node("DequantizeLinear", "x", "scales", "points")], {"x": (2, "C")}, BYTE, KERNEL, [{"C": 6}, {"C": 5}]),
    "QLinearAdd": (
        [node("QLinearAdd", "x", "s", "z", "x2", "s", "z", "s", "z", domain=MICROSOFT)],
        {"x": ("A", 4), "x2": ("B", 4)}, BYTE, {}, [{"A": 3, "B": 3}, {"A": 3, "B": 2}, {"A": 3, "B": 1}]),
    "MaxPool of bytes": (  # whose kernel takes negative pads, as that of floats does not
        [node("MaxPool", "x", kernel_shape=[2, 2], strides=[3, 3], auto_pad="SAME_UPPER")], IMAGES, BYTE, {},
        [{"C": 4, "H": 7, "W": 3}, {"C": 4, "H": 7, "W": 8}]),
    "QLinearAveragePool": (
        [node("QLinearAveragePool", "x", "s", "z", "s", "z", domain=MICROSOFT, kernel_shape=[3, 3], strides=[2, 2],
              channels_last=1)], {"x": (1, "H", "W", "C")}, BYTE, {}, IMAGE_SIZES),
    "QLinearConcat": (
        [node("QLinearConcat", "s", "z", "x", "s", "z", "x2", "s", "z", domain=MICROSOFT, axis=1)],
        {"x": ("A", 4), "x2": ("B", 3)}, BYTE, {}, [{"A": 3, "B": 3}, {"A": 3, "B": 2}]),
    "DynamicQuantizeLSTM": (
        [node("DynamicQuantizeLSTM", "x", "w", "r", "", "", "", "", "", "one", "point", "one", "point",
              outputs=("y", "h", "c"), hidden_size=2, domain=MICROSOFT)],
        {"x": ("N", 3, "K")}, FLOAT,
        {"w": ((1, 4, 8), numpy.int8), "r": ((1, 2, 8), numpy.int8), "one": ((1,), numpy.float32),
         "point": ((1,), numpy.int8)}, ROWS),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_quantised_operator_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    nodes, inputs, dtype, tensors, points = CASES[name]
    proto = model(nodes, inputs, list(nodes[-1].output), held=held(**tensors), dtype=dtype)
    assert differences(saved(proto, tmp_path), points) == ([], [])
