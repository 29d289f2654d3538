"""Finds the source file of a module without importing anything, not even its packages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder

from shapelint.errors import TargetError


def module_file(module: str, folder: str, target: str) -> str | None:
    """The source file of a module, looked for in a folder first; None where it has none, such as a compiled one.

    TargetError that names `target` where there is no such module.
    """
    folders: list[str] | None = None
    spec = None
    for depth, part in enumerate(module.split("."), 1):
        spec = _top(part, folder) if folders is None else PathFinder.find_spec(part, folders)
        if spec is None:
            name = ".".join(module.split(".")[:depth])
            raise TargetError(f"target {target!r}: there is no module {name!r} here or in the environment")
        folders = list(spec.submodule_search_locations or ())
    return spec.origin if spec and spec.origin and spec.origin.endswith(".py") else None


def _top(name: str, folder: str) -> ModuleSpec | None:
    """A module that is in no package; the finders of editable installs are asked too."""
    if not name:
        return None  # other finders fail at it
    found = PathFinder.find_spec(name, [folder, *sys.path])
    finders = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_spec")]
    places: Sequence[ModuleSpec | None] = [finder.find_spec(name, None) for finder in finders] if found is None else ()
    return next((place for place in places if place is not None), found)


def top_module(name: str) -> str | None:
    """The source file of a module that is in no package; None where there is none."""
    found = _top(name, "")
    return None if found is None else found.origin
