"""What makes a finding the same one in a later check: its words and its model, never the line on which it stands."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import PurePath
from typing import Final

from shapelint.facts.finding import Finding
from shapelint.facts.result import CheckResult

# `, line 5` and the numbers in `net.py:5:20`
_LINE: Final = re.compile(r",? \blines? \d+(-\d+)?|(?<=\.py)(:\d+)+")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A finding without its place: the same where lines were moved, another where its message changed."""

    target: str
    code: str
    module: str
    message: str

    @staticmethod
    def of(finding: Finding, report: CheckResult) -> Identity:
        """The identity of a finding in its report."""
        return Identity(
            portable_target(report.target), finding.code, finding.module or "", _LINE.sub("", finding.message)
        )


def portable_target(target: str) -> str:
    """The target with the path in it relative to the current folder, so that it is the same on every machine."""
    file, colon, name = target.rpartition(":")
    if not file.endswith(".py"):
        return target
    try:
        near = os.path.relpath(file) if os.path.isabs(file) else file
    except ValueError:  # on another drive
        near = file
    return f"{PurePath(near).as_posix()}{colon}{name}"


def fingerprints(reports: Iterable[CheckResult]) -> tuple[tuple[str, ...], ...]:
    """A hash for each finding of each report, no two alike: equal findings are numbered in their order."""
    seen: Counter[Identity] = Counter()
    return tuple(tuple(_hash(Identity.of(each, report), seen) for each in report.findings) for report in reports)


def _hash(identity: Identity, seen: Counter[Identity]) -> str:
    seen[identity] += 1
    return hashlib.sha256(json.dumps([*astuple(identity), seen[identity]]).encode()).hexdigest()[:32]
