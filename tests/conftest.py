"""What every test stands on: pytest's own tester for the plugin, and the networks of installed packages."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable

import pytest

from benchmarks.packages.entry import Entry
from benchmarks.packages.lists import LISTS, entries, installed

pytest_plugins = ["pytester"]

# What runners of CI set: pytest cuts no line there, and colours are asked for or forbidden.
_OF_A_RUNNER = ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "COLUMNS")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a runner in the background has it ignored, and all it starts


@pytest.fixture(autouse=True)
def _as_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is what a person sees, wherever the tests run."""
    for name in _OF_A_RUNNER:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def network() -> Callable[[str], Entry]:
    """Finds a network of the lists by its name; the test is skipped where its package is not installed."""

    def found(name: str) -> Entry:
        listed = name.split()[0]
        if not installed(listed):
            pytest.skip(f"{LISTS[listed][0]} is not installed (tests/zoo.txt)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(entry for entry in entries(listed) if entry.name == name)

    return found
