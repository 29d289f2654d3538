"""The options of the command line, and what they say as one frozen value."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click

from shapelint.cli.help import Choice, complete_codes
from shapelint.errors import ShapelintError
from shapelint.request.options import TIMEOUT

Command = TypeVar("Command", bound=Callable[..., Any])


def read_object(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """The JSON object in an option; the error names the place at which the text stops being JSON."""
    if value is None:
        return None
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        where = f"at line {error.lineno} column {error.colno} of {value!r}"
        reason = f'no JSON: {error.msg} {where}; write {{"name": value}}'
        raise click.BadParameter(reason, context, parameter) from error
    except RecursionError as error:
        raise click.BadParameter("nested too deep", context, parameter) from error
    if not isinstance(found, dict):
        raise click.BadParameter(f'{value!r} is no JSON object; write {{"name": value}}', context, parameter)
    return found


def read_words(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The rule codes in an option that may be given several times, each with commas between the codes."""
    words = tuple(word.strip() for text in value for word in text.split(","))
    if "" in words:
        raise click.BadParameter("a code is empty; write SL101,SL2 or a name", context, parameter)
    return words


def read_seconds(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """A number of seconds, 0 for no limit; a negative one and NaN are refused."""
    if value is None or value >= 0:
        return value
    raise click.BadParameter(f"{value:g} is no number of seconds; write 60, or 0 for no limit", context, parameter)


def read_point(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, int] | None:
    """The size in an option, such as H=65,W=70; None where it is not given."""
    found: dict[str, int] = {}
    for part in (part for text in value for part in text.split(",")):
        name, equals, number = (word.strip() for word in part.partition("="))
        if not (name and equals and number.isascii() and number.isdigit() and len(number) <= 10):
            raise click.BadParameter(f"{part!r} is no size; write H=65,W=70", context, parameter)
        if name in found:
            raise click.BadParameter(f"{name} is given twice", context, parameter)
        found[name] = int(number)
    return found or None


def read_count(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """A number of processes; `auto` and 0 stand for the number of processors."""
    if value == "auto":
        return 0
    if value.isascii() and value.isdigit() and len(value) < 5:
        return int(value)
    raise click.BadParameter(f"{value!r} is no number of processes; write 4, or auto", context, parameter)


def model_options(command: Command) -> Command:
    """Adds the options that say which model is built and how it is called."""
    return _with(
        click.option(
            "--input", multiple=True, metavar="SPEC", help="An input, once for each: 1,3,H,W or x=1,77:int64."
        ),
        click.option("--expect", metavar="SPEC", help="The wanted size of the output, such as ...,2*H,2*W."),
        click.option("--build", metavar="PYTHON", help="The call that builds the model: 'Net(3, (64, 32))'."),
        click.option("--kwargs", callback=read_object, metavar="JSON", help="Arguments that build the model."),
        click.option("--call-kwargs", callback=read_object, metavar="JSON", help="Arguments of its call."),
        click.option("--method", metavar="NAME", help="The method to call in the place of forward."),
        click.option("--train", is_flag=True, help="Check in training mode."),
        timeout_option,
        command=command,
    )


def timeout_option(command: Command) -> Command:
    """Adds --timeout."""
    text = f"The time for each model; 0 for no limit.  [default: {TIMEOUT:g}]"
    return click.option("--timeout", type=float, callback=read_seconds, metavar="SECONDS", help=text)(command)


def run_options(command: Command) -> Command:
    """Adds the options that say how the work is done."""
    text = "Check so many models at once; 0 or auto: one for each processor."
    return _with(
        click.option("-j", "--jobs", default="1", callback=read_count, metavar="N", help=text),
        cache_option,
        command=command,
    )


def cache_option(command: Command) -> Command:
    """Adds --no-cache."""
    return click.option("--no-cache", "cache", is_flag=True, flag_value=False, default=True, help="Check all again.")(
        command
    )


def traceback_option(command: Command) -> Command:
    """Adds --traceback."""
    return click.option("--traceback", is_flag=True, help="Show where in the code an error came from.")(command)


def rule_options(command: Command) -> Command:
    """Adds the options that choose the rules."""
    return _with(
        _rule_option("--select", "Only these rules: SL101,SL2."),
        _rule_option("--extend-select", "These too, besides those that are selected."),
        _rule_option("--ignore", "All rules but these."),
        command=command,
    )


def fix_options(command: Command) -> Command:
    """Adds the options that write fixes into the source, or show them."""
    return _with(
        click.option("--fix", is_flag=True, help="Write the safe fixes into the source, checked again."),
        click.option("--diff", is_flag=True, help="Show what --fix would write, and write nothing."),
        click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: the unsafe fixes too."),
        command=command,
    )


def _rule_option(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        name, multiple=True, callback=read_words, metavar="CODES", shell_complete=complete_codes, help=text
    )


def baseline_options(command: Command) -> Command:
    """Adds the options about known findings."""
    return _with(
        click.option("--baseline", metavar="FILE", help="What this file knows does not set the exit code."),
        click.option("--write-baseline", metavar="FILE", help="Write what is found there, as known from now on."),
        command=command,
    )


def sizes_option(command: Command) -> Command:
    """Adds --sizes."""
    text = "The sizes that matter: H=32..512:32."
    return click.option("--sizes", multiple=True, metavar="SIZES", help=text)(command)


def confirm_options(command: Command) -> Command:
    """Adds the options that choose the runtime which confirms the sizes."""
    return _with(
        click.option("--no-confirm", is_flag=True, help="Do not run the model in onnxruntime."),
        click.option("--provider", type=Choice(["cpu", "cuda"]), help="Where onnxruntime runs it (cpu)."),
        command=command,
    )


def confirmation(*, no_confirm: bool, provider: str | None) -> tuple[str, ...] | None:
    """The providers that are to confirm, None where nothing is said; ShapelintError for a contradiction."""
    if no_confirm and provider:
        raise ShapelintError(f"--no-confirm and --provider {provider} contradict each other; give one")
    return () if no_confirm else (provider,) if provider else None


def check_contradiction(**given: bool) -> None:
    """ShapelintError where two options are given that contradict each other."""
    names = [f"--{name.replace('_', '-')}" for name, said in given.items() if said]
    if len(names) > 1:
        raise ShapelintError(f"{' and '.join(names)} contradict each other; give one")


def form_of(form: str, *, statistics: bool) -> str:
    """The form of the report; ShapelintError where --statistics and another --format are given."""
    if statistics and form != "text":
        raise ShapelintError(f"--statistics and --format {form} contradict each other; give one")
    return "statistics" if statistics else form


def _with(*decorators: Callable[[Command], Command], command: Command) -> Command:
    return reduce(lambda inner, decorate: decorate(inner), reversed(decorators), command)
