"""Every rule's examples hold: silent on the valid ones, the exact message and line on the others, mended by the fix."""

from __future__ import annotations

import pytest

from shapelint.registry import load_rules
from shapelint.rule import Invalid, Rule, Valid
from shapelint.testing import examples, run_example

RULES = load_rules()


@pytest.mark.parametrize(("rule", "example"), [parameter for rule in RULES for parameter in examples(rule)])
def test_an_example_of_a_rule_holds(rule: Rule, example: Valid | Invalid) -> None:
    run_example(rule, example)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_has_examples_of_both_kinds_and_a_page(rule: Rule) -> None:
    assert rule.valid
    assert rule.invalid
    for section in ("## What it does", "## Why it is bad", "## Fix"):
        assert section in (type(rule).__doc__ or "")
