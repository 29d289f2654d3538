"""The commands that show the rules; none of them imports torch."""

from __future__ import annotations

from pathlib import Path

import click

from shapelint.cli.help import Choice, Command, complete_codes
from shapelint.cli.view import coloured
from shapelint.errors import RuleError
from shapelint.terminal import output


@click.command(cls=Command)
@click.argument("code", required=False, shell_complete=complete_codes)
@click.option("--all", "every", is_flag=True, help="Print the pages of all rules.")
def explain(code: str | None, every: bool) -> int:
    """Prints the page of a rule.

    CODE is its code or name; without CODE the rules are listed.
    """
    from shapelint.registry import find_rule, load_rules
    from shapelint.report.rule_page import render, render_list

    if code and every:
        raise RuleError(f"--all prints all pages, and {code!r} is one; give one of them")
    if every or code:
        chosen, colour = (find_rule(code),) if code else load_rules(), coloured()
        output.show("\n".join(render(rule, colour=colour) for rule in chosen))
    else:
        listed = render_list(load_rules())
        output.show(f"{listed}\n`shapelint explain SL101` prints the page of a rule, and --all prints all of them\n")
    return 0


@click.command(cls=Command)
@click.option("--new", nargs=2, metavar="CODE NAME", help="Write the skeleton of a rule into the current folder.")
@click.option("--format", "form", type=Choice(("text", "json")), default="text", show_default=True)
def rules(new: tuple[str, str] | None, form: str) -> int:
    """Lists the installed rules, with --format json their pages too.

    With --new, writes the file of a rule of your own, to be registered under the entry points `shapelint.rules`.
    """
    if new:
        from shapelint.cli.new_rule import new_rule

        code, name = new
        folder = Path("rules") if Path("rules", "sl101_round_trip_size.py").is_file() else Path()
        file = new_rule(code, name, folder)
        advice = "a plugin registers it under the entry points `shapelint.rules`"
        output.show(f"wrote {file}, whose examples hold; {advice}\n")
        return 0
    from shapelint.registry import load_rules
    from shapelint.report.rule_page import render_json, render_list

    output.show((render_json if form == "json" else render_list)(load_rules()))
    return 0
