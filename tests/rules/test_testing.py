"""What a plugin author gets told by the examples of a rule that do not hold."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shapelint.facts.finding import Finding
from shapelint.report.report import Report
from shapelint.rule import Invalid, Valid
from shapelint.source.span import Span
from shapelint.testing import examples, run_example, run_examples
from tests.fabricated import FAILING, ROUND_TRIP

GOOD = Valid("class Net:\n    pass\n", "1,3,5,5")
BAD = Invalid(
    """
    class Up:
        output_padding = (0, 0)


    class Net:
        def __init__(self):
            self.up = Up()  # <-- XY101

        def get_submodule(self, name):
            return getattr(self, name)
    """,
    "1,3,6,6",
    "`up` gives back 5x5",
    {"up.output_padding": (1, 1)},
)


class Sample:
    """Finds a sample."""

    code, name = "XY101", "sample"
    valid, invalid = (GOOD,), (BAD,)

    def check(self, analysis: object) -> Any:
        return iter(())


FINDING = replace(ROUND_TRIP, code="XY101", message="`up` gives back 5x5", location=Span("x.py", 7, 19, 7, 23))
FIX = replace(ROUND_TRIP.fix, assignments={"up.output_padding": (1, 1)}, edits=())  # type: ignore[type-var]
FINDING = replace(FINDING, fix=FIX)
Answer = Callable[..., None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Sets what the engine finds in the source of BAD; a repaired module is silent, and so is GOOD."""

    def answer(*findings: Finding, repaired: tuple[Finding, ...] = (), good: tuple[Finding, ...] = ()) -> None:
        def check(target: Any, inputs: Any, *, select: tuple[str, ...]) -> Report:
            assert select == ("XY101",)
            if not isinstance(target, str):
                assert target.up.output_padding == (1, 1)
                return replace(FAILING, findings=repaired)
            source = Path(target.rpartition(":")[0]).read_text()
            return replace(FAILING, findings=findings if "<--" in source else good)

        module = ModuleType("shapelint.engine")
        module.check = check  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "shapelint.engine", module)

    return answer


RULE: Any = Sample()


def test_each_example_is_a_parameter_of_its_own() -> None:
    found = examples(RULE)
    assert [each.id for each in found] == ["XY101-valid-1", "XY101-invalid-1"]
    assert [each.values for each in found] == [(RULE, GOOD), (RULE, BAD)]


def test_examples_that_hold_pass(engine: Answer) -> None:
    engine(FINDING)
    run_examples(RULE)


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ((), "XY101 speaks 0 times: []"),
        ((FINDING, FINDING), "XY101 speaks 2 times"),
        ((replace(FINDING, message="`up`"),), "'`up`' instead of '`up` gives back 5x5'"),
        ((replace(FINDING, location=Span("x.py", 2, 1, 2, 2)),), "XY101 points at line 2 instead of 7"),
        ((replace(FINDING, location=None),), "XY101 points at line None instead of 7"),
        ((replace(FINDING, fix=None),), "the fix assigns {} instead of {'up.output_padding': (1, 1)}"),
    ],
)
def test_an_invalid_example_that_does_not_hold_fails(engine: Answer, findings: tuple[Finding, ...], text: str) -> None:
    engine(*findings)
    with pytest.raises(AssertionError, match=re.escape(text)):
        run_example(RULE, BAD)


def test_a_rule_that_speaks_after_its_fix_fails(engine: Answer) -> None:
    engine(FINDING, repaired=(FINDING,))
    with pytest.raises(AssertionError, match="XY101 still speaks after its fix"):
        run_example(RULE, BAD)


def test_a_rule_that_speaks_about_a_valid_example_fails(engine: Answer) -> None:
    engine(FINDING, good=(FINDING,))
    with pytest.raises(AssertionError, match="XY101 speaks about a valid example"):
        run_examples(RULE)


def test_another_rule_may_speak_about_a_valid_example(engine: Answer) -> None:
    engine(FINDING, good=(ROUND_TRIP,))
    run_examples(RULE)
