"""How often each rule speaks, for a first look at a project with many findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shapelint.facts.result import CheckResult
from shapelint.report.table import aligned


def render(reports: Iterable[CheckResult]) -> str:
    """One line for each rule, the most frequent first: how often, in how many models, code, name and severities."""
    found = [(each, report.target) for report in reports for each in report.findings]
    counts = Counter((finding.code, finding.name) for finding, _ in found)
    rows = []
    for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        models = len({target for finding, target in found if finding.code == code})
        kinds = dict.fromkeys(str(finding.severity) for finding, _ in found if finding.code == code)
        told = f"in {models} model{'s' * (models != 1)}"
        rows.append((str(count), code, name, told, ", ".join(sorted(kinds))))
    return "".join(f"{line}\n" for line in aligned(rows)) if rows else "no findings\n"
