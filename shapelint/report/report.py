"""The report: what one check of one model found, with its forms as methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shapelint.facts.result import CheckResult
from shapelint.report import json, text
from shapelint.report.plain import plain


@dataclass(frozen=True, slots=True)
class Report(CheckResult):
    """Everything that one check of one model found; `str` is the text report."""

    def to_json(self) -> str:
        """The text that `--format json` prints for this report alone."""
        return json.render((self,))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, as it stands in the list `targets` of the JSON form."""
        return json.report_data(self)

    def __str__(self) -> str:
        return text.render((plain(self),))
