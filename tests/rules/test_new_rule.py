"""`shapelint rules --new`: a file whose examples hold, and one line for each code or name that cannot be taken."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from shapelint import registry, rulings
from shapelint.cli.app import run
from shapelint.testing import run_examples


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "xy101_bad_stride", raising=False)


def test_the_skeleton_is_a_rule_whose_examples_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rules", "--new", "XY101", "bad-stride"]) == 0
    assert capsys.readouterr().out.startswith("wrote xy101_bad_stride.py, whose examples hold;")
    point = EntryPoint("XY101", "xy101_bad_stride:BadStride", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (point,))
    rulings.installed_rules.cache_clear()
    try:
        run_examples(registry.find_rule("bad-stride"))
    finally:
        rulings.installed_rules.cache_clear()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("SL101", "other"), "SL101 round-trip-size is a rule already; choose another code and name"),
        (("XY101", "skip-size"), "SL201 skip-size is a rule already; choose another code and name"),
        (("XY1", "bad"), "'XY1' is no code of a rule; write letters and three digits, such as XY101"),
        (("XY101", "../bad"), "'../bad' is no name of a rule; write words with hyphens, such as skipped-rows"),
    ],
)
def test_what_cannot_be_a_rule_is_one_line(
    words: tuple[str, str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rules", "--new", *words]) == 2
    assert capsys.readouterr().err == f"shapelint: {line}\n"
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "xy101_bad.py"
    file.write_text("mine")
    assert run(["rules", "--new", "XY101", "bad"]) == 2
    assert capsys.readouterr().err == "shapelint: xy101_bad.py is there already\n"
    assert file.read_text() == "mine"
