"""The axes of a model description of bioimage.io (format 0.5), as YAML.

An input axis has sizes `min + n*step`; an output axis refers to an input axis, its size being
`size * scale(input) / scale(output) + offset`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.request.spec import TensorSpec
from shapelint.size.function import Function
from shapelint.spec.boxes import AxisRange
from shapelint.spec.lines import AxisLine, output_lines
from shapelint.spec.live import Live
from shapelint.spec.ranges import RangedInputs, all_ranged_inputs, head

_TOOL = "bioimage.io"
_SPATIAL = ("z", "y", "x")
_TRIED = 12


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where the axes cannot be told, or no output size is a straight line."""
    if live is None:
        raise SpecError(f"no spec for {_TOOL}: which axes are spatial is not known of a stored report")
    axes = live.axes
    if not axes:
        raise SpecError(f"no spec for {_TOOL}: the model has no spatial axis")
    for inputs, _ in zip(all_ranged_inputs(report, live, _TOOL), range(_TRIED), strict=False):
        outputs = output_lines(report.contract, inputs.box)
        if outputs is not None:
            lines = [*head(report, inputs, "axes of a bioimage.io model description, format 0.5,"), *_unsaid(inputs)]
            body = [*_input_part(inputs, axes), *_output_part(inputs, axes, outputs)]
            return "\n".join([*(f"# {line}" for line in lines), *body, ""])
    raise SpecError(f"no spec for {_TOOL}: a size of the output is no straight line of one input size")


def _unsaid(inputs: RangedInputs) -> Iterator[str]:
    yield "names of channels are to be given, and the halo: sizes are proved, not how far values depend on the border"
    ends = [f"{axis.symbol} = {axis.last}" for axis in inputs.box.free if axis.last is not None]
    if ends:
        yield f"the format knows no largest size: {', '.join(ends)}"


def _input_part(inputs: RangedInputs, axes: tuple[int, ...]) -> Iterator[str]:
    yield "inputs:"
    places = _places(inputs, axes)
    free = {axis.symbol: axis for axis in inputs.box.axes}
    for name, spec in inputs.named.items():
        yield f"- id: {name}"
        yield "  axes:"
        for number, dim in enumerate(spec.dims):
            yield f"  - {_input_axis(spec, number, dim, axes, free, places, name)}"


def _input_axis(
    spec: TensorSpec,
    number: int,
    dim: Function,
    axes: tuple[int, ...],
    free: Mapping[str, AxisRange],
    places: Mapping[str, tuple[str, str]],
    name: str,
) -> str:
    kind = _kind(spec, number, axes)
    if kind != "space":
        return _other_axis(kind, dim, free)
    axis_id = _axis_id(number, axes)
    if dim.constant is not None:
        return _space(axis_id, str(dim.constant))
    if str(dim) not in free:
        raise SpecError(f"no spec for {_TOOL}: the axis {dim} of `{name}` is a formula of symbols")
    axis = free[str(dim)]
    tensor, other = places[axis.tied or axis.symbol]
    if (tensor, other) != (name, axis_id):
        return _space(axis_id, f"{{tensor_id: {tensor}, axis_id: {other}}}")
    return _space(axis_id, f"{{min: {axis.first}, step: {axis.step}}}" if axis.open else str(axis.first))


def _other_axis(kind: str, dim: Function, free: Mapping[str, AxisRange]) -> str:
    """A batch, which is any or 1, or channels, which are a number."""
    axis = free.get(str(dim))
    if kind == "batch":
        size = (
            dim.constant
            if axis is None
            else (None if (axis.first, axis.step, axis.last) == (1, 1, None) else axis.first)
        )
        if size not in (None, 1):
            raise SpecError(f"no spec for {_TOOL}: a batch has any size or 1; write --input N,... or 1,...")
        return "{type: batch}" if size is None else "{type: batch, size: 1}"
    size = dim.constant if axis is None else axis.first
    if size is None or (axis is not None and axis.open):
        raise SpecError(f"no spec for {_TOOL}: the number of channels is open")
    return _channels(size)


def _channels(count: int) -> str:
    return f"{{type: channel, channel_names: [{', '.join(f'channel{number}' for number in range(count))}]}}"


def _space(axis_id: str, size: str, scale: str = "") -> str:
    return f"{{type: space, id: {axis_id}, size: {size}{scale}}}"


def _kind(spec: TensorSpec, number: int, axes: tuple[int, ...]) -> str:
    """What an axis is: one of the spatial ones, the batch before them, or channels. Raises SpecError for a second."""
    if number in axes:
        return "space"
    rest = [place for place in range(len(spec.dims)) if place not in axes]
    if len(rest) > 2:
        raise SpecError(f"no spec for {_TOOL}: which axis of {spec} has the channels is not known")
    return "batch" if len(rest) == 2 and number == rest[0] else "channel"


def _axis_id(number: int, axes: tuple[int, ...]) -> str:
    return _SPATIAL[len(_SPATIAL) - len(axes) + axes.index(number)]


def _places(inputs: RangedInputs, axes: tuple[int, ...]) -> dict[str, tuple[str, str]]:
    """The tensor and the axis at which each symbol stands alone for the first time."""
    found: dict[str, tuple[str, str]] = {}
    for name, spec in inputs.named.items():
        for number, dim in enumerate(spec.dims):
            kind = _kind(spec, number, axes)
            if str(dim) in dim.symbols():
                found.setdefault(str(dim), (name, _axis_id(number, axes) if kind == "space" else kind))
    return found


def _output_part(inputs: RangedInputs, axes: tuple[int, ...], outputs: list[list[AxisLine]]) -> Iterator[str]:
    yield "outputs:"
    places = _places(inputs, axes)
    rank = len(next(iter(inputs.named.values())).dims)
    for number, lines in enumerate(outputs):
        yield f"- id: output{number if len(outputs) > 1 else ''}"
        yield "  axes:"
        spatial = axes if len(lines) == rank else ()
        constants = [place for place, line in enumerate(lines) if not line.symbol and place not in spatial]
        for place, line in enumerate(lines):
            yield f"  - {_output_axis(line, place, places, spatial, constants, _has_batch(inputs, axes))}"


def _has_batch(inputs: RangedInputs, axes: tuple[int, ...]) -> bool:
    """Whether the first axis of the inputs is a batch."""
    return _kind(next(iter(inputs.named.values())), 0, axes) == "batch"


def _output_axis(
    line: AxisLine,
    place: int,
    places: Mapping[str, tuple[str, str]],
    spatial: tuple[int, ...],
    constants: list[int],
    batched: bool,
) -> str:
    if not line.symbol and place in spatial:
        return _space(_axis_id(place, spatial), str(line.offset))
    if not line.symbol:
        if batched and place == 0 and line.offset == 1:
            return "{type: batch, size: 1}"
        rest = [each for each in constants if not (batched and each == 0)]
        return _channels(line.offset) if place == rest[0] else f"{{type: index, id: index{place}, size: {line.offset}}}"
    tensor, axis_id = places[line.symbol]
    if axis_id == "batch" and line.scale == 1 and line.offset == 0 and place == 0:
        return "{type: batch}"
    if axis_id in ("batch", "channel") or line.scale.numerator & (line.scale.numerator - 1) or line.scale < 0:
        raise SpecError(f"no spec for {_TOOL}: axis {place} of an output is {line.scale}*{line.symbol} + {line.offset}")
    scale = "" if line.scale == 1 else f", scale: {float(1 / line.scale)}"
    own = _axis_id(place, spatial) if place in spatial else axis_id
    return _space(own, f"{{tensor_id: {tensor}, axis_id: {axis_id}, offset: {line.offset}}}", scale)
