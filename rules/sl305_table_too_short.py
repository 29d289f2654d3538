"""SL305: a table of positions has fewer rows than the size has positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Safety,
    Severity,
    ShortTable,
    SizeSet,
    Valid,
    sized,
    square,
)

from ._causes import place_of
from ._words import brief, nearest_note, quoted, said_note

_TOKENS = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 16)
        self.place = nn.Embedding(512, 16){}
        self.table = nn.Parameter(torch.zeros(1, 512, 16))

    def forward(self, ids):
        {}
"""
_LOOKED_UP = "return self.embed(ids) + self.place(torch.arange(ids.shape[1]))"
_SLICED = "return self.embed(ids) + self.table[:, : ids.shape[1]]"

_VIT = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 16, stride=16)
        self.first = nn.Parameter(torch.zeros(1, 1, 32))
        self.positions = nn.Parameter(torch.zeros(1, 197, 32))

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.first.expand(len(x), -1, -1), x), dim=1)
        return {}
"""
_GRID = "x + self.positions"
_RESIZED = """x + torch.cat((
            self.positions[:, :1],
            nn.functional.interpolate(self.positions[:, 1:].transpose(1, 2), size=x.shape[1] - 1).transpose(1, 2),
        ), dim=1)"""
_TRIED = 64
_MASKING = ("masked_fill", "masked_fill_", "multi_head_attention_forward", "scaled_dot_product_attention")


class TableTooShort:
    """A table of positions has fewer rows than the size has positions.

    ## What it does

    A transformer knows of places by a table: an embedding of `torch.arange(n)`, a learned or computed parameter of
    which the first rows are taken, a mask, a bias for each distance. The rule speaks where an asked size has more
    positions than the table has rows, or another number where the table is added as it is, and names the table.

    ## Why it is bad

    The text of 512 tokens that was tried works, the one of 513 raises. A table that is added as it is pins the size
    of the image.

    ## What PyTorch says

    In the first example below:

    ```text
    IndexError: index out of range in self
    ```

    ## Fix

    A larger table, or a shorter input. The learned rows of a grid of patches are resized with
    `nn.functional.interpolate`, the class token kept apart.

    ## See also

    SL304 for a Linear that pins the size.
    """

    code: ClassVar[str] = "SL305"
    name: ClassVar[str] = "table-too-short"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_TOKENS.format("", _LOOKED_UP), "1,512:int64"),
        Valid(_TOKENS.format("", _SLICED), "1,512:int64"),
        Valid(_VIT.format(_RESIZED), "1,3,256,256"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _TOKENS.format("  # <-- SL305", _LOOKED_UP),
            "1,513:int64",
            "`place` has 512 rows, and 1x513 needs 513",
        ),
        Invalid(
            _TOKENS.format("", f"{_SLICED}  # <-- SL305"),
            "1,513:int64",
            "`table` is for 512 positions, and 1x513 has 513",
        ),
        Invalid(
            _TOKENS.format("  # <-- SL305", _LOOKED_UP),
            "N,S:int64",
            "`place` has 512 rows, so it runs for any N, S from 1 to 512 only",
        ),
        Invalid(
            _VIT.format(f"{_GRID}  # <-- SL305"),
            "1,3,256,256",
            "`positions` is for 197 positions, and 256x256 has 257",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error where this is what raises, or a note with the sizes that fit."""
        table, diagnosis = analysis.table, analysis.diagnosis
        if table is not None and diagnosis is not None:
            yield self._finding(analysis, table, _asked(analysis, table, diagnosis), Severity.ERROR)
        elif table is not None and analysis.contract.proved:
            words = brief(analysis.contract.runs)
            alone = "" if " only " in words or " such as " in words else " only"
            yield self._finding(analysis, table, f"so it runs for {words}{alone}", Severity.NOTE)

    def _finding(self, analysis: Analysis, table: ShortTable, what: str, severity: Severity) -> Finding:
        has = f"has {table.rows} rows" if table.indexed else f"is for {table.rows} positions"
        if table.varies:
            several = "gives another number of positions at some sizes"
            has = several if analysis.diagnosis is None else f"gives {table.rows} positions"
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity,
            message=f"{quoted(table.name)} {has}, {what}",
            notes=tuple(note for note in _notes(analysis, table) if note),
            module=table.node.module or None,
            location=table.node.place if _is_mask(table) and not table.indexed else place_of(table.node),
            fix=None if analysis.diagnosis is None else _advice(analysis, table, analysis.diagnosis),
        )


def _asked(analysis: Analysis, table: ShortTable, diagnosis: Diagnosis) -> str:
    """What the size at which it raises asks of the table."""
    size = sized(diagnosis.focus.values() or _input(analysis, diagnosis))
    if size == str(table.wanted) and (not table.indexed or table.wanted > table.rows):
        return f"and the input has {size}"
    if not table.indexed:
        input_has = _is_mask(table) and table.wanted in _input(analysis, diagnosis)
        return f"and {'the input' if input_has else size} has {table.wanted}"
    if table.wanted <= table.rows:
        return f"and {size} asks for row {table.wanted}"
    return f"and {size} needs {table.wanted}"


def _input(analysis: Analysis, diagnosis: Diagnosis) -> list[int]:
    """The shape of the first input."""
    return [dim.value(diagnosis.focus) for dim in next(analysis.question.inputs.tensors()).dims]


def _notes(analysis: Analysis, table: ShortTable) -> Iterator[str | None]:
    runs, diagnosis = analysis.contract.runs, analysis.diagnosis
    made_for = None if table.indexed or table.varies else _made_for(analysis, table)
    yield f"it was made for {made_for}" if made_for else None
    if diagnosis is not None and diagnosis.focus:
        known = not made_for and analysis.contract.proved
        yield (f"it runs for: {brief(runs)}" if runs else "no size runs") if known else None
        yield nearest_note(analysis, dict(diagnosis.focus))
    yield said_note(analysis)


def _made_for(analysis: Analysis, table: ShortTable) -> str | None:
    """The smallest square image that has as many positions as the table, where each axis allows some sizes only."""
    runs = analysis.contract.runs
    if len(runs.symbols) != 2 or not all(runs.onto([name]).finite for name in runs.symbols):
        return None
    left, node = square(runs), analysis.graph.call_of(table.node.module, table.node.place)
    taken = () if node is None else tuple(analysis.graph.nodes[index] for index in node.inputs)
    for _ in range(_TRIED):
        size = left.smallest()
        if size is None:
            return None
        shapes = [shape.value(size) for each in taken if each.inputs for shape in each.shapes[:1]]
        if any(table.rows in shape for shape in shapes if table.wanted not in shape):
            return sized(size.values())
        left = left - SizeSet.point(left.symbols, size)
    return None


def _adds_a_row(diagnosis: Diagnosis, table: ShortTable) -> bool:
    """Whether one row is put beside as many as the table has, as a class token is."""
    graph = diagnosis.graph
    joins = [graph.nodes[index] for index in table.node.inputs if graph.nodes[index].operation in ("cat", "concat")]
    shapes = [[shape.value(dict(graph.sizes)) for each in join.inputs for shape in graph.nodes[each].shapes[:1]]
              for join in joins]  # fmt: skip
    return any({1, table.rows} == {shape[1] for shape in rows if len(shape) > 1} for rows in shapes)


def _is_mask(table: ShortTable) -> bool:
    return table.node.operation in _MASKING or "mask" in table.name.rpartition(".")[2].lower()


def _cut(table: ShortTable, name: str) -> str:
    """What to do about a mask: nothing of it is learned."""
    if table.rows < table.wanted:
        return f"build {name} for {table.wanted} positions, or pass at most {table.rows}"
    return f"cut {name} to the n positions that come: `{table.name.rpartition('.')[2]}[..., :n, :n]`"


def _advice(analysis: Analysis, table: ShortTable, diagnosis: Diagnosis) -> Fix:
    name, axes = quoted(table.name), len(analysis.question.axes)
    if _is_mask(table) and not table.indexed:
        return Fix(_cut(table, name), Safety.ADVICE)
    if table.indexed or not axes:
        each = table.wanted in _input(analysis, diagnosis)
        most = f", or pass at most {table.rows} positions" if each else ""
        rows = max(table.wanted, table.rows)
        larger = f"give {name} {rows} rows" if rows > table.rows else f"make {name} larger"
        return Fix(f"{larger} and copy the ones that are trained{most}", Safety.ADVICE)
    if table.wanted == table.rows + 1 and _adds_a_row(diagnosis, table):
        return Fix(f"build {name} for {table.wanted} positions: `cat` puts one more in front", Safety.ADVICE)
    mode = {1: "linear", 2: "bicubic"}.get(axes, "trilinear")
    how = f"`F.interpolate(..., size=..., mode='{mode}')`, its rows laid out as the grid that they were made for"
    return Fix(f"resize {name} to the grid of the input: {how}", Safety.ADVICE)
