"""What a run or a search may cost before it is given up: the one place where anything is counted against a limit.

Runs of the model and the torch calls in them are counted, so that a search ends at the same place on a busy machine, on
a slow one, and when it is done again. Processor time of the thread is for what these counts do not see: the model's own
Python, and isl. It is set to some three times what the counted calls take. Wall time ends only a run that waits.
"""

from __future__ import annotations

import time
from math import inf


class Budget:
    """Numbers of runs and of torch calls, and seconds of this thread's processor time; what is left out has no limit.

    What is spent is also spent of the budget that this one is `within`. `waiting` are seconds of the clock on the wall.
    """

    __slots__ = ("_calls", "_end", "_processor", "_runs", "_start", "_within", "calls", "runs", "seconds", "waiting")

    def __init__(
        self,
        *,
        runs: float = inf,
        calls: float = inf,
        seconds: float = inf,
        waiting: float = inf,
        within: Budget | None = None,
    ) -> None:
        self.runs, self.calls, self.seconds, self.waiting, self._within = runs, calls, seconds, waiting, within
        self._runs = self._calls = 0
        self._start, self._processor = time.monotonic(), time.thread_time()
        self._end = self._start + min(seconds, waiting)

    def spend(self, *, runs: int = 0, calls: int = 0) -> None:
        """Counts what was done."""
        self._runs += runs
        self._calls += calls
        if self._within is not None:
            self._within.spend(runs=runs, calls=calls)

    def spent(self, *, runs: int = 0, calls: int = 0) -> str:
        """What is used up, in words, where so many more `runs` or `calls` are to come; "" while nothing is."""
        if self._runs + runs > self.runs:
            return f"{self.runs:,} runs"
        if self._calls + calls > self.calls:
            return f"{self.calls:,} calls"
        now = time.monotonic()
        if now > self._end:  # a thread's processor time does not go faster than the clock: until then it is not asked
            if time.thread_time() - self._processor > self.seconds:
                return f"{self.seconds:g} s"
            if now - self._start > self.waiting:
                return f"{self.waiting:g} s"
        return "" if self._within is None else self._within.spent()
