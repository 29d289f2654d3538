"""The checks of one command line, done where the user's code runs, and how their reports are written."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import click

from shapelint import stored
from shapelint.baseline import Baseline
from shapelint.cache import packed
from shapelint.cli_job import Job, without_ignored
from shapelint.dependencies import Watching
from shapelint.errors import ShapelintError, SpecError, printable, words_of
from shapelint.export.progress import shown
from shapelint.finding import Report
from shapelint.output import visible
from shapelint.user_code import installed

TEXT: Final = "str:"
RENEWED: Final = "baseline"
BEGIN, FAILED, KEEP, REPORT, DONE, FATAL = "begin", "failed", "keep", "report", "done", "fatal"


@dataclass(frozen=True, slots=True)
class View:
    """How the reports are to be written."""

    form: str = "text"
    colour: bool = False
    quiet: bool = False
    baseline: Baseline | None = None
    plain: bool = False

    def marked(self, reports: Iterable[Report]) -> tuple[Report, ...]:
        """The reports with what the baseline knows of them, where there is one."""
        return tuple(reports) if self.baseline is None else self.baseline.marked(reports)

    @property
    def tells_failures(self) -> bool:
        """Whether the form has a place for the checks that could not be done."""
        return self.form in ("junit", "sarif")

    def rendered(self, reports: Iterable[Report], failures: Sequence[str] = ()) -> str:
        """The text of the reports, and of the checks that could not be done where the form has a place for them."""
        from importlib import import_module

        if self.form == "text":
            from shapelint.report import text

            return visible(text.render(reports, colour=self.colour, quiet=self.quiet))
        if self.form == "sizes":
            from shapelint.report import sizes

            shown = (sizes.render(report, colour=self.colour, plain=self.plain) for report in reports)
            return visible("\n".join(shown))
        if self.form == RENEWED and self.baseline is not None:
            return self.baseline.renewed(reports)
        module = import_module(f"shapelint.report.{self.form}")
        if self.tells_failures:
            return str(module.render(reports, failures=failures))
        return visible(module.render(reports)) if self.form == "concise" else str(module.render(reports))


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs to be checked where the user's code runs; `numbers` gives those that are to be done next, one by one.

    In a process of its own (`apart`) nobody presses Ctrl-C: a KeyboardInterrupt there is the model's own. With `texts`
    the user's files are taken to have other texts. `keeping` tells, before a report, what a cache keeps of it.
    """

    jobs: Sequence[Job]
    numbers: Callable[[], Iterator[int]]
    provider: str | None = None
    traceback: bool = False
    apart: bool = False
    texts: Mapping[str, bytes] = field(default_factory=dict)
    keeping: bool = False

    def __call__(self, tell: Callable[[str, bytes], None]) -> None:
        """Does jobs and tells which one begins, and its report or why it failed."""
        try:
            _prepare(self.provider)
        except ShapelintError as error:
            tell(FATAL, one_line(error).encode())
            tell(DONE, b"")
            return
        watching = Watching() if self.keeping else None
        for number in self.numbers():
            tell(BEGIN, str(number).encode())
            job = self.jobs[number]
            self._attempt(job, tell, watching)
        tell(DONE, b"")

    def _attempt(self, job: Job, tell: Callable[[str, bytes], None], watching: Watching | None) -> None:
        """Tells the report of one job, or in one line why the check cannot be done."""
        try:
            with shown():
                report = self._checked(job)
            data = stored.dumps(report)
            seen = None if watching is None else watching.data(_folders(job), job.target)
            if seen is not None:
                tell(KEEP, packed(seen, data))
            tell(REPORT, data)
        except BaseException as error:
            if not self.apart and isinstance(error, KeyboardInterrupt):
                raise
            if self.traceback:
                show_traceback(error)
            tell(FAILED, subject_line(job.target, error).encode("utf-8", "backslashreplace"))

    def _checked(self, job: Job) -> Report:
        if not self.texts:
            return checked(job)
        from shapelint.load import edited

        with edited(self.texts):
            return checked(job)


def _folders(job: Job) -> list[str]:
    from shapelint.load.target import import_folder, import_folders

    with import_folder(job.folder):
        return [str(folder) for folder in import_folders(job.target)]


def subject_line(subject: str, error: BaseException) -> str:
    """The error in one line that names what it is about."""
    line = one_line(error)
    shown = subject if subject.isprintable() else printable(subject)
    return line if shown in line else f"{shown}: {line}"


def one_line(error: BaseException) -> str:
    """The error in one line: its own words where it was foreseen, else its name and how to see more."""
    if isinstance(error, click.ClickException):
        return printable(error.format_message())
    text = printable(words_of(error))
    if isinstance(error, ShapelintError):
        return text
    if isinstance(error, SystemExit):
        return f"the model's code ended the program (exit {error.code}); nothing was checked"
    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
    what = f"{type(error).__name__}: {text}".removesuffix(": ")
    if not isinstance(error, Exception) or _raised_by_the_model(error):
        return f"the model's code raised {what}; nothing was checked (--traceback shows where)"
    return f"internal error: {what} (--traceback shows where)"


def _raised_by_the_model(error: BaseException) -> bool:
    """Whether the innermost line is the user's: a hook, a `__getattr__` or a `__str__` that shapelint met."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and not installed(frames[-1].filename)


def show_traceback(error: BaseException) -> None:
    """Prints where an error came from."""
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


def checked(job: Job) -> Report:
    """The report of one job, checked in this process, without what its project ignores in some files."""
    from shapelint.engine import check
    from shapelint.load.target import import_folder
    from shapelint.spec import parse_tensor

    inputs = [_texts(text, None) for text in job.inputs]
    known = {name for text in inputs if isinstance(text, str) for name in parse_tensor(text).symbols()}
    with import_folder(job.folder), _no_arguments(job.target):
        report = check(
            job.target,
            inputs,
            call_kwargs=_texts(job.call_kwargs, known),
            init_kwargs=job.kwargs,
            sizes=job.sizes,
            expect=job.expect,
            confirm=job.confirm,
            train=job.train,
            method=job.method,
            select=job.select,
            ignore=job.ignore,
            picture=job.picture,
        )
    return without_ignored(report, job)


@contextmanager
def _no_arguments(target: str) -> Iterator[None]:
    """The arguments that a program in the target's file would have: none. Those of shapelint are no model's."""
    before = list(sys.argv)
    sys.argv[:] = [target.rpartition(":")[0] or target]
    try:
        yield
    finally:
        sys.argv[:] = before


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
