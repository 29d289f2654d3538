"""Known findings: what a baseline file holds does not fail a check, is marked, and is told when it is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shapelint.errors import BaselineError
from shapelint.facts.finding import BaselineState
from shapelint.report import text
from shapelint.report.report import Report
from shapelint.source.span import Span
from shapelint.suppression.baseline import Baseline, read_baseline, render
from tests.fabricated import CLEAN, FAILING, MODEL, NOTE, ROUND_TRIP

CODES = frozenset({"SL101", "SL202"})
KNOWN, NEW = BaselineState.KNOWN, BaselineState.NEW


@pytest.fixture(autouse=True)
def _model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)


def baseline(*reports: Report, whole: bool = False, codes: frozenset[str] = CODES) -> Baseline:
    """The baseline that was written for the reports, read again."""
    Path("known.json").write_text(render(reports))
    return Baseline("known.json", read_baseline("known.json"), codes, whole=whole)


def states(report: Report) -> list[BaselineState | None]:
    return [finding.baseline for finding in report.findings]


def test_what_is_known_is_marked_also_where_lines_were_moved() -> None:
    moved = replace(ROUND_TRIP, location=Span("mymodel.py", 80, 3, 80, 9))
    (report,) = baseline(FAILING).marked((replace(FAILING, findings=(moved, NOTE)),))
    assert states(report) == [KNOWN, NEW]
    assert report.ok
    assert report.remarks == ()


def test_a_second_finding_like_a_known_one_is_new() -> None:
    (report,) = baseline(FAILING).marked((replace(FAILING, findings=(ROUND_TRIP, ROUND_TRIP)),))
    assert states(report) == [KNOWN, NEW]
    assert not report.ok


@pytest.mark.parametrize(
    "other",
    [
        replace(FAILING, findings=(replace(ROUND_TRIP, message="`deconv` gives back 7x7 where `conv` took 8x8"),)),
        replace(FAILING, findings=(replace(ROUND_TRIP, module="up"),)),
        replace(FAILING, target="mymodel:Other"),
    ],
)
def test_another_finding_is_new(other: Report) -> None:
    (report,) = baseline(FAILING).marked((other,))
    assert states(report) == [NEW]


def test_what_is_gone_is_told_once_for_a_model_that_was_checked() -> None:
    first, second = baseline(FAILING).marked((CLEAN, CLEAN))
    told = "known.json: no longer found: SL101 `deconv` gives back 5x5 where `conv` took 6x6"
    assert (first.remarks, second.remarks) == ((told,), ())
    assert told in str(first)
    (elsewhere,) = baseline(FAILING).marked((replace(CLEAN, target="other:Net"),))
    (deselected,) = baseline(FAILING, codes=frozenset({"SL202"})).marked((CLEAN,))
    assert elsewhere.remarks == deselected.remarks == ()


def test_what_is_known_of_models_that_are_gone_is_counted_where_all_are_checked() -> None:
    known = baseline(FAILING, replace(FAILING, target="gone:Net"), whole=True)
    first, last = known.marked((FAILING, replace(CLEAN, target="other:Net")))
    assert (first.remarks, last.remarks) == ((), ("known.json: 1 more about models that were not checked",))


def test_many_that_are_gone_are_counted() -> None:
    many = tuple(replace(ROUND_TRIP, message=f"loss {number}") for number in range(5))
    (report,) = baseline(replace(FAILING, findings=many)).marked((CLEAN,))
    assert report.remarks[2:] == (
        "known.json: no longer found: SL101 loss 2",
        "known.json: and 2 more that are no longer found",
    )


def test_known_findings_take_one_line_and_are_counted_in_the_last() -> None:
    (report,) = baseline(FAILING).marked((replace(FAILING, findings=(ROUND_TRIP, replace(ROUND_TRIP, module="up"))),))
    lines = text.render((report,)).splitlines()
    heading = "mymodel.py:8:23: {} SL101 round-trip-size: `deconv` gives back 5x5 where `conv` took 6x6"
    assert lines[0] == heading.format("error")
    assert lines[7] == heading.format("known error")
    assert "1 error, 1 known finding (baseline) in mymodel:Net at 1,3,6,6" in lines
    (known,) = baseline(FAILING).marked((FAILING,))
    assert "mymodel:Net at 1,3,6,6: ok, 1 known finding (baseline)" in text.render((known,)).splitlines()
    assert text.render((known,), quiet=True) == ""


def test_a_renewed_baseline_keeps_what_was_not_looked_for() -> None:
    other = replace(FAILING, target="other:Net")
    old = baseline(FAILING, other)
    assert _targets(old.renewed((CLEAN,))) == ["other:Net"]
    assert _targets(replace(old, whole=True).renewed((CLEAN,))) == []
    others = replace(old, codes=frozenset({"SL202"}), whole=True)
    assert _targets(others.renewed((CLEAN,))) == ["mymodel:Net", "other:Net"]
    assert _targets(old.renewed((FAILING,))) == ["mymodel:Net", "other:Net"]


def _targets(written: str) -> list[str]:
    return [entry["target"] for entry in json.loads(written)["findings"]]


def test_a_target_is_the_same_from_a_full_path() -> None:
    report = replace(FAILING, target="nets/a.py:Net")
    (found,) = baseline(report).marked((replace(report, target=f"{Path.cwd()}/nets/a.py:Net"),))
    assert states(found) == [KNOWN]


ENTRY = '{"target": "a", "code": "b", "module": "c", "message": "d"}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "known.json is no baseline, nor any JSON; write one with --write-baseline OTHER_FILE"),
        ("\ud800", "known.json is no baseline, nor any JSON; write one with --write-baseline OTHER_FILE"),
        ("[" * 99999, "known.json is no baseline, nor any JSON; write one with --write-baseline OTHER_FILE"),
        ("[1]", "known.json is no baseline of shapelint; write one with --write-baseline OTHER_FILE"),
        ('{"name": "x"}', "known.json is no baseline of shapelint; write one with --write-baseline OTHER_FILE"),
        (
            '{"kind": "shapelint baseline", "version": 2}',
            "known.json is a baseline of version 2, and 1 is read here; write it anew",
        ),
        (
            '{"kind": "shapelint baseline", "version": 1}',
            "known.json is a damaged baseline: it has no list `findings`; write it anew",
        ),
        *[
            (
                f'{{"kind": "shapelint baseline", "version": 1, "findings": [{ENTRY}, {entry}]}}',
                "known.json is a damaged baseline: an entry has not just target, code, module, message; write it anew",
            )
            for entry in ("3", "{}", ENTRY.replace('"d"', "null"), ENTRY.replace("}", ', "line": 3}'))
        ],
    ],
)
def test_what_is_no_baseline_is_refused(content: str, message: str) -> None:
    Path("known.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(BaselineError) as caught:
        read_baseline("known.json")
    assert str(caught.value) == message


def test_a_baseline_that_is_not_there_is_refused() -> None:
    message = "cannot read the baseline no.json: No such file or directory; write it with --write-baseline no.json"
    with pytest.raises(BaselineError) as caught:
        read_baseline("no.json")
    assert str(caught.value) == message
