"""The sizes of a model's outputs as straight lines of its input sizes, proved over a box of sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from shapelint.facts.contract import Contract
from shapelint.facts.graph import TensorShape
from shapelint.size.condition import equal, negate
from shapelint.size.function import as_function, symbol
from shapelint.size.isl_form import SolverError, Undecidable
from shapelint.spec.boxes import SizeBox


@dataclass(frozen=True, slots=True)
class AxisLine:
    """A size that is a straight line of one symbol over a box: `scale * symbol + offset`; `symbol` "" for a number."""

    symbol: str
    scale: Fraction
    offset: int


def output_lines(contract: Contract, box: SizeBox) -> list[list[AxisLine]] | None:
    """The sizes of the outputs over the box; None where one is no straight line, or the outputs change."""
    first = contract.region_at(box.at({})).outcome.outputs
    found = [
        [_line(contract, box, number, place) for place in range(len(each.dims))] for number, each in enumerate(first)
    ]
    if not found or any(line is None for each in found for line in each):
        return None
    return [[line for line in each if line is not None] for each in found]


def _line(contract: Contract, box: SizeBox, output: int, place: int) -> AxisLine | None:
    """The straight line that an output's size is over the box, proved in each region of it."""
    start = box.at({})
    size = _size(contract, start, output, place)
    line = None if size is None else AxisLine("", Fraction(0), size)
    for axis in box.free:
        other = _size(contract, box.at({axis.symbol: 1}), output, place)
        if size is None or other is None or other == size:
            continue
        scale = Fraction(other - size, axis.step)
        offset = size - scale * axis.first
        if line is None or line.symbol or offset.denominator != 1:
            return None
        line = AxisLine(axis.symbol, scale, int(offset))
    return line if line is not None and _holds(contract, box, line, (output, place)) else None


def _size(contract: Contract, sizes: Mapping[str, int], output: int, place: int) -> int | None:
    outputs = contract.outcome(**sizes).outputs
    return outputs[output][place] if output < len(outputs) and place < len(outputs[output]) else None


def _holds(contract: Contract, box: SizeBox, line: AxisLine, at: tuple[int, int]) -> bool:
    """Whether a size is that line at every member of the box."""
    output, place = at
    by_symbol = symbol(line.symbol) if line.symbol else None
    for region in contract.regions:
        common = region.sizes & box.sizes
        if not common:
            continue
        shapes: tuple[TensorShape, ...] = region.outcome.outputs
        if output >= len(shapes) or len(shapes[output].dims) <= place:
            return False
        left = as_function(shapes[output].dims[place]).times(line.scale.denominator)
        right = as_function(line.offset * line.scale.denominator)
        if by_symbol is not None:
            right = right + by_symbol.times(line.scale.numerator)
        try:
            if common.meeting(negate(equal(left, right))):
                return False
        except (Undecidable, SolverError):
            return False
    return True
