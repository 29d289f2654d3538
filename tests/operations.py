"""Compares size rules with eager PyTorch: every claim of a run about any size is checked on real tensors."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

import shapelint.ops  # noqa: F401  (registers the size rules)
from shapelint.facts.failure import Kind
from shapelint.facts.graph import Dimension
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec, parse_tensor
from shapelint.restore.module import left_as_it_was
from shapelint.size.number import plain
from shapelint.trace.meta_state import MetaState
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Run, Subject, run_once
from tests.oracle import attempt, given, real

Sizes = Mapping[str, int]
Outcome = tuple[tuple[int, ...], ...] | None
"""The shapes of all outputs, or None where the call raises."""


@dataclass
class Claims:
    """How many predictions about other sizes were right, how many were not made, and why."""

    runs: int = 0
    raises: int = 0
    silent: int = 0
    reasons: tuple[str, ...] = ()


class Contradiction(AssertionError):
    """A claim that eager PyTorch contradicts; `kind` says in which way."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


DEPENDS: Outcome = ((-1,),)
"""An outcome that no claim may make: the shapes depend on the numbers in the tensors."""


class _Model(torch.nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*inputs)


def grid(**values: Sequence[int]) -> list[dict[str, int]]:
    """All combinations of the sizes of each symbol."""
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def agree(
    function: Callable[..., Any],
    specs: Sequence[str],
    sizes: Sequence[Sizes],
    dtypes: Sequence[str] = (),
    *,
    train: bool = False,
    rising: bool = False,
    open_ended: bool = False,
) -> Claims:
    """Checks a function of tensors at the sizes; `specs` are input specs such as "1,3,H,W".

    At each size a plain run must agree with eager PyTorch, and whatever a symbolic run claims about the other
    sizes must be so there. The tensors are full of ones, or with `rising` of numbers each larger than the last.
    With `open_ended` a run may end as not analysable where PyTorch goes on.
    """
    tensors = [parse_tensor(spec) for spec in specs]
    if dtypes:
        tensors = [TensorSpec(spec.dims, dtype) for spec, dtype in zip(tensors, dtypes, strict=True)]
    model = _Model(function).train(train)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = _all_eager(model, tensors, sizes, rising=rising)
        return contradicted(model, tensors, sizes, expected, train=train, open_ended=open_ended)


def contradicted(
    model: torch.nn.Module,
    specs: Sequence[TensorSpec],
    sizes: Sequence[Sizes],
    expected: Sequence[Outcome],
    *,
    train: bool = False,
    open_ended: bool = False,
) -> Claims:
    """Checks what the runs of a model say of the sizes, where `expected` is what eager PyTorch does at each.

    Raises Contradiction for the first claim that is not so.
    """
    symbols = tuple(dict.fromkeys(name for spec in specs for name in spec.symbols()))
    names = {id(part): name for name, part in model.named_modules()}
    subject = Subject(model, model, Inputs(tuple(specs)), symbols, names, MetaState(model, train=train))
    claims, reasons = Claims(), set()
    for point, outcome in zip(sizes, expected, strict=True):
        with left_as_it_was(model, seeded=True):
            run = run_once(subject, point, symbolic=False)
        if not _open(run, open_ended):
            _same(_observed(run), outcome, f"a plain run at {point}")
        with left_as_it_was(model, seeded=True):
            run = run_once(subject, point, symbolic=True)
        if not _open(run, open_ended):
            _same(_observed(run), outcome, f"a symbolic run at {point}")
        reasons.update(_reasons(run))
        for other, there in zip(sizes, expected, strict=True):
            _check(run, point, other, there, claims)
    claims.reasons = tuple(sorted(reasons))
    return claims


def _all_eager(
    model: torch.nn.Module, specs: Sequence[TensorSpec], sizes: Sequence[Sizes], *, rising: bool
) -> list[Outcome]:
    """What PyTorch does at each size, on one thread: more of them slow down tensors as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tensors = [[_real(spec, point, rising=rising) for spec in specs] for point in sizes]
        return [given(attempt(model, *each)) for each in tensors]
    finally:
        torch.set_num_threads(before)


def _real(spec: TensorSpec, point: Sizes, *, rising: bool) -> torch.Tensor:
    ones = real(spec, point)
    return torch.arange(ones.numel()).reshape(ones.shape).to(ones.dtype) if rising else ones


def _observed(run: Run) -> Outcome:
    return None if run.error is not None else tuple(tuple(map(plain, shape)) for shape in run.outputs)


def _same(claimed: Outcome, there: Outcome, where: str) -> None:
    if claimed != there:
        text = f"{where} gives {_told(claimed)}, PyTorch {_told(there)}"
        raise Contradiction(_kind(claimed, there), text)


def _told(outcome: Outcome) -> str:
    return "an error" if outcome is None else "what the numbers decide" if outcome is DEPENDS else str(outcome)


def _kind(claimed: Outcome, there: Outcome) -> str:
    if there is DEPENDS:
        return "depends on numbers"
    return "false raise" if claimed is None else "error called ok" if there is None else "wrong size"


def _open(run: Run, open_ended: bool) -> bool:
    """Whether the run itself says that it may be wrong."""
    return bool(run.leaks) or (open_ended and isinstance(run.error, Unanalysable))


def _reasons(run: Run) -> list[str]:
    pinned = run.failure is not None and run.failure.kind in (Kind.UNEXPLAINED, Kind.OBSERVED)
    unexplained = isinstance(run.error, Unanalysable) or pinned
    return [leak.reason for leak in run.leaks] + ([run.failure.text] if unexplained and run.failure else [])


def _check(run: Run, point: Sizes, other: Sizes, there: Outcome, claims: Claims) -> None:
    """Whether what the run at `point` says of another size is so."""
    if _reasons(run):
        claims.silent += 1
        return
    broken = next((event for event in run.events if not event.condition.holds(other)), None)
    if broken is not None and broken.failure is None:
        claims.silent += 1
        return
    raises = broken is not None or run.failure is not None
    claimed = None if raises else tuple(tuple(_value(dim, other) for dim in shape) for shape in run.outputs)
    why = broken.failure.at(other) if broken is not None and broken.failure else ""
    _same(claimed, there, f"what the run at {point} says of {other} ({why})")
    claims.raises += raises
    claims.runs += not raises


def _value(dim: Any, point: Sizes) -> int:
    function: Dimension = getattr(dim, "_function", plain(dim))
    return function if isinstance(function, int) else function.value(point)


_SYMBOLS = ("D", "H", "W")


def small_grid(draw: random.Random, axes: int) -> list[dict[str, int]]:
    """Twelve sizes or so, 0 (the specs subtract 1) to 15 and the small ones always among them."""
    names = _SYMBOLS[-axes:]
    if axes == 1:
        return grid(**{names[0]: [*range(1, 9), 11, 12, 13, 16]})
    points = [dict.fromkeys(names, size) for size in (1, 2, 3, 4)]
    return points + [{name: draw.randint(1, 9 if axes == 3 else 13) for name in names} for _ in range(8)]


def spec(axes: int, channels: str, *, offset: str = "", batch: str = "1,") -> str:
    return batch + ",".join([channels, *(name + offset for name in _SYMBOLS[-axes:])])


def per_axis(draw: random.Random, axes: int, values: list[int]) -> Any:
    """A number for all axes, or one for each."""
    return draw.choice(values) if draw.random() < 0.5 else tuple(draw.choice(values) for _ in range(axes))
