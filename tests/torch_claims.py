"""What size rules claim of the calls of PyTorch's own test data, in four forms, against eager PyTorch.

The shapes as they are; equal sizes as one symbol; each axis open, up to four; one tensor alone open (only the first
two where a call differs from another one by its dtype alone). The values are the sample's where the size is.
Elsewhere several fillings are tried, and only what raises with each of them raises.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch

from shapelint.errors import InternalError
from shapelint.request.spec import TensorSpec
from shapelint.size.expression import parse_function
from shapelint.size.function import Function
from tests.operations import DEPENDS, Claims, Contradiction, Outcome, contradicted
from tests.oracle import Shape, attempt, given
from tests.torch_data import Case

_SYMBOLS = "ABCD"
_LARGEST = 200_000
_POINTS = 5


@dataclass(frozen=True, slots=True)
class Form:
    """The inputs of a case with symbols, and the sizes that these have in the sample."""

    specs: tuple[TensorSpec, ...]
    base: dict[str, int]

    def shapes(self, sizes: dict[str, int]) -> tuple[Shape, ...]:
        """The shapes of the inputs at some sizes."""
        return tuple(tuple(dim.value(sizes) for dim in spec.dims) for spec in self.specs)

    def __str__(self) -> str:
        return "; ".join(map(str, self.specs))


def forms(case: Case, drawn: random.Random) -> Iterator[Form]:
    """The forms of a case, each once; one tensor alone is open in three of them at most."""
    tensors = range(len(case.tensors))
    alone = drawn.sample(tensors, min(3, len(tensors))) if len(tensors) > 1 else []
    made = [_form(case, ()), _form(case, tensors, shared=True)]
    if case.thorough:
        made += [_form(case, tensors), *(_form(case, (number,)) for number in alone)]
    yield from {str(form): form for form in made if form.base or not form.shapes({}) or form is made[0]}.values()


def _form(case: Case, free: Sequence[int], *, shared: bool = False) -> Form:
    base: dict[str, int] = {}
    specs = []
    for number, tensor in enumerate(case.tensors):
        dims = [_dim(size, base, shared=shared) if number in free else size for size in tensor.shape]
        specs.append(TensorSpec(dims, str(tensor.dtype).removeprefix("torch.")))
    return Form(tuple(specs), base)


def _dim(size: int, base: dict[str, int], *, shared: bool) -> Function | int:
    """A symbol for a size, the one that has it where they are shared; the size itself where none is left."""
    if shared and size == 1:
        return 1
    name = next((name for name, value in base.items() if shared and value == size), None)
    if name is None:
        if len(base) == len(_SYMBOLS):
            return size
        name = _SYMBOLS[len(base)]
        base[name] = size
    return parse_function(name)


def _points(form: Form, drawn: random.Random) -> list[dict[str, int]]:
    """The sample's own sizes first, then others around them."""
    base = form.base
    points = [base]
    for _ in range(_POINTS if base else 0):
        point = {}
        for name, value in base.items():
            near = (value, value, value, value + 1, max(1, value - 1), 1, 2 * value, drawn.randint(1, 9))
            point[name] = drawn.choice(near)
        points.append(point)
    kept = [point for point in points if max(map(prod, form.shapes(point)), default=1) <= _LARGEST]
    return [dict(each) for each in dict.fromkeys(tuple(point.items()) for point in kept)]


def claims(case: Case, form: Form, drawn: random.Random) -> Claims:
    """What the runs of a case say; raises Contradiction where that is not so, or where they raise of themselves."""
    points = _points(form, drawn)
    made = _at(case, form, points[:1])
    return made if made.silent or not points[1:] else _at(case, form, points)


def _at(case: Case, form: Form, points: Sequence[dict[str, int]]) -> Claims:
    expected = [_eager(case, form.shapes(point)) for point in points]
    try:
        return contradicted(case.fresh(), form.specs, points, expected, train=case.train, open_ended=True)
    except InternalError as error:
        raise Contradiction("internal error", str(error)) from error


def _eager(case: Case, shapes: Sequence[Shape]) -> Outcome:
    """What PyTorch does at some shapes, or DEPENDS."""
    found = []
    for fill in _FILLS:
        tensors = [_filled(tensor, shape, *fill) for tensor, shape in zip(case.tensors, shapes, strict=True)]
        model = case.fresh()
        torch.default_generator.manual_seed(0)
        outcome = given(attempt(model, *tensors))
        if outcome is not None:
            found.append(outcome)
        if len(found) == 2:
            break
    if not found:
        return None
    return found[0] if found[0] == found[-1] else DEPENDS


_FILLS = (("own", "own"), ("rand", "zero"), ("own", "one"), ("eye", "own"), ("eye", "zero"), ("half", "zero"),
          ("zero", "zero"), ("one", "one"))  # fmt: skip


def _filled(tensor: torch.Tensor, shape: Shape, floats: str, others: str) -> torch.Tensor:
    """A tensor like another of some shape: with its numbers, repeated, or with numbers of another kind."""
    real = tensor.is_floating_point() or tensor.is_complex()
    kind = floats if real else others
    if kind == "own":
        flat = tensor.flatten()
        return flat.repeat(-(-prod(shape) // flat.numel()))[: prod(shape)].reshape(shape).clone()
    if kind == "rand":
        return torch.rand(shape).to(tensor.dtype)
    if kind == "eye" and len(shape) >= 2:
        return torch.eye(*shape[-2:], dtype=tensor.dtype).expand(shape).clone()
    return torch.full(shape, {"half": 0.5, "one": 1}.get(kind, 0), dtype=tensor.dtype)
