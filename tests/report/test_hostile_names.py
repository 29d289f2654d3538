"""Names that a hostile model gives to its layers and errors act on no terminal, log, annotation or page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from shapelint.cli.checker import FORMATS
from shapelint.cli.view import View
from shapelint.errors import escaped, printable
from shapelint.report.plain import plain
from shapelint.report.report import Report
from shapelint.terminal import output
from tests.fabricated import CLEAN, MODEL, SEVERAL

EVIL = "\x1b[31mred\x1b]0;title\x07\n::error file=x::pwned\r\n##[add-mask]a\x9b\u202e##vso[task]"
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def hostile() -> Report:
    """A report in which each name and each text is hostile."""
    findings = tuple(
        replace(each, message=f"`{EVIL}` is wrong", notes=(f"`{EVIL}` it is", "two\nlines"), module=EVIL)
        for each in SEVERAL.findings
    )
    pairs = tuple(replace(pair, down=(EVIL,)) for pair in SEVERAL.pairs)
    return replace(SEVERAL, target=f"mymodel:{EVIL}", findings=findings, pairs=pairs, remarks=(EVIL,))


@pytest.mark.parametrize("form", [*FORMATS, "sizes"])
def test_no_form_gives_them_raw(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)
    text = View(form).rendered([hostile()], [f"net.py: {EVIL}"])
    lines = [line.strip() for line in text.split("\n")]
    commands = [line for line in lines if line.startswith("::")]
    assert not _ACTING.search(text)
    assert len(commands) == (len(SEVERAL.findings) + 1 if form == "github" else 0)
    assert all(re.match(r"::(error|warning|notice) (file=mymodel\.py|title=)", line) for line in commands)
    assert form == "json" or not re.search(r"##\[|##vso\[", text)


def test_json_keeps_the_names_to_the_letter() -> None:
    assert json.loads(View("json").rendered([hostile()]))["targets"][0]["pairs"][0]["down"] == [EVIL]


def test_a_report_of_usual_names_stays_the_same() -> None:
    assert plain(SEVERAL) is SEVERAL
    assert plain(CLEAN) is CLEAN


def test_a_hostile_name_is_in_one_line_and_a_note_in_its_own() -> None:
    finding = plain(hostile()).findings[0]
    assert finding.message == f"`{escaped(EVIL)}` is wrong"
    assert finding.notes == (f"`{escaped(EVIL)}` it is", "two\nlines")


def test_standard_error_gets_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.tell(EVIL)
    told = capsys.readouterr().err
    assert told == f"shapelint: {escaped(EVIL)}\n"
    assert not _ACTING.search(told)


def test_what_is_escaped_and_what_is_not() -> None:
    assert escaped("a\u3000b  c\u00e9") == "a\u3000b  c\u00e9"
    assert escaped("x\n::error::y") == "x\\n::error::y"
    assert escaped("  ::error::y") == "  \\x3a:error::y"
    assert escaped("a ##[error] b ##vso[x] ## c") == "a \\x23#[error] b \\x23#vso[x] ## c"
    assert printable(" a\n b\x1b") == "a b\\x1b"
