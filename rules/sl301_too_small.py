"""SL301: a size falls below a kernel, or to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from shapelint.failure import Kind
from shapelint.finding import Finding, Fix, Safety, Severity
from shapelint.rule import Invalid, Valid

from ._helpers import nearest_note, place_of, quoted, sized

if TYPE_CHECKING:
    from shapelint.analysis import Analysis, Diagnosis

_DEEP = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1))
        self.head = nn.Conv2d(8, 1, 4){}

    def forward(self, x):
        return self.head(self.features(x))
"""


class TooSmall:
    """A size falls below a kernel, or to nothing, at an asked size.

    ## What it does

    It speaks where a convolution's or a pool's kernel is larger than its padded input, or where a layer's output
    would have no rows.

    ## Why it is bad

    The call raises: the network is too deep for so small an input.

    ## Fix

    Advice: the smallest input that works, or a smaller kernel or fewer halvings.
    """

    code: ClassVar[str] = "SL301"
    name: ClassVar[str] = "too-small"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_DEEP.format(""), "1,3,16,16"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(_DEEP.format("  # <-- SL301"), "1,3,15,15", "`head` gets 3x3, too small for its kernel 4x4"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where a kernel does not fit at the focus."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or diagnosis.node is None or diagnosis.region.outcome.ok is not False:
            return
        failure = diagnosis.region.outcome.failure
        if failure is None or failure.kind not in (Kind.KERNEL, Kind.EMPTY):
            return
        node = diagnosis.node
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=_message(diagnosis),
            notes=tuple(_notes(analysis, diagnosis)),
            module=node.module or None,
            location=place_of(node),
            fix=Fix(_advice(analysis, node.module or node.operation), Safety.ADVICE),
        )


def _message(diagnosis: Diagnosis) -> str:
    node = diagnosis.node
    assert node is not None, "check() has looked"
    name = quoted(node.module or node.operation)
    kernel = node.parameter("kernel_size")
    source = diagnosis.graph.nodes[node.inputs[0]] if node.inputs else None
    if kernel is None or source is None or not source.shapes:
        return f"{name} gives no rows at {sized(tuple(diagnosis.focus.values()))}"
    size = source.shapes[0].value(dict(diagnosis.focus))[-len(kernel) :]
    return f"{name} gets {sized(size)}, too small for its kernel {sized(kernel)}"


def _notes(analysis: Analysis, diagnosis: Diagnosis) -> Iterator[str]:
    failure = diagnosis.region.outcome.failure
    if failure is not None:
        yield failure.at(diagnosis.focus)
    near = nearest_note(analysis, dict(diagnosis.focus))
    if near is not None:
        yield near


def _advice(analysis: Analysis, name: str) -> str:
    smallest = analysis.contract.runs.smallest()
    if smallest is None:
        known = "no size runs" if analysis.contract.proved else "use a larger input"
        return f"{known}: give {quoted(name)} a smaller kernel or padding"
    size = sized(tuple(smallest.values()))
    return f"the smallest input that runs is {size}; or give {quoted(name)} a smaller kernel or padding"
