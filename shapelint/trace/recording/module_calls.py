"""The calls of modules during a run: where each stands in the source, and the shapes that it gives."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import torch

from shapelint.instrument.frames import calling_place
from shapelint.source.span import CallSite
from shapelint.trace.recording.record import Recording, Shape


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A call of a module that gave tensors: `node` and `events` count what the run had recorded when it ended."""

    module: str
    call: int
    place: CallSite | None
    outputs: tuple[Shape, ...]
    node: int
    events: int


@dataclass(slots=True)
class ModuleCalls:
    """The calls of modules of one run, in the order in which they end."""

    recorder: Recording
    made: list[ModuleCall] = field(default_factory=list)

    def end(self, module: torch.nn.Module, output: Any) -> None:
        """Notes the call of the innermost module that runs, unless it raised, gave what no seen function made, or is
        no part of the model.
        """
        if id(module) not in self.recorder.names:
            return
        known = [self.recorder.known.get(id(tensor)) for tensor in tensors_in(output)]
        outputs = tuple(each.dims for each in known if each is not None)
        if not known or len(outputs) < len(known):
            return
        count = len(self.recorder.records), len(self.recorder.events)
        self.made.append(ModuleCall(*self.recorder.layers[-1], calling_place(sys._getframe(1)), outputs, *count))


def tensors_in(value: Any) -> list[torch.Tensor]:
    """Every tensor in an output, depth first, through lists, tuples and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [tensor for part in value.values() for tensor in tensors_in(part)]
    if isinstance(value, (tuple, list)):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []
