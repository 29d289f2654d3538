"""Comments `# shapelint: ignore[...]` silence findings on their lines; the examples of SL901 are the other half."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import shapelint
from shapelint.errors import SpecError
from shapelint.facts.finding import Finding, Severity
from shapelint.report.report import Report
from shapelint.source.comments import Ignore, read_comments
from shapelint.source.span import Span
from shapelint.suppression.ignores import used_elsewhere
from tests.fabricated import CLEAN, MODEL

WRONG = "nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def checked(call: str, name: str = "Net") -> Report:
    Path("net.py").write_text(
        MODEL.replace(WRONG, call) + "\n\nclass Other(nn.Conv2d):\n    # shapelint: ignore\n    pass\n"
    )
    return shapelint.check(f"net.py:{name}", "1,3,6,6")


@pytest.mark.parametrize(
    "call",
    [
        f"{WRONG}  # shapelint: ignore[SL101]",
        f"{WRONG}  # shapelint:ignore[ sl2 , round-trip-size ] since the decoder is cropped",
        f"{WRONG}  # noqa: E501  # shapelint: ignore[SL1]",
        f"{WRONG}  # shapelint: ignore  # the decoder is cropped",
        WRONG.replace("stride", "\n            # shapelint: ignore[SL101]\n            stride"),
    ],
)
def test_a_comment_on_any_line_of_a_finding_silences_it(call: str) -> None:
    report = checked(call)
    assert report.ok
    assert [finding.code for finding in report.silenced] == ["SL101"]
    assert [finding.code for finding in report.findings] in ([], ["SL901"])


@pytest.mark.parametrize("call", [f"{WRONG}  # shapelint: ignore[SL201]", WRONG + "\n        # shapelint: ignore[SL1]"])
def test_another_code_or_another_line_silences_nothing(call: str) -> None:
    report = checked(call)
    assert [(finding.code, finding.severity) for finding in report.findings] == [("SL101", "error"), ("SL901", "note")]
    assert report.silenced == ()


def test_only_comments_in_code_that_took_part_are_unused() -> None:
    assert [finding.code for finding in checked(WRONG).findings] == ["SL101"]


def test_a_rule_that_did_not_take_part_does_not_make_its_comment_unused() -> None:
    Path("net.py").write_text(MODEL.replace(WRONG, f"{WRONG}  # shapelint: ignore[SL101]"))
    report = shapelint.check("net.py:Net", "1,3,6,6", ignore=("SL101",))
    assert report.findings == ()


@pytest.mark.parametrize(
    ("unused", "stays"),
    [((), False), (("SL1",), False), (("SL101",), False), (("SL201",), True), (("SL101", "SL201"), True)],
)
def test_a_comment_that_serves_another_model_of_the_run_is_in_use(unused: tuple[str, ...], stays: bool) -> None:
    place = Span("net.py", 8, 20, 8, 50)
    note = Finding("SL901", "unused-ignore", Severity.NOTE, "", location=place, unused=unused)
    elsewhere = replace(note, location=replace(place, line=9, end_line=9))
    used = replace(CLEAN, silenced=(Finding("SL101", "round-trip-size", Severity.ERROR, "", location=place),))
    first, second = used_elsewhere([replace(CLEAN, findings=(note, elsewhere)), used])
    assert first.findings == (*[note] * stays, elsewhere)
    assert second == used


def test_what_a_comment_silences_in_its_own_report_does_not_hide_the_rest() -> None:
    report = checked(f"{WRONG}  # shapelint: ignore[SL101,SL201]")
    assert [finding.message for finding in report.findings] == ["`SL201` in `ignore[SL101,SL201]` silences nothing"]
    assert used_elsewhere([report]) == (report,)


def test_the_place_and_the_codes_of_a_comment_are_read() -> None:
    text = b"x = 1  # shapelint: ignore[SL201, SL3]\ny = '# shapelint: ignore'\n# shapelint: ignored\n"
    comments = read_comments(text, "net.py")
    assert comments.ignores == (Ignore(1, 8, 39, ("SL201", "SL3"), 39),)
    assert comments.marked == {3: " ignored"}


@pytest.mark.parametrize("comment", ["ignore[SL1,]", "ignore[]", "ignore SL101", "ignore(SL101)"])
def test_a_comment_that_cannot_be_read_is_one_line_with_its_place(comment: str) -> None:
    with pytest.raises(SpecError, match=r"^net.py:2: cannot read '# shapelint: ignore.*'; write `# shapelint: ignore"):
        read_comments(f"\n# shapelint: {comment}\n".encode(), "net.py")
