"""Spectra, deformed and put-together maps, losses, and the tables of ai.onnx.ml, against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from tests.onnx_graphs import constant, contract_of, differences, model, saved, zeros

Size = Mapping[str, int]


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=f"/{operator}", **attributes)


ROWS: list[Size] = [{"A": 2, "B": 17}, {"A": 1, "B": 6}, {"A": 2, "B": 5}]
SIGNAL = {"x": ("A", "B")}
WINDOW = [constant(3, "step"), zeros(6, name="w")]
LENGTH = [node("Shape", "x", outputs=["shape"]), node("Gather", "shape", "one", outputs=["n"])]
OFFSETS: dict[str, Sequence[int | str]] = {"x": (1, 2, "H", "W"), "o": (1, 18, "P", "W")}
CASES: dict[str, tuple[list[onnx.NodeProto], dict[str, Sequence[int | str]], list[Any], list[Size], int]] = {
    "DFT": ([node("DFT", "x", "", "one", onesided=1)], {"x": ("A", "B", 1)}, [constant(1, "one")], ROWS, 20),
    "DFT and back": (
        [node("DFT", "x", onesided=1, inverse=1, axis=1)], {"x": ("A", "B", 2)}, [], ROWS, 17),
    "STFT": ([node("STFT", "x", "step", "w")], SIGNAL, WINDOW, ROWS, 17),
    "HannWindow": (
        [*LENGTH, node("HannWindow", "n", outputs=["h"]), node("Mul", "x", "h")], SIGNAL, [constant(1, "one")],
        ROWS, 17),
    "Col2Im": (
        [node("Col2Im", "x", "image", "block", strides=[2, 2], pads=[1, 1, 1, 1])], {"x": (1, "B", "A")},
        [constant([5, 7], "image"), constant([3, 3], "block")],
        [{"A": 12, "B": 18}, {"A": 11, "B": 18}, {"A": 12, "B": 17}], 18),
    "AffineGrid": (
        [node("AffineGrid", "x", "size")], {"x": ("A", 2, "B")}, [constant([2, 3, 4, 5], "size")],
        [{"A": 2, "B": 3}, {"A": 1, "B": 3}, {"A": 2, "B": 4}], 20),
    "CenterCropPad": (
        [node("CenterCropPad", "x", "size", axes=[1])], SIGNAL, [constant([9], "size")], ROWS, 18),
    "DeformConv": (
        [node("DeformConv", "x", "w", "o", pads=[1, 1, 1, 1])], OFFSETS, [zeros(3, 2, 3, 3, name="w")],
        [{"H": 5, "W": 6, "P": 5}, {"H": 5, "W": 6, "P": 4}, {"H": 1, "W": 1, "P": 1}], 19),
    "Det": ([node("Det", "x")], SIGNAL, [], [{"A": 3, "B": 3}, {"A": 3, "B": 4}], 17),
    "SoftmaxCrossEntropyLoss": (
        [node("SoftmaxCrossEntropyLoss", "x", "t", outputs=("y", "z"), reduction="none")], {"x": (3, "B")},
        [constant([0, 2, 1], "t")], [{"B": 3}, {"B": 5}, {"B": 2}], 17),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_operator_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    nodes, inputs, held, points, opset = CASES[name]
    proto = model(nodes, inputs, list(nodes[-1].output), held=held, opset=opset)
    assert differences(saved(proto, tmp_path), points) == ([], [])


def test_targets_of_other_sizes_than_the_scores_are_not_decided(tmp_path: Path) -> None:
    nodes = [node("NegativeLogLikelihoodLoss", "x", "t", reduction="none")]
    dtypes = {"t": TensorProto.INT64}
    file = saved(model(nodes, {"x": ["A", 4, "L"], "t": ["B", "L"]}, ["y"], dtypes=dtypes), tmp_path)
    assert differences(file, [{"A": 3, "B": 3, "L": 5}]) == ([], [])
    assert contract_of(file)[0].outcome(A=3, B=2, L=5).ok is None


def test_a_file_of_scikit_learn_is_followed(tmp_path: Path) -> None:
    """It has no version of ONNX's own operators; what is read beyond the end of a table is not decided."""
    learned = "ai.onnx.ml"
    coefficients = numpy.ones(9).tolist()
    nodes = [
        node("Scaler", "x", outputs=["s"], domain=learned, offset=[0.0, 1.0, 2.0], scale=[1.0, 1.0, 1.0]),
        node("LinearClassifier", "s", outputs=("y", "z"), domain=learned, coefficients=coefficients,
             intercepts=[0.0, 1.0, 2.0], classlabels_ints=[0, 1, 2], post_transform="SOFTMAX"),
    ]  # fmt: skip
    proto = model(nodes, {"x": ["N", "C"]}, ["y", "z"])
    assert proto.opset_import[0].domain == ""
    del proto.opset_import[0]
    wrong, unknown = differences(saved(proto, tmp_path), [{"N": 5, "C": 3}, {"N": 1, "C": 3}, {"N": 5, "C": 4}])
    assert not wrong
    assert not unknown
