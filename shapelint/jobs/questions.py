"""What is asked of the system and raises no event that could be heard: `os.stat` and its kin, the environment.

Functions of `os` are replaced by ones that note who asks what, and answer as before. Python's own way of finding
modules does not come by here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

from shapelint.source.ownership import is_own

Note = Callable[[str, str], None]

_PATHS: Final = frozenset({"os", "posixpath", "ntpath", "genericpath", "pathlib", "glob", "fnmatch", "shutil"})
_BETWEEN: Final = _PATHS | {"os", "_collections_abc", "collections"}
_KIND: Final = frozenset(
    {"exists", "lexists", "isfile", "isdir", "islink", "is_file", "is_dir", "is_symlink", "_joinrealpath", "realpath"}
)
_SIZE: Final = "getsize"


def asker(depth: int) -> FrameType:
    """The frame that asks, behind those of Python's modules for paths and mappings."""
    frame = sys._getframe(depth)
    while _module(frame) in _BETWEEN and frame.f_back is not None:
        frame = frame.f_back
    return frame


def behind_python(depth: int) -> str:
    """The file of the code behind all that belongs to Python's library."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and frame.f_back is not None and _of_python(frame):
        frame = frame.f_back
    return "" if frame is None else frame.f_code.co_filename


def hear_questions(note: Note) -> None:
    """Notes what is asked of the system about paths, as `present.answer` answers it."""
    os.stat = _asked(os.stat, lambda frame, links: _about("stat" if links else "lstat", frame), note)
    os.lstat = _asked(os.lstat, lambda frame, _: _about("lstat", frame), note)
    os.readlink = _asked(os.readlink, lambda *_: "link", note)
    plain = os.access

    def access(path: Any, mode: int, **options: Any) -> bool:
        _tell(note, f"access {mode}", path, options)
        return plain(path, mode, **options)

    _replace(plain, access)
    os.access = access


def _asked(plain: Any, question: Callable[[FrameType, bool], str], note: Note) -> Any:
    """The function, which notes its question first."""

    def asking(path: Any, **options: Any) -> Any:
        frame = sys._getframe(1)
        if _module(frame) != "linecache":
            _tell(note, question(frame, options.get("follow_symlinks", True)), path, options)
        return plain(path, **options)

    asking.__name__ = asking.__qualname__ = plain.__name__
    _replace(plain, asking)
    return asking


def _tell(note: Note, question: str, path: Any, options: dict[str, Any]) -> None:
    if options.get("dir_fd") is None and isinstance(path, (str, bytes, os.PathLike)):
        file = os.fsdecode(path)
        if not is_own(asker(3).f_code.co_filename):
            note(question, os.path.abspath(file))


def _replace(plain: Any, made: Any) -> None:
    """What Python says that a function supports, its replacement supports."""
    for supported in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if plain in supported:
            supported.add(made)


def _about(question: str, frame: FrameType | None) -> str:
    """What is really asked: `os.path.exists` looks at no time of change."""
    link = question == "lstat"
    while frame is not None and _module(frame) in _PATHS:
        if frame.f_code.co_name in _KIND:
            return "kind-of-link" if link else "kind"
        if frame.f_code.co_name == _SIZE:
            return "size"
        frame = frame.f_back
    return question


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _of_python(frame: FrameType) -> bool:
    return _module(frame) in sys.stdlib_module_names and _module(frame) != "__main__"


def hear_environment(one: Callable[[str], None], whole: Callable[[], None]) -> None:
    """Notes each variable that is read, or that all are."""
    kind = type(os.environ)
    plain, iterate = kind.__getitem__, kind.__iter__

    def getitem(environment: Any, name: Any) -> Any:
        if isinstance(name, (str, bytes)) and not is_own(asker(2).f_code.co_filename):
            one(os.fsdecode(name))
        return plain(environment, name)

    def each(environment: Any) -> Iterator[Any]:
        if not is_own(asker(2).f_code.co_filename):
            whole()
        return iterate(environment)

    kind.__getitem__ = getitem  # type: ignore[method-assign]
    kind.__iter__ = each  # type: ignore[method-assign]
    system: Any = sys.modules.get("posix")
    if system is not None:
        system.environ = _raw(system.environ, whole)


def _raw(environment: dict[bytes, bytes], whole: Callable[[], None]) -> dict[bytes, bytes]:
    """The environment as Python found it when it began; whatever is read of it, all is noted."""

    def told(name: str) -> Callable[..., Any]:
        def method(self: dict[bytes, bytes], *arguments: Any) -> Any:
            whole()
            return getattr(dict, name)(self, *arguments)

        return method

    names = ("__getitem__", "__iter__", "__contains__", "__len__", "get", "keys", "values", "items", "copy")
    return type("dict", (dict,), {name: told(name) for name in names})(environment)  # type: ignore[no-any-return]
