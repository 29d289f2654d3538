"""The command line: thin, quick to import, and never a traceback unless it is asked for.

torch, onnx and the engine are imported by the commands that check, when they run.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from shapelint.cli import options
from shapelint.cli.add_ignore import add_ignores
from shapelint.cli.baseline import baseline_of, renew
from shapelint.cli.catalogue import explain, rules
from shapelint.cli.checker import FORMATS, Checker
from shapelint.cli.doctor import doctor
from shapelint.cli.fix import FixOptions, fixing
from shapelint.cli.help import Choice, Commands, complete_files
from shapelint.cli.lock import diff, lock
from shapelint.cli.spec import spec
from shapelint.cli.view import RENEWED, View, coloured
from shapelint.cli.watch import watch
from shapelint.cli.write_inputs import write_inputs
from shapelint.errors import ShapelintError
from shapelint.request.options import CheckOptions
from shapelint.terminal import output
from shapelint.terminal.error_lines import one_line, show_traceback
from shapelint.terminal.interrupt import INTERRUPTED, leave_interrupted

if TYPE_CHECKING:
    from shapelint.rule import Rule

CLEAN, FOUND, FAILED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the process with its exit code; models are checked in a process of their own."""
    output.reserve_streams()
    code = run(sys.argv[1:] if arguments is None else arguments, apart=True)
    if code == INTERRUPTED:
        leave_interrupted()
    sys.exit(code)


def run(arguments: Sequence[str], *, apart: bool = False) -> int:
    """The exit code of one command line; whatever goes wrong is one line on standard error.

    Models are checked in this process, unless they are to be kept `apart`.
    """
    try:
        code = command.main(list(arguments), prog_name="shapelint", standalone_mode=False, obj=apart)
        return code if isinstance(code, int) else CLEAN
    except (click.Abort, KeyboardInterrupt):
        if not apart:
            output.tell("interrupted")
        return INTERRUPTED
    except Exception as error:
        if "--traceback" in arguments and not isinstance(error, click.ClickException):
            show_traceback(error)
        output.tell(one_line(error))
        return FAILED


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--version", is_flag=True, help="Print the version.")
@click.pass_context
def command(context: click.Context, version: bool) -> int:
    """Says for every input size whether a PyTorch model's sizes fit, which layer loses them, and the fix."""
    if version:
        from importlib.metadata import version as installed

        output.show(f"shapelint {installed('shapelint')}\n")
        context.exit(CLEAN)
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return CLEAN


@command.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=complete_files)
@options.model_options
@options.sizes_option
@options.confirm_options
@options.rule_options
@options.fix_options
@click.option("--write-inputs", "writes", is_flag=True, help="Write assumed inputs as comments; with --diff show them.")
@click.option("--add-ignore", "ignores", is_flag=True, help="Write ignore comments; with --diff show them.")
@click.option(
    "--format", "form", type=Choice(FORMATS), default="text", show_default=True, help="How the report is written."
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule.")
@click.option("-o", "--output", "file", metavar="FILE", help="Write the report there and nothing to standard output.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even where something was found.")
@click.option("-q", "--quiet", is_flag=True, help="Show only models with an error or a warning.")
@options.baseline_options
@options.run_options
@options.traceback_option
@click.pass_obj
def check(apart: bool, /, targets: tuple[str, ...], form: str, statistics: bool, file: str | None, **given: Any) -> int:
    """Checks the sizes of models.

    TARGET is pkg.mod:Net, path/file.py:Net, path/file.py for the models in it, a folder for those below it, or the file
    of a saved model, net.onnx or net.pt2. Give --input once for each input of the model.

    Without TARGET, the models of [tool.shapelint] in pyproject.toml and all annotated ones below the current folder, or
    where there are none all models below it. Inputs that are not given are inferred; the report says what was assumed.
    Exit code: 0 clean, 1 an error or a warning, 2 the check could not be done.
    """
    provider, exit_zero, quiet = given.pop("provider"), given.pop("exit_zero"), given.pop("quiet")
    writes, ignores, shows = given.pop("writes"), given.pop("ignores"), given["diff"]
    wanted = FixOptions(*(given.pop(name) for name in ("fix", "diff", "unsafe_fixes")))
    options.check_contradiction(add_ignore=ignores, fix=wanted.fix)
    confirm = options.confirmation(no_confirm=given.pop("no_confirm"), provider=provider)
    known, renewed = given.pop("baseline"), given.pop("write_baseline")
    page = form == "html"
    checker = Checker(CheckOptions(**given, confirm=confirm, usual_confirm=("cpu",), picture=page, calls=page))
    rules = _chosen(given, needed=bool(known or renewed))
    baseline = baseline_of(known, renewed, rules, alone=not file and not wanted.any, whole=not targets)
    form, file = (RENEWED, renewed) if renewed else (options.form_of(form, statistics=statistics), file)
    if file is not None:
        output.probe(file)
    if targets:
        checker.add_targets(targets)
    else:
        checker.add_here()
    view = View(form, file is None and coloured(), quiet, baseline)
    checker.check(view, provider=provider, apart=apart)
    if writes or ignores:
        (add_ignores if ignores else write_inputs)(checker, only_shown=shows)
    elif wanted.any:
        checker = fixing(checker, wanted, view, provider=provider, apart=apart)
    if renewed and baseline:
        return CLEAN if renew(checker, baseline) else FAILED
    checker.deliver(file)
    return FAILED if checker.failed else FOUND if checker.found and not exit_zero else CLEAN


@command.command()
@click.argument("target", shell_complete=complete_files)
@options.model_options
@options.cache_option
@options.traceback_option
@click.pass_obj
def sizes(apart: bool, /, target: str, **given: Any) -> int:
    """Prints at which sizes a model runs.

    A sentence for the sizes at which it runs and restores its input, a table of what happens at which sizes, and a map.
    """
    checker = Checker(CheckOptions(**given))
    checker.add_targets((target,))
    checker.check(View("sizes", coloured(), plain=not _draws(), width=_width()), apart=apart)
    checker.deliver(None)
    return FAILED if checker.failed else CLEAN


@command.command()
@click.argument("target", shell_complete=complete_files)
@options.model_options
@options.sizes_option
@options.rule_options
@click.option("-o", "--output", "file", metavar="FILE", help="Write the page there and nothing to standard output.")
@options.cache_option
@options.traceback_option
@click.pass_obj
def show(apart: bool, /, target: str, file: str | None, **given: Any) -> int:
    """Draws a model as an HTML page.

    The network with its sizes, where a row is lost and what to write, and the map of the sizes that work.
    """
    checker = Checker(CheckOptions(**given, picture=True, calls=True))
    _chosen(given, needed=False)
    if file is not None:
        output.probe(file)
    checker.add_targets((target,))
    checker.check(View("html"), apart=apart)
    if checker.reports:
        checker.deliver(file)
    return FAILED if checker.failed else CLEAN


@command.command()
@click.argument("target", shell_complete=complete_files)
@options.model_options
@click.option("--at", multiple=True, callback=options.read_point, metavar="SIZE", help="One size: H=65,W=70.")
@click.option("--table", is_flag=True, help="The table of the layers in the place of the source.")
@click.option("--format", "form", type=Choice(("text", "json")), default="text", help="How it is written (text).")
@options.cache_option
@options.traceback_option
@click.pass_obj
def shapes(apart: bool, /, target: str, at: dict[str, int] | None, table: bool, form: str, **given: Any) -> int:
    """Prints the source of a model with the shapes of every line.

    Shapes are in symbols that hold for all sizes, or numbers --at one size. Lines that fit for some sizes only, and
    layers that lose a row, are marked.
    """
    checker = Checker(CheckOptions(**given, calls=True, at=at))
    checker.add_targets((target,))
    checker.check(View("shapes-json" if form == "json" else "shapes", at=at, table=table, width=_width()), apart=apart)
    checker.deliver(None)
    return FAILED if checker.failed else CLEAN


@command.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@options.timeout_option
@options.cache_option
@options.traceback_option
@click.pass_obj
def hook(apart: bool, /, files: tuple[str, ...], **given: Any) -> int:
    """Checks the models that changed files concern, for pre-commit.

    Those that are annotated or configured in FILES, or import one of them. It is silent and quick where there are none.
    """
    checker = Checker(CheckOptions(**given))
    checker.add_changed(files)
    checker.check(View("text", coloured(), quiet=True), apart=apart)
    checker.deliver(None)
    return FAILED if checker.failed else FOUND if checker.found else CLEAN


@command.command()
@options.traceback_option
def lsp(traceback: bool) -> int:
    """Answers an editor.

    Speaks the Language Server Protocol on standard input and output; needs `pip install 'shapelint[lsp]'`.
    """
    try:
        from shapelint.editor.server import serve
    except ModuleNotFoundError as error:
        raise ShapelintError(f"{error.name} is not installed; write pip install 'shapelint[lsp]'") from error
    serve()
    return CLEAN


@command.command("clean")
def clean_cache() -> int:
    """Removes what is kept of earlier checks.

    That is the cache of the project of the current folder. Other files in its folder stay.
    """
    from shapelint.jobs.cache import clean, folder_of
    from shapelint.request.config import Configs, check_folder

    check_folder()
    config = Configs().near(Path())
    gone = sum(clean(folder) for folder in {folder_of(config.cache_dir or "", config.folder), folder_of("", "")})
    output.show(f"{gone} cached report{'s' * (gone != 1)} removed\n")
    return CLEAN


def _width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def _draws() -> bool:
    """Whether standard output can show the blocks of a map; where it cannot, ASCII stands for them."""
    try:
        "█░◆".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _chosen(given: Mapping[str, Any], *, needed: bool) -> tuple[Rule, ...]:
    """The rules that the options choose; where they say nothing none are loaded, since a cached check would wait."""
    named = (*given["select"], *given["extend_select"], *given["ignore"])
    if not (needed or named):
        return ()
    from shapelint.registry import select_rules

    select_rules((*given["select"], *given["extend_select"]))
    more = given["extend_select"] if given["select"] else ()
    return select_rules((*given["select"], *more), given["ignore"])


for each in (explain, rules, doctor, spec, lock, diff, watch):
    command.add_command(each)
