"""The garbage collector of Python during a check: it looks through a program's objects less often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNGEST: Final = 20_000


@contextmanager
def collected_rarely() -> Iterator[None]:
    """While it is open, collections are some thirty times as rare; the program's own number is put back.

    Of what a check makes little is garbage in cycles, and a collection goes through all that torch and the packages
    have made: up to a fifth of the time of a check.
    """
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(before[0], _YOUNGEST), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
