"""`shapelint watch`: the report of `shapelint check`, again after each save."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import click

from shapelint.cli import options
from shapelint.cli.checker import Checker
from shapelint.cli.help import Command, complete_files
from shapelint.cli.view import View, coloured
from shapelint.errors import ShapelintError
from shapelint.request.config import FILE, SAVED
from shapelint.request.options import CheckOptions
from shapelint.source.notebook import SOURCES
from shapelint.terminal import output
from shapelint.terminal.error_lines import one_line

_WAIT: Final = 100  # milliseconds in which several saves count as one


@click.command(cls=Command)
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=complete_files)
@options.model_options
@options.sizes_option
@options.rule_options
@options.run_options
@options.traceback_option
@click.pass_obj
def watch(apart: bool, /, targets: tuple[str, ...], **given: Any) -> NoReturn:
    """Checks models again after each save.

    TARGET as in `shapelint check`. What a save does not concern is not checked again. Ctrl-C ends it; needs
    `pip install 'shapelint[lsp]'`.
    """
    for _ in _saves():
        _report(targets, CheckOptions(**given), apart=apart)
    raise KeyboardInterrupt


def _report(targets: tuple[str, ...], asked: CheckOptions, *, apart: bool) -> None:
    """Checks and prints; what cannot be done now is one line, since the next save may mend it."""
    begun = time.monotonic()
    try:
        checker = Checker(asked)
        if targets:
            checker.add_targets(targets)
        else:
            checker.add_here()
        checker.check(View("text", coloured()), apart=apart)
        checker.deliver(None)
    except ShapelintError as error:
        output.tell(one_line(error))
    output.tell(f"checked in {time.monotonic() - begun:.1f} s; waiting for a save")


def _saves() -> Iterator[None]:
    """Something at the beginning, and for each save below the current folder that a check may depend on.

    It listens before the first check: a save during a check is heard after it.
    """
    try:
        from watchfiles import Change, DefaultFilter
        from watchfiles import watch as changes
    except ModuleNotFoundError as error:
        raise ShapelintError(f"{error.name} is not installed; write pip install 'shapelint[lsp]'") from error

    usual = DefaultFilter()  # without environments, caches and what version control keeps

    def matters(change: Change, file: str) -> bool:
        return file.endswith((*SOURCES, *SAVED, FILE)) and usual(change, file)

    begun, half = False, _WAIT // 2
    heard = changes(".", watch_filter=matters, debounce=_WAIT, step=half, rust_timeout=_WAIT, yield_on_timeout=True)
    for found in heard:
        if found or not begun:
            begun = True
            yield
