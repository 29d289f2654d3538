"""`shapelint spec`: what the contract of a model means for the next tool."""

from __future__ import annotations

from typing import Any

import click

from shapelint.cli import options
from shapelint.cli.checker import Checker
from shapelint.cli.help import Choice, Command, complete_files
from shapelint.cli.view import View
from shapelint.request.options import CheckOptions
from shapelint.spec.forms import FORMS
from shapelint.terminal import output

_CLEAN, _FAILED = 0, 2


@click.command(cls=Command)
@click.argument("target", shell_complete=complete_files)
@options.model_options
@options.sizes_option
@click.option("--for", "form", type=Choice(FORMS), required=True, help="The tool that reads it.")
@click.option("-o", "--output", "file", metavar="FILE", help="Write the text there and nothing to standard output.")
@options.cache_option
@options.traceback_option
@click.pass_obj
def spec(apart: bool, /, target: str, form: str, file: str | None, **given: Any) -> int:
    """Writes the sizes of a model for another tool.

    The sizes at which it runs, as the text that the tool reads; what a tool cannot say is told in a comment. A spec for
    torch.export is tried with torch.export before it is shown.
    """
    checker = Checker(CheckOptions(**given, spec=form))
    if file is not None:
        output.probe(file)
    checker.add_targets((target,))
    checker.check(View("spec", spec=form), apart=apart)
    if checker.reports:
        checker.deliver(file)
    return _FAILED if checker.failed else _CLEAN
