"""The contracts of a project's models held against their lock, as a test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from shapelint.errors import ShapelintError, SpecError
from shapelint.facts.result import CheckResult
from shapelint.pytest_plugin.items import Collection, SizesError
from shapelint.report.changes import changes, render
from shapelint.report.lock import FILE, Lock
from shapelint.request.options import CheckOptions


def losses(reports: Iterable[CheckResult], file: str, *, whole: bool = False) -> str:
    """What was lost since a lock was written, in words; "" where nothing was.

    Raises SpecError where there is no such lock, or it lacks a model; with `whole` these are new and no loss, and a
    model of the lock that is not among the reports is one.
    """
    if not Path(file).is_file():
        raise SpecError(f"there is no {file} here; write it with `shapelint lock`")
    found = changes(Lock({}).renewed(reports), Lock.in_file(file), whole=whole)
    if found.new and not whole:
        raise SpecError(f"{found.new[0]} is not in {file}; write it with `shapelint lock`")
    return render(found) if found.lost else ""


class LockItem(pytest.Item):
    """The test that no model of the project lost a size."""

    @classmethod
    def of(cls, session: pytest.Session) -> LockItem:
        """The item for the lock of the current folder."""
        file: pytest.File = LockFile.from_parent(session, path=Path(FILE).absolute())
        item: LockItem = cls.from_parent(file, name="lock")
        item.add_marker("shapelint")
        return item

    def runtest(self) -> None:
        """Checks all models in this process. Raises SizesError where a size was lost."""
        from shapelint.jobs.worker import checked

        jobs = Collection(CheckOptions(calls=True)).jobs()
        lost = losses([checked(job) for job in jobs], FILE, whole=True)
        if lost:
            raise SizesError(lost)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was lost, or one line where the check could not be done."""
        if isinstance(excinfo.value, SizesError | ShapelintError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The lock."""
        return self.path, None, self.name


class LockFile(pytest.File):
    """The file that holds the contracts."""

    def collect(self) -> list[pytest.Item]:
        """Nothing: the item is added by name."""
        return []
