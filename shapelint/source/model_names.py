"""The models that a source file seems to have, read without importing it, for errors that name what was meant."""

from __future__ import annotations

import ast
import difflib
import re
from pathlib import Path

from shapelint.caches import kept
from shapelint.errors import TargetError
from shapelint.source.encoding import decoded
from shapelint.source.syntax import file_tree

_SHOWN = 3


def model_names(file: str) -> tuple[str, ...]:
    """The classes at the top level that derive from a `Module`, directly or by one another, in the file's order."""
    tree = file_tree(file)
    return () if tree is None else _names(tree)


@kept(8)
def _names(tree: ast.Module) -> tuple[str, ...]:
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
            if any(base.endswith("Module") or base in found for base in bases):
                found.append(node.name)
    return tuple(found)


def shown_targets(file: str) -> str:
    """Targets in the file to choose from, the last classes first: a network stands below its parts."""
    names = model_names(file)[::-1]
    if not names:
        return f"{file}:Net"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"{file}:{name}" for name in names[:_SHOWN]) + more


def check_name(file: str, name: str, target: str) -> None:
    """TargetError where the file never speaks of the name, and has a model of nearly that name."""
    names = model_names(file)
    near = [] if name in names else difflib.get_close_matches(name, names, 1)
    if near and not re.search(rf"\b{re.escape(name)}\b", decoded(Path(file).read_bytes())[0]):
        raise TargetError(f"target {target!r}: there is no {name!r} in it, did you mean {near[0]!r}?")
