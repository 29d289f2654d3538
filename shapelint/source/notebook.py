"""A Jupyter notebook as Python: its code cells in order, without the lines that only IPython reads.

The lines of a cell stay where they are. In a report a cell is a file of its own, `net.ipynb:cell 3`, counted from 1,
cells of text included, as editors count them.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shapelint.errors import TargetError
from shapelint.source.encoding import UNPARSED, why_unparsed
from shapelint.source.ownership import shown

ENDING: Final = ".ipynb"
SOURCES: Final = (".py", ENDING)  # how the names of files end that are Python to read
_CELL: Final = f"{ENDING}:cell "
_MAGIC: Final = re.compile(r"^(?P<indent>\s*)(%|!|\?|[\w.]+\?+\s*$|(?P<name>\w+)\s*=\s*[%!]).*$")
_WHOLE_CELL: Final = re.compile(r"^\s*%%(?P<name>\w+)")
_OF_PYTHON: Final = frozenset({"time", "timeit", "capture", "prun"})
_FLAGS: Final = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: the name under which it is a file, its text as Python, and the statements of it.

    `error` says why it is no Python, and then there are no statements.
    """

    file: str
    text: str
    body: tuple[ast.stmt, ...]
    error: str = ""


def cells(path: str | os.PathLike[str]) -> tuple[Cell, ...]:
    """The code cells of a notebook; TargetError where the file cannot be read or is no notebook of Python."""
    file = os.fspath(path)
    try:
        data = json.loads(Path(file).read_bytes())
        sources = list(_sources(data))
    except OSError as error:
        raise TargetError(f"cannot read {shown(file)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TargetError(f"cannot read {shown(file)!r}: it is no Jupyter notebook") from error
    return tuple(_cell(f"{file}:cell {number}", text) for number, text in sources)


def source_of(path: str | os.PathLike[str]) -> bytes:
    """The source of a file; of a notebook that of its cells, one below the other.

    Raises OSError where a file cannot be read, TargetError where a notebook cannot.
    """
    if not os.fspath(path).endswith(ENDING):
        return Path(path).read_bytes()
    return "".join(f"{cell.text}\n" for cell in cells(path) if not cell.error).encode()


def place_in(file: str, line: int) -> tuple[str, int]:
    """The file and line of a line: in a notebook's text, those of its cell."""
    for cell in cells(file) if file.endswith(ENDING) else ():
        length = 0 if cell.error else cell.text.count("\n") + 1
        if line <= length:
            return cell.file, line
        line -= length
    return file, line


def is_cell(file: str) -> bool:
    """Whether a file is a cell of a notebook."""
    return _CELL in file


def remember_lines(file: str) -> None:
    """Makes the lines of a cell known to linecache, from which tracebacks and reports take theirs."""
    if is_cell(file) and file not in linecache.cache:
        remember(cells(file.rpartition(":")[0]))


def remember(found: tuple[Cell, ...]) -> None:
    """Makes the lines of cells known to linecache."""
    for cell in found:
        linecache.cache[cell.file] = (len(cell.text), None, cell.text.splitlines(keepends=True), cell.file)


def _sources(data: Any) -> Iterator[tuple[int, str]]:
    language = data.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise ValueError(language)
    found = data["cells"] if "cells" in data else [cell for sheet in data["worksheets"] for cell in sheet["cells"]]
    for number, cell in enumerate(found, 1):
        if cell["cell_type"] == "code":
            source = cell["source"] if "source" in cell else cell["input"]
            yield number, source if isinstance(source, str) else "".join(source)


def _cell(file: str, source: str) -> Cell:
    first = _WHOLE_CELL.match(source)
    if first and first["name"] not in _OF_PYTHON:
        return Cell(file, "\n" * source.count("\n"), ())
    try:
        return Cell(file, source, _parsed(source, file))
    except UNPARSED:
        text = "\n".join(map(_without_magic, source.split("\n")))
    try:
        return Cell(file, text, _parsed(text, file))
    except UNPARSED as error:
        line = getattr(error, "lineno", None) or 1
        return Cell(file, text, (), f"{why_unparsed(error)} ({shown(file)}:{line})")


def _parsed(text: str, file: str) -> tuple[ast.stmt, ...]:
    tree: Any = compile(text, file, "exec", _FLAGS, dont_inherit=True)
    return tuple(tree.body)


def _without_magic(line: str) -> str:
    """A line of Python in the place of one for IPython; what it would give a name to is None."""
    found = _MAGIC.match(line)
    if found is None:
        return line
    return f"{found['indent']}{found['name']} = None" if found["name"] else f"{found['indent']}pass"
