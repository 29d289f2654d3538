"""The sizes that a contract tells for drawn operators, against onnxruntime at drawn sizes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is the oracle")

from shapelint.errors import ModelError
from tests.onnx_drawn import FAMILIES, NAMES
from tests.onnx_graphs import Runtime, differences, drawn_sizes, saved

MODELS = {"resize": 8, "upsample": 6, "slice": 40, "conv_transpose": 40, "pool": 40}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_drawn_operator_gives_what_onnxruntime_gives(family: str, tmp_path: Path) -> None:
    known = 0
    for number in range(MODELS.get(family, 25)):
        draw = random.Random(f"{family} {number}")
        proto = FAMILIES[family](draw)
        file = saved(proto, tmp_path)
        points = drawn_sizes(draw, NAMES, 6)
        try:
            wrong, unknown = differences(file, points)
        except ModelError:
            dims = [each.type.tensor_type.shape.dim for each in proto.graph.input]
            shapes = [[[dim.dim_value or point[dim.dim_param] for dim in row] for row in dims] for point in points]
            assert not any(map(Runtime(file).shapes, shapes)), f"{family} {number} runs"
            continue
        assert not wrong, f"{family} {number}: {wrong}"
        known += len(points) - len(unknown)
    assert known > 30
