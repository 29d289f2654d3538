"""How a model mixes the samples of a batch, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shapelint.facts.diagnosis import Change
from shapelint.size.function import Function
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span


class Mixing(Enum):
    """What a call does to the samples of a batch.

    ROWS: a view makes other rows than samples. PARTS: one that has an axis for the samples puts parts of several into
    each. JOINED: a `cat` puts several results of a sample one behind the other along the batch. TOGETHER: all samples
    become one. CHANNELS: each channel of a sample becomes a row. STEPS: a recurrent layer takes samples for steps.
    SEQUENCE: one takes the steps of all samples for one sequence. SQUEEZED: a `squeeze` takes the axis of the samples
    too, where there is one sample.
    """

    ROWS = "rows"
    PARTS = "parts"
    JOINED = "joined"
    TOGETHER = "together"
    CHANNELS = "channels"
    STEPS = "steps"
    SEQUENCE = "sequence"
    SQUEEZED = "squeezed"


@dataclass(frozen=True, slots=True)
class MixedSamples:
    """A call that makes other rows than samples: `sizes` are where it does, `apart` where a sample is a row.

    A sample has `features` there, and a row takes `row` of them; `layer` is the linear layer behind it. With `change`
    in a layer ahead of it, which then is at `place`, a sample is a row. In another way than ROWS a sample gives
    `row` rows, or steps.
    """

    sizes: SizeSet
    apart: SizeSet
    operation: str
    module: str
    place: Span | None
    features: Function
    row: int
    layer: str
    change: Change | None = None
    way: Mixing = Mixing.ROWS
