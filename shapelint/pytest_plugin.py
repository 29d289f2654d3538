"""The pytest fixture `shapelint`: a test checks a model's sizes and fails with the report where they do not fit.

pytest loads this module by itself; torch is imported when a test uses the fixture.
"""

from __future__ import annotations

from typing import Any

import pytest

from shapelint.finding import Report


class Shapelint:
    """What the fixture gives: `check` fails the test, `report` only reports."""

    def check(self, target: Any, inputs: Any, **options: Any) -> Report:
        """The report of `shapelint.check` with the same arguments; fails the test on an error or a warning."""
        __tracebackhide__ = True
        report = self.report(target, inputs, **options)
        if not report.ok:
            pytest.fail(f"shapelint\n{report}", pytrace=False)
        return report

    def report(self, target: Any, inputs: Any, **options: Any) -> Report:
        """The report of `shapelint.check` with the same arguments, whatever it says."""
        from shapelint.engine import check

        return check(target, inputs, **options)


@pytest.fixture(scope="session")
def shapelint() -> Shapelint:
    """Checks models: `shapelint.check(Net, "1,3,H,W")` fails the test where sizes do not fit."""
    return Shapelint()
