"""Rules are found by entry points, chosen by code, prefix or name, and two never share a code."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from shapelint import registry
from shapelint.errors import RuleError
from shapelint.registry import find_rule, load_rules, select_rules
from shapelint.rule import Rule


def rule_class(code: str, name: str) -> type:
    body = {"code": code, "name": name, "valid": (), "invalid": (), "check": lambda self, analysis: iter(())}
    return type(name, (), body)


FIRST, SECOND, THIRD = rule_class("XY101", "first"), rule_class("XY102", "second-one"), rule_class("XY201", "third")
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes `plugin.<name>` the only installed rules."""

    def installed(**values: Any) -> None:
        import sys

        module = ModuleType("plugin")
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, "plugin", module)
        points = [EntryPoint(name, f"plugin:{name}", registry.GROUP) for name in values]
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])

    return installed


def codes(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.code for rule in rules]


def test_an_entry_point_is_a_class_an_instance_or_a_list(install: Install) -> None:
    install(c=THIRD, b=SECOND(), a=[FIRST])
    assert codes(load_rules()) == ["XY101", "XY102", "XY201"]


def test_two_rules_of_one_code_are_refused_by_both_names(install: Install) -> None:
    install(a=FIRST, b=rule_class("XY101", "other"))
    with pytest.raises(RuleError, match=r"^rule code XY101 is claimed by both plugin:a and plugin:b; uninstall one$"):
        load_rules()


def test_two_rules_of_one_name_are_refused_by_both_names(install: Install) -> None:
    install(a=FIRST, b=rule_class("XY109", "first"))
    with pytest.raises(RuleError, match=r"^rule name first is claimed by both plugin:a and plugin:b; uninstall one$"):
        load_rules()


def test_what_is_no_rule_is_refused(install: Install) -> None:
    install(a=42)
    with pytest.raises(RuleError, match=re.escape("rule a (plugin:a) is no rule: a rule has code, name,")):
        load_rules()


def test_what_cannot_be_loaded_is_refused(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("a", "nowhere_at_all:a", group)])
    message = "rule a (nowhere_at_all:a) cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"
    with pytest.raises(RuleError, match=re.escape(message)):
        load_rules()


@pytest.mark.parametrize(
    ("select", "ignore", "chosen"),
    [
        ((), (), ["XY101", "XY102", "XY201"]),
        (("XY1",), (), ["XY101", "XY102"]),
        (("xy1", "third"), ("XY102",), ["XY101", "XY201"]),
        ((), ("second-one",), ["XY101", "XY201"]),
        (("XY201",), ("XY",), []),
    ],
)
def test_rules_are_chosen(install: Install, select: tuple[str], ignore: tuple[str], chosen: list[str]) -> None:
    install(a=FIRST, b=SECOND, c=THIRD)
    assert codes(select_rules(select, ignore)) == chosen


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("XY110", "did you mean `XY10[12]`?"),
        ("secondone", "did you mean `second-one`?"),
        ("Q", "`shapelint rules` lists them"),
        ("", "`shapelint rules` lists them"),
    ],
)
def test_an_unknown_rule_is_refused_with_the_nearest(install: Install, word: str, hint: str) -> None:
    install(a=FIRST, b=SECOND, c=THIRD)
    message = f"^there is no rule `{word}`; {hint.replace('?', '[?]')}$"
    for look in (lambda: select_rules((word,)), lambda: select_rules((), (word,)), lambda: find_rule(word)):
        with pytest.raises(RuleError, match=message):
            look()


def test_a_rule_is_found_by_code_or_name(install: Install) -> None:
    install(a=FIRST, b=SECOND)
    assert find_rule("xy102").code == find_rule("second-one").code == "XY102"
