"""What to write so that an inverse transform gives the size that was transformed: `n=`, `s=` or `length=`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from shapelint.edit.arguments import added
from shapelint.edit.joins import Rewriting, is_pure, names_before, new_name, stands_alone, with_keyword
from shapelint.edit.scope import Scope
from shapelint.source.span import Edit, Span, span_of
from shapelint.source.syntax import call_at, given, statement_at

_PLACE: Final = {"n": 1, "s": 1, "length": 8}


def inversions(inverse: Span, forward: Span, argument: str) -> Iterator[Rewriting]:
    """The ways to tell an inverse transform its size, the plainest first; whether one works has to be seen.

    There is none where the two are called in different functions, where a size is told already, or where no frame holds
    what is left of the signal: there a length only adds zeros.
    """
    call, transform, statement = call_at(inverse), call_at(forward), statement_at(forward)
    if call is None or transform is None or _told(call, argument):
        return
    taken = _transformed(transform)
    scope = Scope.of(inverse.file, call).function
    if taken is None or scope is None or not is_centred(call) or inverse.file != forward.file:
        return
    if Scope.of(forward.file, transform).function is not scope:
        return
    axes, own = _axes(call, argument), [ast.unparse(taken)] if is_pure(taken) else []
    for name in dict.fromkeys((*own, *names_before(scope, forward.line))):
        size = f"{name}.shape{axes}"
        yield Rewriting((added(inverse.file, call, argument, size),), with_keyword(call, None, argument, size))
    if statement is None or not own:
        return
    size, start = f"{own[0]}.shape{axes}", span_of(forward.file, statement)
    if stands_alone(statement, start):
        name = new_name(forward.file, statement, "size" if argument == "s" else "length")
        here, indent = replace(start, end_line=start.line, end_column=start.column), start.text()[: start.column - 1]
        edits = (Edit(here, f"{name} = {size}\n{indent}"), added(inverse.file, call, argument, name))
        written = with_keyword(call, None, argument, name)
        yield Rewriting(edits, f"{name} = {size}` before the transform, and `{written}")


def is_centred(call: ast.Call) -> bool:
    """Whether frames reach beyond the end of a signal, so that all of it is in some frame; so it is by default."""
    centred = given(call, "center", 5 - _is_method(call))
    return centred is None or ast.unparse(centred) == "True"


def _told(call: ast.Call, argument: str) -> bool:
    """Whether an inverse transform is told its size; as a method it has one argument less."""
    return given(call, argument, _PLACE[argument] - _is_method(call)) is not None


def _is_method(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) not in ("torch", "torch.fft", "fft")


def _transformed(call: ast.Call) -> ast.expr | None:
    """The tensor that a transform takes: its first argument, or what it is a method of."""
    if isinstance(call.func, ast.Attribute) and _is_method(call):
        return call.func.value
    return given(call, "input", 0)


def _axes(call: ast.Call, argument: str) -> str:
    """The part of the shape that is told: the axes of the inverse, as it names them."""
    if argument == "s":
        axes = given(call, "dim", 2)
        last = isinstance(axes, ast.Tuple | ast.List) and [*map(ast.unparse, axes.elts)] == [
            str(axis) for axis in range(-len(axes.elts), 0)
        ]
        return f"[-{len(axes.elts)}:]" if last and isinstance(axes, ast.Tuple | ast.List) else "[-2:]"
    axis = given(call, "dim", 2) if argument == "n" else None
    return f"[{'-1' if axis is None else ast.unparse(axis)}]"
