"""Known findings: a file that holds what was found once, so that only what is new makes a check fail.

An entry is a finding without its line, in plain JSON: people merge and review it as they do their code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from shapelint.errors import BaselineError
from shapelint.facts.finding import BaselineState, Finding
from shapelint.facts.result import CheckResult
from shapelint.report.fingerprint import Identity, portable_target

VERSION: Final = 1
_KIND: Final = "shapelint baseline"
_TOLD: Final = 3
_WRITE: Final = "write one with --write-baseline OTHER_FILE"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries of a file, and the rules of this call: what other rules found once is neither gone nor dropped.

    `whole` says that the call checks all models, so that what the file knows of others is out of date.
    """

    file: str
    entries: tuple[Identity, ...] = ()
    codes: frozenset[str] = frozenset()
    whole: bool = False

    def marked(self, reports: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """The reports with each finding known or new, and a remark on each entry of a checked model that is gone.

        Where all models are checked, the last report counts the entries about others.
        """
        left = Counter(self.entries)
        found = [replace(each, findings=tuple(_mark(one, each, left) for one in each.findings)) for each in reports]
        gone = [each for each in left.elements() if each.code in self.codes]
        told = [self._told(report, gone) for report in found]
        if self.whole and told and gone:
            line = f"{self.file}: {len(gone)} more about models that were not checked"
            told[-1] = replace(told[-1], remarks=(*told[-1].remarks, line))
        return tuple(told)

    def renewed(self, reports: Iterable[CheckResult]) -> str:
        """The text of a baseline that holds the findings of the reports, and what this call did not look for."""
        reports = tuple(reports)
        checked = {portable_target(report.target) for report in reports}
        kept = [each for each in self.entries if not self._looked_for(each, checked)]
        return render(reports, kept)

    def _looked_for(self, entry: Identity, checked: Collection[str]) -> bool:
        return entry.code in self.codes and (self.whole or entry.target in checked)

    def _told(self, report: CheckResult, gone: list[Identity]) -> CheckResult:
        """The report with what is gone from its model; a later report of the model does not say it again."""
        target = portable_target(report.target)
        own = [each for each in gone if each.target == target]
        gone[:] = [each for each in gone if each.target != target]
        lines = [f"{self.file}: no longer found: {each.code} {each.message}" for each in own[:_TOLD]]
        if len(own) > _TOLD:
            lines.append(f"{self.file}: and {len(own) - _TOLD} more that are no longer found")
        return replace(report, remarks=(*report.remarks, *lines))


def read_baseline(file: str) -> tuple[Identity, ...]:
    """The entries of a baseline file; BaselineError where it cannot be read or is none."""
    try:
        data = json.loads(Path(file).read_bytes())
    except OSError as error:
        hint = f"; write it with --write-baseline {file}" if isinstance(error, FileNotFoundError) else ""
        raise BaselineError(f"cannot read the baseline {file}: {error.strerror}{hint}") from error
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{file} is no baseline, nor any JSON; {_WRITE}") from error
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise BaselineError(f"{file} is no baseline of shapelint; {_WRITE}")
    if data.get("version") != VERSION:
        version = json.dumps(data.get("version"))
        raise BaselineError(f"{file} is a baseline of version {version}, and {VERSION} is read here; write it anew")
    return tuple(_entry(each, file) for each in _list(data.get("findings"), file))


def render(reports: Iterable[CheckResult], kept: Sequence[Identity] = ()) -> str:
    """The text of a baseline file: all findings of the reports, and some further entries, in a fixed order."""
    found = [Identity.of(finding, report) for report in reports for finding in report.findings]
    entries = [asdict(each) for each in sorted((*found, *kept))]
    return json.dumps({"kind": _KIND, "version": VERSION, "findings": entries}, indent=2, ensure_ascii=False) + "\n"


def _mark(finding: Finding, report: CheckResult, left: Counter[Identity]) -> Finding:
    identity = Identity.of(finding, report)
    known = left[identity] > 0
    if known:
        left[identity] -= 1
    return replace(finding, baseline=BaselineState.KNOWN if known else BaselineState.NEW)


def _list(data: Any, file: str) -> list[Any]:
    if not isinstance(data, list):
        raise BaselineError(f"{file} is a damaged baseline: it has no list `findings`; write it anew")
    return data


def _entry(data: Any, file: str) -> Identity:
    names = ("target", "code", "module", "message")
    texts = [data.get(name) for name in names] if isinstance(data, dict) else [None]
    if not all(isinstance(text, str) for text in texts) or len(texts) != len(data):
        raise BaselineError(f"{file} is a damaged baseline: an entry has not just {', '.join(names)}; write it anew")
    return Identity(*texts)
