"""What was meant where a target names no model: the nearest module, class or file."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import ModuleType

from shapelint.source.ownership import file_of, installed


def near_modules(module: str, missing: str) -> list[str]:
    """The full name of the module near to the missing one that lies in the same folder, if any."""
    parent, _, last = missing.rpartition(".")
    folder = Path(*parent.split(".")) if parent else Path()
    names = [path.stem for path in folder.glob("*.py")] + [path.parent.name for path in folder.glob("*/__init__.py")]
    near = difflib.get_close_matches(last, names, 1)
    return [(f"{parent}." if parent else "") + near[0] + module[len(missing) :]] if near else []


def owner_shown(found: object, target: str) -> str:
    """What has no such name: the module as it was named, or a class."""
    return repr(target.rpartition(":")[0]) if isinstance(found, ModuleType) else repr(getattr(found, "__name__", found))


def hidden(found: object, target: str) -> str:
    """What to write where an installed module has the name of a file here, which is meant."""
    where, _, name = target.rpartition(":")
    file = Path(*where.split(".")).with_suffix(".py")
    if where.endswith(".py") or not file.is_file() or not isinstance(found, ModuleType):
        return ""
    own = file_of(found)
    if own is not None and not installed(own):
        return ""
    return f", but an installed module of that name is meant; for the file write '{file}:{name}'"


def models(owner: object, wrong: str) -> str:
    """`, did you mean ...?` with the name of a model in the owner, or the models that it has."""
    from torch import nn

    names = [
        name
        for name, value in vars(owner).items()
        if isinstance(value, nn.Module) or (isinstance(value, type) and issubclass(value, nn.Module))
    ]
    near = difflib.get_close_matches(wrong, names, 1, 0.5)
    if near or not names:
        return meant(near)
    return f"; its models are {', '.join(names[:5])}" + (", ..." if len(names) > 5 else "")


def meant(near: list[str]) -> str:
    """`, did you mean ...?` with the first name; "" where there is none."""
    return f", did you mean {near[0]!r}?" if near else ""


def example(target: str) -> str:
    """A target as it could have been meant."""
    stem = target.rstrip(":")
    return "'pkg.mod:Net' or 'path/file.py:Net'" if not stem or stem.startswith(":") else f"'{stem}:Net'"
