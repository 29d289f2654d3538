"""`shapelint lock` and `shapelint diff`: the contracts of a project under version control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shapelint.cli import options
from shapelint.cli.checker import checked
from shapelint.cli.help import Choice, Command, complete_files
from shapelint.cli.view import View
from shapelint.errors import SpecError
from shapelint.report.changes import Changes, changes, render, render_json
from shapelint.report.lock import FILE, Lock
from shapelint.report.losses import as_results
from shapelint.request.options import CheckOptions
from shapelint.terminal import output

_FORMS = ("text", "json", "concise", "github", "gitlab", "junit", "sarif")
_CLEAN, _LOST, _FAILED = 0, 1, 2


@click.command(cls=Command)
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=complete_files)
@options.model_options
@click.option("-o", "--output", "file", metavar="FILE", default=FILE, show_default=True, help="The lock to write.")
@options.run_options
@options.traceback_option
@click.pass_obj
def lock(apart: bool, /, targets: tuple[str, ...], file: str, **given: Any) -> int:
    """Writes down at which sizes models run.

    What `shapelint diff` compares with later. With TARGETs the other models of the file stay as they are in it; without
    any, it has those that `shapelint check` checks.
    """
    output.probe(file)
    kept = Lock.in_file(file) if targets and Path(file).is_file() else Lock({})
    checker = checked(targets, CheckOptions(**given, calls=True), apart=apart)
    if checker.failed:
        output.tell(f"{file} was not written")
        return _FAILED
    written = kept.renewed(checker.reports.values())
    output.write(file, written.render())
    count = len(checker.reports)
    output.show(f"{file}: {count} model{'s' * (count != 1)} written\n")
    return _CLEAN


@click.command(cls=Command)
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=complete_files)
@options.model_options
@click.option("--base", metavar="FILE|REVISION", default=FILE, show_default=True, help="A lock, or a revision.")
@click.option("--format", "form", type=Choice(_FORMS), default="text", show_default=True)
@options.run_options
@options.traceback_option
@click.pass_obj
def diff(apart: bool, /, targets: tuple[str, ...], base: str, form: str, **given: Any) -> int:
    """Says which sizes were lost since the lock.

    Those at which a model ran, restored its input or gave another size, with the line of the call that raises now. Exit
    code: 0 nothing was lost, 1 something was, 2 the comparison could not be done.
    """
    asked = CheckOptions(**given, calls=True)
    old = _base(base, targets, asked)
    checker = checked(targets, asked, apart=apart)
    if checker.failed:
        return _FAILED
    found = changes(Lock({}).renewed(checker.reports.values()), old, whole=not targets)
    output.show(_written(found, old, form))
    return _LOST if found.lost else _CLEAN


def _written(found: Changes, old: Lock, form: str) -> str:
    if form == "text":
        return output.visible(render(found))
    return render_json(found) if form == "json" else View(form).rendered(as_results(found, old))


def _base(base: str, targets: tuple[str, ...], asked: CheckOptions) -> Lock:
    """The lock in a file, that of a git revision, or of what a revision without one holds. Raises SpecError."""
    if Path(base).is_file():
        return Lock.in_file(base)
    if base == FILE:
        raise SpecError(f"there is no {FILE} here; write it with `shapelint lock`")
    from shapelint.cli.revision import lock_at

    return lock_at(base, targets, asked)
