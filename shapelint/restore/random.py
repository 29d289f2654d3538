"""Random numbers: the seed that every run starts from, whether a run drew any, and their states given back."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import torch

_BITS: Final = 1024
_NUMBERS: Final = 16
_FIRST: Final = random.Random(0).getrandbits(_BITS)


@lru_cache(maxsize=1)
def _first(numpy: Any) -> bytes:
    """The first numbers that numpy draws after the seed 0."""
    return bytes(numpy.random.RandomState(0).random_sample(_NUMBERS).tobytes())


def seed(number: int = 0) -> None:
    """Seeds the generators of torch (CPU), of Python and, where it is imported, of numpy; a run begins with 0."""
    random.seed(number)
    torch.default_generator.manual_seed(number)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(number)


def drawn() -> str:
    """Which random numbers were drawn since, those of Python or of numpy; "" where none were.

    The next ones are then not the first ones any more: to draw them takes a tenth of the time of comparing the states.
    """
    if random.getrandbits(_BITS) != _FIRST:
        return "a random number of Python's `random`"
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and numpy.random.random_sample(_NUMBERS).tobytes() != _first(numpy):
        return "a random number of numpy's"
    return ""


class Drawn:
    """The states of the random generators of torch, Python and numpy."""

    def __init__(self) -> None:
        self._torch, self._python = torch.get_rng_state(), random.getstate()
        cuda = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        self._cuda = torch.cuda.get_rng_state_all() if cuda else None
        numpy = sys.modules.get("numpy.random")
        self._numpy = numpy.get_state() if numpy else None

    def give_back(self) -> None:
        """Sets the generators."""
        torch.set_rng_state(self._torch)
        random.setstate(self._python)
        if self._cuda is not None:
            torch.cuda.set_rng_state_all(self._cuda)
        if self._numpy is not None:
            sys.modules["numpy.random"].set_state(self._numpy)

    def __eq__(self, other: object) -> bool:
        """Whether the generators stood alike: none of them gave a number in between. A GPU's are not compared."""
        return isinstance(other, Drawn) and pickle.dumps(self._compared()) == pickle.dumps(other._compared())

    __hash__ = None  # type: ignore[assignment]

    def _compared(self) -> tuple[object, ...]:
        return self._torch.numpy().tobytes(), self._python, self._numpy


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Gives back the states of the random generators at the end."""
    drawn = Drawn()
    try:
        yield
    finally:
        drawn.give_back()
