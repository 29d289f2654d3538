"""Makes the pages of the rules from the rules themselves, each time the documentation is built."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.structure.files import File, Files

from shapelint.registry import load_rules
from shapelint.report.rule_page import render, summary
from shapelint.rule import Rule

_CODE = re.compile(r"\bSL\d{3}\b")
_INDEX = """# The rules

One cause gives one finding. Each page below is what `shapelint explain CODE` prints, with models on which the rule
speaks and models on which it is silent; both are its tests.

| Rule | It finds | It says, for example |
|---|---|---|
"""


def on_files(files: Files, config: Any) -> Files:
    """Adds a page for each rule, and the page that lists them."""
    rules = load_rules()
    codes = {rule.code for rule in rules}
    for rule in rules:
        page = _linked(render(rule), codes - {rule.code})
        files.append(File.generated(config, f"rules/{rule.code}.md", content=page))
    rows = "".join(f"| {_cell(rule)} |\n" for rule in rules)
    files.append(File.generated(config, "rules/index.md", content=_INDEX + rows))
    return files


def _cell(rule: Rule) -> str:
    said = rule.invalid[0].message.replace("|", "\\|")
    return f"[{rule.code} {rule.name}]({rule.code}.md) | {summary(rule)} | {said}"


def _linked(page: str, codes: set[str]) -> str:
    """The page with links at the codes of other rules, outside of code and headings."""
    lines, inside = [], False
    for line in page.split("\n"):
        inside ^= line.startswith("```")
        plain = inside or line.startswith(("#", "`", "    "))
        lines.append(line if plain else _CODE.sub(lambda found: _link(found[0], codes), line))
    return "\n".join(lines)


def _link(code: str, codes: set[str]) -> str:
    return f"[{code}]({code}.md)" if code in codes else code
