"""SL205: a model that fits wherever its axes are equal, and mixes them up where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Crossing, Finding, Fix, Invalid, Safety, Severity, Valid, sized

from ._words import brief, quoted, said_note

_TOKENS = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        y = self.patch(x)
        b, c, h, w = y.shape
        tokens = self.mix(y.flatten(2).transpose(1, 2))
        {}
        {}
"""

_PAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 4, stride=4)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=4)

    def forward(self, x):
        y = self.up(self.down(x))
        dy = x.shape[2] - y.shape[2]
        dx = x.shape[3] - y.shape[3]
        y = F.pad(y, {})
        return torch.cat([x, y], dim=1){}
"""

_LINE = 100
_SUM = "return y + tokens.transpose(1, 2).reshape(b, c, {})"


class AxisMixUp:
    """The model fits wherever height and width are equal, and fails where they differ though each of them fits.

    ## What it does

    It takes the sizes that fit on all spatial axes at once, and looks whether two of them fit together. Where they do
    not, an operation has the axes mixed up: `view(b, c, w, h)`, a pad that is given height before width, a transpose
    too many, `int(sqrt(n))` for the side of a map that need not be square. A model that refuses by itself what is not
    square is left alone. Where a transposed map is no error, but comes out as the output, that is said too.

    ## Why it is bad

    Square images are what everybody tests with. The first 640x480 raises, or comes out with its axes exchanged.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: The size of tensor a (16) must match the size of tensor b (8) at non-singleton dimension 3
    ```

    ## Fix

    Advice: look at the named call, from which on the axes are in another order, and at the order in which height and
    width are handed to it.

    ## See also

    SL201 for joins that fail also where height and width are equal.
    """

    code: ClassVar[str] = "SL205"
    name: ClassVar[str] = "axis-mix-up"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_TOKENS.format("", _SUM.format("h, w")), "1,3,H,W"),
        Valid(_TOKENS.format("", _SUM.format("w, h")), "1,3,32,32"),
        Valid(_TOKENS.format("assert h == w, 'only square images'", _SUM.format("w, h")), "1,3,32,64"),
        Valid(_PAD.format("[0, dx, 0, dy]", ""), "1,3,H,W"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _TOKENS.format("", _SUM.format("w, h") + "  # <-- SL205"),
            "1,3,32,64",
            "32x32 and 64x64 fit, 32x64 does not: `reshape` has the axes mixed up",
        ),
        Invalid(
            _TOKENS.format("side = int(tokens.shape[1] ** 0.5)", _SUM.format("side, side") + "  # <-- SL205"),
            "1,3,32,64",
            "32x32 and 64x64 fit, 32x64 does not: `reshape` has the axes mixed up",
        ),
        Invalid(
            _PAD.format("[0, dy, 0, dx])  # <-- SL205", "").replace("SL205)", "SL205"),
            "1,3,H,W",
            "16x16 and 17x17 fit, 16x17 does not: `pad` has the axes mixed up",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where the axes are mixed up at an asked size."""
        mixed = analysis.mixed
        if mixed is None or not analysis.concerns(mixed.sizes):
            return
        alone = " and ".join(sized((size,) * len(mixed.axes)) for size in mixed.alone)
        at, name = sized([mixed.at[name] for name in mixed.axes]), quoted(mixed.operation)
        message = f"{alone} fit, {at} does not: {name} has the axes mixed up"
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR if analysis.fails_at(mixed.sizes) else Severity.NOTE,
            message=message if len(message) <= _LINE else f"{name} has the axes mixed up: {at} does not fit",
            notes=tuple(_notes(analysis, mixed)),
            module=mixed.module or None,
            location=mixed.place,
            fix=Fix(_advice(mixed), Safety.ADVICE),
        )


def _notes(analysis: Analysis, mixed: Crossing) -> Iterator[str]:
    yield f"it fits where all axes are {' or '.join(map(str, mixed.alone))}"
    if mixed.error:
        if mixed.shown != mixed.operation:
            yield f"it shows at {quoted(mixed.shown)}"
        here = analysis.diagnosis is not None and dict(analysis.diagnosis.focus) == dict(mixed.at)
        yield (said_note(analysis) if here else None) or f"it raises: {mixed.error}"
    else:
        yield "the output has the axes of the input exchanged"
    if analysis.contract.proved:
        verb = "restores" if analysis.intent.meant else "runs for"
        yield f"it {verb}: {brief(analysis.wanted)}"


def _advice(mixed: Crossing) -> str:
    axes = " before ".join(mixed.axes)
    if mixed.operation == "pad":
        return f"hand `F.pad` the rows of the last axis first: {' before '.join(mixed.axes[::-1])}"
    return f"hand the axes over in the order of the tensor, {axes} (`F.pad` alone wants the last axis first)"
