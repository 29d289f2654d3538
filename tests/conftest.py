"""What every test stands on: pytest's own tester for the plugin, and the networks of installed packages."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

from benchmarks.packages.entry import Entry
from benchmarks.packages.lists import LISTS, entries, installed

pytest_plugins = ["pytester"]


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
