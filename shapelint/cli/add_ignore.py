"""Writes ignore comments for what was found, or shows them: for a project that begins with findings."""

from __future__ import annotations

import ast
import linecache
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from shapelint.cli.checker import Checker
from shapelint.edit.document import Document
from shapelint.errors import EditError
from shapelint.facts.finding import Finding, Severity
from shapelint.source.comments import comments_in
from shapelint.source.encoding import lines_of
from shapelint.source.notebook import is_cell
from shapelint.source.ownership import installed, shown
from shapelint.source.span import Edit, Span
from shapelint.terminal import output


def add_ignores(checker: Checker, *, only_shown: bool) -> None:
    """Writes a comment on a line of each error and warning; with `only_shown` the report becomes the diff.

    What has no line of the user's is told. Raises EditError where a file cannot be read.
    """
    wanted: dict[str, dict[tuple[int, int], list[str]]] = {}
    for report in checker.reports.values():
        for finding in report.findings:
            _want(wanted, finding)
    before = {file: Document.read(file) for file in wanted}
    after = {file: _commented(before[file], places) for file, places in wanted.items()}
    checker.found = False
    if only_shown:
        checker.text = "".join(before[file].difference(after[file], shown(file)) for file in sorted(after))
        return
    for file, document in after.items():
        output.write_bytes(file, document.data)
        linecache.checkcache(file)
        count = sum(map(len, wanted[file].values()))
        output.tell(f"wrote ignore comments for {count} finding{'s' * (count != 1)} into {shown(file)}")


def _want(wanted: dict[str, dict[tuple[int, int], list[str]]], finding: Finding) -> None:
    """Notes the code of a finding under the lines on which its comment may stand."""
    place = finding.location
    if finding.severity is Severity.NOTE:
        return
    if place is None or installed(place.file) or is_cell(place.file) or not Path(place.file).is_file():
        where = "no line in a file of yours" if place is None else f"{shown(place.file)}, which is not written"
        output.tell(f"no comment for {finding.code} {finding.message}: it stands at {where}")
        return
    codes = wanted.setdefault(place.file, {}).setdefault((place.line, place.end_line), [])
    if finding.code not in codes:
        codes.append(finding.code)


def _commented(document: Document, places: Mapping[tuple[int, int], list[str]]) -> Document:
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
