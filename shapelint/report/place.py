"""Source places as a person reads them: the path from here, and the line with the place marked."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from shapelint.errors import escaped
from shapelint.source.notebook import SOURCES
from shapelint.source.ownership import prompt_of
from shapelint.source.span import Span


def short_path(file: str) -> str:
    """The path from the current directory where it lies in it, else as it is; a cell of IPython by its prompt."""
    path, prompt = Path(file), prompt_of(file)
    if prompt is not None or not path.is_absolute():
        return prompt or file
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


def short_place(span: Span) -> str:
    """`file:line:column` with the short path."""
    return f"{escaped(short_path(span.file))}:{span.line}:{span.column}"


def target_path(target: str) -> str:
    """A file for what has no place in a file: the target's own, by its name, whether it lies here or in a package."""
    module = target.rpartition(":")[0] or target
    if module.endswith(SOURCES):
        return short_path(module)
    path = Path(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py", "src" / path.with_suffix(".py"))
    return next((str(each) for each in candidates if each.is_file()), str(path))


def marked_line(span: Span) -> tuple[str, str] | None:
    """The span's first line and the marks to stand under it; None where the source is gone."""
    line = span.text()
    if not line.strip():
        return None
    stop = span.end_column if span.end_line == span.line else len(line) + 1
    before, inside = line[: span.column - 1], line[span.column - 1 : stop - 1]
    marks = " " * _width(before) + "^" * max(_width(inside), 1)
    return "".join(each if each.isprintable() else " " for each in line), marks


def _width(text: str) -> int:
    """The columns that a terminal gives to the text: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
