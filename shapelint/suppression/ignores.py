"""Silences findings by comments `# shapelint: ignore[SL201]`, and tells which of these comments silence nothing.

A comment counts for every line of a finding's span, and only in the user's own files. Whether one is unused can only be
said where its code took part in the check: in the classes of the model and in the functions that built or ran it.
"""

from __future__ import annotations

import ast
import linecache
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from shapelint.facts.finding import Finding, fits
from shapelint.facts.result import CheckResult
from shapelint.source.comments import WORD, Ignore, comments_in
from shapelint.source.ownership import file_of, installed, module_of
from shapelint.source.span import Edit, Span
from shapelint.source.syntax import function_around, tree

if TYPE_CHECKING:
    from shapelint.facts.analysis import UnusedIgnore

Result = TypeVar("Result", bound=CheckResult)


def split(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that stay, and those that a comment silences: no comment silences what is said of itself."""
    ignores = _Ignores()
    kept: list[Finding] = []
    silenced: list[Finding] = []
    for finding in findings:
        covered = any(_covers(each, finding) for each in ignores.on(finding.location))
        (silenced if covered and finding.unused is None else kept).append(finding)
    return kept, silenced


def unused_ignores(
    module: Any, places: Sequence[Span], silenced: Sequence[Finding], judged: Callable[[str | None], bool]
) -> tuple[UnusedIgnore, ...]:
    """The comments in the code of a model that silence none of its findings.

    `module` is the model, `places` are calls that built or ran it, and `judged` tells whether the rules that a word
    means (None: all rules) took part.
    """
    from shapelint.facts.analysis import UnusedIgnore

    classes = dict.fromkeys(cls for part in module.modules() for cls in type(part).__mro__)
    named = [(file, cls.__qualname__) for cls in classes if (file := _file_of(cls)) is not None]
    ignores, found = _Ignores(), []
    for file in dict.fromkeys([file for file, _ in named] + [place.file for place in places]):
        for ignore in ignores.in_file(file):
            used = [each for each in silenced if each.location and each.location.file == file]
            codes = _unused_codes(ignore, used, judged)
            if codes is not None and _took_part(file, ignore, named, places):
                found.append(UnusedIgnore(_place(file, ignore), _text(ignore), codes, _without(file, ignore, codes)))
    return tuple(found)


def used_elsewhere(reports: Sequence[Result]) -> tuple[Result, ...]:
    """The reports without those remarks on unused comments whose comment silences something in another report."""

    def stays(report: CheckResult, finding: Finding) -> bool:
        others = [each for other in reports if other is not report for each in other.silenced]
        return finding.unused is None or not _used(finding.location, finding.unused, others)

    return tuple(
        replace(report, findings=tuple(each for each in report.findings if stays(report, each)))
        if any(each.unused is not None for each in report.findings)
        else report
        for report in reports
    )


def _used(comment: Span | None, words: Iterable[str], silenced: Iterable[Finding]) -> bool:
    """Whether each of the words of a comment, or the comment where there is none, silences something."""
    on_line = [each for each in silenced if comment is not None and _touches(each.location, comment)]
    return bool(on_line) and all(any(fits(word, each.code, each.name) for each in on_line) for word in words)


def _touches(place: Span | None, comment: Span) -> bool:
    return place is not None and place.file == comment.file and place.line <= comment.line <= place.end_line


class _Ignores:
    """The comments of files, each file read once."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[Ignore, ...]] = {}

    def in_file(self, file: str) -> tuple[Ignore, ...]:
        if file not in self._files:
            self._files[file] = () if installed(file) else tuple(_read(file))
        return self._files[file]

    def on(self, place: Span | None) -> Iterator[Ignore]:
        """The comments on the lines of a place."""
        for ignore in () if place is None else self.in_file(place.file):
            if place is not None and place.line <= ignore.line <= place.end_line:
                yield ignore


def _read(file: str) -> Iterator[Ignore]:
    """The comments of a file, in the text that the model was built from."""
    text = "".join(linecache.getlines(file))
    if WORD.decode() in text and "ignore" in text:
        with suppress(SyntaxError, tokenize.TokenError):
            yield from comments_in(text, file).ignores


def _covers(ignore: Ignore, finding: Finding) -> bool:
    return not ignore.codes or any(fits(word, finding.code, finding.name) for word in ignore.codes)


def _unused_codes(
    ignore: Ignore, silenced: Sequence[Finding], judged: Callable[[str | None], bool]
) -> tuple[str, ...] | None:
    """The words of a comment that silence nothing, () where it has none; None where it is of use or not judged."""
    own = [each for each in silenced if each.location and each.location.line <= ignore.line <= each.location.end_line]
    if not ignore.codes:
        return () if not own and judged(None) else None
    useless = [word for word in ignore.codes if not any(fits(word, each.code, each.name) for each in own)]
    return tuple(word for word in useless if judged(word)) or None


def _took_part(file: str, ignore: Ignore, classes: Iterable[tuple[str, str]], places: Iterable[Span]) -> bool:
    for own, name in classes:
        node = _definition(own, name) if own == file else None
        if node is not None and node.lineno <= ignore.line <= (node.end_lineno or 0):
            return True
    around = function_around(_place(file, ignore))
    if around is None:
        return False
    return any(each.file == file and around.lineno <= each.line <= (around.end_lineno or 0) for each in places)


def _definition(file: str, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    """The class with a qualified name, which may lie in a function."""
    found: Any = tree(file)
    for part in name.replace(".<locals>", "").split("."):
        inside = (node for node in ast.walk(found) if isinstance(node, ast.ClassDef | ast.FunctionDef))
        found = next((node for node in inside if node.name == part and node is not found), None)
        if found is None:
            return None
    return found if isinstance(found, ast.ClassDef | ast.FunctionDef) else None


def _file_of(cls: type) -> str | None:
    file = file_of(sys.modules.get(module_of(cls)))
    return None if file is None or installed(file) else file


def _place(file: str, ignore: Ignore) -> Span:
    return Span(file, ignore.line, ignore.column, ignore.line, ignore.end_column)


def _without(file: str, ignore: Ignore, codes: tuple[str, ...]) -> Edit:
    """The edit that takes some codes out of a comment, or the comment with its reason where none is left."""
    kept = [code for code in ignore.codes if code not in codes]
    if codes and kept:
        return Edit(_place(file, ignore), f"# shapelint: ignore[{', '.join(kept)}]")
    line = linecache.getline(file, ignore.line)
    alone = not line[ignore.rest_column - 1 :].strip()
    before = len(line[: ignore.column - 1].rstrip()) if alone else ignore.column - 1
    if before:
        return Edit(Span(file, ignore.line, before + 1, ignore.line, ignore.rest_column), "")
    return Edit(Span(file, ignore.line, 1, ignore.line + 1, 1), "")


def _text(ignore: Ignore) -> str:
    return f"ignore[{','.join(ignore.codes)}]" if ignore.codes else "ignore"
