"""What to write so that an unpooling gives the size that its pool took: `output_size=`, remembered before the pool."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.edit.arguments import added
from shapelint.edit.joins import Rewriting, is_pure, names_before, new_name, stands_alone, with_keyword
from shapelint.edit.scope import Scope
from shapelint.source.span import Edit, Span, span_of
from shapelint.source.syntax import call_at, given, statement_at


def unpoolings(unpool: Span, pool: Span) -> Iterator[Rewriting]:
    """The ways to tell an unpooling its size, the likeliest first; whether one works has to be seen."""
    call = call_at(unpool)
    if call is None or given(call, "output_size") is not None:
        return
    function = Scope.of(unpool.file, call).function
    if function is None:
        return
    names = [name for name in names_before(function, unpool.line) if "size" in name or "shape" in name]
    for name in names:
        yield Rewriting((added(unpool.file, call, "output_size", name),), with_keyword(call, None, "output_size", name))
    pooling, statement = call_at(pool), statement_at(pool)
    if pooling is None or statement is None or not pooling.args or not is_pure(pooling.args[0]):
        return
    start = span_of(pool.file, statement)
    if Scope.of(pool.file, pooling).function is function and stands_alone(statement, start):
        yield _remembered(call, unpool, pooling.args[0], start, new_name(pool.file, statement, "size"))


def _remembered(call: ast.Call, unpool: Span, taken: ast.expr, start: Span, name: str) -> Rewriting:
    """The size kept by a line before the pool, and passed to the unpooling."""
    here, indent = replace(start, end_line=start.line, end_column=start.column), start.text()[: start.column - 1]
    line = f"{name} = {ast.unparse(taken)}.size()"
    edits = (Edit(here, f"{line}\n{indent}"), added(unpool.file, call, "output_size", name))
    return Rewriting(edits, f"{line}` before the pool, and `{with_keyword(call, None, 'output_size', name)}")
