"""What to write so that a model which pads its input gives the size of the input back: a crop of what it returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from shapelint.edit.joins import Rewriting, is_pure, new_name, stands_alone
from shapelint.source.span import Edit, Span, span_of
from shapelint.source.syntax import call_at, function_around, given, statement_at

_NAMES: Final = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_POSTFIX = ast.Name | ast.Call | ast.Attribute | ast.Subscript


def crops(pad: Span, rank: int) -> Iterator[Rewriting]:
    """The ways to crop what the function around a pad returns to the size that the pad takes; each has to be tried."""
    call, function = call_at(pad), function_around(pad)
    before = None if call is None else _before(call, rank)
    if call is None or function is None or before is None or not call.args or rank not in _NAMES:
        return
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    last = returns[-1].value if returns else None
    if last is None or isinstance(last, ast.Tuple | ast.List | ast.Dict):
        return
    for names in _sizes_before(function, pad.line, rank):
        yield _cropped(pad.file, last, names, before, ())
    statement, taken = statement_at(pad), call.args[0]
    if statement is not None and isinstance(taken, ast.Name) and stands_alone(statement, span_of(pad.file, statement)):
        start = span_of(pad.file, statement)
        new = tuple(new_name(pad.file, statement, name) for name in _NAMES[rank])
        here, indent = replace(start, end_line=start.line, end_column=start.column), start.text()[: start.column - 1]
        line = f"{', '.join(new)}{',' if rank == 1 else ''} = {taken.id}.shape[-{rank}:]"
        yield _cropped(pad.file, last, new, before, (Edit(here, f"{line}\n{indent}"),))


def _before(call: ast.Call, rank: int) -> list[str] | None:
    """What a pad puts before each axis, the first axis first: "" for nothing; None where no list says so."""
    amounts = given(call, "pad", 1)
    if not isinstance(amounts, ast.List | ast.Tuple) or len(amounts.elts) != 2 * rank:
        return None
    texts = [ast.unparse(each) for each in reversed(amounts.elts[::2])]
    return ["" if text == "0" else text for text in texts] if all(map(is_pure, amounts.elts[::2])) else None


def _cropped(
    file: str, value: ast.expr, names: tuple[str, ...], before: list[str], edits: tuple[Edit, ...]
) -> Rewriting:
    parts = [f"{left}:{left} + {name}" if left else f":{name}" for left, name in zip(before, names, strict=True)]
    crop, text = f"[..., {', '.join(parts)}]", span_of(file, value).content()
    whole = f"{text}{crop}" if isinstance(value, _POSTFIX) else f"({text}){crop}"
    return Rewriting((*edits, Edit(span_of(file, value), whole)), f"return {whole}")


def _sizes_before(function: ast.FunctionDef, line: int, rank: int) -> Iterator[tuple[str, ...]]:
    """The names that a function gives the last sizes of a tensor before a line: `h, w = x.shape[-2:]`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.lineno < line and isinstance(node.targets[0], ast.Tuple):
            names = [each.id for each in node.targets[0].elts if isinstance(each, ast.Name)]
            text = ast.unparse(node.value)
            if len(names) == len(node.targets[0].elts) >= rank and (".shape" in text or ".size(" in text):
                yield tuple(names[-rank:])
