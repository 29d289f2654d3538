"""SL302: a normalisation that sees one value only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Diagnosis, Finding, Fix, Invalid, Kind, Node, Safety, Severity, Valid, sized

from ._causes import node_of, noteworthy, place_of, raising, size_taken
from ._words import brief, called, nearest_note, quoted, said_note

_IMAGE_POOLING = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1)
        self.pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(16, 8, 1, bias=False),
            nn.BatchNorm2d(8),{}
            nn.ReLU(),
        )

    def forward(self, x):
        x = self.conv(x)
        y = F.interpolate(self.pool(x), size=x.shape[2:])
        return torch.cat([x, y], 1)
"""

_BOTTLENECK = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(*[nn.Conv2d(3 if i == 0 else 8, 8, 4, 2, 1) for i in range(4)])
        self.norm = nn.InstanceNorm2d(8){}
        self.up = nn.Upsample(scale_factor=16)

    def forward(self, x):
        return self.up(self.norm(self.down(x)))
"""


class OneValueNorm:
    """A normalisation sees one value per channel.

    ## What it does

    A batch norm in training takes its mean over the batch and the space, an instance norm (always, unless it tracks
    statistics) over the space alone, a group norm over its group and the batch. Where that is one value at an asked
    size, PyTorch raises. Batch norms speak only when the check is made with `train=True` (`--train`).

    ## Why it is bad

    `Expected more than 1 value per channel when training`, at the last batch of an epoch, or at the first small image.

    ## What PyTorch says

    In the first example below:

    ```text
    ValueError: Expected more than 1 value per channel when training, got input size torch.Size([1, 8, 1, 1])
    ```

    ## Fix

    Advice: a larger batch (for a batch norm) or a larger input, or no norm where the size is one.

    ## See also

    SL301 for layers whose output would have no rows.
    """

    code: ClassVar[str] = "SL302"
    name: ClassVar[str] = "one-value-norm"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_IMAGE_POOLING.format(""), "1,3,32,32"),
        Valid(_IMAGE_POOLING.format(""), "2,3,32,32", {"train": True}),
        Valid(_BOTTLENECK.format(""), "1,3,16,32"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _IMAGE_POOLING.format("  # <-- SL302"),
            "1,3,32,32",
            "`pool.2` gets 1x8x1x1: one value per channel",
            options={"train": True},
        ),
        Invalid(
            _IMAGE_POOLING.format("  # <-- SL302"),
            "1,3,H,W",
            "`pool.2` gets 1x8x1x1: one value per channel",
            options={"train": True},
        ),
        Invalid(_BOTTLENECK.format("  # <-- SL302"), "1,3,16,16", "`norm` gets 1x8x1x1: one value per channel"),
        Invalid(_BOTTLENECK.format("  # <-- SL302"), "1,3,H,W", "`norm` sees one value per channel at some sizes"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error where a norm over one value is what raises, or a note with the sizes at which one does."""
        found = raising(analysis, Kind.NORM)
        if found is not None:
            yield self._error(analysis, found[0], found[1])
        region = noteworthy(analysis, Kind.NORM)
        if region is not None:
            node = node_of(analysis, region)
            name = quoted(region.outcome.module) if node is None else called(node)
            yield Finding(
                code=self.code,
                name=self.name,
                severity=Severity.NOTE,
                message=f"{name} sees one value per {_unit(node)} at some sizes",
                notes=(f"it raises for: {brief(region.sizes)}",),
                module=region.outcome.module or None,
                location=region.outcome.place if node is None else place_of(node),
            )

    def _error(self, analysis: Analysis, diagnosis: Diagnosis, node: Node) -> Finding:
        notes = (nearest_note(analysis, dict(diagnosis.focus)), said_note(analysis))
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{called(node)} gets {sized(size_taken(diagnosis, node))}: one value per {_unit(node)}",
            notes=tuple(note for note in notes if note),
            module=node.module or None,
            location=place_of(node),
            fix=Fix(_advice(analysis, node), Safety.ADVICE),
        )


def _unit(node: Node | None) -> str:
    return "group" if node is not None and node.operation == "group_norm" else "channel"


def _advice(analysis: Analysis, node: Node) -> str:
    larger = "a larger batch (2 or more) or " if node.operation == "batch_norm" else ""
    smallest = analysis.contract.runs.smallest()
    if smallest:
        return f"use {larger}an input of at least {sized(tuple(smallest.values()))}, or leave {called(node)} out"
    return f"use {larger}no norm here: {called(node)} gets one value at every size"
