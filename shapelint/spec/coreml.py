"""The shapes of Core ML for the inputs of a model, as Python text for coremltools.

A `RangeDim` has no step, so sizes in steps are enumerated; Core ML takes up to 128 shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.request.spec import TensorSpec
from shapelint.spec.boxes import AxisRange
from shapelint.spec.live import Live
from shapelint.spec.ranges import RangedInputs, chosen_ends, head, ranged_inputs

_SHAPES = 128
_EACH = {1: 128, 2: 11, 3: 5}
_DTYPES = {"float32": "", "float16": ", dtype=numpy.float16"}


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where no size is proved to run."""
    if report.target.endswith(".onnx"):
        raise SpecError("no spec for Core ML: coremltools converts models of PyTorch, and no ONNX file")
    inputs = ranged_inputs(report, live, "Core ML")
    lines = [*head(report, inputs, "Core ML shapes"), *chosen_ends(inputs, _held(inputs))]
    if _needs_enumeration(inputs):
        lines += list(_enumeration_words(inputs))
        code = list(_enumerated(inputs))
    else:
        code = list(_ranges(inputs))
    imports = ["import coremltools as ct", *(["import numpy"] if any("numpy." in line for line in code) else []), ""]
    call = "# model = ct.convert(torch.jit.trace(net, args), inputs=inputs, convert_to='mlprogram')"
    return "\n".join([*(f"# {line}" for line in lines), *imports, *code, call, ""])


def _needs_enumeration(inputs: RangedInputs) -> bool:
    """Whether a range of each dim would take other sizes too: steps, equal axes, formulas."""
    if not inputs.box.free:
        return False
    axes = [axis for axis in inputs.box.axes if axis.tied or axis.step > 1]
    dims = [dim for spec in inputs.named.values() for dim in spec.dims if dim.constant is None]
    return bool(axes) or any(str(dim) not in dim.symbols() for dim in dims) or len(set(dims)) < len(dims)


def _held(inputs: RangedInputs) -> set[str]:
    """The symbols that have one size in an enumeration: batches, where something else is open."""
    free = {axis.symbol for axis in inputs.box.free}
    batches = free & inputs.leading
    return batches if _needs_enumeration(inputs) and free - batches else set()


def _ranges(inputs: RangedInputs) -> Iterator[str]:
    usual, largest = inputs.usual(), inputs.usual(largest=True)
    free = {axis.symbol: axis for axis in inputs.box.free}

    def dim(name: str) -> str:
        if name not in free:
            return str(inputs.box.at({})[name])
        ends = f"lower_bound={free[name].first}, upper_bound={largest[name]}, default={usual[name]}"
        return f"ct.RangeDim({ends})"

    yield "inputs = ["
    for name, spec in inputs.named.items():
        dims = ", ".join(dim(str(each)) if each.constant is None else str(each) for each in spec.dims)
        comma = "," if len(spec.dims) == 1 else ""
        yield f'    ct.TensorType(name="{name}", shape=({dims}{comma}){_dtype(spec)}),'
    yield "]"


def _enumeration_words(inputs: RangedInputs) -> Iterator[str]:
    yield f"a RangeDim has no step, so some of the sizes are enumerated; Core ML takes up to {_SHAPES} shapes"
    if _held(inputs):
        yield "the batch is held at its smallest size"
    if sum(any(dim.constant is None for dim in spec.dims) for spec in inputs.named.values()) > 1:
        yield "more than one input with enumerated shapes needs minimum_deployment_target=ct.target.iOS18"


def _enumerated(inputs: RangedInputs) -> Iterator[str]:
    """Comprehensions over members of the box, a loop for each symbol."""
    loops = " ".join(f"for {axis.symbol} in {_members(axis, inputs)}" for axis in _in_order(inputs))
    usual = _usual_member(inputs)
    yield "inputs = ["
    for name, spec in inputs.named.items():
        shape = "(" + ", ".join(map(str, spec.dims)) + (",)" if len(spec.dims) == 1 else ")")
        if all(dim.constant is not None for dim in spec.dims):
            yield f'    ct.TensorType(name="{name}", shape={shape}{_dtype(spec)}),'
            continue
        yield "    ct.TensorType("
        yield f'        name="{name}",'
        yield "        shape=ct.EnumeratedShapes("
        yield f"            shapes=[{shape} {loops}],"
        yield f"            default={inputs.shape(name, usual)},"
        yield f"        ){_dtype(spec)}"
        yield "    ),"
    yield "]"


def _in_order(inputs: RangedInputs) -> list[AxisRange]:
    """The axes, those that follow another one last."""
    return sorted(inputs.box.axes, key=lambda axis: bool(axis.tied))


def _stride(axis: AxisRange, inputs: RangedInputs) -> tuple[int, int]:
    """The step between the enumerated sizes of an axis, and the largest one."""
    spatial = [each for each in inputs.box.free if each.symbol not in _held(inputs)]
    count = _EACH.get(len(spatial), 2)
    largest = inputs.usual(largest=True)[axis.symbol]
    steps = max(1, (largest - axis.first) // axis.step)
    return axis.step * -(-steps // (count - 1)), largest


def _members(axis: AxisRange, inputs: RangedInputs) -> str:
    if axis.tied:
        return f"[{axis.tied}]"
    if not axis.open or axis.symbol in _held(inputs):
        return f"[{axis.first}]"
    stride, largest = _stride(axis, inputs)
    return f"range({axis.first}, {largest + 1}, {stride})"


def _usual_member(inputs: RangedInputs) -> Mapping[str, int]:
    """An enumerated size that is not above the usual one, but for the smallest."""
    found: dict[str, int] = {}
    usual = inputs.usual()
    for axis in _in_order(inputs):
        if axis.tied or not axis.open or axis.symbol in _held(inputs):
            found[axis.symbol] = found[axis.tied] if axis.tied else axis.first
            continue
        stride, _ = _stride(axis, inputs)
        found[axis.symbol] = axis.first + max(0, (usual[axis.symbol] - axis.first) // stride) * stride
    return found


def _dtype(spec: TensorSpec) -> str:
    return _DTYPES.get(spec.dtype, ", dtype=numpy.int32")
