"""At which sizes an operation without a rule is tried: near this run's for a formula, far from it to test it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from shapelint.size.function import Function

NEAR = 20
WIDE = 72
"""How many neighbours of a size are tried, and how many where these show no period."""
_FAR = (3, 6, 11, 18, 27, 38, 51, 66, 83, 102)
_SMALL = (1, 2, 3, 4, 5, 7)
_FEW = 8
_LONG = 4096


@dataclass(frozen=True, slots=True)
class Trial:
    """The value of each symbol; `axis` is the one that differs from this run's, "" where several do.

    A formula is made from the trials that are not `held` back, and must hold at those too.
    """

    sizes: Mapping[str, int]
    axis: str
    held: bool


def trials(hint: Mapping[str, int], functions: Sequence[Function], near: int = NEAR) -> list[Trial]:
    """This run's sizes first, then along each symbol that the functions depend on, then along all of them.

    A period of up to half of `near` can be found.
    """
    names = sorted({name for function in functions for name in function.symbols()})
    found = [Trial(dict(hint), "", False)]
    for name in names:
        for step in sorted({1, _slowest(name, hint, functions)}):
            found += _along([name], name, step, hint, near)
    if len(names) > 1:
        found += _along(names, "", 1, hint, _FEW) + _scattered(names, hint)
    return list({tuple(trial.sizes.items()): trial for trial in reversed(found)}.values())[::-1]


def _along(names: Sequence[str], axis: str, step: int, hint: Mapping[str, int], near: int) -> list[Trial]:
    """Trials at which the named symbols are moved together by multiples of a step, and small ones."""
    moved = [(index * step, False) for index in range(1, near + 1)]
    moved += [((near + index) * step, True) for index in _FAR]
    moved += [(-index * step, True) for index in range(1, near // 2 + 1)]
    sizes = [({name: hint[name] + by for name in names}, held) for by, held in moved]
    sizes += [(dict.fromkeys(names, small), True) for small in _SMALL]
    return [Trial({**hint, **at}, axis, held) for at, held in sizes if min(at.values()) > 0]


def _scattered(names: Sequence[str], hint: Mapping[str, int]) -> list[Trial]:
    drawn = random.Random(len(names))
    return [Trial({**hint, **{name: hint[name] + drawn.randint(0, 90) for name in names}}, "", True) for _ in range(12)]


def _slowest(name: str, hint: Mapping[str, int], functions: Sequence[Function]) -> int:
    """By how much a symbol grows until the slowest of its functions does."""
    slowest = 1
    for function in functions:
        if name in function.symbols():
            risen = abs(function.value({**hint, name: hint[name] + _LONG}) - function.value(hint))
            slowest = max(slowest, _LONG // risen if risen else 1)
    return slowest


@contextmanager
def restored_random_numbers() -> Iterator[None]:
    """Puts back the random state of torch, Python and numpy."""
    numpy: Any = sys.modules.get("numpy")
    state, python_state = torch.get_rng_state(), random.getstate()
    restore: Callable[[], Any] = (lambda: None) if numpy is None else _numpy_state(numpy)
    try:
        yield
    finally:
        torch.set_rng_state(state)
        random.setstate(python_state)
        restore()


def _numpy_state(numpy: Any) -> Callable[[], Any]:
    state = numpy.random.get_state()
    return lambda: numpy.random.set_state(state)
