"""`shapelint lock` and `shapelint diff`: what a change of the code did to the sizes of a project's models."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from shapelint.cli.app import run

NET = """
import torch
from torch import nn


# shapelint: input=1,3,H,W
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, image):
        return self.deconv(self.conv(image))
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with one model, whose lock is committed."""
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("")
    Path("net.py").write_text(NET)
    assert run(["lock"]) == 0
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], check=True)


def test_sizes_that_are_lost_fail_and_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace(", output_padding=1", ""))
    assert run(["diff"]) == 1
    assert capsys.readouterr().out == (
        "net.py:Net at 1,3,H,W\n"
        "  no longer restores the size for: H and W even\n"
        "  gives another size for: every size\n"
        "  now restores the size for: H and W odd\n"
        "  since `deconv` (net.py:14:16): conv_transpose2d gives 1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1,"
        " and gave 1,3,2*((H + 1)//2),2*((W + 1)//2)\n"
        "1 model lost sizes, 0 lost none\n"
    )


def committed() -> None:
    for command in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "b"]):
        subprocess.run(["git", *command], check=True)


def test_a_revision_without_a_lock_is_checked_and_the_work_tree_is_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("shapelint.lock").unlink()
    Path(".gitattributes").write_text("*.py export-ignore\n")  # what an archive would leave out
    committed()
    Path("net.py").write_text(NET.replace(", output_padding=1", ""))
    Path("other.py").write_text("")
    assert run(["diff", "--base", "HEAD"]) == 1
    assert "  no longer restores the size for: H and W even\n" in capsys.readouterr().out
    state = subprocess.run(["git", "status", "--short"], capture_output=True, text=True, check=True).stdout
    assert state == " M net.py\n?? other.py\n"


def test_a_revision_whose_code_comes_from_the_work_tree_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installed package that points to the work tree would be compared with itself."""
    Path("shapelint.lock").unlink()
    Path("lib").mkdir()
    Path("lib/parts_of_net.py").write_text("from torch.nn import Conv2d\n")
    Path("net.py").write_text(NET.replace("import torch\n", "import torch\nfrom parts_of_net import Conv2d\n", 1))
    committed()
    monkeypatch.setenv("PYTHONPATH", str(Path("lib").absolute()))
    assert run(["diff", "--base", "HEAD"]) == 2
    said = "lib/parts_of_net.py is imported from the work tree, not from the revision"
    assert capsys.readouterr().err == f"shapelint: the models of HEAD cannot be checked: {said}\n"


def test_a_size_that_raises_now_comes_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace("return self.deconv", "return image + self.deconv"))
    Path("shapelint.lock").unlink()  # the one of the revision is meant
    assert run(["diff", "--base", "HEAD", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["models"]["net.py:Net at 1,3,H,W"]
    assert found["no_longer_run"].startswith("every size but H and W even")
    assert all(cause["at"] == "`forward` (net.py:14:16)" for cause in found["causes"])


def test_a_model_that_is_gone_is_lost_and_a_new_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff"]) == 0
    Path("net.py").write_text(NET.replace("Net(", "Other("))
    assert run(["diff"]) == 1
    printed = capsys.readouterr().out
    assert "net.py:Net at 1,3,H,W\n  is in the lock, and is no more\n" in printed
    assert "net.py:Other at 1,3,H,W\n  is not in the lock: write it with `shapelint lock`\n" in printed
    assert run(["lock"]) == 0
    assert run(["diff"]) == 0


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("net.py", "net.py is no lock; write one with `shapelint lock`"),
        ("bytes", "bytes is no lock; write one with `shapelint lock`"),
        ("nowhere", "'nowhere' is neither a file nor a git revision"),
        ("--output=x", "'--output=x' is neither a file nor a git revision"),
    ],
)
def test_what_is_no_lock_is_told_in_a_line(base: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bytes").write_bytes(b"\xff")
    assert run(["diff", f"--base={base}"]) == 2
    assert capsys.readouterr().err.splitlines() == [f"shapelint: {line}"]


FORMS = {
    "concise": "net.py:14:16: LOST gives another size for: every size",
    "github": "::error file=net.py,line=14,endLine=14,col=16,endColumn=45,title=shapelint LOST lost-sizes::gives an",
    "gitlab": '    "description": "LOST gives another size for: every size",',
    "junit": '    <testcase classname="net.py:Net" name="LOST lost-sizes in deconv">',
    "sarif": '              "id": "LOST",',
}


def test_what_is_lost_is_an_error_in_the_forms_of_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(NET.replace(", output_padding=1", ""))
    for form, line in FORMS.items():
        assert run(["diff", "--format", form]) == 1
        assert any(each.startswith(line) for each in capsys.readouterr().out.splitlines()), form
