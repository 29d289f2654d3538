"""A call that a layer of PyTorch's own refuses before it computes anything, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shapelint.source.span import Span


class RefusalCause(Enum):
    """What of a call does not fit the layer.

    IN_FRONT: the samples are along the first axis of what the layer gets, and it takes them from the second, since it
    is not `batch_first`. LAYERS, SAMPLES, FEATURES: the state of a recurrent layer is for others. AXES: the state has
    more or fewer axes. RANK: a norm for maps of other axes. MAP: a convolution or a pool that gets no map.
    """

    IN_FRONT = "in front"
    LAYERS = "layers"
    SAMPLES = "samples"
    FEATURES = "features"
    AXES = "axes"
    RANK = "rank"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """The layer that refuses a call: its path, its class, and where it was constructed, where that is known.

    `given` is what does not fit: the shape of the input (IN_FRONT, RANK) or of the state. `wanted` is the shape of the
    state that the layer takes; of a norm the one number is of its features, of a convolution or a pool (MAP) the two
    are the channels that it takes, 0 for any, and the axes of a map besides samples and channels. `steps` tells that a
    step of one sample is given where one of all samples would fit: `x[t]` of (samples, steps, features).
    """

    module: str
    kind: str
    cause: RefusalCause
    given: tuple[int, ...]
    wanted: tuple[int, ...]
    built: Span | None
    steps: bool = False
