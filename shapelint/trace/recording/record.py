"""What is written down while a model runs: its tensors, its calls, and the conditions on its path.

`Recording` is what an operation and its size rule may ask of the run that they are part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NoReturn, Protocol

import torch

from shapelint.facts.failure import Failure
from shapelint.size.condition import Condition
from shapelint.size.function import Function
from shapelint.source.span import CallSite

Shape = tuple[int, ...]


def elements(shape: Iterable[int]) -> int:
    """The number of elements of a shape, a Size where it depends on a symbol."""
    return reduce(lambda count, dim: dim * count, shape, 1)


@dataclass(slots=True)
class KnownTensor:
    """What is known of a tensor: its shape, the call that made it, and its values where they are sizes.

    `name` is the path of a parameter or buffer, of which no call made it.
    Where `layout` holds or fails as in this run, the strides are those of this run too. A `constant` has real numbers,
    the same ones at every size; those of a `stale` tensor are not what the model wrote.
    """

    tensor: torch.Tensor
    dims: Shape
    node: int
    name: str = ""
    values: tuple[Any, ...] | None = None
    layout: tuple[Condition, ...] = ()
    constant: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A condition on the path: one that another path can take (`failure` is None), or one that else raises.

    `place` is where the model's own code asked for it; None where a size rule did.
    """

    condition: Condition
    failure: Failure | None
    node: int
    place: CallSite | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """Why nothing is proved after a call, and where that is.

    Where it is `unseen`, no run on meta tells that PyTorch runs, and where a number is `made_up`, nor that it raises.
    """

    reason: str
    place: CallSite | None
    unseen: bool = False
    made_up: bool = False


@dataclass(slots=True)
class Record:
    """One recorded call, before it is frozen into a `graph.Node`.

    `inputs` are the indices of the calls that made the tensors among its arguments, `taken` the parameters and buffers.
    With `made_up` the data decide a size of its outputs, which have a number in its place.
    """

    name: str
    function: Any
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    module: str
    call: int
    inputs: tuple[int, ...]
    taken: tuple[str, ...]
    place: CallSite | None
    outputs: tuple[Shape, ...] = ()
    result: Any = None
    spatial: int = 0
    factor: tuple[Any, ...] = ()
    parameters: dict[str, tuple[int, ...]] = field(default_factory=dict)
    made_up: bool = False


Overrides = Mapping[str, Mapping[str, tuple[Function, ...]]]


class Recording(Protocol):
    """The run that an operation is part of, as a size rule sees it: `op.recorder`.

    `known` has what is known of each tensor, by its `id`; `records` are the calls so far; `sizes` the sizes of the
    symbols in this run; `events` are the conditions so far, `names` the paths of the modules by `id` and `layers` the
    modules that run, each with the number of its call; `overrides` what a repair sets; `with_places` is False where
    nobody reads the calls; `valued` is True where some tensor holds sizes, `thrown` where chance has decided a number,
    `closed` where the data were asked what may have one answer only at some sizes;
    `kernel_error` is the last error that a kernel raised, and `observed` the last one that a kernel of the CPU raised
    on real tensors.
    """

    known: dict[int, KnownTensor]
    records: list[Record]
    events: list[Event]
    layers: list[tuple[str, int]]
    names: Mapping[int, str]
    sizes: Mapping[str, int]
    overrides: Overrides
    with_places: bool
    valued: bool
    thrown: bool
    closed: bool
    kernel_error: BaseException | None
    observed: BaseException | None

    def shape(self, tensor: torch.Tensor) -> Shape:
        """The dimensions of a tensor, each a Size where it depends on a symbol."""
        ...

    def adopt(self, tensor: torch.Tensor) -> KnownTensor:
        """Takes in a tensor of unknown origin with the shape that it has; this is a leak."""
        ...

    def learn(
        self, tensor: torch.Tensor, dims: Shape, node: int, values: Any = None, layout: tuple[Condition, ...] = ()
    ) -> KnownTensor:
        """Notes the dimensions of a tensor, the index of the call that made it, and its values where they are sizes."""
        ...

    def leak(self, reason: str, *, unseen: bool = False, made_up: bool = False) -> None:
        """Notes that a size went where it cannot be followed: nothing after it is proved; see Leak."""
        ...

    def has_met(self, condition: Condition) -> bool:
        """Whether a size rule asked for a condition before, and it held, or it holds at every size."""
        ...

    def require(self, condition: Condition, failure: Failure, operation: Any) -> None:
        """Splits off the sizes at which a condition fails; raises SizeError where the sizes of this run do."""
        ...

    def choose(self, chance: str = "") -> bool:
        """The answer to a question that the data decide, or `chance`; another run gives the other one."""
        ...

    def of_data(self, value: int, why: str, *, least: int = 0, most: int | None = None) -> int:
        """A Size for a number of which the data decide, `value` in this run, and any other from `least` to `most`.

        Where a size that the model gives depends on it, nothing is known, because of `why`.
        """
        ...

    def unknown(self, reason: str) -> NoReturn:
        """Raises Unanalysable: what follows depends on the data."""
        ...

    def text(self, chance: str = "") -> None:
        """Notes that a size was made a text, which is a leak unless the text is only shown."""
        ...

    def decide(self, condition: Condition) -> bool:
        """Whether a condition holds at the sizes of this run, as part of its path."""
        ...

    def give_up(self, failure: Failure, operation: Any) -> NoReturn:
        """Raises Unanalysable at a call of which no size tells whether it raises `failure`."""
        ...

    def override(self, parameter: str, function: str = "") -> tuple[int, ...] | None:
        """The value per axis that a repair gives to an argument of the layer that runs; None where it gives none."""
        ...

    def kernel(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What torch's own function gives on plain numbers, unseen by the recording; raises what it raises.

        Raises Unanalysable where the function cannot do without the numbers in its tensors.
        """
        ...

    def __enter__(self) -> Any:
        """Begins to record."""
        ...

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> Any:  # noqa: PYI036 - as torch declares it
        """Ends it."""
        ...

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Records one call and gives its result; raises as the call does."""
        ...
