"""SL401: a join that repeats a tensor of size 1 where its tensors should have equal sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Broadcast, Finding, Fix, Invalid, Safety, Severity, Valid, sized

from ._words import brief, quoted

_LINKNET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.enc2 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.dec2 = nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1)

    def forward(self, x):
        skip = self.enc1(x)
        y = self.dec2(self.enc2(skip))
        return {}
"""

_GATE = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Sequential(nn.Conv2d(8, 8, 1), nn.Sigmoid())

    def forward(self, x):
        y = self.conv(x)
        return y * self.gate({})
"""


_LAST = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 4, stride=4)

    def forward(self, x):
        steps = self.conv(x).cumsum(2)
        return steps / steps[:, :, -1:]
"""

_HAAR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 3, padding=1)

    def forward(self, x):
        even, odd = x[:, :, 0::2], x[:, :, 1::2]
        return self.conv({})
"""


_LOSS = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 1)
        self.loss = nn.MSELoss()

    def forward(self, x):
        y = x.mean(1)
        return self.loss(self.fc(x){}
"""


class SilentBroadcast:
    """A join repeats a tensor of size 1 at some input sizes, where its two tensors should have equal sizes.

    ## What it does

    `+`, `*` and their like repeat an axis of size 1 to the size of the other tensor. It speaks where that happens at
    some input sizes only, while at the others the two tensors must be equal: the skip of a U-Net, say, whose map has
    one row left. What has size 1 at every input size is meant to be repeated and gets no word: channel gates, means,
    masks, biases, tables of positions. Where no size is asked for, inputs smaller than the total stride are left out.

    A loss that repeats both of its tensors, as `mse_loss` does for outputs of 4x1 and 4 targets, compares each output
    with each target.

    ## Why it is bad

    Nothing raises. One row is added to all rows, and the numbers are wrong.

    ## What PyTorch says

    Nothing; of a loss `Using a target size that is different to the input size`. Where neither of the two sizes is 1,
    the same line raises `The size of tensor a must match the size of tensor b`.

    ## Fix

    Advice: compare the shapes before the join, or refuse inputs that are so small; give both tensors of a loss one
    shape.

    ## See also

    SL201 for joins that raise.
    """

    code: ClassVar[str] = "SL401"
    name: ClassVar[str] = "silent-broadcast"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_GATE.format("self.pool(y)"), "1,3,H,W"),
        Valid(_GATE.format("y.mean((2, 3), keepdim=True)"), "1,3,H,W"),
        Valid(_LINKNET.format("y + skip"), "1,3,H,W"),
        Valid(_LAST, "1,1,L"),
        Valid(_LOSS.format(".squeeze(-1), y)"), "4,8"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LINKNET.format("y + skip  # <-- SL401"),
            "1,3,32,2",
            "`add` repeats 16x1 from `enc1` to the 16x2 from `dec2`",
        ),
        Invalid(
            _HAAR.format("even - odd)  # <-- SL401").replace("SL401)", "SL401"),
            "1,1,L",
            "`sub` repeats 1 from `input` to the 2 from `input`",
        ),
        Invalid(
            _LOSS.format(", y)  # <-- SL401"),
            "4,8",
            "`mse_loss` compares each of 4x1 from `fc` with each of 4 from `mean`",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such join."""
        for each in analysis.broadcasts:
            asked = analysis.certain or not _is_tiny(analysis, each)
            if asked and analysis.mixed is None and analysis.concerns(each.sizes):
                yield self._finding(analysis, each)

    def _finding(self, analysis: Analysis, found: Broadcast) -> Finding:
        at, notes = sized(tuple(found.at.values())), tuple[str, ...]()
        if found.node.operation.endswith("loss"):
            message, advice = _of_loss(found)
        else:
            message, advice = _message(found, len(analysis.intent.stride)), _COMPARE
            shapes = f"at {at} the shapes are {sized(found.one)} and {sized(found.other)}"
            notes = (shapes, f"it happens for: {brief(found.sizes, f'{at} and others')}")
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR if analysis.fails_at(found.sizes) else Severity.NOTE,
            message=message,
            notes=notes,
            module=found.node.module or None,
            location=found.node.place,
            fix=Fix(advice, Safety.ADVICE),
        )


_COMPARE = "compare the two shapes before the join, or refuse inputs that are so small"


def _of_loss(found: Broadcast) -> tuple[str, str]:
    """The message on a loss that repeats both of its tensors, and the advice."""
    ways = list(zip((found.one, found.other), found.sources, strict=True))
    one, other = (f"{sized(shape)} from {quoted(source)}" for shape, source in ways)
    longer, name = max(ways, key=lambda way: len(way[0]))
    axis = longer.index(1)
    advice = f"take axis {axis}, of 1, off what {quoted(name)} gives: `.squeeze({axis})`"
    return f"{quoted(found.node.operation)} compares each of {one} with each of {other}", advice


def _is_tiny(analysis: Analysis, found: Broadcast) -> bool:
    """Whether it happens only where an axis of the input is smaller than the total stride."""
    strides = zip(analysis.question.target, analysis.intent.stride, strict=False)
    least = {next(iter(dim.symbols())): stride for dim, stride in strides if len(dim.symbols()) == 1}
    return not found.sizes.at_least(least)


def _message(found: Broadcast, rank: int) -> str:
    one, other = (sized(shape[-rank:]) for shape in (found.one, found.other))
    first, second = map(quoted, found.sources)
    return f"{quoted(found.node.operation)} repeats {one} from {first} to the {other} from {second}"
