"""Source files with other texts, for a while: the user's modules are imported from these and nothing is written.

Only what an earlier load imported from the target's folders is forgotten for that time; all is put back at the end.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

from shapelint.source.encoding import decoded, lines_of

_texts: Final[dict[str, bytes]] = {}


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its file as it is now, or from another text; nothing compiled is read or written.

    What Python has compiled is as good as new to it where the file has the same size and changed in the same second.
    """

    def get_data(self, path: str) -> bytes:
        return _texts[path] if path in _texts else super().get_data(path)

    def path_stats(self, path: str) -> Mapping[str, float]:
        raise OSError


class _Finder(MetaPathFinder):
    """Finds modules as Python does, and gives those with another text their loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or spec.origin not in _texts:
            return None
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=loader(name, spec.origin),
            submodule_search_locations=spec.submodule_search_locations)  # fmt: skip


def text_of(file: str) -> bytes | None:
    """The other text that a file has for now; None where it has its own."""
    return _texts.get(file)


def loader(name: str, file: str) -> importlib.machinery.SourceFileLoader:
    """What loads a file: its other text where it has one for now."""
    return _Loader(name, file)


@contextlib.contextmanager
def overlaid(texts: Mapping[str, bytes], imported: dict[str, tuple[Path, float]]) -> Iterator[None]:
    """The state in which files have other texts; `imported` names the modules that are to be imported again."""
    kept, known = dict(imported), {name: sys.modules.pop(name) for name in imported if name in sys.modules}
    finder = _Finder()
    imported.clear()
    _texts.update(texts)
    sys.meta_path.insert(0, finder)
    try:
        with _other_lines(texts):
            yield
    finally:
        sys.meta_path.remove(finder)
        _texts.clear()
        for name in imported:
            sys.modules.pop(name, None)
        imported.clear()
        imported.update(kept)
        sys.modules.update(known)


@contextlib.contextmanager
def _other_lines(texts: Mapping[str, bytes]) -> Iterator[None]:
    """What asks for lines of the source gets those of the other texts."""
    kept = {file: linecache.cache.pop(file, None) for file in texts}
    for file, data in texts.items():
        lines = lines_of(decoded(data)[0])
        linecache.cache[file] = (len(data), None, lines, file)
    try:
        yield
    finally:
        for file, entry in kept.items():
            linecache.cache.pop(file, None)
            if entry is not None:
                linecache.cache[file] = entry
