"""SL501: a branch on a size, of which an exported file keeps one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Baked, Finding, Fix, Invalid, Safety, Valid, expression_at, sized, statement_at

from ._causes import at_stake
from ._words import brief

_UNET = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)

    def forward(self, x):
        skip = self.enc(x)
        y = self.up(self.pool(skip))
        {}
        return torch.cat([y, skip], 1)
"""

_RESIZED = """if y.shape != skip.shape:{}
            y = F.interpolate(y, size=skip.shape[-2:])"""

_PADDED = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 4, 2, stride=2)
        self.up = nn.ConvTranspose1d(4, 1, 2, stride=2)

    def forward(self, x):
        rest = x.shape[-1] % 2
        {}
        return self.up(self.down(x))
"""

_GUARD = """assert x.shape[-2] % 2 == 0 and x.shape[-1] % 2 == 0, "only even sizes\""""
_EXPRESSION = 36


class BakedBranch:
    """A branch on a size takes another way at other sizes, and an exported file keeps one of the two.

    ## What it does

    A file with open sizes holds the calls of one run: the exporters of torch.onnx take the way of the size that they
    are given, and leave out the comparison. shapelint knows both ways. It speaks where the file that is exported on
    the one way raises, or gives another size, at sizes that go the other way in PyTorch. A guard that only raises
    gets no word, nor does a branch after which both ways end alike, nor a model that is asked about at one size.
    It is a warning where a confirmation by a runtime is asked for, and else a note.

    ## Why it is bad

    PyTorch accepts every size, the exporter says nothing, and the file fails in production at the other sizes.

    ## Fix

    Advice: what can be written without asking. A resize or a pad to the size that is there already changes nothing.
    """

    code: ClassVar[str] = "SL501"
    name: ClassVar[str] = "baked-branch"
    about_exports: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_UNET.format("y = F.interpolate(y, size=skip.shape[-2:])"), "1,3,H,W"),
        Valid(_UNET.format(_GUARD), "1,3,H,W"),
        Valid(_UNET.format(_RESIZED.format("")), "1,3,33,33"),
        Valid(_UNET.format(_RESIZED.format("")), "1,3,H,W", {"sizes": {"H": [32, 64], "W": [32, 64]}}),
        Valid(_PADDED.format("x = F.pad(x, [0, rest])"), "1,1,L"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _UNET.format(_RESIZED.format("  # <-- SL501")),
            "1,3,H,W",
            "the branch on `y.shape != skip.shape` is baked in: exported at 16x32, it fails at 17x16",
        ),
        Invalid(
            _PADDED.format("if rest:  # <-- SL501\n            x = F.pad(x, [0, 1])"),
            "1,1,L",
            "the branch on `rest` is baked in: exported at 16, it is otherwise at 17",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each line that branches so."""
        for baked in analysis.portability.baked:
            exported, at = sized(tuple(baked.exported.values())), sized(tuple(baked.at.values()))
            wrong = f"fails at {at}" if baked.given is None else f"is otherwise at {at}"
            yield Finding(
                code=self.code,
                name=self.name,
                severity=at_stake(analysis),
                message=f"the branch on {_condition(baked)} is baked in: exported at {exported}, it {wrong}",
                notes=tuple(_notes(baked, at)),
                location=baked.place,
                fix=Fix(_advice(baked), Safety.ADVICE),
            )


def _condition(baked: Baked) -> str:
    statement, expression = statement_at(baked.place), expression_at(baked.place)
    if expression is None and isinstance(statement, ast.If | ast.While):
        expression = statement.test
    text = "" if expression is None else ast.unparse(expression)
    return f"`{text}`" if 0 < len(text) <= _EXPRESSION else f"a size in line {baked.place.line}"


def _notes(baked: Baked, at: str) -> Iterator[str]:
    exported = sized(tuple(baked.exported.values()))
    yield f"one way: {brief(baked.same, f'{exported} and others')}; another: {brief(baked.other, f'{at} and others')}"
    if baked.given is None:
        yield f"at {at} PyTorch gives {sized(baked.wanted)}, the file raises: {baked.error}"
    else:
        yield f"at {at} PyTorch gives {sized(baked.wanted)}, the file {sized(baked.given)}"


def _advice(baked: Baked) -> str:
    if baked.right_from is None:
        return "compute it from the sizes without asking: a pad by 0 or a resize to the same size changes nothing"
    other = sized(tuple(baked.right_from.values()))
    return f"take the way of {other} without asking: its calls give the right sizes at every size"
