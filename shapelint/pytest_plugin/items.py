"""The checks of models as tests of pytest: one item for each, at the line of its class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shapelint.errors import ShapelintError
from shapelint.jobs.job import Job
from shapelint.jobs.targets import TargetReader, annotated_files, project_folders
from shapelint.request.annotation import definition_line
from shapelint.request.options import CheckOptions
from shapelint.source.folders import python_files


class SizesError(Exception):
    """A model whose check found an error or a warning; the text is the report."""


class Collection:
    """The models that one run of pytest knows."""

    def __init__(self, asked: CheckOptions | None = None) -> None:
        self._wanted = TargetReader(asked or CheckOptions())

    def file(self, path: Path, parent: pytest.Collector) -> ModelFile | None:
        """The models that are annotated in a file or configured for it; None where there is none."""
        try:
            jobs = self._wanted.in_file(_shown(path))
        except ShapelintError as error:
            raise pytest.UsageError(str(error)) from error
        return _model_file(parent, path, jobs) if jobs else None

    def others(self, session: pytest.Session, items: Iterable[pytest.Item]) -> list[ModelItem]:
        """The models of the project that are not among the items yet."""
        known = [item.job for item in items if isinstance(item, ModelItem)]
        found: list[ModelItem] = []
        try:
            by_file = {file: [job for job in jobs if job not in known] for file, jobs in self._all()}
        except ShapelintError as error:
            raise pytest.UsageError(str(error)) from error
        for path, jobs in by_file.items():
            if jobs:
                found += _model_file(session, path, jobs).collect()
        return found

    def jobs(self) -> list[Job]:
        """The checks of all models: where none is configured or annotated, of those that reading finds."""
        found = [job for _, jobs in self._all() for job in jobs]
        return found or list(self._wanted.of_folder("."))

    def _all(self) -> Iterator[tuple[Path, list[Job]]]:
        entries = self._wanted.entries(Path(), *project_folders())
        files = dict.fromkeys([entry.key[0] for entry in entries if entry.key[0].endswith(".py")])
        files |= dict.fromkeys(os.path.realpath(file) for file in annotated_files(python_files()))
        for file in files:
            yield Path(file), list(self._wanted.in_file(_shown(Path(file))))
        rest = [entry for entry in entries if not entry.key[0].endswith(".py")]
        for entry in rest:
            yield Path(entry.config.file), list(self._wanted.jobs([entry]))


class ModelFile(pytest.File):
    """A file with models."""

    jobs: tuple[Job, ...] = ()

    def collect(self) -> list[ModelItem]:
        """A test for each of its models."""
        counts: Counter[str] = Counter()
        items = []
        for job in self.jobs:
            name = f"{job.target.rpartition(':')[2]}[{';'.join(job.inputs)}]"
            counts[name] += 1
            unique = name if counts[name] == 1 else f"{name}-{counts[name]}"
            item = ModelItem.from_parent(self, name=unique)
            item.job = job
            item.add_marker("shapelint")
            items.append(item)
        return items


class ModelItem(pytest.Item):
    """The check of one model."""

    job: Job

    def runtest(self) -> None:
        """Checks the model in this process. Raises SizesError where the report has an error or a warning."""
        from shapelint.jobs.worker import checked

        report = checked(self.job)
        if not report.ok:
            raise SizesError(str(report))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report where something was found, one line where the check could not be done."""
        if isinstance(excinfo.value, SizesError | ShapelintError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The place of the model."""
        name = self.job.target.rpartition(":")[2]
        line = definition_line(self.path, name) if self.path.suffix == ".py" else None
        return self.path, None if line is None else line - 1, self.name


def _model_file(parent: pytest.Collector, path: Path, jobs: Iterable[Job]) -> ModelFile:
    found: ModelFile = ModelFile.from_parent(parent, path=path)
    found.jobs = tuple(jobs)
    return found


def _shown(path: Path) -> str:
    """The path from the current folder, as the command line would have it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
