"""The checks that one command line asks for, and what came of them: what fails is one line, the others still run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from shapelint.cli.view import View
from shapelint.errors import ConfigError, RuleError, TargetError
from shapelint.jobs.cache import Cache
from shapelint.jobs.job import Job
from shapelint.jobs.pool import Missed, Running, processes
from shapelint.jobs.targets import TargetReader, annotated_files, project_folders
from shapelint.jobs.unchecked import Unchecked
from shapelint.report.report import Report
from shapelint.request.config import FILE, check_folder
from shapelint.request.options import CheckOptions
from shapelint.source.folders import python_files
from shapelint.source.import_graph import ImportGraph
from shapelint.suppression.ignores import used_elsewhere
from shapelint.terminal import output
from shapelint.terminal.error_lines import show_traceback, subject_line

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "html")
_SEVERAL: Final = {"loss": "losses", "part of a model": "parts of models", "abstract class": "abstract classes"}


class Workplace(Protocol):
    """Where checks are done, and what is known there of those that were."""

    def find(self, job: Job) -> Report | None:
        """The report on a job that nothing has changed about; None where there is none."""
        ...

    def run(self, jobs: Sequence[Job], missed: Missed) -> Mapping[int, Report]:
        """The reports on jobs by their number; what has none is told to `missed`."""
        ...


@dataclass(frozen=True, slots=True)
class _Here:
    """This process, or others that it starts for the checks; what was checked before lies on the disk."""

    options: CheckOptions
    provider: str | None
    apart: bool
    texts: Mapping[str, bytes]
    cache: Cache | None

    def find(self, job: Job) -> Report | None:
        return None if self.cache is None else self.cache.find(job)

    def run(self, jobs: Sequence[Job], missed: Missed) -> Mapping[int, Report]:
        keep = None if self.cache is None else self.cache.keep
        running = Running(jobs, missed, self.provider, self.options.traceback, self.texts, keep)
        running.run(processes(self.options.jobs) if self.apart else 0)
        return running.reports


@dataclass(slots=True)
class Checker:
    """The checks of one command line: what is to be done, and what came of it.

    `failures` are the lines on what failed, `unchecked` those on models that nobody named and that could not be
    checked; `refused` are those on targets that gave no job. `last_words` are told after the report.
    """

    options: CheckOptions
    jobs: list[Job] = field(default_factory=list)
    failed: bool = False
    found: bool = False
    text: str | None = None
    silent: bool = False
    last_words: str = ""
    reports: dict[int, Report] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    _wanted: TargetReader = field(init=False)

    def __post_init__(self) -> None:
        check_folder()
        self._wanted = TargetReader(self.options)

    def add_targets(self, targets: Iterable[str]) -> None:
        """Adds what each target stands for."""
        for target in dict.fromkeys(targets):
            with self._failing(target):
                self._add(self._wanted.of_target(target))

    def add_files(self, files: Iterable[str]) -> None:
        """Adds the models that are annotated in some files or configured for them; that there are none is no error."""
        for file in dict.fromkeys(files):
            with self._failing(file):
                self._add(self._wanted.in_file(file))

    def add_here(self) -> None:
        """Adds the configured models of the project, and the annotated ones below the current folder.

        Where there are none, the models that reading finds below it; TargetError where there is none of these either.
        """
        if self.options.input:
            raise TargetError("--input needs a TARGET, such as mymodel:Net")
        for entry in self._wanted.entries(Path(), *project_folders()):
            with self._failing(entry.model.target):
                self._add(self._wanted.jobs((entry,)))
        self.add_files(python_files())
        if not self.jobs and not self.failed:
            self._add(self._wanted.of_folder("."))

    def add_changed(self, files: Iterable[str]) -> None:
        """Adds the models in some files, and those below the current folder or configured that import one of them."""
        files = list(files)
        self.add_files(files)
        changed = {os.path.realpath(file) for file in files}
        with self._failing("shapelint hook"):
            graph, here = ImportGraph(), str(Path.cwd())
            for entry in self._wanted.entries(Path(), *(Path(file).parent for file in files)) if files else ():
                if entry.key[0] not in changed and graph.reaches(entry.key[0], changed, entry.config.folder):
                    self._add(self._wanted.jobs((entry,)))
            others = annotated_files(python_files()) if files else ()
            real = ((file, os.path.realpath(file)) for file in others)
            self.add_files(file for file, at in real if at not in changed and graph.reaches(at, changed, here))

    def _add(self, jobs: Iterable[Job]) -> None:
        self.jobs += [job for job in jobs if job not in self.jobs]

    def check(
        self,
        view: View,
        *,
        provider: str | None = None,
        apart: bool = False,
        texts: Mapping[str, bytes] | None = None,
        place: Workplace | None = None,
    ) -> None:
        """Does the jobs at a place: in processes of their own where nothing else is said, `apart` is and they can be.

        `reports` has what they gave afterwards, by the number of the job. What fails costs a line, and what a cache
        knows is not done again.
        """
        cache = Cache() if apart and self.options.cache and not texts else None
        place = place or _Here(self.options, provider, apart, texts or {}, cache)
        self.refused = tuple(self.failures)
        known = {number: place.find(job) for number, job in enumerate(self.jobs)}
        self.reports = {number: report for number, report in known.items() if report is not None}
        left = [number for number in range(len(self.jobs)) if number not in self.reports]
        if left:
            self._check_rules()
            found = place.run([self.jobs[number] for number in left], self._missed)
            self.reports |= {left[number]: report for number, report in found.items()}
        self._tell_found()
        shown = used_elsewhere([self.reports[number] for number in sorted(self.reports)])
        lines = [*self.failures, *(self.unchecked if view.form == "json" else ())]
        if shown or (lines and view.tells_failures):
            marked = view.marked(shown)
            self.found, self.text = any(not report.ok for report in marked), view.rendered(marked, lines)

    def _tell_found(self) -> None:
        """Tells how many models that reading found were checked, and what was passed over; fails where none was."""
        found = [number for number, job in enumerate(self.jobs) if job.found]
        if not found or self.silent:
            return
        done = sum(number in self.reports for number in found)
        roles = sorted(self._wanted.passed_over.items())
        passed = [f"{count} {role if count == 1 else _SEVERAL[role]}" for role, count in roles if count]
        words = f" (passed over: {', '.join(passed)})" if passed else ""
        output.tell(f"checked {done} of {len(found)} models found by reading{words}")
        self.failed |= done == 0

    def _check_rules(self) -> None:
        """ConfigError where the settings of a project name a rule that does not exist."""
        from shapelint.registry import select_rules

        for job in self.jobs:
            codes = (code for _, codes in job.per_file_ignores for code in codes)
            try:
                select_rules(job.select, (*job.ignore, *codes))
            except RuleError as error:
                raise ConfigError(f"{Path(job.folder, FILE)}: [tool.shapelint]: {error}") from error

    def deliver(self, file: str | None) -> None:
        """Writes the reports; where every check failed and the form has no place for it, a file stays as it was."""
        if self.text is not None:
            if file is None:
                output.show(self.text)
            else:
                output.write(file, self.text)
        if self.last_words:
            output.tell(self.last_words)

    def _missed(self, missed: Unchecked) -> None:
        """Takes in why a model has no report."""
        if missed.failed:
            self._fail(missed.line)
            return
        self.unchecked.append(missed.line)
        if not self.silent:
            output.tell(missed.line)

    def _fail(self, line: str) -> None:
        self.failed = True
        self.failures.append(line)
        if not self.silent:
            output.tell(line)

    @contextlib.contextmanager
    def _failing(self, subject: str) -> Iterator[None]:
        """What fails inside is told in one line."""
        try:
            yield
        except Exception as error:
            if self.options.traceback:
                show_traceback(error)
            self._fail(subject_line(subject, error))


def checked(targets: Iterable[str], asked: CheckOptions, *, apart: bool) -> Checker:
    """The checks of some targets, or of all models here where there are none, done."""
    checker, targets = Checker(asked), tuple(targets)
    if targets:
        checker.add_targets(targets)
    else:
        checker.add_here()
    checker.check(View(), apart=apart)
    return checker
