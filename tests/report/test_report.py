"""The forms of a report: one golden file each, and the laws that hold between them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from shapelint.facts.finding import Confirmation, Fix, Safety
from shapelint.report import concise, rule_page, sizes, text
from shapelint.report import json as json_report
from shapelint.report.place import marked_line, short_path
from shapelint.report.report import Report
from shapelint.report.table import aligned
from shapelint.rule import Invalid, Valid
from shapelint.source.span import Span
from tests.fabricated import CLEAN, FAILING, MODEL, NOTE, RAISING, ROUND_TRIP, SEVERAL

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(autouse=True)
def _model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)


def golden(name: str, found: str) -> None:
    """Compares with the golden file; `SHAPELINT_GOLDEN=write pytest` writes it anew."""
    if os.environ.get("SHAPELINT_GOLDEN") == "write":
        (GOLDEN / name).write_text(found)
    assert found == (GOLDEN / name).read_text()


class Sample:
    """Finds a sample.

    ## What it does

    Nothing.
    """

    code = "XY101"
    name = "sample"
    valid = (Valid("class Net:\n    pass", "1,3,H,W", {"expect": "_,3,H,W"}),)
    invalid = (Invalid("class Net:\n    pass  # <-- XY101", "1,3,6,6", "wrong", {"up.output_padding": (1, 1)}),)

    def check(self, analysis: object) -> object:
        return iter(())


def test_text_of_a_failing_check() -> None:
    golden("failing.txt", text.render((FAILING,)))


def test_text_of_a_clean_check() -> None:
    golden("clean.txt", text.render((CLEAN,)))


def test_text_of_several_findings_and_reports() -> None:
    golden("several.txt", text.render((SEVERAL, CLEAN)))


def test_concise() -> None:
    golden("several.concise", concise.render((SEVERAL, CLEAN)))


def test_json() -> None:
    golden("several.json", json_report.render((SEVERAL, CLEAN)))


def test_sizes() -> None:
    golden("sizes.txt", sizes.render(SEVERAL))


def test_page_of_a_rule() -> None:
    golden("rule.md", rule_page.render(Sample()))  # type: ignore[arg-type]


def test_list_of_rules() -> None:
    assert rule_page.render_list((Sample(),)) == "XY101  sample  Finds a sample.\n"  # type: ignore[arg-type]
    assert rule_page.render_list(()) == ""


def test_the_founding_report_is_short() -> None:
    assert len(text.render((FAILING,)).splitlines()) <= 15
    assert len(text.render((CLEAN,)).splitlines()) <= 3


def test_colour_adds_codes_and_changes_no_character() -> None:
    coloured = text.render((SEVERAL, CLEAN), colour=True)
    assert "\x1b[31m" in coloured
    import click

    assert click.unstyle(coloured) == text.render((SEVERAL, CLEAN))


def test_quiet_shows_only_what_is_wrong() -> None:
    assert text.render((CLEAN, FAILING), quiet=True) == text.render((FAILING,))
    assert text.render((CLEAN,), quiet=True) == ""


def test_a_note_leaves_the_report_ok_and_is_shown() -> None:
    report = replace(CLEAN, findings=(NOTE,))
    assert report.ok
    assert "mymodel:Net: note SL202 restricted-sizes: fits only for odd sizes" in str(report)
    assert "mymodel:Net at 1,3,5,5: ok" in str(report)


def test_a_model_that_is_not_meant_to_restore_is_told_where_it_runs() -> None:
    lines = str(replace(CLEAN, contract=replace(RAISING, symbols=("H", "W")), pairs=(), confirmations=()))
    assert lines.splitlines()[-1].startswith("runs for: ")
    assert lines.endswith("; others are not decided\n")


def test_a_note_of_several_findings_is_told_once() -> None:
    first = replace(ROUND_TRIP, notes=("one line builds 4 layers", "23 and 24 become 12"))
    second = replace(ROUND_TRIP, notes=("one line builds 4 layers", "11 and 12 become 6"))
    shown = text.render((replace(FAILING, findings=(first, second)),))
    assert [shown.count(note) for note in (*first.notes, *second.notes)] == [1, 1, 1, 1]


def test_lines_of_a_title_stay_below_each_other() -> None:
    finding = replace(ROUND_TRIP, fix=Fix("write\n`self.deconv(y)`", Safety.ADVICE), notes=())
    lines = text.render((replace(FAILING, findings=(finding,)),)).splitlines()
    assert lines[4:6] == ["   = fix (advice): write", "     `self.deconv(y)`"]


def test_the_report_prints_itself() -> None:
    assert str(FAILING) == text.render((FAILING,))
    assert FAILING.to_json() == json_report.render((FAILING,))
    assert FAILING.to_dict() == json.loads(FAILING.to_json())["targets"][0]


@pytest.mark.parametrize("report", [FAILING, CLEAN, SEVERAL])
def test_json_follows_its_schema(report: Report) -> None:
    schema = json.loads(files("shapelint.report").joinpath("schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(report.to_json()), schema)


def test_the_schema_leaves_nothing_open() -> None:
    schema = json.loads(files("shapelint.report").joinpath("schema.json").read_text())
    data = json.loads(FAILING.to_json())
    data["targets"][0]["findings"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(data, schema)


def test_json_knows_no_infinity() -> None:
    report = replace(CLEAN, confirmations=(replace(CLEAN.confirmations[0], max_abs_error=float("nan")),))
    assert report.to_dict()["confirmations"][0]["max_abs_error"] is None


def _confirmed(*confirmations: Confirmation) -> str:
    lines = text.render((replace(FAILING, confirmations=confirmations),)).splitlines()
    return next(line for line in lines if "onnxruntime" in line)


def test_what_a_runtime_gave_at_several_sizes() -> None:
    first, second = FAILING.confirmations
    other = replace(first, sizes={"H": 5, "W": 5})
    assert _confirmed(first, second, other) == (
        "   = onnxruntime 1.32.0 (CPUExecutionProvider): 5x5 as it is, 6x6 with the repair at H=6, W=6; 5x5 at H=5, W=5"
    )


def test_a_runtime_that_gave_another_size_is_told() -> None:
    wrong = replace(FAILING.confirmations[0], observed=((1, 3, 4, 4),), ok=False, note="baked")
    assert _confirmed(wrong).endswith("(CPUExecutionProvider): 4x4 where 5x5 was predicted (baked)")


def test_a_runtime_that_did_not_run_is_told() -> None:
    refused = replace(FAILING.confirmations[0], observed=None, ok=False, note="the exporter refused `roll`")
    assert _confirmed(refused).endswith("(CPUExecutionProvider): not run (the exporter refused `roll`)")


def test_paths_are_short_where_they_lie_here(tmp_path: Path) -> None:
    assert short_path(str(tmp_path / "a" / "b.py")) == str(Path("a", "b.py"))
    assert short_path("b.py") == "b.py"
    assert short_path(str(tmp_path.parent / "b.py")) == str(tmp_path.parent / "b.py")


def test_marks_stand_below_tabs_and_wide_characters(tmp_path: Path) -> None:
    file = tmp_path / "wide.py"
    file.write_text("\tx = '数', f(1,\n  2)\n")
    assert marked_line(Span(str(file), 1, 11, 2, 5)) == (" x = '数', f(1,", " " * 11 + "^^^^")
    assert marked_line(Span(str(file), 9, 1, 9, 2)) is None


def test_a_row_that_is_wider_than_the_terminal_goes_on_in_its_columns() -> None:
    rows = [("sizes", "outcome"), ("H and W multiples of 16", "gives (1, 3, H, W)"), ("H odd", "raises")]
    assert aligned(rows, 33) == [
        "sizes            outcome",
        "H and W          gives",
        "multiples of 16  (1, 3, H, W)",
        "H odd            raises",
    ]
    assert aligned(rows)[1] == "H and W multiples of 16  gives (1, 3, H, W)"
