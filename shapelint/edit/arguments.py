"""Edits of one call: an argument that is set, added or left out, as little text as that takes."""

from __future__ import annotations

import ast
import re
from typing import Final

from shapelint.source.span import Edit, Span, span_of

# What may stand behind an argument: its own closing brackets, blanks and comments, up to the comma or the end.
_BEHIND: Final = re.compile(r"(?:[\s)]|#[^\n]*(?=\n)|\\\n)*?(?=(?P<comma>,)|\Z)")


def replaced(file: str, node: ast.expr, text: str) -> Edit:
    """The edit that writes a text in the place of an expression."""
    return Edit(span_of(file, node), text)


def added(file: str, call: ast.Call, name: str, text: str) -> Edit:
    """The edit that gives a call one more keyword, in the manner of the arguments that it has."""
    whole = span_of(file, call)
    parts = _parts(file, call)
    if not parts:
        place = Span(file, whole.end_line, whole.end_column - 1, whole.end_line, whole.end_column - 1)
        return Edit(place, f"{name}={text}")
    last = parts[-1]
    behind, comma = _behind(last, whole)
    own_lines = last.line > whole.line and not last.text()[: last.column - 1].strip()
    indent = "\n" + last.text()[: last.column - 1] if own_lines else " "
    if comma:
        return Edit(_at(file, comma), f"{indent}{name}={text},")
    return Edit(_at(file, behind), f",{indent}{name}={text}")


def removed(file: str, call: ast.Call, name: str) -> Edit | None:
    """The edit that leaves a keyword out, with the comma before it; None where a comment stands between."""
    parts = _parts(file, call)
    word = next((each for each in call.keywords if each.arg == name), None)
    if word is None:
        return None
    own = span_of(file, word)
    index = parts.index(own)
    end, comma = _behind(own, span_of(file, call))
    if index:
        (line, column), _ = _behind(parts[index - 1], span_of(file, call))
        place = Span(file, line, column, *end)
    elif len(parts) > 1:
        place = Span(file, own.line, own.column, parts[1].line, parts[1].column)
    else:
        place = Span(file, own.line, own.column, *(comma or end))
    return None if "#" in place.content() else Edit(place, "")


def _parts(file: str, call: ast.Call) -> list[Span]:
    """The arguments in the order of the source; a double star counts from its value."""
    parts: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    spans = [span_of(file, each) for each in parts]
    return sorted(spans, key=lambda span: (span.line, span.column))


def _behind(part: Span, call: Span) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Where an argument ends with its own brackets, and where the comma behind it ends, if one follows it."""
    rest = Span(part.file, part.end_line, part.end_column, call.end_line, call.end_column - 1)
    text = rest.content()
    found = _BEHIND.match(text)
    assert found is not None, "the pattern ends at the end of the call at the latest"
    closing = text[: found.end()].rfind(")") + 1 if "#" not in found[0] else 0
    comma = None if found["comma"] is None else _moved(rest, text[: found.end() + 1])
    return _moved(rest, text[:closing]), comma


def _moved(start: Span, text: str) -> tuple[int, int]:
    """The place that lies a text behind the begin of a span."""
    last = text.rpartition("\n")[2]
    return start.line + text.count("\n"), len(last) + 1 if "\n" in text else start.column + len(last)


def _at(file: str, place: tuple[int, int]) -> Span:
    return Span(file, *place, *place)
