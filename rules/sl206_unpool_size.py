"""SL206: max unpooling that does not get the size back that its pool took."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Kind,
    LostRows,
    Node,
    Safety,
    Severity,
    ShapeGraph,
    ShortUnpooling,
    Valid,
    call_at,
    sized,
)

from ._causes import is_unpooled, misses_output_size
from ._fixes import rewriting_fix, rewritten
from ._words import brief, called, nearest_note, quoted, said_note

_SEGNET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2)
        self.dec = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x):
        x = self.enc(x)
        size = x.size()
        x, indices = self.pool(x)
        return self.dec(self.unpool(x, indices{})){}
"""

_FUNCTIONAL = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def forward(self, x):
        y, indices = F.max_pool1d(x, 2, return_indices=True)
        return F.max_unpool1d(y, indices, 2){}
"""


_MARK = "  # <-- SL206"


class UnpoolSize:
    """A max unpooling without `output_size` does not get back to the size that its pool took.

    ## What it does

    A pool of 2 takes 5 rows and 4 rows alike to 2; unpooling gives 4. The indices count in the rows of the size that
    was pooled, so in a smaller one they point beside the mark, or beyond its end.

    ## Why it is bad

    PyTorch looks at the values of the indices alone: at an odd size the same model raises for one image, and for
    another puts the values in the wrong places without a word.

    ## What PyTorch says

    Nothing for one image, and for another of the same size `Found an invalid max index`.

    ## Fix

    Remember the size before the pool, and pass it as `output_size=` when unpooling. That is right at every size.

    ## See also

    SL101 for transposed layers, which have `output_padding` and `output_size=` for the same end.
    """

    code: ClassVar[str] = "SL206"
    name: ClassVar[str] = "unpool-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_SEGNET.format(", output_size=size", ""), "1,3,5,7"),
        Valid(_SEGNET.format("", ""), "1,3,6,8"),
        Valid(_FUNCTIONAL.format(""), "1,3,16"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _SEGNET.format("", _MARK),
            "1,3,5,7",
            "`unpool` gives back 4x6 where `pool` took 5x7",
            fixed=", output_size=size)",
        ),
        Invalid(_SEGNET.format("", _MARK), "1,3,5,6", "`unpool` gives back 4x6 where `pool` took 5x6"),
        Invalid(_SEGNET.format("", _MARK), "1,3,H,W", "`unpool` has no `output_size=`: not every size comes back"),
        Invalid(_FUNCTIONAL.format(_MARK), "1,3,17", "`max_unpool1d` gives back 16 where `max_pool1d` took 17"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error for each unpooling that misses the pooled size at the focus, or a note about such sizes."""
        diagnosis = analysis.diagnosis
        if diagnosis is not None and not analysis.misaligned:
            for unpooling in _missing(diagnosis):
                yield self._error(analysis, diagnosis, unpooling)
        if diagnosis is None and not analysis.certain:
            yield from self._notes(analysis)

    def _error(self, analysis: Analysis, diagnosis: Diagnosis, unpooling: _Unpooling) -> Finding:
        taken, given = sized(unpooling.taken), sized(unpooling.given)
        near = nearest_note(analysis, dict(diagnosis.focus))
        rows = f"the indices count in a size of {taken}; in {given} they point elsewhere, or beyond its end"
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{called(unpooling.node)} gives back {given} where {unpooling.pool} took {taken}",
            notes=tuple(note for note in (rows, near, said_note(analysis)) if note),
            module=unpooling.node.module or None,
            location=unpooling.node.place,
            fix=_fix(analysis, unpooling.node),
        )

    def _notes(self, analysis: Analysis) -> Iterator[Finding]:
        for region in analysis.contract.regions:
            outcome = region.outcome
            if outcome.ok is None and outcome.failure is not None and outcome.failure.kind is Kind.UNPOOL:
                name = next((called(node) for node in analysis.graph.nodes if node.place == outcome.place), "it")
                yield Finding(
                    code=self.code,
                    name=self.name,
                    severity=Severity.NOTE,
                    message=f"{name} has no `output_size=`: not every size comes back",
                    notes=(f"whether it raises depends on values for: {brief(region.sizes)}",),
                    module=outcome.module or None,
                    location=outcome.place,
                )


@dataclass(frozen=True, slots=True)
class _Unpooling:
    """An unpooling that gives another size than its pool took."""

    node: Node
    pool: str
    given: tuple[int, ...]
    taken: tuple[int, ...]


def _missing(diagnosis: Diagnosis) -> Iterator[_Unpooling]:
    failure, graph = diagnosis.region.outcome.failure, diagnosis.graph
    if failure is not None and failure.kind is Kind.UNPOOL:
        yield from (_of_short(short, graph) for short in diagnosis.unpoolings[:1])
    yield from (_of_loss(loss, graph) for loss in diagnosis.losses if misses_output_size(loss))
    for mismatch in diagnosis.mismatches:
        if mismatch.up is not None and mismatch.loss is not None and is_unpooled(mismatch):
            loss = mismatch.loss
            yield _Unpooling(mismatch.up, quoted(loss.down[-1]), loss.size_out, loss.size_in)


def _of_short(short: ShortUnpooling, graph: ShapeGraph) -> _Unpooling:
    return _Unpooling(short.unpool, quoted(graph.name_of(short.pool)), short.given, short.taken)


def _of_loss(loss: LostRows, graph: ShapeGraph) -> _Unpooling:
    return _Unpooling(loss.up, quoted(graph.name_of(loss.down)), loss.pair.size_out, loss.pair.size_in)


def _fix(analysis: Analysis, node: Node) -> Fix:
    rewrite = analysis.rewrite
    if rewrite is not None:
        return rewriting_fix(rewrite, f"write {rewritten(rewrite)}")
    return Fix(_advice(node), Safety.ADVICE)


def _advice(node: Node) -> str:
    call = copy.deepcopy(call_at(node.place))
    if call is None or any(word.arg == "output_size" for word in call.keywords):
        return "pass the size that the pool took as `output_size=`"
    call.keywords.append(ast.keyword("output_size", ast.Name("size")))
    return f"take `size = x.size()` before the pool, and write `{ast.unparse(call)}`"
