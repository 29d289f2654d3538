"""What stands in the source at a place: the call, the statement or the function, as a syntax tree; values as text."""

from __future__ import annotations

import ast
import linecache
import os
import textwrap
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from shapelint.caches import kept
from shapelint.errors import TargetError
from shapelint.locks import InnerLock
from shapelint.source.encoding import UNPARSED
from shapelint.source.notebook import source_of
from shapelint.source.span import Span, span_of

# Python 3.11 counts the depth of all syntax trees that are being made together: two threads end in a SystemError.
parsing: Final = InnerLock()


_MOST: Final = 64
_LARGEST_TEXT: Final = 400_000
_PYTHON: Final = ("python", "py", "python3", "")
_trees: dict[str, tuple[list[str], ast.Module]] = {}


def tree(file: str) -> ast.Module:
    """The syntax tree of what linecache has of a file, the same for the same text; empty where that is no Python."""
    lines = linecache.getlines(file)
    known = _trees.get(file)
    if known is not None and known[0] is lines:
        return known[1]
    try:
        with parsing.lock:
            found = ast.parse("".join(lines))
    except UNPARSED:
        found = ast.Module([], [])
    if len(_trees) >= _MOST:
        _trees.clear()
    _trees[file] = lines, found
    return found


@kept(8)
def nodes_of(whole: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a file's tree, as `ast.walk` gives them: several questions go through them one after the other."""
    return tuple(ast.walk(whole))


def file_tree(
    file: str | os.PathLike[str], *, most: int | None = None, words: Sequence[bytes] = (b"",)
) -> ast.Module | None:
    """The syntax tree of a file as it lies on the disk, for the same text the same, which nobody changes.

    None where it cannot be read or is no Python, for a file of more than `most` bytes, and for one that has none of
    some `words`.
    """
    with suppress(OSError, TargetError, *UNPARSED):
        data = source_of(file)
        if (most is None or len(data) <= most) and any(word in data for word in words):
            return _parsed(data)
    return None


@kept(8)
def _parsed(data: bytes) -> ast.Module:
    with parsing.lock:
        return ast.parse(data)


def code_blocks(file: str, word: str) -> Iterator[ast.Module]:
    """The syntax trees of the blocks of Python of a Markdown text that speak of a word, with its lines."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines() if os.path.getsize(file) <= _LARGEST_TEXT else []
    except (OSError, ValueError):
        return
    fences = [index for index, line in enumerate(lines) if line.lstrip().startswith("```")]
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        block = textwrap.dedent("\n".join(lines[start + 1 : end]))
        if word in block and lines[start].strip("` ").split(" ")[0] in _PYTHON:
            with suppress(*UNPARSED):
                with parsing.lock:
                    tree = ast.parse(block)
                yield ast.increment_lineno(tree, start + 1)


def expression_at(place: Span | None) -> ast.expr | None:
    """The expression that a place covers exactly."""
    if place is None:
        return None
    lines = (place.line, place.end_line)
    nodes = (node for node in _near(place) if isinstance(node, ast.expr))
    near = (node for node in nodes if (node.lineno, node.end_lineno) == lines)
    return next((node for node in near if span_of(place.file, node) == place), None)


def _near(place: Span) -> Iterator[ast.AST]:
    """The nodes of a file from the outermost in, without the statements that do not hold a place."""
    waiting: deque[ast.AST] = deque([tree(place.file)])
    while waiting:
        node = waiting.popleft()
        yield node
        waiting.extend(
            each
            for each in ast.iter_child_nodes(node)
            if not isinstance(each, ast.stmt) or _first_line(each) <= place.line <= (each.end_lineno or 0)
        )


def _first_line(node: ast.stmt) -> int:
    """The line where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def call_at(place: Span | None) -> ast.Call | None:
    """The call expression that a place covers exactly."""
    found = expression_at(place)
    return found if isinstance(found, ast.Call) else None


def function_around(place: Span) -> ast.FunctionDef | None:
    """The innermost function whose source holds a place."""
    around = [
        node
        for node in _near(place)
        if isinstance(node, ast.FunctionDef) and node.lineno <= place.line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno, default=None)


def in_handler(place: Span) -> bool:
    """Whether a place lies in an `except` block."""
    handlers = (node for node in _near(place) if isinstance(node, ast.ExceptHandler))
    return any(node.lineno <= place.line <= (node.end_lineno or 0) for node in handlers)


def statement_at(place: Span) -> ast.stmt | None:
    """The innermost statement that holds a place, no function or class."""
    around = [
        node
        for node in _near(place)
        if isinstance(node, ast.stmt) and node.lineno <= place.line <= (node.end_lineno or 0)
    ]
    holding = [node for node in around if span_of(place.file, node).holds(place)] if len(around) > 1 else []
    found = max(holding or around, key=lambda node: (node.lineno, node.col_offset), default=None)
    return None if isinstance(found, ast.FunctionDef | ast.ClassDef) else found


def given(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """The argument of a call by its name or position; None where it is not there, or may come from a star."""
    named = next((word.value for word in call.keywords if word.arg == name), None)
    if named is not None or position is None or any(isinstance(each, ast.Starred) for each in call.args):
        return named
    return call.args[position] if position < len(call.args) else None


def written(value: Sequence[int]) -> str:
    """A value per axis as short as it can be written: one number where the axes agree, else a tuple."""
    return str(value[0] if len(set(value)) == 1 else tuple(value))
