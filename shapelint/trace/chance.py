"""A fixed seed for every run, and whether a run drew from it: then another run may go another way."""

from __future__ import annotations

import random
import sys
from functools import lru_cache
from typing import Any, Final

import torch

_BITS: Final = 1024
_FIRST: Final = random.Random(0).getrandbits(_BITS)


@lru_cache(maxsize=1)
def _first(numpy: Any) -> bytes:
    """The first bytes that numpy draws after the seed 0."""
    return bytes(numpy.random.RandomState(0).bytes(_BITS // 8))


def seed() -> None:
    """Sets the random states that every run begins with."""
    random.seed(0)
    torch.default_generator.manual_seed(0)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(0)


def drawn() -> str:
    """Which random numbers were drawn since, those of Python or of numpy; "" where none were.

    The next ones are then not the first ones any more: to draw them takes a tenth of the time of comparing the states.
    """
    if random.getrandbits(_BITS) != _FIRST:
        return "a random number of Python's `random`"
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and numpy.random.bytes(_BITS // 8) != _first(numpy):
        return "a random number of numpy's"
    return ""
