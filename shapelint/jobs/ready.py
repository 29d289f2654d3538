"""A child that is started before its jobs are known, and gets itself ready: what it then does has less to wait for."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from shapelint.jobs.child import Child, Tell
from shapelint.jobs.imports import Importing
from shapelint.jobs.job import Job
from shapelint.jobs.worker import CheckingTask

_PIECE: Final = 1 << 20

Numbers = tuple[int, int]


@dataclass(slots=True)
class ReadyChild:
    """A child that waits for jobs; the pipe that it reads them from, and the one with the numbers of those to do."""

    child: Child
    numbers: Numbers
    _jobs: int

    @classmethod
    def started(cls, prepare: Callable[[Tell], None], numbers: Callable[[Numbers], Iterator[int]]) -> ReadyChild:
        """A child that prepares itself and then waits; `numbers` takes them from their pipe."""
        (jobs, given), pipe, importing = os.pipe(), os.pipe(), Importing()

        def task(tell: Tell) -> None:
            os.close(given)
            prepare(tell)
            os.close(pipe[1])
            data = b"".join(iter(lambda: os.read(jobs, _PIECE), b""))
            if data:  # else nobody wants it any more
                wanted, keeping = pickle.loads(data)
                take = partial(numbers, pipe)
                CheckingTask(wanted, take, apart=True, keeping=keeping, importing=importing)(tell)

        child = Child.started(task)
        os.close(jobs)
        return cls(child, pipe, given)

    def given(self, jobs: Sequence[Job], *, keeping: bool = False) -> Child:
        """The child, told its jobs, and whether it is `keeping` what it tells for a cache.

        Their numbers come through the other pipe. One that has ended hears nothing.
        """
        with suppress(BrokenPipeError), os.fdopen(self._jobs, "wb", buffering=0) as pipe:
            pipe.write(pickle.dumps((tuple(jobs), keeping)))
        return self.child

    def end(self) -> None:
        """Ends a child that is not wanted any more."""
        self.child.end()
        for pipe in (self._jobs, *self.numbers):
            os.close(pipe)
