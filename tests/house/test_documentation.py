"""The README and the pages of `docs/`: what stands there to be copied runs to the letter, and no link leads nowhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shapelint.cli.app import run
from tests.house.documented import Block, blocks

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
RUN = [page for page in PAGES if any(block.runs and block.kind in ("console", "shell") for block in blocks(page))]
# What differs from machine to machine: times, versions, the last digits of numbers, where a loop is stopped.
_VARIES = re.compile(r"\d+\.\d+s\b|\b\d+\.\d+\.\d+(\+\w+)?|\b\de-\d\d\b|(?<=endless\.py:)\d+|\.py:\d+: in ")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples, in a folder with settings of its own that say nothing."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command of the documentation prints: in this process where it is ours, which is quicker."""
    first, *arguments = shlex.split(command)
    if first == "shapelint" and "--timeout" not in arguments:
        run(arguments)
        found = capsys.readouterr()
        return found.out + found.err
    environment = {**os.environ, "COLUMNS": "80", "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    done = subprocess.run(
        [sys.executable, *([] if first == "python" else ["-m", first]), *arguments],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_what_is_to_be_copied_runs_to_the_letter(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.file:
            Path(block.file).write_text(block.text)
        elif block.runs and block.kind == "python":
            subprocess.run([sys.executable, "-c", block.text], check=True, capture_output=True)
        elif block.runs and block.kind == "console":
            for command, expected in block.commands():
                found = printed(command, capsys)
                assert _VARIES.sub("*", found) == _VARIES.sub("*", expected), f"{where}: {command}"
        elif block.runs and block.kind == "shell":
            run_shell(block, capsys)


def run_shell(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs the lines of a block; what pip installs is here, and the tests run already."""
    for line in block.text.splitlines():
        for command in line.split(" && "):
            if command.split()[0] not in ("pip", "pytest", "mkdocs"):
                assert "Error" not in printed(command, capsys)


def test_the_readme_is_for_a_person_in_a_hurry() -> None:
    text = PAGES[0].read_text()
    assert len(text.splitlines()) <= 300
    check = "shapelint check examples/mymodel.py:Net --input 1,3,6,6"
    assert f"```shell\npip install -c constraints.txt . && {check}\n```\n" in text
    assert "```shell\npip install -c constraints.txt -e '.[test]' && pytest\n```\n" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose)
    made = {"rules/index.md"}  # from the rules, when the documentation is built
    assert [link for link in links if link not in made and not (page.parent / link).is_file()] == []


def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    """A page for each rule is there, and every link and anchor leads somewhere."""
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site/rules/SL101.html").read_text()
    assert "A decoder gives back fewer rows than went into the encoder." in page
    assert "deconv gives back 5x5" in re.sub("<[^>]*>", "", (tmp_path / "site/rules/index.html").read_text())
