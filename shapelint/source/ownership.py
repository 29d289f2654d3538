"""Whose code a source file is: the user's own, or an installed package's, Python's or shapelint's. No torch here."""

from __future__ import annotations

import builtins
import os
import re
import sys
import sysconfig
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Final

from shapelint.caches import kept

OWN_FOLDER: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OUTERMOST: Final = Path(OWN_FOLDER, "jobs", "worker.py")
_PYTHON: Final = tuple(
    str(folder) + os.sep for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
)
_LINE: Final = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)
_FOREIGN: Final = frozenset({"torch", "numpy", "shapelint", "builtins", *sys.stdlib_module_names} - {"__main__"})

_MODULE: Final = "<module>"

Frame = tuple[str, int, str]


def is_own(file: str) -> bool:
    """Whether a source file belongs to shapelint itself: it lies in the package's folder."""
    return file.startswith(OWN_FOLDER)


@kept(16384)
def installed(file: str) -> bool:
    """Whether a source file belongs to Python, to an installed package or to shapelint, and not to the user.

    What a user types at IPython's prompt has a name in angle brackets, as generated code has.
    """
    if file.startswith("<ipython-input-"):
        return False
    parts = Path(file).parts
    return file.startswith(("<", OWN_FOLDER, *_PYTHON)) or "site-packages" in parts or "dist-packages" in parts


def file_of(module: object) -> str | None:
    """The file that a module says it comes from; None where it says nothing, or something else than a text.

    What lies in sys.modules may be anything, and may answer by code of its own.
    """
    return _text(module, "__file__") or None


def prompt_of(file: str) -> str | None:
    """The prompt of the cell that IPython keeps under the name of a file, `In[3]`; None where it keeps none."""
    ours = "ipykernel_" in file or file.startswith("<ipython-input-")
    shell = getattr(builtins, "get_ipython", lambda: None)() if ours else None
    ask = getattr(getattr(shell, "compile", None), "format_code_name", None)
    named = None if ask is None else ask(file)
    return None if named is None else str(named[-1])


def shown(file: str) -> str:
    """The path from the current directory where the file lies in it, else as it is; a cell of IPython by its prompt."""
    path, prompt = Path(file), prompt_of(file)
    if prompt is not None:
        return prompt
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def dumped_frames(dump: str) -> list[Frame]:
    """The file, line and function of each frame in what Python's faulthandler wrote, innermost first."""
    return [(each["file"], int(each["line"]), each["function"]) for each in _LINE.finditer(dump)]


def place_in(frames: Iterable[Frame]) -> str:
    """` at net.py:7, in forward` of the innermost frame, the user's before an installed model's; "" without one.

    Frames of torch, Python and shapelint tell nobody where a model hangs, nor do those that led to the check.
    """
    inside = takewhile(lambda frame: Path(frame[0]) != _OUTERMOST, frames)
    known = [frame for frame in inside if not frame[0].startswith(("<", OWN_FOLDER))]
    users = [frame for frame in known if not installed(frame[0])]
    packages = [frame for frame in known if "-packages" in frame[0] and "torch" not in Path(frame[0]).parts]
    for file, line, function in [*users[:1], *packages[:1]]:
        start, start_line, outermost = users[-1] if users else (file, line, function)
        imported = outermost == _MODULE and function != _MODULE
        importing = f", run by the import at {shown(start)}:{start_line}" if imported else ""
        return f" at {shown(file)}:{line}, in {function}{importing}"
    return ""


@kept(16384)
def is_foreign(name: str | None) -> bool:
    """Whether a module of this name is torch's, numpy's, the standard library's or ours."""
    return (name or "builtins").partition(".")[0] in _FOREIGN


def module_of(kind: object) -> str:
    """The name of the module that a class or a function says it comes from; "" where it says none.

    A class that `type` made in a namespace without a name has no `__module__`; a metaclass answers by its own code.
    """
    return _text(kind, "__module__")


def _text(owner: object, name: str) -> str:
    """The text in an attribute; "" where there is none, where it is something else, or where asking for it raises."""
    try:
        found = getattr(owner, name, None)
    except Exception:
        return ""
    return found if isinstance(found, str) else ""


def is_foreign_class(kind: type) -> bool:
    """Whether a class is torch's, numpy's, the standard library's or ours; one without a module is the user's."""
    name = module_of(kind)
    return name != "" and is_foreign(name)
