"""Says in one line what the user's code raised, and where in the user's own files."""

from __future__ import annotations

import functools
import os
import sysconfig
import traceback
from pathlib import Path
from typing import Final

_FOLDERS: Final = tuple(
    str(folder) + os.sep
    for folder in (
        Path(__file__).resolve().parent.parent,
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
    )
)


@functools.cache
def installed(file: str) -> bool:
    """Whether a source file belongs to Python, to an installed package or to shapelint, and not to the user."""
    parts = Path(file).parts
    return file.startswith(("<", *_FOLDERS)) or "site-packages" in parts or "dist-packages" in parts


def described(error: BaseException) -> str:
    """The type and the text of an exception, in one line of at most some 300 characters."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    line = " ".join(text.split())
    return f"{type(error).__name__}: {line[:297] + '...' if len(line) > 300 else line}".removesuffix(": ")


def place(error: BaseException) -> str:
    """` (file:line)` of the innermost line of the user's that led to the exception; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({shown(error.filename)}:{error.lineno})"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not installed(frame.filename)]
    return f" ({shown(own[-1].filename)}:{own[-1].lineno})" if own else ""


def shown(file: str) -> str:
    """The path from the current directory where the file lies in it, else as it is."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
