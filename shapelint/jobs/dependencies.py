"""What the result of a check depends on, seen while it was done: files, environment variables and names of modules.

The process that checks keeps `Watching` on: every file that the user's code opens, every variable that it reads and
every module that it looks for is written down, also where there was none. What a cache cannot answer, since it has an
effect or an origin outside of this machine's files, is a reason not to keep the result at all.
Not seen: the time, random numbers that nobody seeded, and what compiled code reads by itself.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shapelint.source.ownership import file_of, installed, is_own

Data = dict[str, Any]

_OUTSIDE: Final = ("socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
FOLDER: Final = ".shapelint_cache"
_MADE: Final = frozenset({FOLDER, "__pycache__"})
_SYSTEM: Final = ("/proc/", "/sys/", "/dev/")
_BETWEEN: Final = (os.__file__, "<frozen os>", "<frozen _collections_abc>")
SET_HERE: Final = ("ORT_DISABLE_TELEMETRY",)


class Watching:
    """Notes what this process depends on, from when it is made to the end of the process."""

    def __init__(self) -> None:
        self.since = time.time_ns()
        self.reason = ""
        self._opened: dict[str, None] = {}
        self._written: set[str] = set()
        self._listed: dict[str, None] = {}
        self._names: set[str] = set()
        self._variables: dict[str, str | None] = {}
        self._before = dict(os.environ)
        # Found before the hook is there: looking for it takes a lock and opens a file, which the hook hears.
        self._temporary = tempfile.gettempdir() + os.sep
        self._events: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            "os.listdir": self._list,
            "os.scandir": self._list,
            "import": self._import,
            **{event: self._outside(event) for event in _OUTSIDE},
        }
        sys.addaudithook(self._note)
        self._note_environment()

    def data(self, folders: Iterable[str], target: str = "") -> Data | None:
        """All that was seen, as plain data; None where the result is not to be kept.

        `folders` are those in which the target's modules are looked for first; `target` may be a file that compiled
        code has read.
        """
        files = [file for module in list(sys.modules.values()) if (file := file_of(module))]
        own = {
            os.path.abspath(file): None
            for file in (*files, *self._opened, *([target] if os.path.isfile(target) else ()))
            if not installed(str(file))
        }
        contents = {file: content(file) for file in own if file not in self._written}
        if self.reason or any(_changed(file) > self.since for file in contents):
            return None
        names = {name.partition(".")[0] for name in (*sys.modules, *self._names)}
        return {
            "contents": contents,
            "stamps": _by_folder(file for file in files if installed(file)),
            "listings": {folder: listing(folder) for folder in self._listed},
            "names": sorted(names),
            "shadows": {folder: shadows(folder, names) for folder in folders},
            "variables": self._variables,
        }

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        noted = self._events.get(event)
        if noted is not None:
            noted(arguments)

    def _open(self, arguments: tuple[Any, ...]) -> None:
        path, mode, flags = arguments
        if not isinstance(path, str) or path.startswith(_SYSTEM) or "__pycache__" in path or installed(path):
            return
        file = os.path.abspath(path)
        if set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            self._written.add(file)
            if not file.startswith(self._temporary):
                self.reason = f"it writes {file}"
        elif not os.path.isdir(file):
            self._opened[file] = None

    def _list(self, arguments: tuple[Any, ...]) -> None:
        path = arguments[0]
        importing = "importlib" in sys._getframe(2).f_code.co_filename
        if isinstance(path, str) and not importing and not installed(path):
            self._listed[os.path.abspath(path)] = None

    def _import(self, arguments: tuple[Any, ...]) -> None:
        self._names.add(str(arguments[0]))

    def _outside(self, event: str) -> Callable[[tuple[Any, ...]], None]:
        def noted(_: tuple[Any, ...]) -> None:
            self.reason = f"it calls {event}"

        return noted

    def _note_environment(self) -> None:
        """Notes the variables that are read; each has the value that it had at the start."""
        kind = type(os.environ)
        plain = kind.__getitem__

        def getitem(environment: Any, name: str) -> str:
            if isinstance(name, str) and name not in SET_HERE and not _asked_by_us():
                self._variables[name] = self._before.get(name)
            return plain(environment, name)

        kind.__getitem__ = getitem  # type: ignore[method-assign]


def _asked_by_us() -> bool:
    """Whether shapelint reads the environment, to give it back as it was."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename in _BETWEEN:
        frame = frame.f_back
    return is_own(frame.f_code.co_filename)


@dataclass(slots=True)
class Present:
    """Compares what was seen with what is there now; each file is looked at once."""

    _contents: dict[str, str]
    _stamps: dict[str, tuple[int, int] | None]

    @staticmethod
    def fresh() -> Present:
        """A comparison that has looked at nothing yet."""
        return Present({}, {})

    def agrees(self, seen: Mapping[str, Any]) -> bool:
        """Whether nothing has changed of all that was seen."""
        names = set(seen["names"])
        return (
            all(os.environ.get(name) == value for name, value in seen["variables"].items())
            and all(self._content(file) == digest for file, digest in seen["contents"].items())
            and all(listing(folder) == found for folder, found in seen["listings"].items())
            and all(shadows(folder, names) == found for folder, found in seen["shadows"].items())
            and all(self._stamp(file) == value for file, value in _flat(seen["stamps"]))
        )

    def _content(self, file: str) -> str:
        if file not in self._contents:
            self._contents[file] = content(file)
        return self._contents[file]

    def _stamp(self, file: str) -> tuple[int, int] | None:
        if file not in self._stamps:
            self._stamps[file] = stamp(file)
        return self._stamps[file]


def content(file: str) -> str:
    """What is in a file, as a digest; "" where there is no file."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def listing(folder: str) -> str:
    """What names are in a folder, but for those that a check itself makes there; "" where there is no folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if name not in _MADE)
        return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()
    except OSError:
        return ""


def shadows(folder: str, names: set[str]) -> list[str]:
    """The names that a folder has a module or a package for."""
    try:
        return sorted({entry.partition(".")[0] for entry in os.listdir(folder)} & names)
    except OSError:
        return []


def stamp(file: str) -> tuple[int, int] | None:
    """The time of change and the size of a file; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _changed(file: str) -> int:
    found = stamp(file)
    return 0 if found is None else found[0]


def _by_folder(files: Iterable[str]) -> Data:
    """Stamps of files, by folder and name, which keeps a cache small."""
    found: Data = {}
    for file in files:
        folder, name = os.path.split(file)
        value = stamp(file)
        found.setdefault(folder, {})[name] = None if value is None else list(value)
    return found


def _flat(stamps: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[int, int] | None]]:
    for folder, each in stamps.items():
        for name, value in each.items():
            yield f"{folder}/{name}", None if value is None else (value[0], value[1])
