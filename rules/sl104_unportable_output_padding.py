"""SL104: an `output_padding` that PyTorch takes and onnxruntime refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Node, Safety, Valid, written

from ._causes import at_stake, place_of
from ._words import called, padding_text

_DILATED = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, {}){}

    def forward(self, x):
        return self.up(self.conv(x))
"""

_AS_ADVISED = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 3, 3, dilation=2, padding=1)

    def forward(self, x):
        return self.up(x)[..., 1:, 1:]
"""


class UnportableOutputPadding:
    """An `output_padding` is not smaller than the stride, but smaller than the dilation.

    ## What it does

    PyTorch allows an `output_padding` below the stride or the dilation, whichever is larger. ONNX knows the stride
    alone: `onnxruntime` refuses such a layer in one, two and three dimensions. It is a warning where a confirmation
    by onnxruntime is asked for, and else a note.

    ## Why it is bad

    The model trains, exports without a word, and does not run where it is deployed.

    ## What PyTorch says

    Nothing, and `torch.onnx.export` says nothing. `onnxruntime` refuses the exported model when it is loaded or
    run.

    ## Fix

    Advice: the same layer with a smaller `padding` and without `output_padding`, and as many first rows of its output
    cut off. It gives the same values in the same size.

    ## See also

    SL103 for values that PyTorch refuses too.
    """

    code: ClassVar[str] = "SL104"
    name: ClassVar[str] = "unportable-output-padding"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_DILATED.format("stride=2, dilation=2, padding=2, output_padding=1", ""), "1,3,8,8"),
        Valid(_AS_ADVISED, "1,3,8,8"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _DILATED.format("dilation=2, padding=2, output_padding=1", "  # <-- SL104"),
            "1,3,H,W",
            "onnxruntime refuses `up`: `output_padding=1` is not below its stride 1",
        ),
        Invalid(
            _DILATED.format("stride=2, dilation=3, padding=0, output_padding=(1, 2)", "  # <-- SL104"),
            "1,3,8,8",
            "onnxruntime refuses `up`: `output_padding=(1, 2)` is not below its stride 2",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields every layer that has such a value."""
        layers = {(node.module, node.place): node for node in reversed(analysis.graph.nodes) if _is_unportable(node)}
        for node in reversed(layers.values()):
            value, stride = node.parameter("output_padding") or (), node.parameter("stride") or ()
            dilation = written(node.parameter("dilation") or ())
            name = called(node)
            yield Finding(
                code=self.code,
                name=self.name,
                severity=at_stake(analysis),
                message=f"onnxruntime refuses {name}: {padding_text(value)} is not below its stride {written(stride)}",
                notes=(f"PyTorch takes it, because the dilation is {dilation}",),
                module=node.module or None,
                location=place_of(node),
                fix=Fix(_advice(node), Safety.ADVICE),
            )


def _is_unportable(node: Node) -> bool:
    """Whether some axis has stride <= output_padding < dilation, and none has what PyTorch refuses too."""
    if not node.operation.startswith("conv_transpose") or not node.shapes:
        return False
    values = (node.parameter(name) or () for name in ("stride", "output_padding", "dilation"))
    return any(stride <= extra for stride, extra, _ in zip(*values, strict=True))


def _advice(node: Node) -> str:
    padding, extra = node.parameter("padding") or (), node.parameter("output_padding") or ()
    smaller = [before - more for before, more in zip(padding, extra, strict=True)]
    if min(smaller) < 0:
        return f"a stride above {max(extra)}, or an `output_padding` below the stride"
    rows = ", ".join(f"{more}:" if more else ":" for more in extra)
    return f"write `padding={written(smaller)}` without `output_padding`, and cut its output: `[..., {rows}]`"
