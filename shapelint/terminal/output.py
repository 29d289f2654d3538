"""Where a report goes: to standard output, or to a file that is whole or untouched."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Final

from shapelint.errors import ShapelintError, escaped, without_commands
from shapelint.source.ownership import shown
from shapelint.terminal.interrupt import undisturbed

# Control characters, the directions of text, and escapes that are no colours: names may hold them.
_ACTING: Final = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[[0-9;]*m)")


_LONGEST: Final = 2000


def probe(file: str) -> None:
    """Raises ShapelintError where a report could not be written to the file; changes nothing."""
    try:
        path = _meant(file)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it is not writable")
        if _replaceable(path):
            with undisturbed(), tempfile.NamedTemporaryFile(dir=path.parent, prefix=".shapelint"):
                pass
    except (OSError, ValueError) as error:
        raise _refused(file, error) from error


def write(file: str, text: str) -> None:
    """Writes the text in one step: a reader sees the old file or the whole new one."""
    write_bytes(file, text.encode("utf-8", "backslashreplace"))


def write_bytes(file: str, data: bytes) -> None:
    """Writes the bytes in one step, into the file that a link leads to; its permissions stay.

    A file with several names (hard links) is written where it is, so that all of them have the new text.
    """
    try:
        path = _meant(file)
        if not _replaceable(path):
            path.write_bytes(data)
        elif _has_other_names(path):
            with undisturbed():
                path.write_bytes(data)
        else:
            _replace(path, data)
    except OSError as error:
        raise _refused(file, error) from error


def reserve_streams() -> None:
    """Takes the numbers of standard streams that are closed, or the first pipe would be taken for one of them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number


def show(text: str) -> None:
    """Prints the text; a reader that has gone away is no error, a full disk is.

    Raises ShapelintError where it cannot be written.
    """
    stream = sys.stdout
    if stream is None:
        raise ShapelintError("cannot write standard output: it is closed")
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        _abandon_stdout()
        if not isinstance(error, BrokenPipeError):
            raise _refused("standard output", error) from error


def visible(text: str) -> str:
    """The text with the escapes of what would act on a terminal or in a log; colours, tabs and newlines stay."""
    return without_commands(_ACTING.sub(lambda found: escaped(found[0]), text))


def tell(line: str) -> None:
    """Writes a line about the command itself to standard error; that it cannot be written is no error."""
    line = escaped(line)
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"shapelint: {line if len(line) <= _LONGEST else line[:_LONGEST] + '...'}\n")
        sys.stderr.flush()


@contextmanager
def apart() -> Iterator[None]:
    """Sends what a model writes to standard output, in C code too, to standard error: a report stays readable."""
    flush(sys.stdout)
    kept = _copied(1)
    target = _copied(2) or os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(target, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.close(target)
        if kept is None:
            os.close(1)
        else:
            os.dup2(kept, 1)
            os.close(kept)


def flush(*streams: Any) -> None:
    """Writes what streams hold back, as far as they are open and have a reader."""
    for stream in streams:
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _copied(number: int) -> int | None:
    """A copy of a file descriptor; None where this process was started without it."""
    try:
        return os.dup(number)
    except OSError:
        return None


def _abandon_stdout() -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _meant(file: str) -> Path:
    """The file that a link leads to; a device or pipe has no other name (`/dev/stdout` leads to `pipe:[137]`)."""
    path = Path(file)
    return Path(os.path.realpath(path)) if _replaceable(path) else path


def _replaceable(path: Path) -> bool:
    """A device or a pipe is written to, never replaced by a file."""
    return path.is_file() or not path.exists()


def _has_other_names(path: Path) -> bool:
    return path.exists() and path.stat().st_nlink > 1


def _replace(path: Path, data: bytes) -> None:
    with undisturbed():
        _write_beside(path, data)


def _write_beside(path: Path, data: bytes) -> None:
    before = path.stat() if path.exists() else None
    mode = 0o666 & ~_umask() if before is None else before.st_mode & 0o777
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".shapelint")
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        if before is not None and hasattr(os, "chown"):
            with suppress(OSError):  # only root may give a file away
                os.chown(name, before.st_uid, before.st_gid)
        Path(name).chmod(mode)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)  # where it did not take the place of the file


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refused(file: str, error: Exception) -> ShapelintError:
    reason = getattr(error, "strerror", None) or error
    return ShapelintError(f"cannot write {shown(file)}: {reason}")
