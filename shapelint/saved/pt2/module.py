"""An exported program as a module: its `forward` makes the calls of the graph, grouped by the layers that made them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import nn

from shapelint.instrument.frames import no_place_above
from shapelint.saved.declare import answered
from shapelint.saved.frames import StepModule, trampoline
from shapelint.saved.pt2.graph import Exported, ProgramCall, ProgramPart
from shapelint.saved.pt2.guards import check_inputs
from shapelint.saved.pt2.reader import dtype_of
from shapelint.saved.pt2.targets import function_of
from shapelint.trace.recording.errors import Unanalysable


class ExportedModule(nn.Module):
    """A program that runs; each layer of the model that it was exported from is a module of its name."""

    def __init__(self, exported: Exported) -> None:
        super().__init__()
        self.exported = exported
        self._values: dict[str, Any] = {}
        for name, stored in exported.held.items():
            self._buffers[name] = torch.empty(stored.shape, dtype=stored.dtype, device="meta")
        for call in exported.calls:
            path = _path(call)
            if path and path not in self._modules:
                self._modules[path] = type(call.kind, (StepModule,), {"__module__": __name__})()

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs of the program."""
        exported = self.exported
        given = {each.name: tensor for each, tensor in zip(exported.given, inputs, strict=True)}
        check_inputs(exported, given)
        self._values = {**self._buffers, **exported.constants, **given}
        for module, calls in groupby(exported.calls, lambda each: each.module):
            self._run_layer(module, list(calls))
        found = tuple(map(self._value, exported.outputs))
        self._values = {}
        return found

    def _run_layer(self, module: str, calls: Sequence[ProgramCall]) -> None:
        frame = self._modules.get(_path(calls[0])) if module else None
        if frame is None:
            self._run(calls)
        else:
            frame(lambda: self._run(calls))

    def _run(self, calls: Sequence[ProgramCall]) -> None:
        for call in calls:
            function = self._of_parts(call.target) or function_of(call.target)
            args = [self._argument(each) for each in call.positional]
            kwargs = {name: self._argument(each) for name, each in call.keywords.items()}
            self._remember(call, trampoline(call.place)(function, args, kwargs))

    # -- calls that take a graph ---------------------------------------------------------------------------------

    def _of_parts(self, target: str) -> Callable[..., Any] | None:
        """A function that runs graphs of the program, for the targets that take some."""
        known: dict[str, Callable[..., Any]] = {f"{_HIGHER}.cond": self._cond, f"{_HIGHER}.map_impl": self._map}
        return known.get(target)

    def _cond(self, asked: Any, one: ProgramPart, other: ProgramPart, operands: Any) -> tuple[Any, ...]:
        """Either way; both where the data decide."""
        chosen = answered(asked) if isinstance(asked, torch.Tensor) else bool(asked)
        return self._part(one if chosen else other, operands)

    def _map(self, body: ProgramPart, rows: Any, others: Any) -> tuple[Any, ...]:
        """What the first row gives, as often as there are rows."""
        count = rows[0].shape[0]
        if any(each.shape[0] != count for each in rows):
            raise RuntimeError("Leading dimensions of inputs must be consistent for `map`")
        found = self._part(body, [*(each.select(0, 0) for each in rows), *others])
        return tuple(each.unsqueeze(0).expand(count, *each.shape) for each in found)

    def _part(self, part: ProgramPart, given: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs of a graph of the program, which has names of its own."""
        outer = self._values
        self._values = {**outer, **dict(zip(part.inputs, given, strict=True))}
        try:
            self._run(part.calls)
            return tuple(self._argument(each) for each in part.outputs)
        finally:
            self._values = outer

    def _remember(self, call: ProgramCall, result: Any) -> None:
        names = [_names(each) for each in call.outputs]
        if len(names) == 1:
            single = isinstance(names[0], str) and call.target.startswith(_HIGHER)
            self._name(names[0], result[0] if single else result)
        elif names:
            for name, each in zip(names, result, strict=False):
                self._name(name, each)

    def _name(self, names: Any, result: Any) -> None:
        if isinstance(names, str):
            self._values[names] = result
        elif isinstance(names, list):
            for name, each in zip(names, result, strict=True):
                self._name(name, each)

    def _value(self, name: str) -> Any:
        if name not in self._values:
            raise Unanalysable(f"nothing gives the value `{name}`")
        return self._values[name]

    def _argument(self, told: Any) -> Any:
        ((kind, value),) = told.items()
        if kind == "as_tensor":
            return self._value(value["name"])
        if kind in ("as_tensors", "as_nested_tensors"):
            return [self._argument({"as_tensor": each}) for each in value]
        if kind == "as_optional_tensors":
            return [self._argument(each) for each in value]
        if kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
            return self._value(value["as_name"]) if "as_name" in value else next(iter(value.values()))
        if kind in ("as_sym_ints", "as_sym_bools", "as_sym_floats"):
            return tuple(self._argument({kind[:-1]: each}) for each in value)
        if kind == "as_graph":
            return value
        if kind in _PLAIN:
            return tuple(value) if isinstance(value, list) else value
        return _setting(kind, value)


_HIGHER = "torch.ops.higher_order"
_PLAIN = frozenset({
    "as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_bools", "as_string", "as_strings", "as_int_lists",
})  # fmt: skip
_FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format}


def _setting(kind: str, value: Any) -> Any:
    if kind == "as_none":
        return None
    if kind == "as_scalar_type":
        return dtype_of(value)
    if kind == "as_memory_format":
        return _FORMATS.get(value)
    if kind == "as_device":
        return torch.device("cpu")
    if kind == "as_layout":
        return torch.strided
    if kind == "as_complex":
        return complex(value["real"], value["imag"])
    raise Unanalysable(f"an argument of the kind `{kind.removeprefix('as_')}` is not followed")


def _names(told: Any) -> Any:
    """The name or names that a call gives its result."""
    ((kind, value),) = told.items()
    if kind == "as_tensor":
        return value["name"]
    if kind == "as_tensors":
        return [each["name"] for each in value]
    if kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
        return value.get("as_name")
    return None


def _path(call: ProgramCall) -> str:
    """The path of a layer without the number of its call."""
    return call.module.partition("@")[0]


no_place_above(ExportedModule.forward.__code__)
