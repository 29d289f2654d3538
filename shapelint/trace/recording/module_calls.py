"""The calls of modules and of the user's functions in a run: where each stands in the source, and what it gives."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

import torch

from shapelint.instrument.frames import calling_frame
from shapelint.source.span import CallSite
from shapelint.trace.recording.record import Recording, Shape

_MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A call of a module that gave tensors: `node` and `events` count what the run had recorded when it ended.

    `begun` counts the recorded calls, and `first` the calls of modules, when it began; `frame` is the id of the frame
    that made it. With a `function` it is a call of a function of that name by the user's code, while the module runs;
    `made_up` is as in a Record.
    """

    module: str
    call: int
    place: CallSite | None
    outputs: tuple[Shape, ...]
    node: int
    events: int
    begun: int
    first: int
    frame: int
    function: str = ""
    made_up: bool = False


@dataclass(slots=True)
class ModuleCalls:
    """The calls of modules, and of functions of the user's, of one run, in the order in which they end."""

    recorder: Recording
    made: list[ModuleCall] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)
    _begun: list[tuple[int, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Notes that a module begins to run."""
        self._begun.append(self._now())

    def end(self, module: torch.nn.Module, output: Any) -> None:
        """Notes the call of the innermost module that runs, unless it raised, gave what no seen function made, or is
        no part of the model.
        """
        begun = self._begun.pop()
        if id(module) in self.recorder.names:
            self._note(tensors_in(output), begun, "")

    def end_function(self, name: str, result: Any) -> None:
        """Notes the call of a function of the user's that ends, or what gets another name, as `end` does."""
        if threading.get_ident() == self.thread and not (name.endswith("]") and self._is_last(result)):
            self._note(tensors_in(result), self._now(), name)

    def _is_last(self, value: Any) -> bool:
        """Whether the last recorded call is the one of an item of a tensor that gave a value."""
        known, records = self.recorder.known.get(id(value)), self.recorder.records
        return known is not None and known.node == len(records) - 1 and records[-1].name == "__getitem__"

    def _now(self) -> tuple[int, int]:
        return len(self.recorder.records), len(self.made)

    def _note(self, tensors: list[torch.Tensor], begun: tuple[int, int], function: str) -> None:
        known = [self.recorder.known.get(id(tensor)) for tensor in tensors]
        outputs = tuple(each.dims for each in known if each is not None)
        if not known or len(outputs) < len(known):
            return
        count = len(self.recorder.records), len(self.recorder.events)
        frame = calling_frame(sys._getframe(1))
        place = None if frame is None else CallSite(frame.f_code, frame.f_lasti)
        self.made.append(ModuleCall(*self.recorder.layers[-1], place, outputs, *count, *begun, id(frame), function))


def tensors_in(value: Any) -> list[torch.Tensor]:
    """Every tensor in an output, depth first, through lists, tuples, dicts and dataclasses; none where there is more in
    it than in an output. The value's own code is not asked for its parts.
    """
    found, waiting, seen = list[torch.Tensor](), [value], 0
    while waiting:
        each, seen = waiting.pop(), seen + 1
        if isinstance(each, torch.Tensor):
            found.append(each)
        else:
            waiting += reversed(_parts(each))
        if seen + len(waiting) > _MOST:
            return []
    return found


def _parts(value: Any) -> list[Any]:
    kind = type(value)
    if issubclass(kind, dict):
        return list(dict.values(value))
    if issubclass(kind, tuple | list):
        return list(tuple.__iter__(value) if issubclass(kind, tuple) else list.__iter__(value))
    if not is_dataclass(kind):
        return []
    held = vars(value) if kind.__dictoffset__ else None  # else it has slots
    return [getattr(value, each.name, None) if held is None else held.get(each.name) for each in fields(kind)]
