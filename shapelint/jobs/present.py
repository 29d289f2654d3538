"""What is there now of what a check depended on: contents of files, answers of the system, names in folders."""

from __future__ import annotations

import hashlib
import json
import os
import stat as modes
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# As they are before a check puts its own in their place.
_access, _readlink, _stat = os.access, os.readlink, os.stat

SET_HERE: Final = ("ORT_DISABLE_TELEMETRY",)
FOLDER: Final = ".shapelint_cache"
MADE_HERE: Final = frozenset({FOLDER, "__pycache__"})
WHOLE: Final = 1 << 26


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
        return (
            all(os.environ.get(name) == value for name, value in seen["variables"].items())
            and seen["environment"] in ("", environment(os.environ))
            and all(answer(question, path) == given for question, path, given in seen["answers"])
            and all(candidates(folder, names) == found for folder, (names, found) in seen["sought"].items())
            and all(self._content(file) == digest for file, digest in seen["contents"].items())
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
    """What is in a file, as a digest; "" where there is no file.

    A file of more than `WHOLE` bytes is not read: its size and its time of change stand for it.
    """
    try:
        found = _stat(file)
        if not modes.S_ISREG(found.st_mode):
            return ""
        if found.st_size > WHOLE:
            return f"{found.st_size} {found.st_mtime_ns}"
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def stamp(file: str) -> tuple[int, int] | None:
    """The time of change and the size of a file; None where there is none."""
    try:
        found = _stat(file)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size) if modes.S_ISREG(found.st_mode) else None


def answer(question: str, path: str) -> Any:
    """What the system answers to a question about a path, as plain data; None where it has no answer."""
    word, _, mode = question.partition(" ")
    try:
        return _access(path, int(mode)) if word == "access" else _ANSWERS[word](path)
    except (OSError, ValueError):
        return None


def candidates(folder: str, names: Iterable[str]) -> list[str]:
    """What a folder has that Python could import by one of the names; a package's ends in `/`."""
    try:
        entries = os.listdir(folder)
    except (OSError, ValueError):
        return []
    wanted = set(names)
    return sorted(_entry(folder, each) for each in entries if each.partition(".")[0] in wanted)


def environment(variables: Mapping[str, str]) -> str:
    """All variables of the environment, as a digest."""
    left = sorted((name, value) for name, value in variables.items() if name not in SET_HERE)
    return _digest(json.dumps(left))


def _entry(folder: str, name: str) -> str:
    return f"{name}/" if os.path.isfile(os.path.join(folder, name, "__init__.py")) else name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _link(path: str) -> str:
    return os.fsdecode(_readlink(path))


def _size(path: str) -> int:
    return _stat(path).st_size


def _kind(path: str) -> int:
    return modes.S_IFMT(_stat(path).st_mode)


def _kind_of_link(path: str) -> int:
    return modes.S_IFMT(_stat(path, follow_symlinks=False).st_mode)


def _state(path: str) -> list[int]:
    return _state_of(_stat(path))


def _state_of_link(path: str) -> list[int]:
    return _state_of(_stat(path, follow_symlinks=False))


def _state_of(found: os.stat_result) -> list[int]:
    """What is asked of a file; of a folder only what it is, since its time changes with all that happens in it."""
    if modes.S_ISDIR(found.st_mode):
        return [found.st_mode]
    return [found.st_mode, found.st_size, found.st_mtime_ns, found.st_nlink]


def _names(path: str) -> str:
    return _digest("\0".join(sorted(set(os.listdir(path)) - MADE_HERE)))


def _entries(path: str) -> str:
    with os.scandir(path) as found:
        return _digest(repr(sorted((each.name, each.is_dir()) for each in found if each.name not in MADE_HERE)))


def _states(path: str) -> str:
    with os.scandir(path) as found:
        each = sorted((each.name, _state_of(each.stat())) for each in found if each.name not in MADE_HERE)
    return _digest(repr(each))


_ANSWERS: Final[dict[str, Callable[[str], Any]]] = {
    "kind": _kind,
    "kind-of-link": _kind_of_link,
    "size": _size,
    "stat": _state,
    "lstat": _state_of_link,
    "link": _link,
    "names": _names,
    "entries": _entries,
    "states": _states,
}


def _flat(stamps: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[int, int] | None]]:
    for folder, each in stamps.items():
        for name, value in each.items():
            yield f"{folder}/{name}", None if value is None else (value[0], value[1])
