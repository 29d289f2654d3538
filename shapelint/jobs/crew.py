"""Several child processes at one task, a step at a time: who has more to hear than them may wait for all at once."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from shapelint.jobs.child import Child, End, Task
from shapelint.terminal.interrupt import unfinished
from shapelint.terminal.progress import LONG


@dataclass(frozen=True, slots=True)
class Awaited:
    """Children that are waited for, at most up to a time of the monotonic clock."""

    children: Sequence[Child]
    deadline: float


Working = Generator[Awaited, Sequence[Child], None]


def crew(
    count: int,
    task: Task,
    hear: Callable[[int, str, bytes], None],
    seconds: Callable[[int], float],
    ended: Callable[[int, End], object],
    first: Child | None = None,
) -> Working:
    """Does a task in several child processes at once; each child is known by its number, from 0.

    Yields what it waits for, and is sent the children that have told something; who closes it ends them all. `ended` is
    told how each came to its end, and another child takes its place where it returns True. The `first` may be one that
    was started before, and does the task by itself.
    """
    started = itertools.count()
    with ExitStack() as stack:
        children: list[Child] = []

        def start(ready: Child | None = None) -> None:
            child = Child.started(task) if ready is None else ready
            stack.callback(child.end)
            child.number = next(started)
            child.deadline = time.monotonic() + seconds(child.number)
            children.append(child)

        for number in range(count):
            start(None if number else first)
        while children:
            heard = yield Awaited(children, min(child.deadline for child in children))
            for child in [each for each in children if each in heard or each.deadline <= time.monotonic()]:
                end = child.received(hear, seconds) if child in heard else child.late()
                if end is not None:
                    children.remove(child)
                    child.end()
                    if ended(child.number, end) is True:
                        start()


def finish(working: Working, late: Callable[[], None] | None = None) -> None:
    """Goes on until the work is done; where this process is ended, the children go too.

    `late` is called once, where the work takes long.
    """
    with unfinished(), closing(working):
        awaited, patience = next(working, None), time.monotonic() + LONG if late else float("inf")
        while awaited is not None:
            end = min(awaited.deadline, patience)
            left = max(0.0, end - time.monotonic())
            heard = select.select(awaited.children, [], [], left if left < float("inf") else None)[0]
            if late is not None and not heard and end == patience:
                patience = float("inf")
                late()
            else:
                awaited = step(working, heard)


def step(working: Working, heard: Sequence[Child]) -> Awaited | None:
    """Lets the work go on with the children that have told something: what it waits for then; None where it is done."""
    try:
        return working.send(heard)
    except StopIteration:
        return None
