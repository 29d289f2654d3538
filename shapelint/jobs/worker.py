"""The checks of one command line, done where the user's code runs, and how their reports are written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shapelint.errors import ShapelintError
from shapelint.jobs import serialized
from shapelint.jobs.cache import packed
from shapelint.jobs.dependencies import Watching
from shapelint.jobs.imports import Importing
from shapelint.jobs.job import Job, without_ignored
from shapelint.jobs.unchecked import Unchecked, users_lines
from shapelint.locks import one_check
from shapelint.report.report import Report
from shapelint.request.call_kwargs import _texts
from shapelint.terminal.error_lines import one_line, show_traceback, subject_line
from shapelint.terminal.progress import progress_shown
from shapelint.terminal.warned import tell_each_once

BEGIN, FAILED, KEEP, REPORT, DONE, FATAL = "begin", "failed", "keep", "report", "done", "fatal"
IMPORTS = "imports"


@dataclass(frozen=True, slots=True)
class CheckingTask:
    """Jobs to be checked where the user's code runs; `numbers` gives those that are to be done next, one by one.

    In a process of its own (`apart`) nobody presses Ctrl-C: a KeyboardInterrupt there is the model's own. With `texts`
    the user's files are taken to have other texts. `keeping` tells, before a report, what a cache keeps of it;
    `importing` at the end what was imported.
    """

    jobs: Sequence[Job]
    numbers: Callable[[], Iterator[int]]
    provider: str | None = None
    traceback: bool = False
    apart: bool = False
    texts: Mapping[str, bytes] = field(default_factory=dict)
    keeping: bool = False
    importing: Importing | None = None

    def __call__(self, tell: Callable[[str, bytes], None]) -> None:
        """Does jobs and tells which one begins, and its report or why it failed."""
        if self.apart:
            tell_each_once()
        try:
            _prepare(self.provider)
            watching = Watching(_projects(self.jobs)) if self.keeping else None
        except Exception as error:  # any class: it is told in one line whose it is
            if self.traceback:
                show_traceback(error)
            tell(FATAL, Unchecked(one_line(error).encode("utf-8", "backslashreplace").decode()).data())
            tell(DONE, b"")
            return
        if self.importing is not None:
            self.importing.watch(job.target for job in self.jobs)
        for number in self.numbers():
            tell(BEGIN, str(number).encode())
            job = self.jobs[number]
            self._attempt(job, tell, watching)
        if self.importing is not None:
            tell(IMPORTS, self.importing.data())
        tell(DONE, b"")

    def _attempt(self, job: Job, tell: Callable[[str, bytes], None], watching: Watching | None) -> None:
        """Tells the report of one job, or in one line why the check cannot be done."""
        try:
            with progress_shown():
                report = self._checked(job)
            data = serialized.dumps(report)
            seen = None if watching is None else watching.data(_folders(job), job.target)
            if seen is not None:
                tell(KEEP, packed(seen, data))
            tell(REPORT, data)
        except BaseException as error:  # any class: it is told in one line whose it is
            if not self.apart and isinstance(error, KeyboardInterrupt):
                raise
            if self.traceback:
                show_traceback(error)
            passed = job.found and isinstance(error, ShapelintError)
            line = subject_line(job.target, error).encode("utf-8", "backslashreplace").decode()
            tell(FAILED, Unchecked(line, not passed, job.target, users_lines(error)).data())

    def _checked(self, job: Job) -> Report:
        if not self.texts:
            return checked(job)
        from shapelint.load import edited

        with edited(self.texts):
            return checked(job)


def _projects(jobs: Iterable[Job]) -> list[str]:
    """The folders of the jobs' projects and of the files that they name."""
    files = [file for job in jobs if os.path.isfile(file := job.target.rpartition(":")[0] or job.target)]
    return [*(job.folder for job in jobs if job.folder), *map(os.path.dirname, map(os.path.abspath, files))]


def _folders(job: Job) -> list[str]:
    from shapelint.load.target import import_folder, import_folders

    with import_folder(job.folder):
        return [str(folder) for folder in import_folders(job.target)]


def _prepare(provider: str | None) -> None:
    """Imports torch, whose time is not the model's; ProviderError where a provider that was asked for does not run."""
    import shapelint.engine  # noqa: F401

    if provider:
        from shapelint.confirm.runtime import check_provider

        check_provider(provider)


def checked(job: Job) -> Report:
    """The report of one job, checked in this process, without what its project ignores in some files."""
    from shapelint.engine import check
    from shapelint.load.target import import_folder
    from shapelint.request.entries import as_values
    from shapelint.request.inputs import parse_inputs

    inputs = [_texts(text, None) for text in job.inputs]
    known = {name for spec in parse_inputs(inputs).tensors() for name in spec.symbols()}
    with one_check(), import_folder(job.folder), _no_arguments(job.target):
        report = check(
            job.target,
            inputs or None,
            call_kwargs=_texts(job.call_kwargs, known),
            init_kwargs=as_values(job.kwargs),
            build=job.build,
            sizes=job.sizes,
            expect=job.expect,
            confirm=job.confirm,
            train=job.train,
            method=job.method,
            select=job.select,
            ignore=job.ignore,
            picture=job.picture,
            calls=job.calls,
        )
        if job.spec:
            report = replace(report, specs={job.spec: report.spec(job.spec)})
        if job.at is not None:
            report = _with_calls_at(report, job.at)
    return without_ignored(report, job)


def _with_calls_at(report: Report, at: Mapping[str, int]) -> Report:
    """The report with the calls at one size first, where that is a size of the model."""
    if set(at) != set(report.contract.symbols) or dict(at) not in report.contract.domain:
        return report
    there = report.every_call_at(at)
    told = {id(call) for call in there}
    return replace(report, every_call=(*there, *(call for call in report.every_call if id(call) not in told)))


@contextmanager
def _no_arguments(target: str) -> Iterator[None]:
    """The arguments that a program in the target's file would have: none. Those of shapelint are no model's."""
    before = list(sys.argv)
    sys.argv[:] = [target.rpartition(":")[0] or target]
    try:
        yield
    finally:
        sys.argv[:] = before
