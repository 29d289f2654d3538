"""What a check imported, so that a process which stands ready for the next one has imported the packages before."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shapelint.errors import ShapelintError
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import file_of, installed
from shapelint.source.syntax import file_tree

_PLACES: Final = ("site-packages", "dist-packages")
_WORDS: Final = (b"environ", b"putenv", b"sys.path", b"sys.modules")
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Imports:
    """Installed modules with their files, in the order of their import, and what has to be as it was for them to be.

    `heads` tell of the user's files what runs as they are imported, at a time of change; `places` are the folders of
    packages, whose time changes where one is installed.
    """

    modules: tuple[tuple[str, str], ...] = ()
    heads: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def told(cls, data: bytes) -> Imports:
        """What a child told of its imports; none where that is not readable."""
        try:
            modules, heads, places = json.loads(data)
            return cls(tuple(map(tuple, modules)), {file: tuple(known) for file, known in heads.items()}, dict(places))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def stand(self) -> bool:
        """Whether the user's files would import the same again, and no package was installed since."""
        same = all(_time(file) == known[0] or head(file) == known[1] for file, known in self.heads.items())
        return same and all(_time(place) == time for place, time in self.places.items())

    def bring(self) -> None:
        """Imports the modules in their order; raises ShapelintError where one is found elsewhere now."""
        for name, file in self.modules:
            module = call_foreign(importlib.import_module, name)
            if file_of(module) != file:
                raise ShapelintError(f"{name} was imported from {file}")


@dataclass(slots=True)
class Importing:
    """Sees what is imported from where it is made on; `watch` it where the user's code runs."""

    _before: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))
    _since: int = 0
    _targets: Mapping[str, int] = field(default_factory=dict)
    _touched: bool = False

    def watch(self, targets: Iterable[str]) -> None:
        """Notes from now on whether the user's code sets a variable of the environment, which packages may read."""
        files = (target.rpartition(":")[0] or target for target in targets)
        self._since, self._targets = time.time_ns(), {file: _time(file) for file in files}
        for name in ("putenv", "unsetenv"):
            setattr(os, name, self._noting(getattr(os, name)))

    def data(self) -> bytes:
        """For `Imports.told`; nothing where variables were set, or a file was saved meanwhile."""
        found = [(name, file_of(module)) for name, module in list(sys.modules.items()) if name not in self._before]
        modules = [(name, file) for name, file in found if file and installed(file) and os.path.isfile(file)]
        own = {file: _time(file) for _, file in found if file and not installed(file)}
        if self._touched or any(changed != self._targets.get(file, changed) for file, changed in own.items()):
            return b""
        if any(changed > self._since for file, changed in own.items() if file not in self._targets):
            return b""
        places = {_place(file) for _, file in modules}
        heads = {file: (changed, head(file)) for file, changed in own.items()}
        return json.dumps([modules, heads, {place: _time(place) for place in places}]).encode()

    def _noting(self, function: Callable[..., None]) -> Callable[..., None]:
        def noted(*args: Any) -> None:
            frame = sys._getframe(1)
            while frame.f_back is not None and frame.f_globals.get("__name__") in ("os", "_collections_abc"):
                frame = frame.f_back
            self._touched = self._touched or not installed(frame.f_code.co_filename)
            function(*args)

        return noted


def head(file: str) -> str:
    """What of a file runs when it is imported, as a digest; all of it where it deals with how modules are found."""
    whole = file_tree(file, words=_WORDS)
    if whole is not None:
        return _digest(whole)
    tree = file_tree(file)
    return "" if tree is None else _digest(*(each for each in tree.body if not isinstance(each, _DEFINITIONS)))


def _digest(*nodes: ast.AST) -> str:
    return hashlib.sha256("\n".join(map(ast.dump, nodes)).encode()).hexdigest()


def _place(file: str) -> str:
    """The folder of packages that a file lies in; its own where it lies in none."""
    return next((str(each) for each in Path(file).parents if each.name in _PLACES), os.path.dirname(file))


def _time(path: str) -> int:
    """When a file or the names in a folder last changed; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
