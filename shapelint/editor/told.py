"""What a check of a file says in the terms of the protocol: diagnostics, hints, hovers, lenses and actions."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from lsprotocol import types

from shapelint.caches import kept
from shapelint.edit.document import Document
from shapelint.editor.positions import Moved, split_lines
from shapelint.errors import EditError
from shapelint.facts.call import Call
from shapelint.facts.contract import How
from shapelint.facts.finding import Finding, Safety, Severity
from shapelint.jobs.unchecked import Unchecked
from shapelint.report.details import details
from shapelint.report.lines import are_counted, line_calls, of_one_run, repeated, shapes_of
from shapelint.report.report import Report
from shapelint.report.text import holds
from shapelint.request.annotation import comment_place, definition
from shapelint.source.encoding import UNPARSED, declared
from shapelint.source.span import Edit, Span
from shapelint.suppression.commenting import commented

SOURCE = "shapelint"
_SHOWN = 2
_ROWS = 20
FIX_ALL = "source.fixAll.shapelint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The reports on the models of a file, what could not be checked in it, and the lines of each file they tell of."""

    file: str
    reports: tuple[Report, ...]
    failures: tuple[Unchecked, ...] = ()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, file: str, lines: tuple[str, ...], reports: tuple[Report, ...], failures: tuple[Unchecked, ...]
    ) -> Checked:
        """Of a file whose lines were read before the check; those of other files are read now."""
        bare = cls(os.path.realpath(file), reports, failures)
        places = (place for place in bare._places() if place is not None)
        others = {os.path.realpath(place.file) for place in places} - {bare.file}
        return cls(bare.file, reports, failures, {bare.file: lines} | {each: lines_of(each) for each in others})

    @property
    def text(self) -> tuple[str, ...]:
        """The lines of the file that was checked, as they were then."""
        return self.lines.get(self.file, ())

    def findings(self, file: str | None = None) -> Iterator[Finding]:
        """The findings whose place is in a file; of the file that was checked also those of no place."""
        file = self.file if file is None else file
        yield from (each for report in self.reports for each in report.findings if self.file_of(each) == file)

    def file_of(self, finding: Finding) -> str:
        """The file in which a finding has its place."""
        return self.file if finding.location is None else os.path.realpath(finding.location.file)

    def calls(self) -> list[Call]:
        """The calls that the lines of the file make."""
        every = (call for report in self.reports for call in report.every_call)
        return [call for call in every if call.place is not None and os.path.realpath(call.place.file) == self.file]

    def told_of(self) -> set[str]:
        """The files in which a finding has its place, and the file itself."""
        places = (finding.location for report in self.reports for finding in report.findings)
        return {self.file} | {os.path.realpath(place.file) for place in places if place is not None}

    def _places(self) -> Iterator[Span | None]:
        for report in self.reports:
            yield from (finding.location for finding in report.findings)
            yield from (call.place for call in report.every_call)


def lines_of(file: str) -> tuple[str, ...]:
    """The lines of a file on the disk, without their ends; none where it cannot be read."""
    with suppress(EditError):
        return split_lines(Document.read(file).text)
    return ()


def diagnostics(checked: Checked, file: str, moved: Moved, page: str) -> list[list[types.Diagnostic]]:
    """What a check tells of a file, one list for each model, and one for what could not be checked.

    `page` is the address of a rule's page, with {code} or {name}, "" for no link.
    """
    found = []
    for report in checked.reports:
        here = (each for each in report.findings if checked.file_of(each) == file)
        places = ((each, _first_line() if each.location is None else moved.range(each.location)) for each in here)
        found.append([_diagnostic(each, where, page) for each, where in places if where is not None])
    failures = checked.failures if file == checked.file else ()
    return [*found, [each for failure in failures for each in _failed(failure, checked, moved)]]


def _failed(failure: Unchecked, checked: Checked, moved: Moved) -> Iterator[types.Diagnostic]:
    """What could not be checked, at the innermost line of the file that led to it, or at the class; none where that
    line was changed since.
    """
    here = (line for file, line in failure.lines if os.path.realpath(file) == checked.file)
    line = next(here, None) or _class_line(checked, failure.target)
    where = _first_line() if line is None else moved.text_of(line)
    severity = types.DiagnosticSeverity.Warning if failure.failed else types.DiagnosticSeverity.Information
    if where is not None:
        yield types.Diagnostic(where, failure.line, severity, source=SOURCE)


def _diagnostic(finding: Finding, where: types.Range, page: str) -> types.Diagnostic:
    address = page.replace("{code}", finding.code).replace("{name}", finding.name)
    link = types.CodeDescription(address) if page else None
    message = "\n".join((finding.message, *details(finding)))
    return types.Diagnostic(where, message, _SEVERITIES[finding.severity], finding.code, link, SOURCE)


def said_once(found: Iterable[list[types.Diagnostic]]) -> list[types.Diagnostic]:
    """The diagnostics of several models, the nearest first, of which many may have the same layer: what a rule says of
    a place is that of one of them, of one in which it is worst.
    """
    known: dict[tuple[object, ...], list[types.Diagnostic]] = {}
    for told in found:
        by_place: dict[tuple[object, ...], list[types.Diagnostic]] = {}
        for each in told:
            start, end = each.range.start, each.range.end
            code = each.code or each.message
            by_place.setdefault((code, start.line, start.character, end.line, end.character), []).append(each)
        for place, here in by_place.items():
            if place not in known or _worst(here) < _worst(known[place]):
                known[place] = here
    return [each for here in known.values() for number, each in enumerate(here) if each not in here[:number]]


def _worst(found: Iterable[types.Diagnostic]) -> int:
    return min(each.severity or types.DiagnosticSeverity.Hint for each in found)


def hints(checked: Checked, moved: Moved, first: int = 0, last: int = sys.maxsize) -> list[types.InlayHint]:
    """The shapes at the ends of the lines from `first` to `last`, which count from 0."""
    calls, found = checked.calls(), []
    for number in sorted({call.place.line for call in calls if call.place is not None}):
        end = moved.end_of(number)
        here = of_one_run(line_calls(calls, number))
        shapes = _shapes_of(here)
        if end is not None and first <= end.line <= last and shapes:
            label = repeated(shapes, _SHOWN, counted=are_counted(here))
            found.append(types.InlayHint(end, label, types.InlayHintKind.Type, padding_left=True))
    return found


def hover(checked: Checked, moved: Moved, line: int) -> types.Hover | None:
    """The calls of a line with their shapes, as a table; None where it makes none."""
    rows = []
    for call in checked.calls():
        if call.place is not None and moved.line(call.place.line) == line and not call.inner:
            name = f"`{call.module}` " if call.module else ""
            gives = f"`{_shape_of(call)}`" if call.outputs else "nothing: it raises at some sizes"
            rows.append(f"| {name}{call.name}{f', call {call.call}' * (call.call > 1)} | {gives} |")
    if not rows:
        return None
    rows = [*dict.fromkeys(rows)]
    more = f"\n\nand {len(rows) - _ROWS} more" if len(rows) > _ROWS else ""  # a loop has many turns
    text = "\n".join(["| call | gives |", "|---|---|", *rows[:_ROWS]]) + more
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))


def lenses(checked: Checked, moved: Moved, *, shapes: bool = False) -> list[types.CodeLens]:
    """Above each class that was checked, for which sizes it runs or restores; with `shapes`, those at each line too."""
    found = [_lens(each.position.line, str(each.label)) for each in hints(checked, moved)] if shapes else []
    for report in checked.reports:
        line = _class_line(checked, report.target)
        here = None if line is None else moved.line(line)
        if here is not None:
            text = ", ".join(report.inputs) + (f": {holds(report)}" if report.contract.symbols else "")
            found.append(_lens(here, text))
    return found


def _lens(line: int, text: str) -> types.CodeLens:
    return types.CodeLens(types.Range(types.Position(line, 0), types.Position(line, 0)), types.Command(text, ""))


def actions(checked: Checked, moved: Moved, uri: str, near: types.Range) -> list[types.CodeAction]:
    """What can be written at a range: fixes, ignore comments, assumed inputs; and all safe fixes at once."""
    found, quick = list[types.CodeAction | None](), types.CodeActionKind.QuickFix

    def offer(title: str, kind: types.CodeActionKind | str, edits: Iterable[Edit]) -> types.CodeAction | None:
        changes = _changes(edits, moved, checked.file)
        edit = types.WorkspaceEdit({uri: changes})
        found.append(types.CodeAction(title, kind=kind, edit=edit) if changes else None)
        return found[-1]

    for finding in checked.findings():
        place = None if finding.location is None else moved.range(finding.location)
        if place is None or place.end.line < near.start.line or place.start.line > near.end.line:
            continue
        if finding.fix is not None and finding.fix.edits and finding.fix.safety is not Safety.ADVICE:
            made = offer(f"{finding.fix.title} ({finding.fix.safety})", quick, finding.fix.edits)
            if made is not None:
                made.is_preferred = finding.fix.safety is Safety.SAFE
        offer(f"Ignore {finding.code} here", quick, _ignoring(finding, checked))
    for report in checked.reports:
        offer(f"Write `{report.comment}`", quick, _inputs(report, checked))
    fixes = [each.fix for each in checked.findings() if each.fix is not None and each.fix.safety is Safety.SAFE]
    kind = types.CodeActionKind(FIX_ALL) if FIX_ALL in types.CodeActionKind._value2member_map_ else FIX_ALL
    offer("Fix all that is safe (shapelint)", kind, dict.fromkeys(edit for fix in fixes for edit in fix.edits))
    return [each for number, each in enumerate(found) if each is not None and each not in found[:number]]


def _changes(edits: Iterable[Edit], moved: Moved, file: str) -> list[types.TextEdit]:
    """The edits as the client makes them; none where one is in another file, or its lines were changed."""
    made = []
    for edit in edits:
        where = moved.range(edit.span)
        if where is None or os.path.realpath(edit.span.file) != file:
            return []
        made.append(types.TextEdit(where, edit.replacement.replace("\n", moved.newline)))
    return made


def _ignoring(finding: Finding, checked: Checked) -> tuple[Edit, ...]:
    """The edits that silence a finding on its line; none where no comment can stand there."""
    place = finding.location
    if place is None:
        return ()
    with suppress(EditError, SyntaxError, UnicodeError):
        text = "\n".join(checked.text)
        before = Document(place.file, text, declared(text))
        after = commented(before, {(place.line, place.end_line): [finding.code]})
        old, new = before.text.splitlines(), after.text.splitlines()
        changed = [number for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]]
        lines = ((number, old[number - 1], new[number - 1]) for number in changed)
        return tuple(Edit(Span(place.file, line, 1, line, len(was) + 1), text) for line, was, text in lines)
    return ()


def _inputs(report: Report, checked: Checked) -> tuple[Edit, ...]:
    """The edit that writes the input that was assumed above the class; none where it was given."""
    file, _, name = report.target.rpartition(":")
    if not report.comment or os.path.realpath(file) != os.path.realpath(checked.file):
        return ()
    place = comment_place(_tree(checked.text), name)
    if place is None:
        return ()
    line, indent = place
    return (Edit(Span(file, line, 1, line, 1), f"{indent}{report.comment}\n"),)


def _class_line(checked: Checked, target: str) -> int | None:
    node = definition(_tree(checked.text), target.rpartition(":")[2])
    return None if node is None else node.lineno


@kept(8)
def _tree(lines: tuple[str, ...]) -> ast.Module | None:
    with suppress(*UNPARSED):
        return ast.parse("\n".join(lines))
    return None


def _shapes_of(calls: Iterable[Call]) -> list[str]:
    return [_shape_of(call) for call in calls if call.outputs]


def _shape_of(call: Call) -> str:
    if call.how is How.PROVED:
        return shapes_of(shape.dims for shape in call.outputs)
    seen = call.ways[0].trail.seen
    shapes = shapes_of(shape.at(seen) for shape in call.outputs)
    return f"{shapes} at {', '.join(f'{name}={size}' for name, size in seen.items())}"


def _first_line() -> types.Range:
    return types.Range(types.Position(0, 0), types.Position(0, 0))
