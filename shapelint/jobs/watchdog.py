"""Work in this process with an eye on the clock, for where there is no fork (Windows).

A thread ends the process when the time is up. Code that holds the interpreter's lock for ever is not ended, and a crash
is the command's own: `child` is what is used elsewhere.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

from shapelint.terminal.output import apart

_LOOK: Final = 0.2  # seconds from one look at the clock to the next: the time may begin anew meanwhile

Tell = Callable[[str, bytes], None]
Task = Callable[[Tell], None]


def run_here(task: Task, hear: Tell, seconds: Callable[[], float], expired: Callable[[str], None]) -> None:
    """Does a task and hears what it tells; where the `seconds` go by without a word, `expired` is told the stack.

    `expired` runs in another thread, and is to end the process.
    """
    watch = _Watch(seconds, expired)

    def tell(kind: str, payload: bytes) -> None:
        hear(kind, payload)
        watch.restart()

    try:
        watch.start()
        with apart():
            task(tell)
    finally:
        watch.stop()


class _Watch:
    """A thread that waits for the time to be up."""

    def __init__(self, seconds: Callable[[], float], expired: Callable[[str], None]) -> None:
        self._seconds, self._expired = seconds, expired
        self._over, self._watched = threading.Event(), threading.get_ident()
        self.restart()

    def restart(self) -> None:
        """Lets the time begin anew."""
        self._deadline = time.monotonic() + self._seconds()

    def start(self) -> None:
        """Begins to watch the thread that made it."""
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Ends the watch."""
        self._over.set()

    def _watch(self) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            if self._over.wait(min(left, _LOOK)):
                return
        frames = reversed(traceback.extract_stack(sys._current_frames()[self._watched]))
        self._expired("".join(f'  File "{each.filename}", line {each.lineno} in {each.name}\n' for each in frames))
