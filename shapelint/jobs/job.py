"""One check that is to be done, as plain data: what the command line, the settings and a comment say together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from shapelint.facts.finding import Finding, fits
from shapelint.report.report import Report
from shapelint.request.config import SAVED, Config, ConfiguredModel
from shapelint.request.options import TIMEOUT, CheckOptions, ModelOptions
from shapelint.source.notebook import SOURCES


@dataclass(frozen=True, slots=True)
class Job(ModelOptions):
    """One check: a target, its inputs, and what is asked of it.

    `folder` is the project's, where its modules are imported from and the patterns of `per_file_ignores` start; "" is
    the current one. A model that was `found` by reading was named by nobody: that it cannot be checked is told, and is
    no failure. `spec` names the form of a spec that is to be written while the model is there, `at` a size whose calls
    are to be told.
    """

    target: str
    inputs: tuple[str, ...]
    confirm: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    folder: str = ""
    timeout: float = 0.0
    cache_dir: str = ""
    picture: bool = False
    calls: bool = False
    found: bool = False
    spec: str = ""
    at: Mapping[str, int] | None = None

    def __hash__(self) -> int:
        return hash((self.target, self.inputs))


def job_of(model: ConfiguredModel, config: Config, options: CheckOptions) -> Job:
    """The check of a model: an option wins over the model's entry, and that over the project's settings."""
    confirm = options.usual_confirm if config.confirm is None else config.confirm
    timeout = options.timeout if options.timeout is not None else config.timeout
    return Job(
        target=model.target,
        inputs=options.input or model.input,
        **options.over(replace(model, sizes=None) if options.input else model),
        confirm=confirm if options.confirm is None else options.confirm,
        select=_selected(options, config),
        ignore=options.ignore or config.ignore,
        per_file_ignores=config.per_file_ignores,
        folder=config.folder,
        timeout=TIMEOUT if timeout is None else timeout,
        cache_dir=config.cache_dir or "",
        picture=options.picture,
        spec=options.spec,
        at=options.at,
        calls=options.calls,
    )


def _selected(options: CheckOptions, config: Config) -> tuple[str, ...]:
    """The rules that are chosen, with those that are wanted besides; () is all of them."""
    chosen = options.select or config.select
    return (*chosen, *config.extend_select, *options.extend_select) if chosen else ()


def without_ignored(report: Report, job: Job) -> Report:
    """The report without the findings that the project ignores in their files."""
    kept = tuple(finding for finding in report.findings if not _ignored(finding, job))
    return report if len(kept) == len(report.findings) else replace(report, findings=kept)


def _ignored(finding: Finding, job: Job) -> bool:
    """Whether a pattern that fits the file (its name, or its path from the project's folder) ignores the rule."""
    module = job.target if job.target.endswith(SAVED) else job.target.rpartition(":")[0]
    file = finding.location.file if finding.location else module if module.endswith((*SOURCES, *SAVED)) else None
    if file is None:
        return False
    with suppress(ValueError):  # another drive of Windows
        file = os.path.relpath(file, job.folder or None)
    path = Path(file).as_posix()
    codes = (code for pattern, codes in job.per_file_ignores if _matches(path, pattern) for code in codes)
    return any(fits(code, finding.code, finding.name) for code in codes)


def _matches(path: str, pattern: str) -> bool:
    return fnmatch(path, pattern) or ("/" not in pattern and fnmatch(path.rpartition("/")[2], pattern))
