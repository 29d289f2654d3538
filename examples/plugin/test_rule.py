"""The examples of the rule are its tests."""

from __future__ import annotations

import pytest
from shapelint_checkerboard import UnevenOverlap

from shapelint.testing import examples, run_example


@pytest.mark.parametrize(("rule", "example"), examples(UnevenOverlap()))
def test_example(rule, example):
    run_example(rule, example)
