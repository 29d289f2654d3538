"""Runs the checks that a command line asks for, one after the other: what fails is one line, the others still run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import click

from shapelint import output
from shapelint.cli_options import CheckOptions
from shapelint.cli_targets import Job, jobs_in, jobs_of, python_files
from shapelint.errors import ShapelintError, TargetError
from shapelint.finding import Report

FORMATS = ("text", "concise", "json")


@dataclass(slots=True)
class Checker:
    """The checks of one command line, with what they found so far."""

    options: CheckOptions
    reports: list[Report] = field(default_factory=list)
    failed: bool = False

    @property
    def found(self) -> bool:
        """Whether some model has an error or a warning."""
        return any(not report.ok for report in self.reports)

    def check_targets(self, targets: Iterable[str]) -> None:
        """Checks what each target stands for."""
        for target in dict.fromkeys(targets):
            with self._failing(target):
                self._check(jobs_of(target, self.options))

    def check_files(self, files: Iterable[str]) -> None:
        """Checks the annotated models in some files; that there are none is no error."""
        for file in dict.fromkeys(files):
            with self._failing(file):
                self._check(jobs_in((file,), self.options))

    def check_here(self) -> None:
        """Checks the annotated models below the current folder; TargetError where there is none."""
        if self.options.input:
            raise TargetError("--input needs a TARGET, such as mymodel:Net")
        self.check_files(python_files())
        if not self.reports and not self.failed:
            hint = "name a TARGET such as mymodel:Net, or put `# shapelint: input=1,3,H,W` above a class"
            raise TargetError(f"there is no annotated model below this folder; {hint}")

    def deliver(self, form: str, file: str | None, *, colour: bool, quiet: bool) -> None:
        """Writes the reports; where every check failed there is nothing to write, and a file stays as it was."""
        if not self.reports and self.failed:
            return
        text = _rendered(self.reports, form, colour=colour, quiet=quiet)
        if file is None:
            output.show(text)
        else:
            output.write(file, text)

    def _check(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            with self._failing(job.target):
                self.reports.append(_checked(job, self.options))

    @contextlib.contextmanager
    def _failing(self, subject: str) -> Iterator[None]:
        """What fails inside is told in one line; a model that calls `sys.exit` fails too."""
        try:
            yield
        except (Exception, SystemExit) as error:
            self.failed = True
            if self.options.traceback:
                show_traceback(error)
            line = one_line(error)
            click.echo(f"shapelint: {line if subject in line else f'{subject}: {line}'}", err=True)


def require_provider(provider: str | None) -> None:
    """ProviderError where a provider that was asked for by name does not run: said once, before the work."""
    if provider:
        _prepare_torch()
        from shapelint.export.runtime import check_provider

        check_provider(provider)


def one_line(error: BaseException) -> str:
    """The error in one line: its own words where it was foreseen, else its name and how to see more."""
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())
    text = " ".join(str(error).split())
    if isinstance(error, ShapelintError):
        return text
    if isinstance(error, SystemExit):
        return f"the model's code ended the program (exit {error.code}); nothing was checked"
    return f"internal error: {type(error).__name__}: {text} (--traceback shows where)"


def show_traceback(error: BaseException) -> None:
    """Prints where an error came from."""
    import traceback

    traceback.print_exception(error)


def _checked(job: Job, options: CheckOptions) -> Report:
    """The report of one check; what the model prints goes to standard error, so that the report stays readable."""
    _prepare_torch()
    with contextlib.redirect_stdout(sys.stderr):
        from shapelint.engine import check

        return check(
            job.target,
            list(job.inputs),
            call_kwargs=options.call_kwargs,
            init_kwargs=options.kwargs,
            sizes=job.sizes,
            expect=job.expect,
            confirm=options.confirm,
            train=options.train,
            method=options.method,
            select=options.select,
            ignore=options.ignore,
        )


def _prepare_torch() -> None:
    """torch reads this when it is imported: inside of a compiled script function no call can be seen."""
    os.environ["PYTORCH_JIT"] = "0"


def _rendered(reports: Iterable[Report], form: str, *, colour: bool, quiet: bool) -> str:
    from shapelint.report import concise, json, text

    if form == "text":
        return text.render(reports, colour=colour, quiet=quiet)
    return {"concise": concise.render, "json": json.render}[form](reports)
