"""Which files import others that have changed, found by reading them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from shapelint.source.import_graph import ImportGraph


def importers(changed: frozenset[str], files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Those of `files`, each with its project's folder, that import one of the changed files, directly or not.

    A file that is gone is imported by what has its name in it. All paths are real ones.
    """
    graph = ImportGraph()
    gone = [os.fsencode(Path(file).stem) for file in changed if not os.path.isfile(file)]
    for file, folder in files:
        reached = list(graph.reached(file, folder))
        if not changed.isdisjoint(reached) or any(word in _bytes(each) for each in reached if gone for word in gone):
            yield file


def _bytes(file: str) -> bytes:
    with suppress(OSError):
        return Path(file).read_bytes()
    return b""
