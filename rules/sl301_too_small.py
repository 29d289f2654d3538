"""SL301: a size falls below a kernel, or to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Kind,
    Node,
    Repair,
    Safety,
    Severity,
    Valid,
    sized,
    written,
)

from ._causes import place_of
from ._words import called, nearest_note, quoted, said_note

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


_CROPPED = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return F.pad(self.conv(x), (-8, -8, -8, -8)){}
"""

_CUTS = ("pad", "__getitem__", "narrow")


class TooSmall:
    """A size falls below a kernel, or to nothing, at an asked size.

    ## What it does

    It speaks where a convolution's or a pool's kernel is larger than its padded input, or where a layer's output
    would have no rows.

    ## Why it is bad

    The call raises: the network is too deep for so small an input.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Calculated padded input size per channel: (3 x 3). Kernel size: (4 x 4). Kernel size can't be
    greater than actual input size
    ```

    ## Fix

    Advice: the smallest input that works, or a smaller kernel or fewer halvings.

    ## See also

    SL303 for padding that is too large for its input, SL302 for norms over one value.
    """

    code: ClassVar[str] = "SL301"
    name: ClassVar[str] = "too-small"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_DEEP.format(""), "1,3,16,16"), Valid(_CROPPED.format(""), "1,3,17,17"))
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _DEEP.format("  # <-- SL301"),
            "1,3,15,15",
            "`head` gets 3x3, too small for its kernel 4x4",
            {"head.kernel_size": (3, 3)},
            fixed="nn.Conv2d(8, 1, 3)",
        ),
        Invalid(_CROPPED.format("  # <-- SL301"), "1,3,12,12", "`pad` cuts more than there is off 12x12"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where a kernel does not fit at the focus."""
        diagnosis = analysis.diagnosis
        emptied = _emptied(analysis) if diagnosis is None and analysis.certain else None
        if emptied is not None and analysis.contract.outcome(**analysis.question.first).outputs:
            yield self._empty(analysis, emptied)
        if diagnosis is None or diagnosis.node is None or analysis.claimed or diagnosis.region.outcome.ok is not False:
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
            fix=_fix(analysis, diagnosis, node),
        )


    def _empty(self, analysis: Analysis, node: Node) -> Finding:
        """The call that leaves nothing of what it takes, with which the output is empty and nothing raises."""
        at, shape = dict(analysis.question.first), analysis.contract.outcome(**analysis.question.first).outputs[0]
        name = "the slice" if node.operation == "__getitem__" else called(node)
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"the output is {sized(shape)}: {name} leaves nothing{f' at {sized(at.values())}' if at else ''}",
            notes=(),
            module=node.module or None,
            location=place_of(node),
            fix=Fix(f"let {name} keep some rows", Safety.ADVICE),
        )


def _emptied(analysis: Analysis) -> Node | None:
    """The call that makes an axis of the first output empty, at the asked size; None for no such output."""
    graph, at = analysis.graph, dict(analysis.question.first)
    if at not in analysis.contract.runs or not graph.outputs or graph.outputs[0] < 0:
        return None
    empty = [each.index for each in graph.nodes if each.shapes and 0 in each.shapes[0].value(at)]
    ways = graph.ancestors(graph.nodes[graph.outputs[0]])
    found = [each for each in ways if each.index in empty and not any(index in empty for index in each.inputs)]
    return found[-1] if graph.outputs[0] in empty and found and found[-1].inputs else None


def _message(diagnosis: Diagnosis) -> str:
    node = diagnosis.node
    assert node is not None, "check() has looked"
    kernel, source = node.parameter("kernel_size"), diagnosis.graph.nodes[node.inputs[0]] if node.inputs else None
    at = sized(tuple(diagnosis.focus.values()))
    if source is None or not source.shapes:
        return f"{called(node)} gives no rows at {at}"
    rank = len(kernel) if kernel is not None else len(diagnosis.focus)
    size = sized(source.shapes[0].value(dict(diagnosis.focus))[-rank:] if rank else ())
    if node.operation in _CUTS:
        return f"{called(node)} cuts more than there is off {size}"
    return f"{called(node)} gets {size}, too small for {'it' if kernel is None else f'its kernel {sized(kernel)}'}"


def _notes(analysis: Analysis, diagnosis: Diagnosis) -> Iterator[str]:
    yield from (note for note in (said_note(analysis), nearest_note(analysis, dict(diagnosis.focus))) if note)


def _fix(analysis: Analysis, diagnosis: Diagnosis, node: Node) -> Fix:
    change = diagnosis.change
    if change is None:
        return Fix(_advice(analysis, node), Safety.ADVICE)
    title = f"{_smallest(analysis)}; or `{change.parameter}={written(change.value)}` in {quoted(change.module)}"
    assignments = {f"{change.module}.{change.parameter}": change.value}
    return Fix(title, Safety.UNSAFE, assignments, verified=("meta",), repairs=(Repair.ARGUMENT,))


def _smallest(analysis: Analysis) -> str:
    smallest = analysis.contract.runs.sample()
    if smallest is not None:
        return f"the smallest input that runs is {sized(tuple(smallest.values()))}"
    return "no size runs" if analysis.contract.proved else "use a larger input"


def _advice(analysis: Analysis, node: Node) -> str:
    """The smallest input that works, and what else would help: that depends on what the call does."""
    known = _smallest(analysis)
    if node.operation in _CUTS:
        return f"{known}; or cut less off"
    if node.parameter("kernel_size") is not None:
        return f"{known}; or give {called(node)} a smaller kernel or more padding, or halve less often before it"
    return f"{known}; or make the size smaller less often before {called(node)}"
