"""Keeps the reports of checks, so that an unchanged check is answered without torch.

An entry is found by what is asked (the job, the folder, Python, the installed packages, the processors) and holds while
nothing has changed of what its check depended on (see `dependencies`). It is signed with a key that lies with the user
(see `secret`): a cache that came with a project does not answer. An entry that is damaged, foreign or cannot be written
is no error, but as if it were not there. Entries are data and never run code.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from shapelint.jobs import serialized
from shapelint.jobs.job import Job
from shapelint.jobs.present import FOLDER, SET_HERE, Present
from shapelint.jobs.secret import plain_file, secret
from shapelint.report.report import Report
from shapelint.terminal.interrupt import undisturbed

Data = dict[str, Any]

_SUFFIX: Final = ".check"
_PART: Final = ".shapelint-part-"
_MARK: Final = b"shapelint cache "
_MAGIC: Final = _MARK + b"6\n"
_DIGEST: Final = 32
_LARGEST: Final = 1 << 28
_TAG: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache of shapelint; `shapelint clean` removes it.\n"
)
_VARIABLES: Final = ("PYTHON", "TORCH", "PYTORCH", "CUDA", "NVIDIA", "ORT_", "ONNX", "OMP_", "MKL_", "KMP_")


@dataclass(frozen=True, slots=True)
class Cache:
    """The reports that are kept for the jobs of one command line."""

    _present: Present = field(default_factory=Present.fresh)

    def find(self, job: Job) -> Report | None:
        """The report on a job that nothing has changed about; None where there is none."""
        file = _entry(job)
        try:
            data = plain_file(file, _LARGEST)
        except OSError:
            return None
        signature, body = data[len(_MAGIC) : len(_MAGIC) + _DIGEST], data[len(_MAGIC) + _DIGEST :]
        if not data.startswith(_MAGIC) or not hmac.compare_digest(signature, _signature(file, body) or b""):
            return None
        try:
            seen, report = unpacked(body)
            return serialized.loads(report) if self._present.agrees(seen) else None
        except (serialized.UnreadableError, ValueError, zlib.error):  # what another version wrote
            return None

    def keep(self, job: Job, body: bytes) -> None:
        """Keeps the report on a job, packed with what it depends on."""
        file = _entry(job)
        signature = _signature(file, body)
        if signature is not None:
            with suppress(OSError), undisturbed():
                _write(file, _MAGIC + signature + body)


def worth_keeping(job: Job) -> bool:
    """Whether a cache may answer: a graphics card may be there or not."""
    return "cuda" not in job.confirm


def packed(seen: Data, report: bytes) -> bytes:
    """What an entry holds."""
    head = json.dumps(seen, separators=(",", ":")).encode()
    return zlib.compress(len(head).to_bytes(8, "big") + head + report, 1)


def unpacked(body: bytes) -> tuple[Data, bytes]:
    """What a check depended on, and its report as bytes."""
    plain = zlib.decompressobj().decompress(body, _LARGEST)
    end = 8 + int.from_bytes(plain[:8], "big")
    return json.loads(plain[8:end]), plain[end:]


def folder_of(cache_dir: str, folder: str) -> Path:
    """Where the entries of a project are kept."""
    return Path(folder or Path.cwd(), cache_dir or FOLDER)


def held(folder: Path) -> tuple[int, int]:
    """How many reports are kept in a folder, and how many bytes they take."""
    if folder.is_symlink():
        return 0, 0
    sizes = [file.stat().st_size for file in _own_files(folder) if file.suffix == _SUFFIX]
    return len(sizes), sum(sizes)


def clean(folder: Path) -> int:
    """Removes what is kept in a folder, and the folder if nothing else is in it; how many reports there were.

    Only what bears our mark goes, and no link is followed.
    """
    if folder.is_symlink():
        return 0
    gone = 0
    for file in _own_files(folder):
        file.unlink()
        gone += file.suffix == _SUFFIX
    if _begins(folder / "CACHEDIR.TAG", _TAG.encode()):
        for name, text in ((".gitignore", b"*\n"), ("CACHEDIR.TAG", _TAG.encode())):
            if _begins(folder / name, text):
                (folder / name).unlink()
        with suppress(OSError):
            folder.rmdir()
    return gone


def _own_files(folder: Path) -> Iterator[Path]:
    """The entries in a folder, and what was not written to its end."""
    yield from (file for file in folder.glob(f"*{_SUFFIX}") if _begins(file, _MARK))
    yield from (file for file in folder.glob(f"{_PART}*") if file.is_file() and not file.is_symlink())


def _begins(file: Path, mark: bytes) -> bool:
    """Whether it is a regular file that begins so."""
    try:
        return plain_file(file, sys.maxsize, len(mark)) == mark
    except OSError:
        return False


def _signature(file: Path, body: bytes) -> bytes | None:
    """What only this user can make of an entry, which cannot be another one's; None without a key."""
    key = secret()
    return None if key is None else hmac.digest(key, file.name.encode() + b"\n" + body, "sha256")


def _entry(job: Job) -> Path:
    asked = json.dumps([asdict(job), _machine()], sort_keys=True, default=repr)
    name = hashlib.sha256(asked.encode(errors="surrogateescape")).hexdigest()[:40]
    return folder_of(job.cache_dir, job.folder) / (name + _SUFFIX)


def _machine() -> list[Any]:
    """What else decides about a check before it begins; packages that come or go change the time of their folder."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)}
    for name in SET_HERE:
        variables.pop(name, None)
    python = [sys.version, sys.executable, str(sys.flags), sys.path]
    processors = [os.cpu_count(), sorted(getattr(os, "sched_getaffinity", lambda _: ())(0))]
    return [python, os.getcwd(), installed_packages(), variables, processors, getattr(os, "getuid", int)()]


def installed_packages() -> list[tuple[str, int]]:
    """The folders of installed packages with their times of change: packages that come or go change it."""
    installed = [path for path in sys.path if path.endswith("-packages") and os.path.isdir(path)]
    return [(path, os.stat(path).st_mtime_ns) for path in installed]


def _write(file: Path, data: bytes) -> None:
    """Writes an entry; each file in one step: a reader sees the old one or the whole new one."""
    if file.parent.is_symlink():  # it may lead anywhere
        return
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True, exist_ok=True)
        _put(file.with_name(".gitignore"), b"*\n")
        _put(file.with_name("CACHEDIR.TAG"), _TAG.encode())
    _put(file, data)


def _put(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=_PART)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)  # where it did not take the place of the file
