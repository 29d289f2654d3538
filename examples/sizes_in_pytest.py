"""The fixture `shapelint` in a test: run it with `pytest examples/sizes_in_pytest.py`; the second test fails.

The name keeps pytest from collecting it by itself.
"""

from typing import Any

from mymodel import Net


def test_five_by_five_comes_back(shapelint: Any) -> None:
    report = shapelint.check(Net, (1, 3, 5, 5))
    assert (7, 9) in report.contract.restores


def test_six_by_six_comes_back(shapelint: Any) -> None:
    shapelint.check(Net, (1, 3, 6, 6))
