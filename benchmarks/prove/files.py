"""The reader of ONNX files against onnxruntime: drawn operators, and drawn models as the exporter writes them."""

from __future__ import annotations

import random
import tempfile
import warnings
from pathlib import Path

import onnx
import torch

from benchmarks.prove.trial import Trial
from shapelint.errors import ShapelintError
from shapelint.terminal.quiet import quiet
from tests.drawn.load import load
from tests.drawn.models import Drawn, draw
from tests.onnx_drawn import FAMILIES, NAMES
from tests.onnx_graphs import Runtime, differences, drawn_sizes, saved

_POINTS = 8


def trial(seed: int) -> Trial:
    """One file at some sizes."""
    drawn = random.Random(seed)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        if drawn.random() < 0.3:
            return _model(seed, Path(folder))
        family = drawn.choice(sorted(FAMILIES))
        proto = FAMILIES[family](drawn)
        return _compared(proto, saved(proto, Path(folder)), drawn_sizes(drawn, NAMES, _POINTS), f"{seed}, {family}")


def _compared(proto: onnx.ModelProto, file: str, points: list[dict[str, int]], name: str) -> Trial:
    try:
        wrong, unknown = differences(file, points)
    except ShapelintError as error:
        dims = [each.type.tensor_type.shape.dim for each in proto.graph.input]
        shapes = [[[dim.dim_value or point[dim.dim_param] for dim in row] for row in dims] for point in points]
        ran = any(map(Runtime(file).shapes, shapes))
        return Trial(len(points), (f"files, trial {name}: it runs, but {error}",) if ran else ())
    return Trial(len(points) - len(unknown), tuple(f"files, trial {name}: {each}" for each in wrong))


def _model(seed: int, folder: Path) -> Trial:
    """A drawn model in a file, with the sizes open; nothing where the exporter refuses it."""
    drawn = draw(seed)
    file = folder / "model.onnx"
    try:
        with quiet():
            _export(drawn, file)
    except Exception:
        return Trial(0)
    points = random.Random(seed).sample(drawn.points, min(_POINTS, len(drawn.points)))
    return _compared(onnx.load(file), str(file), points, f"{seed}, {drawn.spec}")


def _export(drawn: Drawn, file: Path) -> None:
    dims = drawn.spec.split(",")
    assert all(dim.isdigit() or dim in drawn.symbols for dim in dims), "a file has no name for a computed size"
    open_sizes = {axis: dim for axis, dim in enumerate(dims) if dim in drawn.symbols}
    net = load(drawn.source, f"drawn{drawn.seed}").Net().eval()
    example = torch.zeros(drawn.shape(drawn.points[0]))
    torch.onnx.export(net, (example,), file, dynamo=False, input_names=["x"], dynamic_axes={"x": open_sizes})
