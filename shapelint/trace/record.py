"""What is written down while a model runs: its tensors, its calls, and the conditions on its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from shapelint.failure import Failure
from shapelint.size.condition import Condition
from shapelint.size.function import Function
from shapelint.source import Call

Shape = tuple[int, ...]


@dataclass(slots=True)
class Known:
    """What is known of a tensor: its shape, the call that made it, and its values where they are sizes.

    Where `layout` holds or fails as in this run, the strides are those of this run too. A `constant` has real numbers,
    the same ones at every size; those of a `stale` tensor are not what the model wrote.
    """

    tensor: torch.Tensor
    dims: Shape
    node: int
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
    place: Call | None = None


@dataclass(slots=True)
class Record:
    """One recorded call, before it is frozen into a `graph.Node`."""

    name: str
    function: Any
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    module: str
    call: int
    inputs: tuple[int, ...]
    place: Call | None
    outputs: tuple[Shape, ...] = ()
    result: Any = None
    spatial: int = 0
    factor: tuple[Any, ...] = ()
    parameters: dict[str, tuple[int, ...]] = field(default_factory=dict)


Overrides = Mapping[str, Mapping[str, tuple[Function, ...]]]
