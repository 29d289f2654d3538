"""How many calls, one after another, the numbers in a tensor went through.

In a loop of a thousand turns, each of which takes the numbers that the one before gave, these are more than Python's
stack has room for, and more than anybody wants to follow.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from weakref import WeakKeyDictionary

from shapelint.trace.recording.constants import DRAWN
from shapelint.trace.recording.record import Recording
from shapelint.trace.recording.trees import flat_tensors

_LONGEST = 150
_data: WeakKeyDictionary[Recording, list[bool]] = WeakKeyDictionary()


def takes_data(recorder: Recording, node: int) -> bool:
    """Whether the numbers that a call gives depend on an input of the model, or on random ones."""
    known = _data.setdefault(recorder, [])
    for each in range(len(known), len(recorder.records)):
        record = recorder.records[each]
        drawn = record.function is None or record.name in DRAWN
        known.append(drawn or any(known[given] for given in _given(recorder, each)))
    return known[node]


def is_long(recorder: Recording, node: int, followed: Container[str] = ()) -> bool:
    """Whether more calls in a row led to this one than are followed back: those that take no data, and of the others
    those named in `followed`.
    """
    waiting = {node}
    for _ in range(_LONGEST):
        on = [each for each in waiting if not takes_data(recorder, each) or recorder.records[each].name in followed]
        waiting = {given for each in on for given in _given(recorder, each)}
        if not waiting:
            return False
    return True


def _given(recorder: Recording, node: int) -> Sequence[int]:
    """The calls that made what a call takes; a replay notes none."""
    record = recorder.records[node]
    if record.inputs:
        return record.inputs
    known = [recorder.known.get(id(each)) for each in flat_tensors((record.arguments, dict(record.keywords)))]
    return [each.node for each in known if each is not None and 0 <= each.node < node]
