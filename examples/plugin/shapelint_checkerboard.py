"""A rule of our own for shapelint: it needs no more than this file and one line in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Layer, Safety, Severity, Valid

NET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, {kernel}, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, {kernel}, stride=2, padding=1){mark}

    def forward(self, x):
        return self.up(self.down(x))
"""


class UnevenOverlap:
    """A transposed convolution whose kernel is no multiple of its stride overlaps unevenly.

    ## What it does

    It looks at the kernel and the stride of each transposed convolution, whatever the sizes are.

    ## Why it is bad

    With kernel 3 and stride 2 every second row of the output sums two products and the others one, which shows as a
    checkerboard in generated images (Odena, Dumoulin, Olah: Deconvolution and Checkerboard Artifacts, Distill 2016).

    ## Fix

    Advice: the next kernel that is a multiple of the stride; the layer that it mirrors needs the same.
    """

    code: ClassVar[str] = "CB101"
    name: ClassVar[str] = "uneven-overlap"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(NET.format(kernel=4, mark=""), "1,3,64,64"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(NET.format(kernel=3, mark="  # <-- CB101"), "1,3,65,65", "`up` has kernel 3 and stride 2"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such layer."""
        for layer in analysis.layers:
            if layer.kind.startswith("ConvTranspose"):
                yield from self._uneven(layer)

    def _uneven(self, layer: Layer) -> Iterator[Finding]:
        for kernel, stride in zip(layer.parameters["kernel_size"], layer.parameters["stride"], strict=True):
            if kernel % stride:
                better = -(-kernel // stride) * stride
                yield Finding(
                    code=self.code,
                    name=self.name,
                    severity=Severity.WARNING,
                    message=f"`{layer.module}` has kernel {kernel} and stride {stride}",
                    module=layer.module,
                    location=layer.built,
                    fix=Fix(f"use a kernel of {better}, here and in the layer that it mirrors", Safety.ADVICE),
                )
                return
