"""A rule as a page of a manual: what it finds, why, what PyTorch says, how it is fixed, and examples to try."""

from __future__ import annotations

import inspect
import json
import shlex
import textwrap
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Final

import click

from shapelint.report.table import aligned
from shapelint.rule import Invalid, Rule, Valid

_ALSO: Final = "\n## See also"
_FLAGS: Final = {"init_kwargs": "--kwargs", "call_kwargs": "--call-kwargs"}


def render(rule: Rule, *, colour: bool = False) -> str:
    """The page of one rule, in Markdown; with colour for a terminal, which changes no character."""
    text = "\n".join(_page(rule)).rstrip("\n") + "\n"
    return "".join(_painted(text.splitlines(keepends=True))) if colour else text


def render_list(rules: Iterable[Rule]) -> str:
    """One line for each rule: code, name and what it finds."""
    rows = [(rule.code, rule.name, summary(rule)) for rule in rules]
    return "".join(f"{line}\n" for line in aligned(rows)) if rows else ""


def render_json(rules: Iterable[Rule]) -> str:
    """The rules as JSON: code, name, what each finds in a sentence, and its page in Markdown."""
    listed = [{"code": each.code, "name": each.name, "summary": summary(each), "page": render(each)} for each in rules]
    return json.dumps({"version": 1, "rules": listed}, indent=2) + "\n"


def summary(rule: Rule) -> str:
    """What the rule finds, in one sentence."""
    return documentation(rule).partition("\n")[0]


def description(rule: Rule) -> str:
    """What the rule finds and does: the page up to its second section, without headings."""
    parts = documentation(rule).split("\n## ")[:2]
    return "\n\n".join(part.partition("\n")[2 * (number > 0)].strip() for number, part in enumerate(parts))


def documentation(rule: Rule) -> str:
    """The docstring of the rule: its page without the examples."""
    return inspect.getdoc(type(rule)) or ""


def _page(rule: Rule) -> Iterator[str]:
    told, also, others = documentation(rule).partition(_ALSO)
    yield f"# {rule.code} {rule.name}\n"
    yield told.rstrip() + "\n"
    if rule.invalid:
        yield "## Examples that it speaks about\n"
    for bad in rule.invalid:
        yield from _invalid(rule, bad)
    if rule.valid:
        yield "## Examples on which it is silent\n"
    for good in rule.valid:
        yield from _source(good)
    yield (also + others).lstrip()


def _invalid(rule: Rule, example: Invalid) -> Iterator[str]:
    source = yield from _source(example)
    marked = (number for number, line in enumerate(source.splitlines(), 1) if line.endswith(f"# <-- {rule.code}"))
    place = "".join(f"net.py:{number}: " for number in marked)
    yield f"```text\n{place}{rule.code} {rule.name}: {example.message}\n```\n"
    if example.assignments:
        values = ", ".join(f"`{name} = {values}`" for name, values in example.assignments.items())
        yield f"Its fix sets {values}.\n"


def _source(example: Valid | Invalid) -> Generator[str, None, str]:
    """Yields the command and the file that it checks; returns the text of the file."""
    source = textwrap.dedent(example.source).strip("\n")
    call = shlex.join(["shapelint", "check", "net.py:Net", "--input", example.input, *_options(example.options)])
    yield f"`{call}` with this `net.py`:\n"
    yield f"```python\n{source}\n```\n"
    return source


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    """The options of a check as the command line has them."""
    for name, value in options.items():
        flag = _FLAGS.get(name, f"--{name}")
        if isinstance(value, bool):
            yield from [flag] * value
        elif name == "confirm":
            continue  # the command line confirms by itself
        elif name == "sizes":
            yield from (word for symbol, wanted in value.items() for word in (flag, f"{symbol}={_sizes(wanted)}"))
        elif isinstance(value, dict):
            yield from (flag, json.dumps(value, default=str))
        elif isinstance(value, tuple | list):
            yield from (flag, ",".join(value)) if value else ()
        else:
            yield from (flag, str(value))


def _sizes(wanted: Any) -> str:
    if isinstance(wanted, range):
        return f"{wanted.start}..{wanted[-1]}:{wanted.step}"
    return str(wanted) if isinstance(wanted, int | str) else ",".join(map(str, wanted))


def _painted(lines: Iterable[str]) -> Iterator[str]:
    """The lines with headings bold, and code apart from prose."""
    code = False
    for line in lines:
        fence = line.startswith("```")
        code = code != fence
        if line.startswith("#") and not code:
            yield click.style(line, bold=True)
        elif fence:
            yield click.style(line, dim=True)
        else:
            yield click.style(line, fg="cyan") if code else line
