"""`shapelint watch`: the report of `shapelint check`, again after each save."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import click

from shapelint.cli import options
from shapelint.cli.checker import Checker
from shapelint.cli.help import Command, complete_files
from shapelint.cli.view import View, coloured
from shapelint.errors import ShapelintError
from shapelint.request.options import CheckOptions
from shapelint.terminal import output
from shapelint.terminal.error_lines import one_line
from shapelint.terminal.interrupt import unfinished

if TYPE_CHECKING:
    from shapelint.editor.saves import Saves


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

    TARGET as in `shapelint check`, without onnxruntime. What a save does not concern is not checked again, and a check
    that takes long is ended by the next save. Ctrl-C ends it; needs `pip install 'shapelint[lsp]'`.
    """
    try:
        from shapelint.editor.saves import Saves
    except ModuleNotFoundError as error:
        raise ShapelintError(f"{error.name} is not installed; write pip install 'shapelint[lsp]'") from error
    saves = Saves((".", *_elsewhere(targets)), CheckOptions(**given))
    with unfinished():
        try:
            saves.listen()
            while True:
                _report(targets, saves, apart=apart)
                saves.wait()
        finally:
            saves.stop()


def _elsewhere(targets: Iterable[str]) -> list[str]:
    """The folders of targets that do not lie below the current one."""
    here, found = os.path.realpath("."), dict[str, None]()
    for target in targets:
        path = os.path.realpath(target if os.path.exists(target) else target.rpartition(":")[0] or target)
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        if os.path.isdir(folder) and os.path.commonpath((here, folder)) != here:
            found[folder] = None
    return [*found]


def _report(targets: tuple[str, ...], saves: Saves, *, apart: bool) -> None:
    """Checks and prints; what cannot be done now is one line, since the next save may mend it.

    A terminal has the newest report only, with what the models print.
    """
    from shapelint.editor.saves import OutdatedError

    begun = time.monotonic()
    if os.environ.get("TERM") != "dumb":
        click.clear()  # where there is a terminal
    try:
        checker = Checker(saves.options)
        if targets:
            checker.add_targets(targets)
        else:
            checker.add_here()
        checker.check(View("text", coloured()), place=saves if apart else None)
        checker.deliver(None)
    except ShapelintError as error:
        output.tell(one_line(error))
    except OutdatedError:
        return
    output.tell(f"checked in {time.monotonic() - begun:.1f} s; waiting for a save")
