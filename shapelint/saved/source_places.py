"""The line of the source that a step was exported from, out of the stack trace that an exporter wrote into the file.

What a file says is not trusted: a source that is there is shown only where it lies below the current folder or beside
the file, so that no file can have a line of any other file printed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from shapelint.saved.graph import Place
from shapelint.source.ownership import installed

_LINE: Final = re.compile(r'File "([^"\n]{1,512})", line (\d{1,7})')


def place_in(trace: str, file: Path) -> Place | None:
    """The innermost line of a stack trace that is no installed package's; None without one."""
    for name, line in reversed(_LINE.findall(trace)):
        if not installed(name) and _may_be_shown(name, file):
            return Place(str(Path(name).absolute()), max(int(line), 1))
    return None


def _may_be_shown(name: str, file: Path) -> bool:
    try:
        path = Path(name).absolute()
        if not path.exists():
            return True
        real = path.resolve()
        return real.suffix == ".py" and any(
            real.is_relative_to(folder) for folder in (Path.cwd().resolve(), file.resolve().parent)
        )
    except (OSError, ValueError):
        return False
