"""Places in source text, and edits of them; lines and columns are 1-based."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from itertools import islice
from types import CodeType

from shapelint.source.notebook import remember_lines


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source file, from (line, column) to (end_line, end_column) exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def text(self) -> str:
        """The whole line on which the span begins, without its newline; "" where the file is gone."""
        remember_lines(self.file)
        return linecache.getline(self.file, self.line).rstrip("\n")

    def content(self) -> str:
        """The text that the span covers, with plain newlines; "" where the file is gone."""
        remember_lines(self.file)
        lines = linecache.getlines(self.file)[self.line - 1 : self.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: self.end_column - 1]
        lines[0] = lines[0][self.column - 1 :]
        return "".join(lines)

    def holds(self, other: Span) -> bool:
        """Whether another stretch of the same file lies within it."""
        begins = (self.line, self.column) <= (other.line, other.column)
        return begins and (other.end_line, other.end_column) <= (self.end_line, self.end_column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def span_of(file: str, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> Span:
    """The stretch of a file that a node of its syntax tree covers; the tree counts UTF-8 bytes, a span characters."""
    end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    start, end = _character(file, node.lineno, node.col_offset), _character(file, end_line, end)
    return Span(file, node.lineno, start + 1, end_line, end + 1)


@dataclass(frozen=True, slots=True)
class Edit:
    """Text that replaces a span."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call site while a program runs: its code object and the offset of the instruction."""

    code: CodeType
    offset: int

    def span(self) -> Span:
        """The exact stretch of source of the call (PEP 657 positions)."""
        positions = iter(self.code.co_positions())
        line, end_line, column, end_column = next(islice(positions, self.offset // 2, None), (None,) * 4)
        line = line or self.code.co_firstlineno
        file = self.code.co_filename
        start = _character(file, line, column or 0)
        end = _character(file, end_line or line, end_column or 0)
        return Span(file, line, start + 1, end_line or line, end + 1)


def _character(file: str, line: int, byte: int) -> int:
    """The character index of a byte offset in a line: positions count UTF-8 bytes (PEP 657)."""
    raw = linecache.getline(file, line).encode()
    return len(raw[:byte].decode(errors="ignore")) if raw else byte
