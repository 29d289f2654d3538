"""Somebody else's package with a rule of its own, installed as a person does it, and tested as its author does it."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from shapelint.cli.app import run

PLUGIN = Path(__file__).parent.parent.parent / "examples" / "plugin"


def call(*arguments: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the plugin, without network; its source lies beside it."""
    pytest.importorskip("pip", reason="pip installs the plugin")
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools 77 or newer builds the plugin")
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(PLUGIN, folder / "source")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    call("pip", "install", *options, "--target", "library", "./source", folder=folder)
    return folder / "library"


def test_the_tests_of_the_plugin_pass(installed: Path) -> None:
    source = installed.parent / "source"
    told = call("pytest", "-q", "-p", "no:cacheprovider", folder=source, PYTHONPATH=str(installed))
    assert "2 passed" in told


def test_the_rule_of_the_plugin_stands_beside_ours(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    importlib.invalidate_caches()
    assert run(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["CB101", "uneven-overlap"]
    assert lines[1].split()[:2] == ["SL101", "round-trip-size"]
    assert run(["explain", "uneven-overlap"]) == 0
    assert "`up` has kernel 3 and stride 2" in capsys.readouterr().out
