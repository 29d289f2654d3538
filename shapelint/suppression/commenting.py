"""Writes ignore comments into a source, or names to one that is there, without making it another program."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from shapelint.edit.document import Document
from shapelint.errors import EditError
from shapelint.source.comments import comments_in
from shapelint.source.encoding import lines_of
from shapelint.source.ownership import shown
from shapelint.source.span import Edit, Span


def commented(document: Document, places: Mapping[tuple[int, int], list[str]]) -> Document:
    """The document with comments, each on the first line of its place that can hold one; EditError where none can."""
    for (first, last), codes in sorted(places.items(), reverse=True):
        changed = (_with_comment(document, line, codes) for line in range(first, last + 1))
        found = next((each for each in changed if each is not None), None)
        if found is None:
            raise EditError(f"{shown(document.file)}:{first}: no line of the finding can hold a comment")
        document = found
    return document


def _with_comment(document: Document, line: int, codes: Iterable[str]) -> Document | None:
    """The document with the codes in a comment on a line; None where that would be another program, or no comment."""
    edit = next(_edits(document, line, list(codes)), None)
    if edit is None:
        return None
    after = document.edited((edit,))
    try:
        same = ast.dump(ast.parse(after.data)) == ast.dump(ast.parse(document.data))
        written = comments_in(after.text.removeprefix("\ufeff"), document.file).ignores
    except (SyntaxError, tokenize.TokenError):
        return None
    return after if same and any(each.line == line and set(codes) <= set(each.codes) for each in written) else None


def _edits(document: Document, line: int, codes: list[str]) -> Iterator[Edit]:
    """The edit of a comment that is there already, or else the one that adds it at the end of the line."""
    text = lines_of(document.text)[line - 1].rstrip("\n")
    for each in comments_in(document.text.removeprefix("\ufeff"), document.file).ignores:
        if each.line == line:
            named = list(dict.fromkeys((*each.codes, *codes)))
            place = Span(document.file, line, each.column, line, each.end_column)
            yield Edit(place, f"# shapelint: ignore[{', '.join(named)}]")
            return
    end = len(text.rstrip()) + 1
    yield Edit(Span(document.file, line, end, line, len(text) + 1), f"  # shapelint: ignore[{', '.join(codes)}]")
