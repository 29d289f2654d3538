"""The built-in rules, installed as the package shapelint_rules: see README.md in this folder.

`RULES` has the rule of each file `sl*.py` here; one entry point serves them all.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from shapelint.rule import Rule


def _rules() -> list[type[Rule]]:
    modules = (import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__) if each.name[0] != "_")
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "code")
    ]


RULES = _rules()
