"""The widest spec that torch.export takes and whose program gives the sizes that the model gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import torch

from shapelint.spec.boxes import AxisRange, SizeBox, boxes
from shapelint.spec.exporting import Exportable, Spec, SpecTrial, allowed, example_of, spec_of, tried

_BOXES = 4
_LATER = 2


@dataclass(frozen=True, slots=True)
class FoundSpec:
    """A spec that was tried and is right, None where there is none, and what was refused before it."""

    spec: Spec | None
    refused: tuple[SpecTrial, ...]


def found_spec(model: Exportable) -> FoundSpec:
    """The spec of a model, from that of all sizes that run down to one way through the model. Raises SpecError."""
    module = model.build()
    refused: list[SpecTrial] = []
    seen: set[SizeBox] = set()
    for box in islice(wide_boxes(model), _BOXES):
        for trial in _trials(model, module, box, seen):
            if not trial.refusal:
                return FoundSpec(trial.spec, tuple(refused))
            refused.append(trial)
    return FoundSpec(None, tuple(refused))


def wide_boxes(model: Exportable) -> Iterator[SizeBox]:
    """Boxes of the sizes that run, then those of the single regions without an end, then one size alone."""
    wanted = model.wanted
    every = list(boxes(wanted, model.steps))
    yield from every[:1]
    running = [region.sizes & wanted for region in model.contract.regions if region.outcome.ok]
    for sizes in running if len(running) > 1 else ():
        if not sizes.finite:
            yield from islice(boxes(sizes, model.steps), 1)
    yield from every[1:]
    if every:
        yield SizeBox(tuple(AxisRange(name, size) for name, size in example_of(every[0], model).items()))


def _trials(model: Exportable, module: torch.nn.Module, box: SizeBox, seen: set[SizeBox]) -> Iterator[SpecTrial]:
    """Trials of a box, of its sizes beyond the total stride, and of those ranges that torch.export itself chooses.

    A size inside of the model that is 1 at the smallest inputs is a constant to torch.export: without a stride, those
    are left out. Where its program refuses
    only a small size, the smallest sizes are left out one by one.
    """
    latest: SpecTrial | None = None
    beyond = [_beyond(box, model.steps, times) for times in (1, 2)]
    for begun in (box, *(beyond if beyond[0] != box else [box.later(axis.symbol for axis in box.axes)])):
        trial = _trial(model, module, begun, seen)
        yield from [] if trial is None else [trial]
        for _ in range(_LATER):
            later = None if trial is None or trial.at is None else _trial(model, module, _later(trial), seen)
            yield from [] if later is None else [later]
            trial = later or trial
        latest = trial or latest
    part = None if latest is None else allowed(model, module, latest.spec)
    last = None if part is None else _trial(model, module, part, seen)
    yield from [] if last is None else [last]


def _later(trial: SpecTrial) -> SizeBox:
    """The box of a trial without the smallest sizes of those symbols whose own smallest size is refused, or of all."""
    box = trial.spec.box
    return box.later(trial.smallest or [axis.symbol for axis in box.axes])


def _beyond(box: SizeBox, steps: Mapping[str, int], times: int) -> SizeBox:
    """The sizes of a box that are larger than so many total strides."""
    lows = {name: times * step + 1 for name, step in steps.items() if step > 1}
    axes = [axis if axis.tied else axis.within(lows.get(axis.symbol, 1), None) or axis for axis in box.axes]
    return SizeBox(tuple(axes))


def _trial(model: Exportable, module: torch.nn.Module, box: SizeBox, seen: set[SizeBox]) -> SpecTrial | None:
    if box in seen:
        return None
    seen.add(box)
    return tried(model, module, spec_of(model, module, box))
