"""A fixed seed for every run, and whether a run drew from it: then another run may go another way."""

from __future__ import annotations

import random
import sys
from functools import lru_cache
from typing import Any, Final

import torch

_FRESH: Final = random.Random(0).getstate()


@lru_cache(maxsize=1)
def _fresh(numpy: Any) -> Any:
    """The state that numpy's seed 0 gives."""
    return numpy.random.RandomState(0).get_state()


def seed() -> None:
    """Sets the random states that every run begins with."""
    random.setstate(_FRESH)
    torch.default_generator.manual_seed(0)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.set_state(_fresh(numpy))


def drawn() -> str:
    """Which random numbers were drawn since, those of Python or of numpy; "" where none were."""
    if random.getstate() != _FRESH:
        return "a random number of Python's `random`"
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        state, fresh = numpy.random.get_state(), _fresh(numpy)
        if state[2:] != fresh[2:] or (state[1] != fresh[1]).any():
            return "a random number of numpy's"
    return ""
