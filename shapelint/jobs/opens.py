"""Files that compiled code opens: Python hears nothing of them, but Linux tells what is opened in a folder.

Whatever process opens a file in a watched folder is heard. That does no harm: a file too many is one more that a check
depends on.
"""

from __future__ import annotations

import os
import struct
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

_MOST: Final = 512
_OPENED, _FOLDER, _LOST = 0x20, 0x40000000, 0x4000
_ONLY_FOLDERS: Final = 0x01000000
_HEAD: Final = struct.Struct("iIII")
_SYSTEM: Final = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")


class Opens:
    """The files that are opened in some folders from when it is made; on other systems than Linux it hears nothing."""

    def __init__(self, folders: Iterable[str], *, without: str) -> None:
        self._without = without.rstrip(os.sep)
        self._folders: dict[int, str] = {}
        self._asked: set[str] = set()
        self._files: dict[str, None] = {}
        self._channel = -1
        if sys.platform == "linux":
            import ctypes

            self._library = ctypes.CDLL(None)
            self._channel = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            for folder in _below(folders):
                self.add(folder)

    def add(self, folder: str) -> None:
        """Hears of one more folder, unless there are too many, or it is the system's or the one of temporary files."""
        shared = folder in ("/", self._without) or folder.startswith(_SYSTEM)
        if self._channel < 0 or folder in self._asked or shared or len(self._asked) >= _MOST:
            return
        self._asked.add(folder)
        number = self._library.inotify_add_watch(self._channel, os.fsencode(folder), _OPENED | _ONLY_FOLDERS)
        if number >= 0:
            self._folders[number] = folder

    def files(self) -> tuple[str, ...] | None:
        """All files that were opened until now; None where some went unheard."""
        if self._channel < 0:
            return ()
        try:
            if os.readlink(f"/proc/self/fd/{self._channel}") != "anon_inode:inotify":
                return None
            while data := os.read(self._channel, 1 << 16):
                if not self._heard(data):
                    return None
        except BlockingIOError:
            return tuple(self._files)
        except OSError:  # the model closed what is not its own
            return None
        return tuple(self._files)

    def _heard(self, data: bytes) -> bool:
        """Takes in what Linux tells; whether that is all."""
        while data:
            number, mask, _, length = _HEAD.unpack_from(data)
            name = data[_HEAD.size : _HEAD.size + length].rstrip(b"\0")
            data = data[_HEAD.size + length :]
            if mask & _LOST:
                return False
            if name and not mask & _FOLDER and number in self._folders:
                self._files[os.path.join(self._folders[number], os.fsdecode(name))] = None
        return True


def _below(folders: Iterable[str]) -> Iterator[str]:
    """The folders and those inside of them, the nearest first; not hidden ones, nor those of packages and byte code."""
    waiting, met = deque(map(os.path.abspath, folders)), set[str]()
    while waiting and len(met) < _MOST:
        folder = waiting.popleft()
        if folder in met:
            continue
        met.add(folder)
        yield folder
        try:
            with os.scandir(folder) as entries:
                inside = [each.path for each in entries if _worth(each.name) and each.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        waiting.extend(sorted(inside))


def _worth(name: str) -> bool:
    return not name.startswith(".") and name not in ("__pycache__", "node_modules", "site-packages")
