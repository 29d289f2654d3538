"""The GitHub Action and the descriptor for MegaLinter do on files what they say, as far as a shell can try them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fabricated import MODEL

ROOT = Path(__file__).parent.parent.parent
yaml = pytest.importorskip("yaml")


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text())


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my net.py").write_text(MODEL.replace("class Net", "# shapelint: input=1,3,6,6\nclass Net"))
    Path("bin").mkdir()
    Path("bin/shapelint").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shapelint "$@"\n')
    Path("bin/shapelint").chmod(0o755)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path('bin').absolute()}{os.pathsep}{os.environ['PATH']}", **more}


def run_action(**given: str) -> tuple[int, str, str]:
    """The exit code, the output and the step's own output of the action with some inputs, the others as they are."""
    action = read("action.yml")
    inputs = {name: each["default"] for name, each in action["inputs"].items()} | given
    step = action["runs"]["steps"][1]
    chosen = {key: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")] for key, value in step["env"].items()}
    # What GitHub does with `shell: bash`.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    told = environment(**chosen, GITHUB_OUTPUT="told.txt")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=told)
    return done.returncode, done.stdout, Path("told.txt").read_text()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_action_annotates_or_writes_sarif() -> None:
    code, out, told = run_action(targets="'my net.py' $(touch injected)")
    assert (code, told) == (2, "exit-code=2\n")  # there is no file `$(touch`
    assert not Path("injected").exists()
    assert "::error file=my net.py,line=9" in out
    Path("told.txt").unlink()
    code, out, told = run_action(args="--no-confirm --select 'SL1'", sarif="sizes.sarif")
    assert (code, out, told) == (1, "", "exit-code=1\n")
    assert '"ruleId": "SL101"' in Path("sizes.sarif").read_text()


def test_the_action_is_one_that_github_reads() -> None:
    action = read("action.yml")
    assert action["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"])
    assert all("description" in each and isinstance(each["default"], str) for each in action["inputs"].values())


def test_the_descriptor_calls_the_hook() -> None:
    linter = read("mega-linter-plugin-shapelint/shapelint.megalinter-descriptor.yml")["linters"][0]
    command = [linter["cli_executable"], *linter["cli_lint_extra_args"], "my net.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 1
    assert "1 error in my net.py:Net at 1,3,6,6" in done.stdout
