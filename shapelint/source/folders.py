"""The Python files of a folder, and the project that a file belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

_MARKS: Final = ("pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg")
_BESIDE: Final = ("tests", "test", "examples", "scripts", "configs", "config", "conf")
_HIGHEST: Final = 6


def python_files(folder: str = ".", endings: tuple[str, ...] = (".py",)) -> Iterator[str]:
    """The Python files below a folder, or those of other endings, in a fixed order; none of hidden folders."""
    for here, files in walked(folder):
        # What is no file is passed over, such as the broken links that editors make as locks.
        found = (os.path.normpath(Path(here, file)) for file in files if file.endswith(endings))
        yield from (file for file in found if os.path.isfile(file))


def walked(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Each folder below one, itself included, with the names of its files."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if _searched(Path(here, each)))
        yield here, sorted(files)


def project_files(file: str, most: int, endings: tuple[str, ...] = (".py",)) -> Iterator[str]:
    """The Python files of the project of a file, by their real paths; its folder's where nothing marks a project."""
    folder = Path(os.path.realpath(file)).parent
    root = next((each for each in [folder, *folder.parents][:_HIGHEST] if _is_project(each)), None)
    if root is not None:
        yield from islice(python_files(str(root), endings), most)
        return
    beside = [str(each) for each in sorted(folder.glob("*")) if each.name.endswith(endings) and each.is_file()]
    below = [each for name in _BESIDE for each in python_files(str(folder / name), endings)]
    yield from islice([*beside, *below], most)


def _is_project(folder: Path) -> bool:
    return any(os.path.exists(folder / mark) for mark in _MARKS) and folder != Path.home()


def _searched(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in ("__pycache__", "node_modules", "site-packages")
    return not hidden and not os.path.exists(folder / "pyvenv.cfg")  # False in a folder that cannot be read
