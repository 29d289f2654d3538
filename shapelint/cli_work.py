"""The work of one command line, done where the user's code runs: the checks, one after the other, and the report."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

import click

from shapelint.baseline import Baseline
from shapelint.cli_options import CheckOptions
from shapelint.cli_targets import Job
from shapelint.errors import ShapelintError, SpecError
from shapelint.finding import Report

TEXT: Final = "str:"
RENEWED: Final = "baseline"
BEGIN, FAILED, REPORT, DONE, FATAL = "begin", "failed", "report", "done", "fatal"


@dataclass(frozen=True, slots=True)
class View:
    """How the reports are to be written."""

    form: str = "text"
    colour: bool = False
    quiet: bool = False
    baseline: Baseline | None = None

    def marked(self, reports: Iterable[Report]) -> tuple[Report, ...]:
        """The reports with what the baseline knows of them, where there is one."""
        return tuple(reports) if self.baseline is None else self.baseline.marked(reports)

    def rendered(self, reports: Iterable[Report]) -> str:
        """The text of the reports."""
        from importlib import import_module

        from shapelint.report import sizes, text

        if self.form == "text":
            return text.render(reports, colour=self.colour, quiet=self.quiet)
        if self.form == "sizes":
            return "\n".join(sizes.render(report) for report in reports)
        if self.form == RENEWED and self.baseline is not None:
            return self.baseline.renewed(reports)
        rendered: str = import_module(f"shapelint.report.{self.form}").render(reports)
        return rendered


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs to be checked, and the pickled reports of those that are done.

    In a process of its own (`apart`) nobody presses Ctrl-C: a KeyboardInterrupt there is the model's own. With `texts`
    the user's files are taken to have other texts. `keep` tells of every report, also of the last.
    """

    jobs: tuple[Job, ...]
    options: CheckOptions
    view: View
    provider: str | None = None
    apart: bool = False
    done: tuple[bytes, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    keep: bool = False

    def __call__(self, tell: Callable[[str, bytes], None]) -> None:
        """Does the jobs and tells which one begins, why one failed, its report, and at last the text of them all."""
        try:
            if self.jobs:
                _prepare(self.provider)
        except ShapelintError as error:
            tell(FATAL, one_line(error).encode())
            tell(DONE, b"")
            return
        reports = [pickle.loads(each) for each in self.done]
        for number, job in enumerate(self.jobs):
            tell(BEGIN, str(number).encode())
            report = self._attempt(job, tell)
            if report is not None:
                reports.append(report)
                tell(REPORT, pickle.dumps(report) if self.keep or number + 1 < len(self.jobs) else b"")
        tell(DONE, self._text(reports))

    def _attempt(self, job: Job, tell: Callable[[str, bytes], None]) -> Report | None:
        """The report of one job; None, and one line told, where the check cannot be done."""
        try:
            if not self.texts:
                return _checked(job, self.options)
            from shapelint.load import edited

            with edited(self.texts):
                return _checked(job, self.options)
        except BaseException as error:
            if not self.apart and isinstance(error, KeyboardInterrupt):
                raise
            if self.options.traceback:
                show_traceback(error)
            tell(FAILED, subject_line(job.target, error).encode("utf-8", "backslashreplace"))
            return None

    def _text(self, reports: list[Report]) -> bytes:
        """Whether something was found, then the text; nothing where every check failed."""
        if not reports and self.jobs:
            return b""
        marked = self.view.marked(reports)
        found = any(not report.ok for report in marked)
        return b"01"[found : found + 1] + self.view.rendered(marked).encode("utf-8", "surrogatepass")


def subject_line(subject: str, error: BaseException) -> str:
    """The error in one line that names what it is about."""
    line = one_line(error)
    return line if subject in line else f"{subject}: {line}"


def one_line(error: BaseException) -> str:
    """The error in one line: its own words where it was foreseen, else its name and how to see more."""
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())
    text = " ".join(str(error).split())
    if isinstance(error, ShapelintError):
        return text
    if isinstance(error, SystemExit):
        return f"the model's code ended the program (exit {error.code}); nothing was checked"
    if not isinstance(error, Exception):
        what = f"{type(error).__name__}: {text}".removesuffix(": ")
        return f"the model's code raised {what}; nothing was checked (--traceback shows where)"
    return f"internal error: {type(error).__name__}: {text} (--traceback shows where)"


def show_traceback(error: BaseException) -> None:
    """Prints where an error came from."""
    import traceback

    traceback.print_exception(error)


def _prepare(provider: str | None) -> None:
    """Imports torch, whose time is not the model's; ProviderError where a provider that was asked for does not run.

    torch reads the variable when it is imported: inside of a compiled script function no call can be seen.
    """
    os.environ["PYTORCH_JIT"] = "0"
    import shapelint.engine  # noqa: F401

    if provider:
        from shapelint.export.runtime import check_provider

        check_provider(provider)


def _checked(job: Job, options: CheckOptions) -> Report:
    from shapelint.engine import check
    from shapelint.spec import parse_tensor

    inputs = [_texts(text, None) for text in job.inputs]
    known = {name for text in inputs if isinstance(text, str) for name in parse_tensor(text).symbols()}
    return check(
        job.target,
        inputs,
        call_kwargs=_texts(options.call_kwargs, known),
        init_kwargs=options.kwargs,
        sizes=job.sizes,
        expect=job.expect,
        confirm=options.confirm,
        train=options.train,
        method=options.method,
        select=options.select,
        ignore=options.ignore,
    )


def _texts(value: Any, known: AbstractSet[str] | None) -> Any:
    """A value with what is to be passed as a text (`str:bilinear`) marked so, also inside of lists and dicts.

    A word alone is rather a text than a tensor of an open size that no other input has: SpecError, unless `known`
    is None.
    """
    if isinstance(value, dict):
        return {key: _texts(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item, known) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith(TEXT):
        from shapelint.inputs import Literal

        return Literal(value.removeprefix(TEXT))
    if known is not None and not _is_tensor(value, known):
        hint = f"write '{TEXT}{value}' for the text, or '{value}:float32' for a tensor of that size"
        raise SpecError(f"--call-kwargs: {value!r} is no size that an input has; {hint}")
    return value


def _is_tensor(text: str, known: AbstractSet[str]) -> bool:
    """Whether a text is plainly the spec of a tensor."""
    from shapelint.spec import parse_tensor

    try:
        symbols = set(parse_tensor(text).symbols())
    except SpecError as error:
        raise SpecError(f"--call-kwargs: {error}; for a text write '{TEXT}{text}'") from None
    return "," in text or ":" in text or symbols <= known
