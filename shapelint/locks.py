"""What may be done by one thread at a time: a check, and inside of it what isl and Python's own parser do.

A check replaces the code of the user's functions and globals of their modules, listens to sizes, seeds the random
generators, hooks all modules of torch, and gives all of it back at the end. The thread that does this holds the lock;
other threads wait. No code that runs on behalf of a model takes it, so a model may have threads of its own.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from shapelint.errors import ModelError

_PATIENCE: Final = 10.0  # seconds that a fork waits for a check in another thread
_OWN_DEPTH: Final = 2000  # calls


class InnerLock:
    """A lock that is held for a moment only, and never while the user's code runs; use `with inner.lock`.

    In a process that is forked while another thread has it, it is a new one, and `renewed` is called.
    """

    __slots__ = ("_renewed", "lock")

    def __init__(self, renewed: Callable[[], object] = lambda: None) -> None:
        self.lock, self._renewed = threading.RLock(), renewed
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        if self.lock.acquire(blocking=False):
            self.lock.release()
        else:
            self.lock = threading.RLock()
            self._renewed()


class _CheckLock:
    """The lock for a whole check. Its thread may take it again, but not in a run: two runs would be recorded as one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._runs = 0  # how many runs of models go on, one inside of the other, in the thread that has the lock
        self._forking = threading.local()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before_fork, after_in_parent=self._forked, after_in_child=self._in_child)

    @contextmanager
    def check(self) -> Iterator[None]:
        """Waits for the lock; Ctrl-C ends the waiting. ModelError in a run of a model."""
        with self._lock:
            if self._runs:
                raise ModelError("it calls shapelint itself, which cannot check a model in a run of another check")
            with _deeper():
                yield

    @contextmanager
    def run(self) -> Iterator[None]:
        """A run of a model."""
        self._runs += 1
        try:
            yield
        finally:
            self._runs -= 1

    def _before_fork(self) -> None:
        """Waits until no check is half done, since its copy would stay so; not for ever, as a model may fork too."""
        self._forking.held = self._lock.acquire(timeout=_PATIENCE)

    def _forked(self) -> None:
        if self._forking.held:
            self._lock.release()

    def _in_child(self) -> None:
        """In the new process no other thread is left that could give the lock back."""
        if self._forking.held:
            self._lock.release()
        else:
            self._lock, self._runs = threading.RLock(), 0


@contextmanager
def _deeper() -> Iterator[None]:
    """Lets calls nest deeper, by what shapelint needs inside of a model that recurses nearly as deep as Python lets it.

    A limit that the model sets itself stays.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + _OWN_DEPTH)
    try:
        yield
    finally:
        if sys.getrecursionlimit() == before + _OWN_DEPTH:
            sys.setrecursionlimit(before)


_lock: Final = _CheckLock()
one_check = _lock.check
one_run = _lock.run
