"""Writes fixes into the user's files, or shows them: checked again with the edits made before anything is written.

A fix stays where its finding has gone, and for a safe one where every size that ran still runs. What a fix brings to
light is fixed in the next round. Files are written at the end, each in one step, checked once more in a fresh process,
and put back as they were where that finds otherwise.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from shapelint.cli.checker import Checker
from shapelint.cli.view import View
from shapelint.edit.document import Document
from shapelint.errors import EditError
from shapelint.facts.finding import Finding, Safety, Severity
from shapelint.jobs.job import Job
from shapelint.report.report import Report
from shapelint.source.ownership import shown
from shapelint.source.span import Edit
from shapelint.suppression.ignores import used_elsewhere
from shapelint.terminal import output
from shapelint.terminal.interrupt import undisturbed, unfinished

Recheck = Callable[[Sequence[Job], Mapping[str, bytes]], Sequence[Report | None]]

_ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class FixOptions:
    """What a person wants done with the fixes of a check: written or shown as a diff, with the unsafe ones or not."""

    fix: bool
    diff: bool
    unsafe: bool

    def __post_init__(self) -> None:
        if self.fix and self.diff:
            raise EditError("--fix writes the fixes and --diff only shows them; give one")
        if self.unsafe and not self.any:
            raise EditError("--unsafe-fixes says which fixes are made; give --fix or --diff with it")

    @property
    def any(self) -> bool:
        """Whether fixes are to be written or shown at all."""
        return self.fix or self.diff


def fixing(checker: Checker, wanted: FixOptions, view: View, *, provider: str | None, apart: bool) -> Checker:
    """Does what is wanted with the fixes of a finished check; the check whose report is to be shown."""

    def recheck(jobs: Sequence[Job], texts: Mapping[str, bytes]) -> Sequence[Report | None]:
        again = Checker(checker.options, [replace(job, confirm=()) for job in jobs], silent=True)
        again.check(View(), apart=apart, texts=texts)
        return [again.reports.get(number) for number in range(len(jobs))]

    numbers = sorted(checker.reports)
    jobs = [checker.jobs[each] for each in numbers]
    reports = used_elsewhere([checker.reports[each] for each in numbers])
    fixer = Fixer(recheck, wanted.unsafe)
    final = fixer.fix(jobs, reports)
    for line in fixer.refused:
        output.tell(line)
    if wanted.diff:
        checker.text = fixer.difference()
        checker.last_words = _would(fixer, final, unsafe=wanted.unsafe)
        return checker
    if not fixer.after:
        return checker
    after = Checker(checker.options, checker.jobs, failed=checker.failed, failures=[*checker.refused])
    with fixer.written():
        after.check(view, provider=provider, apart=apart)
        _refuse_what_came_back(after, numbers, final)
    for line in fixer.fixed:
        output.tell(f"fixed {line}")
    return after


def _refuse_what_came_back(after: Checker, numbers: Sequence[int], final: Sequence[Report]) -> None:
    """EditError where the written files do not give what their texts gave before they were written."""
    for number, report in zip(numbers, final, strict=True):
        found = after.reports.get(number)
        if found is None or _keys(found) != _keys(report):
            raise EditError(f"{report.target}: what was written is not what was checked; the files are as they were")


def _keys(report: Report) -> set[tuple[str, str | None]]:
    return {(each.code, each.module) for each in report.findings if each.severity is not Severity.NOTE}


def _would(fixer: Fixer, final: Sequence[Report], *, unsafe: bool) -> str:
    """How many findings would be fixed; where none would be, why."""
    count = len(fixer.fixed)
    left = [finding for report in final for finding in report.findings if finding.severity is not Severity.NOTE]
    fixes = [finding.fix for finding in left if finding.fix is not None]
    more = 0 if unsafe else sum(fix.safety is Safety.UNSAFE and bool(fix.edits) for fix in fixes)
    if count:
        text = f"would fix {count} finding{'s' * (count != 1)}; nothing was written"
        return text + (f" ({more} more with --unsafe-fixes)" if more else "")
    reason = f"{more} with --unsafe-fixes" if more else _why_none(fixer, left)
    return f"would fix 0 findings: {reason}"


def _why_none(fixer: Fixer, left: Sequence[Finding]) -> str:
    if not left:
        return "there is none"
    if fixer.refused:
        return "no fix can be made and holds"
    if any(finding.fix is not None for finding in left):
        return "what the report says to do is no edit of the source that is safe to make"
    return "no fix is known for what was found"


@dataclass(slots=True)
class Fixer:
    """The files as the fixes have them so far; `recheck` checks jobs again with other texts of some files."""

    recheck: Recheck
    unsafe: bool
    before: dict[str, Document] = field(default_factory=dict)
    after: dict[str, Document] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _tried: set[tuple[Edit, ...]] = field(default_factory=set)

    def fix(self, jobs: Sequence[Job], reports: Sequence[Report]) -> Sequence[Report]:
        """The reports on the models with all edits made that hold."""
        current = list(reports)
        for _ in range(_ROUNDS):
            before = len(self.fixed)
            for number in range(len(jobs)):
                current = self._fixed(jobs, current, number)
            if len(self.fixed) == before:
                break
        return current

    def difference(self) -> str:
        """All that changes, as one unified diff."""
        return "".join(self.before[file].difference(self.after[file], shown(file)) for file in sorted(self.after))

    @contextmanager
    def written(self) -> Iterator[None]:
        """Writes the files; what goes wrong inside puts them back as they were.

        Raises EditError where a file changed meanwhile.
        """
        done: list[str] = []
        with unfinished():
            try:
                for file, document in self.after.items():
                    output.probe(file)
                    if Document.read(file) != self.before[file]:
                        raise EditError(f"{shown(file)} was changed while it was checked and is left alone; run again")
                    done.append(file)
                    _write(document)
                yield
            except BaseException:
                with undisturbed():
                    for file in done:
                        _write(self.before[file])
                raise

    def _fixed(self, jobs: Sequence[Job], reports: list[Report], number: int) -> list[Report]:
        """The reports after what can be fixed in one model: all at once, or else one finding after the other."""
        findings = [finding for finding in reports[number].findings if self._wanted(finding)]
        for chosen in (findings, *([finding] for finding in findings if len(findings) > 1)):
            fixes = [finding.fix for finding in chosen if finding.fix is not None]
            edits = tuple(dict.fromkeys(edit for fix in fixes for edit in fix.edits))
            if not edits or edits in self._tried:
                continue
            self._tried.add(edits)
            found = self._attempt(jobs, reports, number, chosen)
            if found is not None:
                return found
        return reports

    def _wanted(self, finding: Finding) -> bool:
        fix = finding.fix
        allowed = (Safety.SAFE, Safety.UNSAFE) if self.unsafe else (Safety.SAFE,)
        return fix is not None and bool(fix.edits) and fix.safety in allowed

    def _attempt(
        self, jobs: Sequence[Job], reports: list[Report], number: int, chosen: list[Finding]
    ) -> list[Report] | None:
        """The reports with the edits made, which are kept; None where they do not hold, or harm another model."""
        fixes = [finding.fix for finding in chosen if finding.fix is not None]
        try:
            texts = {**self.after, **dict(self._edited(edit for fix in fixes for edit in fix.edits))}
        except EditError as error:
            self.refused.append(str(error))
            return None
        found = [report for report in self._checked(jobs, texts) if report is not None]
        holds = len(found) == len(jobs) and _is_better(reports[number], found[number], chosen)
        harmed = [new.target for old, new in zip(reports, found, strict=False) if _errors(new) > _errors(old)]
        if not holds or harmed:
            reason = f"would harm {harmed[0]}" if holds else "does not hold"
            self.refused += [f"the fix of {_told(finding)} {reason}" for finding in chosen]
            return None
        self.fixed += [_told(finding) for finding in chosen]
        self.after = texts
        return found

    def _checked(self, jobs: Sequence[Job], texts: Mapping[str, Document]) -> Sequence[Report | None]:
        return self.recheck(jobs, {file: document.data for file, document in texts.items()})

    def _edited(self, edits: Iterable[Edit]) -> Iterator[tuple[str, Document]]:
        by_file: dict[str, list[Edit]] = {}
        for edit in edits:
            by_file.setdefault(edit.span.file, []).append(edit)
        for file, each in by_file.items():
            self.before.setdefault(file, Document.read(file))
            yield file, self.after.get(file, self.before[file]).edited(each)


def _write(document: Document) -> None:
    """Writes the file; its byte code goes, since Python takes a file of the same size and second for unchanged."""
    output.write_bytes(document.file, document.data)
    linecache.checkcache(document.file)
    with suppress(OSError, NotImplementedError):
        Path(cache_from_source(document.file)).unlink(missing_ok=True)


def _is_better(before: Report, after: Report, fixed: Iterable[Finding]) -> bool:
    """Whether findings have gone, no other error has come, and where the fixes are safe every size still runs."""
    left = {(finding.code, finding.module) for finding in after.findings if finding.severity is not Severity.NOTE}
    gone = not any((finding.code, finding.module) in left for finding in fixed)
    safe = all(finding.fix is not None and finding.fix.safety is Safety.SAFE for finding in fixed)
    proved = before.contract.proved and after.contract.proved
    kept = not proved or before.contract.runs <= after.contract.runs
    return gone and _errors(after) <= _errors(before) and (kept or not safe)


def _errors(report: Report) -> int:
    return sum(each.severity is Severity.ERROR for each in report.findings)


def _told(finding: Finding) -> str:
    return f"{finding.code} {finding.message}"
