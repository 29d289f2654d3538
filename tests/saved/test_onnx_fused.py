"""Files that onnxruntime optimised, and attention: at sizes that fit and that do not, against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from tests.onnx_graphs import differences, model, saved, zeros

Size = Mapping[str, int]
MICROSOFT = "com.microsoft"


def node(operator: str, *inputs: str, outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=f"/{operator}", **attributes)


def fused(operator: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return node(operator, *inputs, domain=MICROSOFT, **attributes)


ROWS = {"x": ("N", "T", "C")}
ROW_SIZES = [{"N": 2, "T": 3, "C": 4}, {"N": 2, "T": 3, "C": 5}, {"N": 1, "T": 1, "C": 1}]
PAIR = [{"A": 2, "B": 2}, {"A": 2, "B": 3}, {"A": 2, "B": 1}]
ATTENDED = {"q": (2, "H", "T", 4), "k": (2, "G", "L", 4), "v": (2, "G", "L", 5), "m": ("M", "L")}
CASES: dict[str, tuple[onnx.NodeProto, dict[str, Sequence[int | str]], list[Any], list[Size], int]] = {
    "FusedConv": (
        fused("FusedConv", "x", "w", "", "z", pads=[1, 1, 1, 1], activation="Relu"),
        {"x": (1, 2, "H", "W"), "z": ("A", 3, "H", "B")}, [zeros(3, 2, 3, 3, name="w")],
        [{"H": 5, "W": 6, "A": 1, "B": 6}, {"H": 5, "W": 6, "A": 1, "B": 5}, {"H": 5, "W": 6, "A": 2, "B": 6}], 17),
    "FusedMatMul": (
        fused("FusedMatMul", "x", "z", transB=1), {"x": ("N", 3, "A"), "z": (5, "B")}, [],
        [{"N": 2, "A": 4, "B": 4}, {"N": 2, "A": 4, "B": 5}], 17),
    "FusedGemm": (
        fused("FusedGemm", "x", "w", transB=1, activation="Relu"), {"x": ("N", "C")}, [zeros(5, 4, name="w")],
        [{"N": 2, "C": 4}, {"N": 2, "C": 5}], 17),
    "BiasGelu": (fused("BiasGelu", "x", "b"), ROWS, [zeros(4, name="b")], ROW_SIZES, 17),
    "SkipLayerNormalization": (
        fused("SkipLayerNormalization", "x", "s", "g", outputs=("y", "", "", "sum")), {**ROWS, "s": ("N", "S", "C")},
        [zeros(4, name="g")], [{**each, "S": 3} for each in ROW_SIZES], 17),
    "Attention of onnxruntime": (
        fused("Attention", "x", "w", "b", num_heads=2), ROWS, [zeros(4, 24, name="w"), zeros(24, name="b")], ROW_SIZES,
        17),
    "Attention": (
        node("Attention", "q", "k", "v", "m"), ATTENDED, [],
        [{"H": 2, "T": 3, "G": 2, "L": 6, "M": 3}, {"H": 2, "T": 3, "G": 2, "L": 6, "M": 2},
         {"H": 3, "T": 1, "G": 3, "L": 6, "M": 1}], 23),
    "Attention of rows": (
        node("Attention", "x", "z", "z", q_num_heads=2, kv_num_heads=2), {"x": ("A", "T", 8), "z": ("B", "L", 8)}, [],
        [{**each, "T": 3, "L": 5} for each in PAIR], 23),
    "RotaryEmbedding": (
        node("RotaryEmbedding", "x", "c", "c"), {"x": (2, 3, "T", 4)}, [zeros(2, 6, 2, name="c")], [{"T": 6}], 23),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fused_operator_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    made, inputs, held, points, opset = CASES[name]
    proto = model([made], inputs, [each for each in made.output if each], held=held, opset=opset)
    if name == "Attention":
        next(each for each in proto.graph.input if each.name == "m").type.tensor_type.elem_type = TensorProto.BOOL
    assert differences(saved(proto, tmp_path), points) == ([], [])


def test_what_onnxruntime_does_not_look_at_is_not_decided(tmp_path: Path) -> None:
    """A cache of other rows than the input: it reads beyond its end."""
    made = node("RotaryEmbedding", "x", "c", "c")
    file = saved(model([made], {"x": [2, 3, "T", 4]}, ["y"], held=[zeros(2, 6, 2, name="c")], opset=23), tmp_path)
    wrong, unknown = differences(file, [{"T": 6}, {"T": 7}])
    assert not wrong
    assert [each[:8] for each in unknown] == ["{'T': 7}"]
