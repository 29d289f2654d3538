"""What other tools take from the command line: rules as JSON, counts of findings, rules besides the selected ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.registry import load_rules
from tests.fabricated import MODEL

CALL = ("check", "net.py:Net", "--input", "1,3,6,6", "--no-confirm")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(MODEL)


def test_the_rules_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["rules"]
    assert [(each["code"], each["name"]) for each in listed] == [(rule.code, rule.name) for rule in load_rules()]
    assert listed[0]["summary"] == "A decoder gives back fewer rows than went into the encoder."
    assert listed[0]["page"].startswith("# SL101 round-trip-size\n")


def test_statistics_count_the_findings_of_each_rule(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(MODEL + "\n\nclass Other(Net):\n    pass\n")
    both = ["check", "net.py:Net", "net.py:Other", "--input", "1,3,6,6", "--no-confirm"]
    assert run([*both, "--statistics"]) == 1
    assert capsys.readouterr().out == "2  SL101  round-trip-size  in 2 models  error\n"
    assert run([*both, "--statistics", "--format", "json"]) == 2
    assert capsys.readouterr().err == "shapelint: --statistics and --format json contradict each other; give one\n"


def test_rules_besides_the_selected_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CALL, "--select", "SL2"]) == 0
    assert run([*CALL, "--select", "SL2", "--extend-select", "round-trip-size"]) == 1
    Path("pyproject.toml").write_text('[tool.shapelint]\nselect = ["SL2"]\nextend-select = ["SL101"]\n')
    assert run([*CALL]) == 1
    Path("pyproject.toml").write_text('[tool.shapelint]\nselect = ["SL2"]\n')
    assert run([*CALL]) == 0
    assert run([*CALL, "--extend-select", "SL1"]) == 1
    assert run([*CALL, "--extend-select", "SL77"]) == 2
    assert "there is no rule `SL77`" in capsys.readouterr().err


def test_a_map_has_no_sign_that_a_log_would_take_for_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    head, line = MODEL.split("        self.conv")[0], "        return self.b(self.a(x))\n"
    parts = "        self.a, self.b = nn.MaxPool2d(2), nn.MaxPool2d(3)\n\n    def forward(self, x):\n"
    Path("net.py").write_text(head + parts + line)
    assert run(["sizes", "net.py:Net", "--input", "1,3,H,W"]) == 0
    out = capsys.readouterr().out
    assert "  - raises in" in out
    assert "\\x3a" not in out
