"""What helps at the prompt: an example below every help text, the nearest name in errors, and completion."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from shapelint.terminal import output

EXAMPLES: Final = {
    "shapelint": (
        "shapelint check mymodel.py:Net --input 1,3,256,256",
        "shapelint sizes mymodel.py:Net --input 1,3,H,W",
        "shapelint explain SL201",
    ),
    "check": (
        "shapelint check mymodel.py:Net --input 1,3,256,256",
        "shapelint check mymodel.py:Net --input 1,3,H,W --sizes H=32..512:32 --sizes W=64,128 --fix",
        "shapelint check pkg.nets:UNet --kwargs '{\"depth\": 4}' --input 1,3,H,W --format sarif --output sizes.sarif",
    ),
    "sizes": ("shapelint sizes mymodel.py:Net --input 1,3,H,W",),
    "spec": ("shapelint spec mymodel.py:Net --input N,3,H,W --for torch-export",),
    "lock": ("shapelint lock", "shapelint lock mymodel.py:Net --input 1,3,H,W"),
    "diff": ("shapelint diff", "shapelint diff --base main"),
    "shapes": ("shapelint shapes mymodel.py:Net --input 1,3,H,W", "shapelint shapes mymodel.py --at H=65,W=70"),
    "show": ("shapelint show mymodel.py:Net --input 1,3,H,W -o net.html",),
    "explain": ("shapelint explain SL201", "shapelint explain skip-size"),
    "rules": ("shapelint rules",),
    "hook": ("shapelint hook mymodel.py nets/unet.py",),
    "clean": ("shapelint clean",),
    "lsp": ("shapelint lsp",),
    "watch": ("shapelint watch", "shapelint watch src/nets"),
    "doctor": ("shapelint doctor", "shapelint doctor mymodel.py:Net"),
}


class _Helpful(click.Command):
    """A command whose help is written as a report is: a reader that has gone away is no error."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option --help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments; the error about one that is missing shows a whole command."""
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            missing = error.format_message().removesuffix(".")
            raise click.UsageError(f"{missing}; write `{EXAMPLES[self.name or ''][0]}`", ctx) from error


def _show_help(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        output.show(context.get_help() + "\n")
        context.exit()


class Command(_Helpful):
    """A command whose help ends with an example."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples."""
        _write_examples(self.name or "", formatter)


class Commands(_Helpful, click.Group):
    """The commands; a target in the place of a command is met with the command that checks it."""

    command_class = Command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples."""
        _write_examples("shapelint", formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names."""
        word = args[0]
        if word not in self.commands and not word.startswith("-") and (":" in word or Path(word).suffix == ".py"):
            raise click.UsageError(f"{word!r} is no command; write `shapelint check {word}`", ctx)
        return super().resolve_command(ctx, args)


class Choice(click.Choice[str]):
    """One of some words; the error names the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What is wrong, and the word that was meant."""
        near = difflib.get_close_matches(str(value).lower(), self.choices, 1)
        message = super().get_invalid_choice_message(value, ctx)
        return f"{message} Did you mean {near[0]!r}?" if near else message


def complete_codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The codes of the installed rules, with what they find; behind a comma the next one of a list."""
    from shapelint.registry import load_rules
    from shapelint.report.rule_page import summary

    before, comma, begun = incomplete.rpartition(",")
    return [
        CompletionItem(before + comma + rule.code, help=summary(rule))
        for rule in load_rules()
        if rule.code.startswith(begun.upper())
    ]


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The files here, as the shell completes them."""
    return [CompletionItem(incomplete, type="file")]


def _write_examples(name: str, formatter: click.HelpFormatter) -> None:
    lines = EXAMPLES.get(name, ())
    with formatter.section("Example" if len(lines) == 1 else "Examples"):
        for line in lines:
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")
