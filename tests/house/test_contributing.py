"""The steps of CONTRIBUTING.md, followed word for word: its rule speaks, its operation agrees with PyTorch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from shapelint import registry, rulings
from shapelint.cli.app import run
from shapelint.ops import diagonal
from shapelint.testing import run_examples
from shapelint.trace.recording.operation import RULES

TEXT = (Path(__file__).parent.parent.parent / "CONTRIBUTING.md").read_text()
RULE, OPERATION, TEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The rule, among the installed ones."""
    module = ModuleType("sl298_skipped_rows")
    exec(RULE, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    added = EntryPoint("SL298", f"{module.__name__}:SkippedRows", registry.GROUP)
    points = (*registry.entry_points(group=registry.GROUP), added)
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    rulings.installed_rules.cache_clear()
    yield registry.find_rule("SL298")
    rulings.installed_rules.cache_clear()


def test_the_rule_has_a_page_and_its_examples_hold(rule: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "SL298"]) == 0
    assert capsys.readouterr().out.startswith("# SL298 skipped-rows\n")
    run_examples(rule)


def test_the_operation_agrees_with_pytorch_and_the_test_finds_what_it_leaves_out() -> None:
    from tests.ops import test_diagonal as beside

    assert torch.vander not in RULES
    space = {**vars(beside)}
    exec(TEST, space)
    marks = space["test_powers_of_a_vector"].pytestmark
    specs, texts = (mark.args[1] for mark in marks)

    def follow(source: str) -> None:
        exec(source, {**vars(diagonal)})
        try:
            for spec in specs:
                for text in texts:
                    space["test_powers_of_a_vector"](text, spec)
        finally:
            del RULES[torch.vander]

    follow(OPERATION)
    with pytest.raises(AssertionError):
        follow(re.sub(r".*N must be non-negative.*\n", "", OPERATION))
