"""Which of a model's runs is heard, where a check makes a dozen of them."""

from __future__ import annotations

import sys
import warnings
from typing import Literal

import pytest
import torch
from torch import nn

import shapelint
from shapelint.terminal.quiet import in_turn, one_speaks


class Tells(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sys.stdout.write(f"takes {tuple(x.shape)}\n")
        return self.up(self.down(x))


def test_what_forward_prints_is_told_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert not shapelint.check(Tells, "1,3,6,6").ok
        assert capsys.readouterr().out == "takes (1, 3, 6, 6)\n"


class Warns(Tells):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        warnings.warn(f"{tuple(x.shape)} is odd", stacklevel=1)
        y = self.up(self.down(x))
        return y + nn.functional.mse_loss(y, y.mean())


@pytest.mark.parametrize("action", ["always", "error", "ignore"])
def test_of_warnings_in_runs_the_users_own_are_told_once(action: Literal["always", "error", "ignore"]) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter(action)
        report = shapelint.check(Warns, "1,3,H,W")
    assert [each.code for each in report.findings] == ["SL105"]
    assert [str(each.message) for each in told] == ["(1, 3, 64, 128) is odd"] * (action == "always")
    assert {each.filename for each in told} <= {__file__}


def test_what_the_search_for_an_input_runs_is_not_heard(capsys: pytest.CaptureFixture[str]) -> None:
    shapelint.check(Tells)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_first_run_that_prints_is_the_one_that_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    with one_speaks():
        for said in ("", "one\n", "two\n"):
            with in_turn():
                sys.stdout.write(said) if said else None
    with in_turn():
        sys.stdout.write("three\n")
    assert capsys.readouterr().out == "one\nthree\n"
