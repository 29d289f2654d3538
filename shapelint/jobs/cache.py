"""Keeps the reports of checks, so that an unchanged check is answered without torch.

An entry is found by what is asked (the job, the folder, Python, the installed packages) and holds while nothing has
changed of what its check depended on (see `dependencies`). An entry that is damaged, foreign or cannot be written is no
error, but as if it were not there. Entries are data and never run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from shapelint.jobs import serialized
from shapelint.jobs.dependencies import FOLDER, SET_HERE, Data, Present
from shapelint.jobs.job import Job
from shapelint.report.report import Report
from shapelint.terminal.interrupt import undisturbed

_SUFFIX: Final = ".check"
_MAGIC: Final = b"shapelint cache 5\n"
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
        try:
            data = _entry(job).read_bytes()
        except OSError:
            return None
        if len(data) > _LARGEST or not data.startswith(_MAGIC):
            return None
        digest, body = data[len(_MAGIC) : len(_MAGIC) + _DIGEST], data[len(_MAGIC) + _DIGEST :]
        if hashlib.sha256(body).digest() != digest:
            return None
        try:
            seen, report = unpacked(body)
            return serialized.loads(report) if self._present.agrees(seen) else None
        except (serialized.UnreadableError, ValueError, zlib.error):  # what another version wrote
            return None

    def keep(self, job: Job, body: bytes) -> None:
        """Keeps the report on a job, packed with what it depends on."""
        with suppress(OSError), undisturbed():
            _write(_entry(job), _MAGIC + hashlib.sha256(body).digest() + body)


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


def clean(folder: Path) -> int:
    """Removes what is kept in a folder, and the folder if nothing else is in it; how many reports there were."""
    gone = 0
    for file in [*folder.glob(f"*{_SUFFIX}"), *folder.glob("*.part")]:
        file.unlink()
        gone += file.suffix == _SUFFIX
    if (folder / "CACHEDIR.TAG").is_file() and (folder / "CACHEDIR.TAG").read_text() == _TAG:
        for name in ("CACHEDIR.TAG", ".gitignore"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
    return gone


def _entry(job: Job) -> Path:
    asked = json.dumps([asdict(job), _machine()], sort_keys=True, default=repr)
    name = hashlib.sha256(asked.encode(errors="surrogateescape")).hexdigest()[:40]
    return folder_of(job.cache_dir, job.folder) / (name + _SUFFIX)


def _machine() -> list[Any]:
    """What else decides about a check before it begins; packages that come or go change the time of their folder."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)}
    for name in SET_HERE:
        variables.pop(name, None)
    installed = [path for path in sys.path if path.endswith("-packages") and os.path.isdir(path)]
    packages = [(path, os.stat(path).st_mtime_ns) for path in installed]
    python = [sys.version, sys.executable, str(sys.flags), sys.path]
    return [python, os.getcwd(), packages, variables]


def _write(file: Path, data: bytes) -> None:
    """Writes an entry; each file in one step: a reader sees the old one or the whole new one."""
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True, exist_ok=True)
        _put(file.with_name(".gitignore"), b"*\n")
        _put(file.with_name("CACHEDIR.TAG"), _TAG.encode())
    _put(file, data)


def _put(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)  # where it did not take the place of the file
