"""How the reports of a command line are written: the form, colours, and what a baseline knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from shapelint.errors import escaped
from shapelint.facts.result import CheckResult
from shapelint.suppression.baseline import Baseline
from shapelint.terminal.output import visible

RENEWED: Final = "baseline"
SHAPES: Final = ("shapes", "shapes-json")


@dataclass(frozen=True, slots=True)
class View:
    """How the reports are to be written; `width` is that of the terminal, None where there is none.

    The shapes of a model are told `at` one size, or in symbols; as a `table` of its layers, or with its source.
    """

    form: str = "text"
    colour: bool = False
    quiet: bool = False
    baseline: Baseline | None = None
    plain: bool = False
    width: int | None = None
    spec: str = ""
    at: Mapping[str, int] | None = None
    table: bool = False

    def marked(self, reports: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """The reports with what the baseline knows of them, where there is one."""
        return tuple(reports) if self.baseline is None else self.baseline.marked(reports)

    @property
    def tells_failures(self) -> bool:
        """Whether the form has a place for the checks that could not be done."""
        return self.form not in ("text", "concise", "statistics", "sizes", "spec", *SHAPES, RENEWED)

    def rendered(self, reports: Iterable[CheckResult], failures: Sequence[str] = ()) -> str:
        """The text of the reports, and of the checks that could not be done where the form has a place for them."""
        from importlib import import_module

        from shapelint.report.plain import plain

        exact = self.form in ("json", "spec", *SHAPES, RENEWED)
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
        if self.form in SHAPES:
            return self._shapes(reports)
        if self.form == RENEWED and self.baseline is not None:
            return self.baseline.renewed(reports)
        module = import_module(f"shapelint.report.{self.form}")  # each form has a module of its name
        if self.tells_failures:
            return str(module.render(reports, failures=failures))
        written = str(module.render(reports))
        return visible(written) if self.form in ("concise", "statistics") else written

    def _shapes(self, reports: Iterable[CheckResult]) -> str:
        from shapelint.report import shapes

        if self.form == "shapes":
            written = partial(shapes.render, at=self.at, table=self.table, width=self.width)
            return visible("\n".join(map(written, reports)))
        return "".join(shapes.render_json(report, at=self.at) for report in reports)


def coloured() -> bool:
    """Colour is for terminals whose user has not said no (no-color.org), and for who asks for it (force-color.org)."""
    if os.environ.get("NO_COLOR") or sys.stdout is None:
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")
