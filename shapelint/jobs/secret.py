"""The key with which the entries of a cache are signed: it lies with the user, so that no project can forge one."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_LENGTH: Final = 32


def secret() -> bytes | None:
    """The key of this user on this machine, made where there is none; None where it cannot be kept."""
    try:
        file = _folder() / "key"
        with suppress(OSError):
            return _read(file)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = file.with_name(f"key.{os.getpid()}")
        try:
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(os.urandom(_LENGTH))
            with suppress(FileExistsError):
                os.link(made, file)  # the first one stays
        finally:
            made.unlink(missing_ok=True)
        return _read(file)
    except (OSError, RuntimeError):  # no home
        return None


def plain_file(file: Path, most: int, first: int | None = None) -> bytes:
    """The bytes of a regular file, or the `first` ones.

    OSError for a link, a pipe, a device, a folder, or a file of more than `most` bytes.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(file, flags), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise OSError(f"{file} is no file of at most {most} bytes")
        return stream.read(most if first is None else first)


def _read(file: Path) -> bytes:
    data = plain_file(file, _LENGTH)
    if len(data) != _LENGTH:
        raise OSError(f"{file} is no key")
    return data


def _folder() -> Path:
    """Where programs keep what can be made again, by the custom of the system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home(), "shapelint")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "shapelint"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "shapelint"
