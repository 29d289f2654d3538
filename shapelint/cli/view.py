"""How the reports of a command line are written: the form, colours, and what a baseline knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shapelint.errors import escaped
from shapelint.facts.result import CheckResult
from shapelint.suppression.baseline import Baseline
from shapelint.terminal.output import visible

RENEWED: Final = "baseline"


@dataclass(frozen=True, slots=True)
class View:
    """How the reports are to be written; `width` is that of the terminal, None where there is none."""

    form: str = "text"
    colour: bool = False
    quiet: bool = False
    baseline: Baseline | None = None
    plain: bool = False
    width: int | None = None
    spec: str = ""

    def marked(self, reports: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """The reports with what the baseline knows of them, where there is one."""
        return tuple(reports) if self.baseline is None else self.baseline.marked(reports)

    @property
    def tells_failures(self) -> bool:
        """Whether the form has a place for the checks that could not be done."""
        return self.form not in ("text", "concise", "statistics", "sizes", "spec", RENEWED)

    def rendered(self, reports: Iterable[CheckResult], failures: Sequence[str] = ()) -> str:
        """The text of the reports, and of the checks that could not be done where the form has a place for them."""
        from importlib import import_module

        from shapelint.report.plain import plain

        exact = self.form in ("json", "spec", RENEWED)
        reports = tuple(reports) if exact else tuple(plain(report) for report in reports)
        failures = failures if exact else [escaped(line) for line in failures]
        if self.form == "spec":
            return "\n".join(report.specs[self.spec] for report in reports)
        if self.form == "text":
            from shapelint.report import text

            return visible(text.render(reports, colour=self.colour, quiet=self.quiet))
        if self.form == "sizes":
            from shapelint.report import sizes

            how = {"colour": self.colour, "plain": self.plain}
            return visible("\n".join(sizes.render(report, **how, width=self.width) for report in reports))
        if self.form == RENEWED and self.baseline is not None:
            return self.baseline.renewed(reports)
        module = import_module(f"shapelint.report.{self.form}")  # each form has a module of its name
        if self.tells_failures:
            return str(module.render(reports, failures=failures))
        written = str(module.render(reports))
        return visible(written) if self.form in ("concise", "statistics") else written


def coloured() -> bool:
    """Colour is for terminals whose user has not said no (no-color.org), and for who asks for it (force-color.org)."""
    if os.environ.get("NO_COLOR") or sys.stdout is None:
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")
