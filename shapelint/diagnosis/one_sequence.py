"""Finds a recurrent layer that takes the steps of all samples of a batch for one sequence.

`x.view(b * t, c, h, w)` lets convolutions look at each picture of a film; what they give, `b * t` rows of features, is
one sequence of as many steps for a recurrent layer behind it, which carries its state from one sample into the next.
"""

from __future__ import annotations

from shapelint.diagnosis.batch_axis import BatchRun
from shapelint.trace.recording.record import Record

RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})


def takes_all_steps(batch: BatchRun, index: int) -> bool:
    """Whether a call is a recurrent layer that takes, along the axis of its steps, those of each sample in turn."""
    record = batch.run.records[index]
    first, taken = is_batch_first(record), batch.axes[record.inputs[0]] if record.inputs else None
    if first is None or taken is None or len(batch.shapes[record.inputs[0]]) != 3:
        return False
    return taken.axis == int(first) and taken.outer == 1 < taken.inner


def is_batch_first(record: Record) -> bool | None:
    """Whether a call of a recurrent layer takes its steps along axis 1 and not 0; None of any other call, and of packed
    sequences, which have no axis for them.
    """
    if record.name not in RECURRENT or not isinstance(record.arguments[3], bool):  # there packed ones have the weights
        return None
    return bool(record.arguments[8])
