"""Turns source text into an imported module, so that its lines have a file to point at."""

from __future__ import annotations

import importlib.util
import linecache
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType


@lru_cache(maxsize=1)
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="drawn-"))


@lru_cache(maxsize=4096)
def load(source: str, stem: str) -> ModuleType:
    """The module with this source, written to a file of its own."""
    path = _folder() / f"{stem}.py"
    path.write_text(source)
    linecache.checkcache(str(path))
    # Python takes a file of the same size and second for unchanged.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    return _executed(path)


@lru_cache(maxsize=4096)
def load_path(path: Path) -> ModuleType:
    """The module in a file, under its stem as name."""
    return _executed(path)


def _executed(path: Path) -> ModuleType:
    """The file as it is now: the byte code that Python keeps is as good as new for a second after each change."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    return module
