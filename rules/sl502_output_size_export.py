"""SL502: a transposed convolution whose `output_padding` follows the size, which no exporter can write down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Safety, Stretched, Valid, sized

from ._causes import at_stake
from ._words import brief, padding_text, quoted

_NET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1{})

    def forward(self, x):
        return self.up(self.down(x){}){}
"""

_STRETCHED = _NET.format("", ", output_size=x.shape[-2:]", "{}")


class OutputSizeExport:
    """A transposed convolution gets its `output_padding` from the size, as with `output_size=`.

    ## What it does

    ONNX knows `output_padding` as a number of the file. With open sizes `dynamo=True` refuses such a layer, and
    `dynamo=False` writes down the value of the size that it is exported at. It speaks where that value is another one
    at some of the sizes that are asked about. It is a warning where a confirmation by a runtime is asked for, and
    else a note.

    ## Why it is bad

    The file gives a wrong size, without a word: exported at 5x5 the layer makes 5x5 of what came from 6x6.

    ## Fix

    Advice: build the layer with the largest `output_padding`, and cut what it gives. The values are the same.
    """

    code: ClassVar[str] = "SL502"
    name: ClassVar[str] = "output-size-export"
    about_exports: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_NET.format(", output_padding=1", "", "[..., :x.shape[2], :x.shape[3]]"), "1,3,H,W"),
        Valid(_STRETCHED.format(""), "1,3,6,6"),
        Valid(_STRETCHED.format(""), "1,3,H,W", {"sizes": {"H": range(32, 65, 2), "W": [48]}}),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _STRETCHED.format("  # <-- SL502"),
            "1,3,H,W",
            "exported at 16x19, `up` keeps `output_padding=(1, 0)`, which is wrong at 16x16",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such layer."""
        for each in analysis.portability.stretched:
            exported, at = sized(tuple(each.exported.values())), sized(tuple(each.at.values()))
            name, kept = quoted(each.module or each.operation), padding_text(each.kept)
            yield Finding(
                code=self.code,
                name=self.name,
                severity=at_stake(analysis),
                message=f"exported at {exported}, {name} keeps {kept}, which is wrong at {at}",
                notes=(
                    f"at {at} it needs {padding_text(each.needed)}; it is wrong for: {brief(each.wrong, 'many sizes')}",
                    "`dynamo=True` refuses it with open sizes, `dynamo=False` bakes the value in",
                ),
                module=each.module or None,
                location=each.place,
                fix=Fix(_advice(each, name), Safety.ADVICE),
            )


def _advice(each: Stretched, name: str) -> str:
    largest = padding_text([max(step - 1, 0) for step in each.stride])
    axes = ", ".join(f":size[{axis}]" for axis in range(len(each.stride)))
    return f"build {name} with {largest} and cut what it gives to the size that you want: `y[..., {axes}]`"
