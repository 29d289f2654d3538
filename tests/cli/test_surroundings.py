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


def test_ignore_comments_are_written_where_the_findings_are(capsys: pytest.CaptureFixture[str]) -> None:
    call = "nn.ConvTranspose2d(  # shapelint: ignore[SL3]\n            8, 3,"
    several = MODEL.replace("nn.ConvTranspose2d(8, 3,", call)
    Path("net.py").write_bytes(several.replace("\n", "\r\n").encode())
    assert run([*CALL, "--add-ignore", "--diff"]) == 0
    added = "+        self.deconv = nn.ConvTranspose2d(  # shapelint: ignore[SL3, SL101]\n"
    assert added in capsys.readouterr().out.replace("\r\n", "\n")
    assert "SL101" not in Path("net.py").read_text()
    assert run([*CALL, "--add-ignore", "--fix"]) == 2
    assert capsys.readouterr().err == "shapelint: --add-ignore and --fix contradict each other; give one\n"
    assert run([*CALL, "--add-ignore"]) == 0
    assert "shapelint: wrote ignore comments for 1 finding into net.py" in capsys.readouterr().err
    expected = several.replace("ignore[SL3]", "ignore[SL3, SL101]").replace("\n", "\r\n").encode()
    assert Path("net.py").read_bytes() == expected
    assert run([*CALL]) == 0


def test_a_comment_goes_to_the_first_line_that_can_hold_one(capsys: pytest.CaptureFixture[str]) -> None:
    broken = "self.deconv = nn \\\n            .ConvTranspose2d(8, 3,"
    Path("net.py").write_text(MODEL.replace("self.deconv = nn.ConvTranspose2d(8, 3,", broken))
    assert run([*CALL, "--add-ignore"]) == 0
    assert ".ConvTranspose2d(8, 3, 3, stride=2, padding=1)  # shapelint: ignore[SL101]" in Path("net.py").read_text()
    assert run([*CALL]) == 0


def test_doctor_tells_what_is_here_and_what_a_model_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    guarded = "try:\n    import missing_too\nexcept ImportError:\n    pass\n"
    Path("deep.py").write_text(f"import cv2_missing, os.path\nimport cv2\n{guarded}")
    Path("net.py").write_text("import deep\nfrom . import deep\n" + MODEL)
    assert run(["doctor", "net.py:Net"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("shapelint 0.")
    assert any(line.startswith("torch 2.") for line in told)
    assert any(line.startswith("providers of onnxruntime: ") and "CPUExecutionProvider" in line for line in told)
    assert "settings: none" in told
    assert told[-3:] == [
        "net.py needs cv2, which is not installed (it is in the package opencv-python)",
        "net.py needs cv2_missing, which is not installed",
        "files of models whose imports are all here: 0",
    ]
    Path("net.py").write_text(MODEL)
    assert run(["doctor", "net.py:Net"]) == 0


def test_doctor_takes_a_wrong_setting_as_something_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.shapelint]\nselct = []\n")
    assert run(["doctor", "net.py"]) == 1
    assert "[tool.shapelint] has no key 'selct', did you mean 'select'?" in capsys.readouterr().out
