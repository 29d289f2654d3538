"""The forms for other programs: one golden file each, and what their readers ask of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest

from shapelint.cli.view import View
from shapelint.facts.finding import BaselineState, Finding, Severity
from shapelint.report import concise, github, gitlab, html, junit, sarif
from shapelint.report.fingerprint import fingerprints, portable_target
from shapelint.report.report import Report
from shapelint.source.span import Span
from tests.fabricated import CLEAN, FAILING, MODEL, NOTE, ROUND_TRIP, SEVERAL
from tests.report.test_report import Sample, golden

SCHEMA = json.loads((Path(__file__).parent.parent / "schemas" / "sarif-schema-2.1.0.json").read_text())
PAGE: Any = type("RoundTrip", (Sample,), {"__doc__": Sample.__doc__, "code": "SL101", "name": "round-trip-size"})()


@pytest.fixture(autouse=True)
def _model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)


def with_finding(finding: Finding) -> Report:
    return replace(FAILING, findings=(finding,))


def known(*reports: Report) -> tuple[Report, ...]:
    return tuple(
        replace(each, findings=tuple(replace(one, baseline=BaselineState.KNOWN) for one in each.findings))
        for each in reports
    )


def results(*reports: Report) -> Any:
    data = json.loads(sarif.render(reports))
    jsonschema.validate(data, SCHEMA)
    return data["runs"][0]["results"]


def test_sarif() -> None:
    golden("several.sarif", sarif.render((SEVERAL, CLEAN), (PAGE,)))


def test_github() -> None:
    golden("several.github", github.render((SEVERAL, CLEAN)))


def test_gitlab() -> None:
    golden("several.gitlab.json", gitlab.render((SEVERAL, CLEAN)))


def test_junit() -> None:
    golden("several.junit.xml", junit.render((SEVERAL, CLEAN)))


LINES = ("net:Gone: there is no module 'net'", "net.py:Bad\x1b: it raises")


def test_checks_that_could_not_be_done_are_told() -> None:
    log = json.loads(sarif.render((), failures=LINES))
    jsonschema.validate(log, SCHEMA)
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [*LINES]
    suite = ElementTree.fromstring(junit.render((CLEAN,), failures=LINES).encode())[1]
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("2", "2", "0")
    assert [case.get("name") for case in suite] == ["net:Gone", "net.py:Bad\\x1b"]
    assert suite[0][0].attrib == {"message": LINES[0]}
    assert "invocations" not in sarif.render((CLEAN,))


@pytest.mark.parametrize("form", ["json", "github", "gitlab", "html"])
def test_every_form_but_text_tells_what_could_not_be_checked(form: str) -> None:
    text = View(form).rendered((CLEAN,), LINES)
    assert View(form).tells_failures
    assert "there is no module" in text
    assert "it raises" in text
    assert "could not" not in View(form).rendered((CLEAN,))


def test_what_could_not_be_checked_by_form() -> None:
    assert json.loads(View("json").rendered((CLEAN,), LINES))["not_checked"] == [*LINES]
    (first, second) = json.loads(gitlab.render((), failures=LINES))
    assert (first["check_name"], first["severity"], first["location"]["path"]) == (
        "shapelint/not-checked",
        "critical",
        "net",
    )
    assert (second["description"], second["location"]["path"]) == (LINES[1], "net.py")
    assert first["fingerprint"] != second["fingerprint"]
    assert github.render((), failures=LINES[:1]) == f"::error title=shapelint could not check::{LINES[0]}\n"


def test_gitlab_gets_a_relative_path_also_from_outside(tmp_path: Path) -> None:
    outside = replace(ROUND_TRIP, location=Span(str(tmp_path.parent / "other" / "net.py"), 1, 1, 1, 2))
    (entry,) = json.loads(gitlab.render((with_finding(outside),)))
    assert entry["location"]["path"] == "../other/net.py"


@pytest.mark.parametrize("reports", [(FAILING,), (CLEAN,), (SEVERAL, CLEAN), (), known(SEVERAL)])
def test_sarif_follows_the_schema_of_oasis(reports: tuple[Report, ...]) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(sarif.render(reports)), SCHEMA)


def test_the_schema_of_oasis_is_whole() -> None:
    wrong = json.loads(sarif.render((FAILING,)))
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError, match="0 is less than the minimum of 1"):
        jsonschema.validate(wrong, SCHEMA)


def test_sarif_has_the_pages_of_installed_rules() -> None:
    rules = json.loads(sarif.render((SEVERAL,)))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["SL101", "SL202"]
    assert rules[0]["help"]["markdown"].startswith("# SL101 round-trip-size\n")
    assert rules[0]["shortDescription"]["text"] == "A decoder gives back fewer rows than went into the encoder."
    assert "A strided layer drops the remainder" in rules[0]["fullDescription"]["text"]
    assert "##" not in rules[0]["fullDescription"]["text"]


def test_sarif_of_a_rule_that_is_not_installed_here() -> None:
    (rule,) = json.loads(sarif.render((FAILING,), ()))["runs"][0]["tool"]["driver"]["rules"]
    assert rule == {"id": "SL101", "name": "round-trip-size", "shortDescription": {"text": "round-trip-size"}}


def test_a_sarif_fix_gives_the_repaired_file_back() -> None:
    (change,) = results(FAILING)[0]["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    lines = Path(change["artifactLocation"]["uri"]).read_text().splitlines()
    line = lines[region["startLine"] - 1]
    assert region["endLine"] == region["startLine"]
    inserted = replacement["insertedContent"]["text"]
    changed = line[: region["startColumn"] - 1] + inserted + line[region["endColumn"] - 1 :]
    assert changed == line.replace("padding=1)", "padding=1, output_padding=1)")


def test_a_file_elsewhere_or_with_odd_letters_is_a_uri(tmp_path: Path) -> None:
    here = with_finding(replace(ROUND_TRIP, location=Span(str(tmp_path / "my nets" / "gröss#1.py"), 1, 1, 1, 2)))
    there = with_finding(replace(ROUND_TRIP, location=Span(str(tmp_path.parent / "a b.py"), 1, 1, 1, 2)))
    locations = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in results(here, there)]
    assert locations[0] == {"uri": "my%20nets/gr%C3%B6ss%231.py", "uriBaseId": "%SRCROOT%"}
    assert unquote(locations[1]["uri"]) == f"file://{tmp_path.parent}/a b.py"
    assert set(locations[1]) == {"uri"}


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("mymodel.py:Net", "mymodel.py"),
        ("mymodel:Net", "mymodel.py"),
        ("zoo.nets:Net", "zoo/nets/__init__.py"),
        ("lib.net:Net", "src/lib/net.py"),
        ("monai.networks:UNet", "monai/networks"),
    ],
)
def test_a_finding_without_a_place_has_a_file_all_the_same(target: str, file: str) -> None:
    for each in (Path("zoo/nets/__init__.py"), Path("src/lib/net.py")):
        each.parent.mkdir(parents=True)
        each.touch()
    report = replace(with_finding(NOTE), target=target)
    (location,) = results(report)[0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == file
    assert location["logicalLocations"] == [{"name": target, "fullyQualifiedName": target, "kind": "type"}]
    assert json.loads(gitlab.render((report,)))[0]["location"] == {"path": file, "lines": {"begin": 1}}


def test_a_fingerprint_stays_where_lines_are_moved_and_changes_with_the_words() -> None:
    def of(finding: Finding, target: str = "mymodel.py:Net") -> str:
        ((fingerprint,),) = fingerprints((replace(with_finding(finding), target=target),))
        return fingerprint

    moved = replace(ROUND_TRIP, location=Span("mymodel.py", 80, 3, 80, 9), notes=("other",), fix=None)
    assert of(moved) == of(ROUND_TRIP) == of(ROUND_TRIP, f"{Path.cwd()}/mymodel.py:Net")
    told = replace(NOTE, message="not decided, line 5, `x[0:5]`: a size")
    assert of(told) == of(replace(told, message="not decided, line 17, `x[0:5]`: a size"))
    others = [replace(ROUND_TRIP, module="up"), replace(ROUND_TRIP, message="other"), replace(ROUND_TRIP, code="SL102")]
    assert len({of(ROUND_TRIP), of(ROUND_TRIP, "b.py:Net"), *map(of, others)}) == 5
    assert portable_target(f"{Path.cwd()}/a/b.py:Net") == "a/b.py:Net"


def test_equal_findings_have_fingerprints_of_their_own() -> None:
    twice = replace(FAILING, findings=(ROUND_TRIP, ROUND_TRIP))
    hashes = [entry["fingerprint"] for entry in json.loads(gitlab.render((twice, FAILING)))]
    assert len(set(hashes)) == 3
    assert [result["partialFingerprints"]["shapelintFinding/v1"] for result in results(twice, FAILING)] == hashes


def test_what_github_reads_back_is_what_was_meant() -> None:
    odd = replace(ROUND_TRIP, message="100% a:b,c\r\nnext", notes=(), fix=None, location=Span("a,b:c%.py", 1, 2, 3, 4))
    (command,) = github.render((with_finding(odd),)).splitlines()
    assert command == (
        "::error file=a%2Cb%3Ac%25.py,line=1,endLine=3,title=shapelint SL101 round-trip-size::100%25 a:b,c%0D%0Anext"
    )


def test_junit_holds_any_text() -> None:
    odd = replace(ROUND_TRIP, message="\x1b[31m<a & 'b'> \"c\" \ud800 \x00", notes=("]]>",), fix=None)
    text = junit.render((with_finding(odd),))
    failure = ElementTree.fromstring(text.encode()).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "\\x1b[31m<a & 'b'> \"c\" \\ud800 \\x00"
    assert failure.text is not None
    assert failure.text.endswith("\n]]>")


def test_junit_counts_what_is_in_it() -> None:
    root = ElementTree.fromstring(junit.render((SEVERAL, *known(FAILING), CLEAN)).encode())
    counts = [{key: suite.get(key) for key in ("tests", "failures", "skipped")} for suite in root]
    assert counts == [
        {"tests": "3", "failures": "2", "skipped": "0"},
        {"tests": "1", "failures": "0", "skipped": "1"},
        {"tests": "1", "failures": "0", "skipped": "0"},
    ]
    assert [len(suite) for suite in root] == [3, 1, 1]
    assert [len(list(suite.iter("failure"))) for suite in root] == [2, 0, 0]


def test_known_findings_are_marked_in_every_form() -> None:
    (report,) = known(FAILING)
    assert report.ok
    assert concise.render((report,)).endswith(" (known)\n")
    assert results(report)[0]["baselineState"] == "unchanged"
    assert results(with_finding(replace(ROUND_TRIP, baseline=BaselineState.NEW)))[0]["baselineState"] == "new"
    assert github.render((report,)).startswith("::notice file=mymodel.py,")
    assert "<skipped message=" in junit.render((report,))
    assert '<span class="badge error">known error SL101 round-trip-size</span>' in html.render((report,))
    assert report.to_dict()["findings"][0]["baseline"] == "known"
    assert not replace(report, findings=(*report.findings, replace(ROUND_TRIP, severity=Severity.WARNING))).ok
