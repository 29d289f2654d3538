"""Runs the checks that a command line asks for, one after the other: what fails is one line, the others still run."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import click

from shapelint import output
from shapelint.child import End, How, can_fork, run_apart
from shapelint.cli_options import TIMEOUT, CheckOptions
from shapelint.cli_targets import Job, jobs_in, jobs_of, python_files
from shapelint.cli_work import BEGIN, DONE, FAILED, FATAL, REPORT, View, Work, show_traceback, subject_line
from shapelint.errors import TargetError
from shapelint.finding import Report
from shapelint.user_code import dumped_frames, place_in
from shapelint.watch import run_here

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")
_STOPPED = 2


@dataclass(slots=True)
class Checker:
    """The checks of one command line: what is to be done, and what came of it."""

    options: CheckOptions
    jobs: list[Job] = field(default_factory=list)
    failed: bool = False
    found: bool = False
    text: str | None = None
    silent: bool = False
    reports: dict[int, Report] = field(default_factory=dict)
    _current: int | None = None
    _first: int = 0
    _keeping: bool = False
    _done: list[bytes] = field(default_factory=list)

    def add_targets(self, targets: Iterable[str]) -> None:
        """Adds what each target stands for."""
        for target in dict.fromkeys(targets):
            with self._failing(target):
                self.jobs += jobs_of(target, self.options)

    def add_files(self, files: Iterable[str]) -> None:
        """Adds the annotated models in some files; that there are none is no error."""
        for file in dict.fromkeys(files):
            with self._failing(file):
                self.jobs += jobs_in((file,), self.options)

    def add_here(self) -> None:
        """Adds the annotated models below the current folder; TargetError where there is none."""
        if self.options.input:
            raise TargetError("--input needs a TARGET, such as mymodel:Net")
        self.add_files(python_files())
        if not self.jobs and not self.failed:
            hint = "name a TARGET such as mymodel:Net, or put `# shapelint: input=1,3,H,W` above a class"
            raise TargetError(f"there is no annotated model below this folder; {hint}")

    def check(
        self,
        view: View,
        *,
        provider: str | None = None,
        apart: bool = False,
        texts: Mapping[str, bytes] | None = None,
        keep: bool = False,
    ) -> None:
        """Does the jobs, in a process of its own where that is asked for and can be.

        A job that ends its process, or does not end, costs a line: the rest is done in another process, which is given
        what was found so far. With `keep`, `reports` has them afterwards, by the number of the job.
        """
        apart, self._keeping, self._first = apart and can_fork(), keep, 0
        work = Work(tuple(self.jobs), self.options, view, provider, apart, texts=texts or {}, keep=keep)
        while work.jobs or work.done:
            end = run_apart(work, self._hear, self._seconds) if apart else self._here(work)
            if end.how is How.DONE:
                return
            at = self._current
            self._fail(self._told(end, work))
            if at is None:
                return
            self._current, self._first = None, self._first + at + 1
            work = replace(work, jobs=work.jobs[at + 1 :], done=tuple(self._done))

    def deliver(self, file: str | None) -> None:
        """Writes the reports; where every check failed there is nothing to write, and a file stays as it was."""
        if self.text is None:
            return
        if file is None:
            output.show(self.text)
        else:
            output.write(file, self.text)

    def _seconds(self) -> float:
        """The time up to the next word; what is not the model's, such as importing torch, is not limited so tightly."""
        limit = self.options.timeout or float("inf")
        return limit if self._current is not None else max(limit, TIMEOUT)

    def _here(self, work: Work) -> End:
        def expired(stack: str) -> None:
            self._fail(self._told(End(How.TIMEOUT, stack=stack), work))
            os._exit(_STOPPED)

        run_here(work, self._hear, self._seconds, expired)
        return End(How.DONE)

    def _hear(self, kind: str, payload: bytes) -> None:
        """Takes in what the work tells."""
        text = payload.decode("utf-8", "surrogatepass") if kind != REPORT else ""
        if kind == REPORT:
            self._done.append(payload)
            if self._keeping and self._current is not None:
                self.reports[self._first + self._current] = pickle.loads(payload)
        self._current = int(text) if kind == BEGIN else None
        if kind in (FAILED, FATAL):
            self._fail(text)
        elif kind == DONE and text:
            self.found, self.text = text[0] == "1", text[1:]

    def _told(self, end: End, work: Work) -> str:
        """How a process ended, in one line."""
        subject = "the check" if self._current is None else work.jobs[self._current].target
        place = place_in(dumped_frames(end.stack))
        if end.how is How.TIMEOUT:
            where = place or ", in no line of the model's code" * bool(end.stack)
            return f"{subject}: does not end; it was stopped after {self._seconds():g} s (--timeout){where}"
        if end.how is How.EXIT:
            return f"{subject}: the model's code ended the process (exit code {end.number}); nothing was checked"
        name = {each.value: each.name for each in signal.Signals}.get(end.number, f"signal {end.number}")
        hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        how = "was ended by" if name in ("SIGKILL", "SIGTERM") else "crashed with"
        return f"{subject}: the process {how} {name} ({signal.strsignal(end.number)}){place}{hint}"

    def _fail(self, line: str) -> None:
        self.failed = True
        if not self.silent:
            click.echo(f"shapelint: {line}", err=True)

    @contextlib.contextmanager
    def _failing(self, subject: str) -> Iterator[None]:
        """What fails inside is told in one line."""
        try:
            yield
        except Exception as error:
            if self.options.traceback:
                show_traceback(error)
            self._fail(subject_line(subject, error))
