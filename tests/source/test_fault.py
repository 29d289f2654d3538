"""Whose an exception is that comes out of the model's code."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn

import shapelint


class TimeLimit(Exception):
    """What a test raises in a function that takes too long."""


class Slow(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(5)
        return x


@pytest.fixture
def _limited() -> Iterator[None]:
    def handler(number: int, frame: FrameType | None) -> Any:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_limited")
def test_what_a_signals_handler_raises_is_no_outcome_of_the_model() -> None:
    with pytest.raises(TimeLimit):
        shapelint.check(Slow(), "1,3,H,W")
