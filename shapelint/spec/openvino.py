"""`PartialShape`s of OpenVINO for the inputs of a model, as Python text."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.facts.result import CheckResult
from shapelint.size.function import Function
from shapelint.spec.boxes import SizeBox
from shapelint.spec.live import Live
from shapelint.spec.ranges import RangedInputs, head, onnx_path, ranged_inputs, unsaid_steps


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where no size is proved to run."""
    inputs = ranged_inputs(report, live, "OpenVINO")
    lines = [*head(report, inputs, "OpenVINO shapes"), *unsaid_steps(inputs)]
    return "\n".join([*(f"# {line}" for line in lines), *_code(inputs, onnx_path(report)), ""])


def _code(inputs: RangedInputs, file: str) -> Iterator[str]:
    yield "from openvino import Dimension, PartialShape"
    yield ""
    yield "shapes = {"
    for name, spec in inputs.named.items():
        yield f'    "{name}": PartialShape([{", ".join(_dimension(dim, inputs.box) for dim in spec.dims)}]),'
    yield "}"
    yield f"# model = openvino.Core().read_model({file!r}); model.reshape(shapes)"


def _dimension(dim: Function, box: SizeBox) -> str:
    """The range of a dim over a box; -1 for no largest size."""
    open_axes = [axis for axis in box.axes if axis.symbol in dim.symbols() and axis.open]
    low = dim.value(box.at({}))
    if not open_axes:
        return str(low)
    if any(axis.last is None for axis in open_axes):
        return f"Dimension({low}, -1)"
    ends = {axis.symbol: (axis.last - axis.first) // axis.step for axis in box.free if axis.last is not None}
    return f"Dimension({low}, {dim.value(box.at(ends))})"
