"""The sizes of a model's inputs as ranges, for tools that know the smallest and the largest size of each axis."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.request.inputs import parse_inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.sets import SizeSet
from shapelint.spec.boxes import AxisRange, SizeBox, boxes
from shapelint.spec.code import named_leaves
from shapelint.spec.live import Live

ONNX: Final = "net.onnx"
_BATCH = 8
_USUAL = {0: (1, 1), 1: (16384, 65536), 2: (256, 1024)}
_DEEP = (64, 128)


@dataclass(frozen=True, slots=True)
class RangedInputs:
    """The input tensors by name, and a box of sizes at which the model is proved to run."""

    named: Mapping[str, TensorSpec]
    box: SizeBox
    sizes: SizeSet

    @property
    def leading(self) -> set[str]:
        """The symbols of the first axes: batches."""
        return {name for spec in self.named.values() for name in (spec.dims[0].symbols() if spec.dims else ())}

    def usual(self, *, largest: bool = False) -> dict[str, int]:
        """A usual size in the box, or the largest one: where the box has no end, one that was chosen."""
        spatial = [axis for axis in self.box.axes if axis.open and axis.symbol not in self.leading]
        middle, most = _USUAL.get(len(spatial), _DEEP)
        steps = {}
        for axis in self.box.free:
            batch = axis.symbol in self.leading
            wanted = (_BATCH if batch else most) if largest else (1 if batch else middle)
            steps[axis.symbol] = max(1 if largest else 0, -(-(wanted - axis.first) // axis.step))
            if largest and axis.last is not None:
                steps[axis.symbol] = (axis.last - axis.first) // axis.step
        return self.box.at(steps)

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of an input at a size."""
        return tuple(dim.value(sizes) for dim in self.named[name].dims)


def wanted_sizes(report: CheckResult) -> SizeSet:
    """The sizes at which the model runs, those of them that were asked for where more than one was."""
    contract = report.contract
    return asked_of(report, SizeSet(contract.symbols, contract.runs._set))


def asked_of(report: CheckResult, sizes: SizeSet) -> SizeSet:
    """Those of some sizes that were asked for, where more than one was: a single one is an example."""
    asked = report.asked
    several = not asked.finite or len(list(islice(asked.members(), 2))) > 1
    return (sizes & asked).coalesced() if several else sizes


def ranged_inputs(report: CheckResult, live: Live | None, tool: str) -> RangedInputs:
    """The inputs and their widest box. Raises SpecError where nothing is proved to run."""
    return next(all_ranged_inputs(report, live, tool))


def all_ranged_inputs(report: CheckResult, live: Live | None, tool: str) -> Iterator[RangedInputs]:
    """The inputs and a box, the widest first, then boxes of each region. Raises SpecError where nothing is proved."""
    sizes = (wanted_sizes(report) & report.contract.decided).coalesced()
    if not sizes:
        raise SpecError(f"no spec for {tool}: no size is proved to run; see `shapelint sizes`")
    named, found = _named(report, live), False
    regions = [region.sizes & sizes for region in report.contract.regions if region.outcome.ok]
    for part in (sizes, *(regions if len(regions) > 1 else [])):
        for box in boxes(part, {} if live is None else live.steps):
            found = True
            yield RangedInputs(named, box, sizes)
    if not found:
        raise SpecError(f"no spec for {tool}: no range of sizes was found in which the model runs")


def _named(report: CheckResult, live: Live | None) -> dict[str, TensorSpec]:
    """The tensors by the names that an exported file of the model has, or by those that the inputs have."""
    if live is not None:
        args, kwargs = live.inputs.parts(lambda spec: spec)
        return named_leaves(live.bound(*args, **kwargs), TensorSpec)
    specs = list(parse_inputs(list(report.inputs)).tensors())
    return {spec.name or f"input_{number}": spec for number, spec in enumerate(specs)}


def head(report: CheckResult, inputs: RangedInputs, tool: str) -> Iterator[str]:
    """The first lines: what is written, and for which sizes."""
    yield f"{tool} for {report.target} at {' and '.join(report.inputs)}"
    yield f"the model runs for: {inputs.box.sizes}" if inputs.sizes.symbols else "the model takes this one size"
    left = (inputs.sizes - inputs.box.sizes).coalesced()
    if left:
        yield f"left out, though the model runs there: {left}"
    if not report.contract.proved:
        yield "sizes at which nothing is proved are left out"


def onnx_path(report: CheckResult) -> str:
    """The ONNX file that the tool reads: the target itself, or the one that `--for onnx` exports."""
    return report.target if report.target.endswith(".onnx") else ONNX


def chosen_ends(inputs: RangedInputs, held: Collection[str] = ()) -> Iterator[str]:
    """That largest sizes are a choice, where the contract has none; symbols that are held at one size need none."""
    endless = [axis.symbol for axis in inputs.box.free if axis.last is None and axis.symbol not in held]
    if endless:
        yield f"there is no largest {' or '.join(endless)}: this one is a choice; another: --sizes {endless[-1]}=1..512"


def unsaid_steps(inputs: RangedInputs) -> Iterator[str]:
    """What a range from a smallest to a largest size does not say."""
    said = [_of_lattice(axis) for axis in inputs.box.axes if axis.tied or axis.step > 1]
    if said:
        yield f"a range cannot say that only these fit between its ends: {', '.join(said)};"
        yield "  the size check of `shapelint spec --for python` refuses the others"


def _of_lattice(axis: AxisRange) -> str:
    if axis.tied:
        return f"{axis.symbol} = {axis.tied}"
    rest = axis.rest
    return f"{axis.symbol} a multiple of {axis.step}" if not rest else f"{axis.symbol} = {rest} mod {axis.step}"
