"""An exception that no size rule should raise: torch's refusal of the same call takes its place, else it is our bug."""

from __future__ import annotations

import sys
from traceback import walk_tb
from typing import Any

from shapelint.errors import InternalError, is_foreseen
from shapelint.source.fault import came_through, internal_error, is_a_signals
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Recording


def bug_in(recorder: Recording, operation: Operation, args: Any, kwargs: Any, error: Exception) -> InternalError | None:
    """What to raise for an exception that left a recorded call; None where it is the model's, or raised on purpose.

    Where torch's own function refuses the arguments, its exception is raised: the rule has no words for such a call.
    Raises Unanalysable where the model's own calls had used up Python's stack.
    """
    if is_foreseen(error) or isinstance(error, InternalError) or came_through(error) or is_a_signals(error):
        return None
    if isinstance(error, RecursionError) and _depth(error) < sys.getrecursionlimit() // 2:
        raise Unanalysable("calls nested too deep") from error
    if not str(getattr(operation.function, "__module__", "")).startswith("shapelint."):
        try:
            recorder.kernel(operation.function, args, kwargs)
        except Exception as refusal:  # torch's, with the model's arguments
            if came_through(refusal):
                raise
    return internal_error(error)


def _depth(error: Exception) -> int:
    """How many calls lie between where an exception was caught and where it was raised."""
    return sum(1 for _ in walk_tb(error.__traceback__))
