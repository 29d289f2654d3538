"""A rule as a page to read: what it does, why, how it is fixed, and its examples."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator

from shapelint.report.table import aligned
from shapelint.rule import Invalid, Rule, Valid


def render(rule: Rule) -> str:
    """The page of one rule, in Markdown."""
    return "\n".join(_page(rule)).rstrip("\n") + "\n"


def render_list(rules: Iterable[Rule]) -> str:
    """One line for each rule: code, name and what it finds."""
    rows = [(rule.code, rule.name, summary(rule)) for rule in rules]
    return "".join(f"{line}\n" for line in aligned(rows)) if rows else ""


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
    yield f"# {rule.code} {rule.name}\n"
    yield documentation(rule) + "\n"
    if rule.invalid:
        yield "## Examples that it speaks about\n"
    for bad in rule.invalid:
        yield from _invalid(bad)
    if rule.valid:
        yield "## Examples on which it is silent\n"
    for good in rule.valid:
        yield from _source(good)


def _invalid(example: Invalid) -> Iterator[str]:
    yield from _source(example)
    yield f"says: {example.message}\n"
    if example.assignments:
        values = ", ".join(f"`{name} = {values}`" for name, values in example.assignments.items())
        yield f"fix: {values}\n"


def _source(example: Valid | Invalid) -> Iterator[str]:
    options = "".join(f", {name}={value!r}" for name, value in example.options.items())
    yield f"With the input `{example.input}`{options}:\n"
    yield "```python\n" + textwrap.dedent(example.source).strip("\n") + "\n```\n"
