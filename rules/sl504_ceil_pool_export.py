"""SL504: a ceil_mode pool for which a file below opset 22 declares a wrong size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Finding,
    Fix,
    Function,
    Invalid,
    Node,
    Safety,
    SizeSet,
    Valid,
    any_of,
    as_function,
    equal,
    negate,
    sized,
)

from ._causes import at_stake
from ._words import brief, called

_NET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d({}, ceil_mode=True)

    def forward(self, x):
        return self.pool(self.conv(x)){}
"""


class CeilPoolExport:
    """A pool with `ceil_mode` drops a window that would begin behind the input, which ONNX before opset 22 does not.

    ## What it does

    PyTorch leaves out the last window of a `ceil_mode` pool where it would lie in the right padding alone, which can be
    so where the kernel is smaller than stride plus padding. The rule of ONNX for the size knows that from opset 22 on.
    onnxruntime computes the size of PyTorch all the same; what the shape inference of ONNX says of a file below opset
    22 is one row more. With open sizes `dynamo=True` declares a wrong size in every opset. It is a warning where a
    confirmation by a runtime is asked for, and else a note.

    ## Why it is bad

    Tools that believe the declared size reserve, reshape or refuse by a wrong number.

    ## Fix

    Advice: an opset of 22 or above.
    """

    code: ClassVar[str] = "SL504"
    name: ClassVar[str] = "ceil-pool-export"
    about_exports: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_NET.format("2, 2", ""), "1,3,H,W"),
        Valid(_NET.format("3, 2, 1", ""), "1,3,H,W"),
        Valid(_NET.format("2, 3", ""), "1,3,13,13"),
        Valid(_NET.format("2, 3", "").replace("ceil_mode=True", "ceil_mode=False"), "1,3,H,W"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _NET.format("2, 3", "  # <-- SL504"),
            "1,3,12,12",
            "`pool` gives 4x4, and 5x5 by the rule of ONNX below opset 22",
        ),
        Invalid(
            _NET.format("2, 2, 1", "  # <-- SL504"),
            "1,3,H,W",
            "`pool` gives 5x5, and 5x6 by the rule of ONNX below opset 22",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such pool."""
        sizes = analysis.contract.runs & analysis.asked
        told: set[object] = set()
        for node in analysis.graph.nodes if sizes else ():
            if node.parameter("ceil_mode") is None or (node.module, node.place) in told:
                continue
            wrong = _wrong(analysis, node, sizes)
            at = wrong.example()
            if at is not None:
                told.add((node.module, node.place))
                yield self._finding(analysis, node, wrong, at)

    def _finding(self, analysis: Analysis, node: Node, wrong: SizeSet, at: dict[str, int]) -> Finding:
        given = node.shapes[0].value(at)[-node.spatial :]
        declared = tuple(dim.value(at) for dim in _declared(analysis, node))
        return Finding(
            code=self.code,
            name=self.name,
            severity=at_stake(analysis),
            message=f"{called(node)} gives {sized(given)}, and {sized(declared)} by the rule of ONNX below opset 22",
            notes=(
                f"so it is at {sized(tuple(at.values()))}, and for: {brief(wrong, 'some other sizes')}",
                "onnxruntime gives the size of PyTorch; it is the declared size that is wrong",
            ),
            module=node.module or None,
            location=node.place,
            fix=Fix("export with `opset_version=22` or above", Safety.ADVICE),
        )


def _wrong(analysis: Analysis, node: Node, sizes: SizeSet) -> SizeSet:
    """The sizes at which the rule of ONNX gives another size than the pool does."""
    given = [as_function(dim) for dim in node.shapes[0].dims[-node.spatial :]] if node.shapes else []
    pairs = zip(_declared(analysis, node), given, strict=False)
    differ = any_of(negate(equal(declared, real)) for declared, real in pairs)
    return sizes & SizeSet.where(sizes.symbols, differ)


def _declared(analysis: Analysis, node: Node) -> list[Function]:
    """ceil((n + 2p - d(k-1) - 1)/s) + 1 for each spatial axis; none where its sides are padded unlike, or fixed."""
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    given = [node.parameter(name) for name in names]
    if None in given or not node.inputs:
        return []
    before = analysis.graph.nodes[node.inputs[0]].shapes[0].dims[-node.spatial :]
    values = zip(*(each for each in given if each is not None), strict=True)
    return [
        (as_function(n).plus(2 * p - d * (k - 1) - 1 + (s - 1) * ceil)).floor_divide(s).plus(1)
        for n, (k, s, p, d, ceil) in zip(before, values, strict=True)
    ]
