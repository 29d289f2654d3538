"""What --baseline and --write-baseline ask for, and how a baseline file is renewed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from shapelint.cli.checker import Checker
from shapelint.errors import BaselineError
from shapelint.suppression.baseline import Baseline, read_baseline
from shapelint.terminal import output

if TYPE_CHECKING:
    from shapelint.rule import Rule


def baseline_of(
    known: str | None, renewed: str | None, rules: Iterable[Rule], *, alone: bool, whole: bool
) -> Baseline | None:
    """The baseline that a call reads or writes, read before anything is checked; BaselineError where it is none."""
    if known and renewed:
        raise BaselineError("--baseline and --write-baseline contradict each other; give one")
    if renewed and not alone:
        raise BaselineError("--write-baseline writes the baseline only; leave out --output, --fix and --diff")
    file = known or renewed
    if not file:
        return None
    fresh = renewed is not None and not Path(file).is_file()
    codes = frozenset(rule.code for rule in rules)
    return Baseline(file, () if fresh else read_baseline(file), codes, whole=whole)


def renew(checker: Checker, baseline: Baseline) -> bool:
    """Writes the findings of the checks as known and says so; leaves the file as it was where a check failed."""
    if checker.failed:
        output.tell(f"{baseline.file} is not written, since a check could not be done")
        return False
    checker.deliver(baseline.file)
    number = len(json.loads(checker.text or "{}").get("findings", ()))
    known = f"{number} known finding{'s' * (number != 1)}"
    output.show(f"{baseline.file}: {known}; check with `--baseline {baseline.file}` from now on\n")
    return True
