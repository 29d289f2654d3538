"""What the result of a check depends on, seen while it was done: files, environment variables and names of modules.

The process that checks keeps `Watching` on: every file that is opened, every question about a path, every variable
that is read and every module that is looked for is written down, also where there was none. What a cache cannot answer,
since it has an effect or an origin outside of this machine's files, is a reason not to keep the result at all.
Not seen: the time, the times of folders, random numbers that nobody seeded, the name of the machine, and what compiled
code reads by itself outside of the folders that `opens` watches, which are the project's and those asked about.
"""

from __future__ import annotations

import os
import stat as modes
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from shapelint.jobs import present
from shapelint.jobs.opens import Opens
from shapelint.jobs.present import MADE_HERE, SET_HERE, stamp
from shapelint.jobs.questions import behind_python, hear_environment, hear_questions
from shapelint.source.ownership import file_of, installed, is_own

Data = dict[str, Any]

_OUTSIDE: Final = (
    "socket.connect",
    "socket.gethostname",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.listxattr",
    "os.getxattr",
)
_SYSTEM: Final = ("/proc/", "/sys/", "/dev/")
_TOLD: Final = ("/proc/", "/sys/")
_BY_NAME: Final = frozenset({"glob", "os", "pathlib", "shutil"})


class Watching:
    """Notes what this process depends on, from when it is made to the end of the process.

    `folders` are those of the projects: what compiled code opens there is heard too.
    """

    def __init__(self, folders: Iterable[str] = ()) -> None:
        self.since = time.time_ns()
        self.reason = ""
        self._opened: dict[str, None] = {}
        self._written: set[str] = set()
        self._answers: dict[tuple[str, str], Any] = {}
        self._names: set[str] = set()
        self._sought: dict[str, set[str]] = {}
        self._variables: dict[str, str | None] = {}
        self._whole = ""
        self._before = dict(os.environ)
        # Found before the hook is there: looking for it takes a lock and opens a file, which the hook hears.
        self._temporary = tempfile.gettempdir() + os.sep
        self._opens = Opens((os.getcwd(), *folders), without=self._temporary)
        self._events: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            "os.listdir": self._list,
            "os.scandir": self._scan,
            "import": lambda arguments: self._names.add(str(arguments[0])),
            "ctypes.dlopen": self._load,
            "sqlite3.connect": self._connect,
            **{event: self._outside(event) for event in _OUTSIDE},
        }
        sys.addaudithook(self._note)
        sys.meta_path.insert(0, Sought(self._seek))
        hear_questions(self._ask)
        self._note_environment()

    def data(self, folders: Iterable[str], target: str = "") -> Data | None:
        """All that was seen, as plain data; None where the result is not to be kept.

        `folders` are those in which the target's modules are looked for first; `target` may be a file that compiled
        code has read.
        """
        files = [file for module in list(sys.modules.values()) if (file := file_of(module))]
        opened = self._opens.files()
        if self.reason or opened is None:
            return None
        named = (*files, *self._opened, *opened, *([target] if os.path.isfile(target) else ()))
        own = {os.path.abspath(file): None for file in named if not _theirs(file)}
        contents = {file: present.content(file) for file in own if file not in self._written}
        if any(_restless(file, self.since) for file in contents):
            return None
        sought = self._all_sought(folders)
        return {
            "contents": contents,
            "stamps": _by_folder(file for file in files if installed(file)),
            "answers": [[question, path, given] for (question, path), given in self._answers.items()],
            "sought": {each: [sorted(names), present.candidates(each, names)] for each, names in sought.items()},
            "variables": self._variables,
            "environment": self._whole,
        }

    def _all_sought(self, folders: Iterable[str]) -> dict[str, set[str]]:
        """The names of modules that were looked for, by the folder in which they may come to be."""
        names = {name.partition(".")[0] for name in (*sys.modules, *self._names)}
        found = {folder: set(each) for folder, each in self._sought.items()}
        for folder in (*folders, *(each for each in sys.path if isinstance(each, str))):
            if not installed(os.path.join(folder, "")):
                found.setdefault(os.path.abspath(folder), set()).update(names)
        return found

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        noted = self._events.get(event)
        if noted is not None:
            noted(arguments)

    def _open(self, arguments: tuple[Any, ...]) -> None:
        path, mode, flags = arguments
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):
            return
        if path.startswith(_TOLD) and not _foreign(behind_python(3)):
            self.reason = f"it reads {path}"
        if path.startswith(_SYSTEM) or _theirs(path):
            return
        file = os.path.abspath(path)
        if set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            self._written.add(file)
            if not file.startswith(self._temporary):
                self.reason = f"it writes {file}"
        elif not os.path.isdir(file):
            self._opened[file] = None

    def _list(self, arguments: tuple[Any, ...]) -> None:
        if sys._getframe(2).f_code.co_filename != "<frozen importlib._bootstrap_external>":
            self._listed("names", arguments[0])

    def _scan(self, arguments: tuple[Any, ...]) -> None:
        """What is iterated over tells the size and the time of each file; those who ask for names only are known."""
        module = str(sys._getframe(2).f_globals.get("__name__", "")).partition(".")[0]
        self._listed("entries" if module in _BY_NAME else "states", arguments[0])

    def _listed(self, question: str, path: Any) -> None:
        if isinstance(path, (str, bytes)) or path is None:
            self._ask(question, os.path.abspath(os.fsdecode(path or ".")))

    def _ask(self, question: str, path: str) -> None:
        """Notes a question with the answer that there was when it was asked first."""
        if (question, path) in self._answers or path.startswith(_SYSTEM) or _theirs(path):
            return
        self._answers[question, path] = None  # an answer asks too
        self._answers[question, path] = present.answer(question, path)
        self._opens.add(os.path.dirname(path))

    def _seek(self, name: str, path: Sequence[str] | None) -> None:
        if path is None:
            self._names.add(name)
        for folder in path or ():
            if isinstance(folder, str) and not installed(os.path.join(folder, "")):
                self._sought.setdefault(os.path.abspath(folder), set()).add(name.rpartition(".")[2])

    def _load(self, _: tuple[Any, ...]) -> None:
        if not _foreign(behind_python(3)):
            self.reason = "it calls compiled code"

    def _connect(self, arguments: tuple[Any, ...]) -> None:
        if arguments[0] != ":memory:":
            self.reason = "it opens a database"

    def _outside(self, event: str) -> Callable[[tuple[Any, ...]], None]:
        def noted(_: tuple[Any, ...]) -> None:
            if not is_own(behind_python(3)):  # onnxruntime has a process of its own, which runs no code of the user's
                self.reason = f"it calls {event}"

        return noted

    def _note_environment(self) -> None:
        """Notes the variables that are read; each has the value that it had at the start."""

        def one(name: str) -> None:
            if name not in SET_HERE:
                self._variables[name] = self._before.get(name)

        def whole() -> None:
            self._whole = self._whole or present.environment(self._before)

        hear_environment(one, whole)


class Sought:
    """A finder of modules that finds none, and tells which are looked for and in which folders."""

    def __init__(self, seek: Callable[[str, Sequence[str] | None], None]) -> None:
        self._seek = seek

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        """No module: it is only noted that one is looked for."""
        self._seek(name, path)


def _foreign(file: str) -> bool:
    """Whether code is an installed package's, Python's or ours, and nobody's who wrote the model."""
    return is_own(file) or installed(file)


def _theirs(path: str) -> bool:
    """Whether a file is no dependency of its own: a package's, whose folder is in the question, or one that is made."""
    return installed(path) or not MADE_HERE.isdisjoint(path.split(os.sep))


def _restless(file: str, since: int) -> bool:
    """Whether a file has changed since, or is a pipe or a device, which tells something else each time."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return False
    return found.st_mtime_ns > since if modes.S_ISREG(found.st_mode) else not modes.S_ISDIR(found.st_mode)


def _by_folder(files: Iterable[str]) -> Data:
    """Stamps of files, by folder and name, which keeps a cache small."""
    found: Data = {}
    for file in files:
        folder, name = os.path.split(file)
        value = stamp(file)
        found.setdefault(folder, {})[name] = None if value is None else list(value)
    return found
