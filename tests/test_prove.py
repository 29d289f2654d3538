"""A small part of `python -m benchmarks.prove`, and what it does where something is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
import setuptools  # noqa: F401  (torch's test data want it, before another test imports the older distutils)

from benchmarks.prove import models, mutants, operations
from benchmarks.prove.__main__ import main
from benchmarks.prove.shrink import shrunk
from benchmarks.prove.trial import Trial
from shapelint.trace.recording.operation import Operation
from tests.drawn.models import draw

COUNTS = {"operations": 100, "models": 6, "sizes": 3, "repairs": 6, "files": 6, "torch": 150, "mutants": 16}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", COUNTS)
def test_nothing_disagrees(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--part", part, "--seed", "2026", "--count", str(COUNTS[part]), "--minutes", "3"])
    told = capsys.readouterr().out
    assert code == 0, told
    checks = re.search(rf"^\| {part} \| [^|]* \| \d+ \| ([\d,]+) \| [\d,]+ \| 0 \| \d+ \|$", told, re.MULTILINE)
    assert checks is not None
    assert int(checks[1].replace(",", "")) > 0, told


def test_a_trial_can_be_made_again() -> None:
    assert operations.trial(11) == operations.trial(11)
    assert draw(1_000_000) == draw(1_000_000)


@pytest.mark.filterwarnings("ignore")
def test_a_mutant_that_cannot_be_built_is_one_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    source = mutants.sources()[0]
    text = f"class {source.name}:\n    def __init__(self):\n        raise ValueError('two of three')\n"
    mutant = mutants.Mutant(source, text, 3, "a raise", before=((1,),), after=None)
    monkeypatch.setattr(mutants, "drawn", lambda seed: mutant)
    assert mutants.trial(0) == Trial(1)


@pytest.mark.filterwarnings("ignore")
def test_a_wrong_size_rule_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operation, "require_equal", _never)
    found = next(made for seed in range(40) if (made := models.trial(seed)).disagreements)
    source = found.disagreements[0]
    assert "eager PyTorch" in source
    assert source.count("\n") < 30


def _never(op: Operation, *_: Any) -> None:
    """A requirement that is forgotten."""


def test_lines_that_are_not_needed_are_taken_out() -> None:
    source = "".join(f"line {number}\n" for number in range(40))
    assert shrunk(source, lambda text: "line 7\n" in text and "line 31\n" in text) == "line 7\nline 31\n"
