"""SL204: a hand-made pad or crop that fits even differences only."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Edit,
    Finding,
    Fix,
    Invalid,
    OddMiss,
    Safety,
    Severity,
    Valid,
    expression_at,
    sized,
    span_of,
)

from ._paddings import enlarged_fix, short_finding
from ._windows import window_fix, window_note
from ._words import brief, quoted

_UP = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc = nn.Conv2d(3, 8, 3, padding=1)
        self.down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1))
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)

    def forward(self, x):
        skip = self.inc(x)
        y = self.up(self.down(skip))
        dy = skip.size(2) - y.size(2)
        dx = skip.size(3) - y.size(3)
        {}
        return torch.cat([skip, y], dim=1)
"""

_CROP = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv1d(1, 8, 5)
        self.down = nn.Conv1d(8, 8, 3, stride=2)
        self.up = nn.ConvTranspose1d(8, 8, 2, stride=2)

    def forward(self, x):
        skip = self.enc(x)
        y = self.up(self.down(skip))
        d = skip.shape[2] - y.shape[2]
        {}
        return torch.cat([y, skip], dim=1)
"""

_CODEC = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 4, 8, stride=8)
        self.up = nn.ConvTranspose1d(4, 1, 8, stride=8)

    def forward(self, x):
        y = self.up(self.down(x))
        d = x.shape[-1] - y.shape[-1]
        return F.pad(y, {}){}
"""

_AVERAGE = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, k={}):
        super().__init__()
        self.k, self.average = k, nn.AvgPool1d(k, stride=1)

    def forward(self, x):
        k = self.k
        first, last = x[:, :1].repeat(1, (k - 1) // 2, 1), x[:, -1:].repeat(1, (k - 1) // 2, 1)
        padded = torch.cat([first, x, last], dim=1)  # <-- SL204
        return x - self.average(padded.transpose(1, 2)).transpose(1, 2)
"""

_ROUNDED = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv1d(1, 4, 4, stride=4), nn.ConvTranspose1d(4, 1, 4, stride=4)

    def forward(self, x):
        padded = F.pad(x, (0, -x.shape[-1] % {}
        return self.up(self.down(padded))[..., : x.shape[-1]]
"""

_EVEN_ONLY = "F.pad(y, [dx // 2, dx // 2, dy // 2, dy // 2])"


class OddDifference:
    """A hand-made pad or crop puts half of the difference on both sides, and misses odd differences by one row.

    ## What it does

    It looks at the pads and crops on the way to a join that fails, or to an output that misses its size. It speaks
    where the call adds or cuts `d // 2` rows on both sides, which is proved by the sizes: for an odd `d` one row is
    missing or left over. A crop `y[o : o + n]` with `o = (y.shape[-1] - n) // 2` takes rows from the wrong end where
    `y` is the shorter one. A crop `y[d // 2 : -(d // 2)]` keeps nothing where `d` is 0 or 1, since its end is `-0`.

    It speaks too where a pad adds `(k - 1) // 2` rows on both sides for a layer with a kernel of `k`, without padding
    of its own: an even `k` needs one more on one side. And where a pad ahead of all layers rounds a size up to
    multiples of another number than the total stride of the layers: that number is the fix.

    ## Why it is bad

    It works for the sizes that were tried, and the first odd one raises: `Expected size 33 but got size 32`.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 33 but got size 32 for tensor
    number 1 in the list.
    ```

    ## Fix

    `d // 2` on one side and `d - d // 2` on the other; an edit where the amounts stand in the call, tried by a run.

    ## See also

    SL201 for joins without a hand-made crop or pad.
    """

    code: ClassVar[str] = "SL204"
    name: ClassVar[str] = "odd-difference"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_UP.format("y = F.pad(y, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])"), "1,3,H,W"),
        Valid(_UP.format(f"y = {_EVEN_ONLY}"), "1,3,32,32"),
        Valid(_CROP.format("skip = skip[:, :, d // 2 : d // 2 + y.shape[2]]"), "1,1,L"),
        Valid(_CODEC.format("(0, d)", ""), "1,1,L"),
        Valid(_AVERAGE.format(13).replace("  # <-- SL204", ""), "3,96,7"),
        Valid(_ROUNDED.format("4))"), "1,1,41"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _UP.format(f"y = {_EVEN_ONLY}  # <-- SL204"),
            "1,3,33,32",
            "`pad` gives 32x32 where 33x32 is needed: it adds the same on both sides",
            fixed="y = F.pad(y, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])",
        ),
        Invalid(
            _CROP.format("skip = skip[:, :, d // 2 : skip.shape[2] - d // 2]  # <-- SL204"),
            "1,1,L",
            "the crop gives 13 where 12 is needed: it cuts the same on both sides",
        ),
        Invalid(
            _CROP.format("skip = skip[:, :, d // 2 : -(d // 2)]  # <-- SL204"),
            "1,1,19",
            "the crop gives 0 where 14 is needed: its end is `-0`",
            fixed="skip = skip[:, :, d // 2 : skip.shape[2] - (d - d // 2)]",
        ),
        Invalid(
            _CROP.format("y = y[:, :, -d // 2 : -d // 2 + skip.shape[2]]  # <-- SL204"),
            "1,1,19",
            "the crop gets 14 where 15 is needed: its offset is negative",
        ),
        Invalid(
            _CODEC.format("(d // 2, d // 2)", "  # <-- SL204"),
            "1,1,101",
            "`pad` gives 100 where 101 is needed: it adds the same on both sides",
            fixed="F.pad(y, (d // 2, d - d // 2))",
        ),
        Invalid(
            _ROUNDED.format("2))  # <-- SL204"),
            "1,1,41",
            "`pad` makes it 42, where the layers need multiples of 4",
            fixed="-x.shape[-1] % 4",
        ),
        Invalid(
            _AVERAGE.format(12),
            "3,96,7",
            "`cat` gives 106 where 107 is needed: it adds the same on both sides",
            fixed="x[:, -1:].repeat(1, k // 2, 1)",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such pad or crop that fails at an asked size."""
        if analysis.short_padding is not None and analysis.diagnosis is not None and analysis.certain:
            yield short_finding(analysis, analysis.short_padding, self.code, self.name)
        for odd in analysis.odd:
            if analysis.concerns(odd.sizes):
                yield self._finding(analysis, odd)

    def _finding(self, analysis: Analysis, odd: OddMiss) -> Finding:
        at = sized(tuple(odd.at.values()))
        source = f" from {quoted(odd.source)}" if odd.source else ""
        taken, should = f"{sized(odd.before)}{source}", sized(odd.target)
        steps = f"at {at} it takes {taken}, gives {sized(odd.after)} and should give {should}"
        where = brief(odd.sizes, f"{at} and others like it")
        verb = "cuts" if odd.crops or sum(odd.target) < sum(odd.before) else "adds"
        why = "its end is `-0`" if odd.emptied else f"it {verb} the same on both sides"
        why = "it cuts one side only" if odd.one_sided else why
        name = "the crop" if odd.crops else "`pad`" if odd.window is None else quoted(odd.window.call)
        message = f"{name} gives {sized(odd.after)} where {sized(odd.target)} is needed: {why}"
        if odd.short:
            message = f"the crop gets {sized(odd.before)} where {sized(odd.target)} is needed: its offset is negative"
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR if analysis.fails_at(odd.sizes) else Severity.NOTE,
            message=message,
            notes=(steps, *(window_note(each) for each in (odd.window,) if each is not None), f"it fails for: {where}"),
            module=odd.module or None,
            location=odd.place,
            fix=enlarged_fix(analysis, odd) if odd.short and odd.window is None else _fix(odd),
        )


def _fix(odd: OddMiss) -> Fix:
    """The right expression; its edits are tried before anybody is told that they are more than advice."""
    if odd.window is not None:
        return window_fix(odd, odd.window)
    if odd.one_sided:
        text = "`y[..., d // 2:d // 2 + n]` for each axis, `n` rows being needed and `d` too many"
        return Fix(f"end each slice where what is needed ends: {text}", Safety.ADVICE)
    expression = expression_at(odd.place)
    changes = [] if expression is None else list((_cropped if odd.crops else _padded)(expression))
    if expression is None or not changes:
        return Fix("put `d // 2` of the difference `d` on one side and `d - d // 2` on the other", Safety.ADVICE)
    text = ast.unparse(copy.deepcopy(expression, {id(old): new for old, new in changes}))
    edits = tuple(Edit(span_of(odd.place.file, old), ast.unparse(new)) for old, new in changes)
    return Fix(f"write `{text}`", Safety.ADVICE, edits=edits)


def _padded(call: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """For a call of `pad` whose amounts stand in it: the second of each pair, and the rest of its difference."""
    amounts = call.args[1] if isinstance(call, ast.Call) and len(call.args) > 1 else None
    if not isinstance(amounts, ast.List | ast.Tuple) or len(amounts.elts) % 2:
        return
    for first, second in zip(amounts.elts[::2], amounts.elts[1::2], strict=True):
        whole = _halved(first)
        if whole is not None and ast.unparse(first) == ast.unparse(second):
            yield second, _rest(whole)


def _cropped(item: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """For a crop whose bounds stand in the brackets: each end, and the one where the rest of the difference begins."""
    if not isinstance(item, ast.Subscript):
        return
    slices = item.slice.elts if isinstance(item.slice, ast.Tuple) else [item.slice]
    for index, each in enumerate(slices):
        whole = _halved(each.lower) if isinstance(each, ast.Slice) and each.lower is not None else None
        if isinstance(each, ast.Slice) and whole is not None and each.upper is not None:
            axis = index - len(slices) if isinstance(slices[0], ast.Constant) and slices[0].value is ... else index
            end = f"{ast.unparse(item.value)}.shape[{axis}] - ({ast.unparse(_rest(whole))})"
            yield each.upper, ast.parse(end, mode="eval").body


def _halved(expression: ast.expr) -> ast.expr | None:
    """`d` of `d // 2`."""
    is_half = isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.FloorDiv)
    if not isinstance(expression, ast.BinOp) or not is_half or ast.unparse(expression.right) != "2":
        return None
    return expression.left


def _rest(whole: ast.expr) -> ast.expr:
    """`d - d // 2`."""
    text = ast.unparse(whole)
    text = text if isinstance(whole, ast.Name | ast.Attribute | ast.Call) else f"({text})"
    return ast.parse(f"{text} - {text} // 2", mode="eval").body
