"""A result that is declared: its shape is worked out here, and the recorder writes it down as a call of torch.

The operators of a saved graph follow other rules than torch's functions where the two differ at the edges. So their
sizes are arithmetic on sizes, and `declared` gives the recorder a tensor of that shape, what it was made from, and the
conditions on which the runtime raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from torch.overrides import handle_torch_function

from shapelint.size.number import plain
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Operation, Plain, Result, size_rule
from shapelint.trace.recording.record import Shape

_ANSWER = "_answer"
_META = torch.empty(0, device="meta")


@dataclass(frozen=True, slots=True)
class Need:
    """What the runtime asks: `left` at least `right`, or equal to it; `text` may name {left} and {right}."""

    left: int
    right: int
    kind: Kind
    text: str
    equal: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """A call by its name and the shapes of its results; None in their place is the common shape of the tensors.

    The last `spatial` axes are multiplied by `factor`; `parameters` are the arguments of a layer, per axis.
    """

    name: str
    shapes: tuple[Shape, ...] | None
    dtypes: tuple[torch.dtype, ...]
    needs: tuple[Need, ...] = ()
    spatial: int = 0
    factor: tuple[Fraction, ...] = ()
    parameters: Mapping[str, Iterable[int]] = field(default_factory=dict)


def declared(declaration: Declaration, *tensors: torch.Tensor) -> Any:
    """The tensors that a declaration tells of, made from `tensors`; only a run under the recorder calls this."""
    return handle_torch_function(declared, tensors or (_META,), declaration, *tensors)


def retyped(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A tensor of the same shape in another dtype; the tensor itself where it has that."""
    if tensor.dtype is dtype:
        return tensor
    result: torch.Tensor = declared(Declaration("cast", (tuple(tensor.shape),), (dtype,)), tensor)
    return result


def answered(tensor: torch.Tensor) -> bool:
    """The answer to a question that the numbers in a tensor decide: one run takes one way, another run the other."""
    known: bool | None = getattr(tensor, _ANSWER, None)
    if known is None:
        known = bool(handle_torch_function(answered, (tensor,), tensor))
        setattr(tensor, _ANSWER, known)
    return known


@size_rule(answered)
def _answered(op: Operation, tensor: torch.Tensor) -> Plain:
    return Plain(op.recorder.choose())


@size_rule(declared)
def _declared(op: Operation, declaration: Declaration, *tensors: torch.Tensor) -> Result:
    op.name = declaration.name
    for need in declaration.needs:
        if need.equal:
            op.require_equal(need.left, need.right, need.kind, need.text)
        else:
            op.require_at_least(need.left, need.right, need.kind, need.text)
    if declaration.spatial:
        op.resamples(declaration.spatial, declaration.factor)
    op.parameters = {name: tuple(map(plain, value)) for name, value in declaration.parameters.items()}
    shapes = declaration.shapes
    if shapes is None:
        shapes = (op.broadcast(*map(op.shape, tensors)),)
    for size in (size for shape in shapes for size in shape):
        op.require_at_least(size, 0, Kind.EMPTY, f"a size of `{op.name}` would be {{left}}")
    made = tuple(Fresh(shape, _META, dtype) for shape, dtype in zip(shapes, declaration.dtypes, strict=True))
    return made if len(made) > 1 else made[0]
