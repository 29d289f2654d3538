"""A saved graph as a module: its `forward` walks the steps under the recorder, each in a module of its step's name.

So everything that is asked of a model's code can be asked of a file. Source places are those that the file tells: each
step runs in a frame whose code object claims to stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import torch
from torch import nn

from shapelint.instrument.frames import no_place_above
from shapelint.saved.declare import Declaration, Need, declared
from shapelint.saved.frames import Convolution, StepModule, trampoline
from shapelint.saved.graph import Stored
from shapelint.saved.onnx import ops
from shapelint.saved.onnx.call import OPERATORS, OperatorCall, Sequence, Value
from shapelint.saved.onnx.graph import FileFunction, Graph, GraphStep, Model, Reference
from shapelint.saved.onnx.numbers import Numbers
from shapelint.trace.recording.errors import Kind, Unanalysable

_DEEPEST = 24


class GraphModule(nn.Module):
    """A saved model that runs; `fixed` sizes are those that the runtime insists on."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._frames: dict[str, StepModule] = {}
        self._scopes: list[dict[str, Value]] = []
        self._functions: list[tuple[FileFunction, Mapping[str, Any]]] = []
        for step in _all_steps(model.graph):
            self._frame(step)
        for name, stored in model.graph.stored.items():
            if stored.dtype is not None and stored.numbers is None:
                self._buffers[name] = torch.empty(stored.shape, dtype=stored.dtype, device="meta")

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs of the graph."""
        self._scopes, self._functions = [{}], []
        scope = self._scopes[0]
        for given, tensor in zip(self.model.graph.inputs, inputs, strict=True):
            scope[given.name] = _as_the_file_wants(tensor, given)
        return tuple(self._tensors(self._run(self.model.graph)))

    def _tensors(self, found: Iterable[Value]) -> Iterator[torch.Tensor]:
        """The tensors that values are, those of a sequence one by one."""
        for each in found:
            if isinstance(each, Sequence):
                yield from each.items
            elif each is not None:
                yield self.weight(each) if isinstance(each, Numbers) else each

    # -- what operators ask --------------------------------------------------------------------------------------

    def weight(self, numbers: Numbers) -> torch.Tensor:
        """A tensor of the shape of some numbers."""
        result: torch.Tensor = declared(Declaration("constant", (numbers.shape,), (numbers.dtype,)))
        return result

    def run_inner(self, graph: Graph, handed: tuple[Value, ...] = ()) -> tuple[Value, ...]:
        """The outputs of a graph in a graph, which sees what is around it and is handed values.

        Raises Unanalysable where the graph takes what nothing gives.
        """
        if len(self._scopes) > _DEEPEST:
            raise Unanalysable(f"graphs inside of graphs, deeper than {_DEEPEST}")
        self._scopes.append(dict(zip(graph.handed, handed, strict=False)))
        try:
            return self._run(graph)
        finally:
            self._scopes.pop()

    # -- running ---------------------------------------------------------------------------------------------------

    def _run(self, graph: Graph) -> tuple[Value, ...]:
        scope = self._scopes[-1]
        for name, stored in graph.stored.items():
            scope[name] = self._held(name, stored, inner=len(self._scopes) > 1)
        for step in graph.steps:
            self._step(step)
        return tuple(self._look_up(name) for name in graph.outputs)

    def _held(self, name: str, stored: Stored, *, inner: bool) -> Value:
        """A tensor that the file holds; what has no dtype here is told where it is used."""
        if stored.numbers is not None or stored.dtype is None:
            return cast("Value", stored.numbers)
        if not inner:
            return self._buffers[name]
        return cast("Value", declared(Declaration("constant", (stored.shape,), (stored.dtype,))))

    def _step(self, step: GraphStep) -> None:
        opset = self._functions[-1][0].opset if self._functions else self.model.opset
        frame, place = self._frame(step), step.place
        values = tuple(self._look_up(name) if name else None for name in step.inputs)
        call = OperatorCall(self._resolved(step), values, opset, self)
        found = trampoline(place)(frame, (lambda: self._computed(call),), {})
        results = found if isinstance(found, tuple) else (found,)
        for name, value in zip(step.outputs, results, strict=False):
            if name:
                self._scopes[-1][name] = value

    def _computed(self, call: OperatorCall) -> Any:
        step = call.step
        function = self.model.functions.get((step.domain, step.operator))
        if function is not None:
            return self._call_function(function, call)
        known = OPERATORS.get(step.title)
        if known is None:
            raise Unanalysable(f"the operator `{step.title}` of `{step.name}` is not known here")
        return known(call)

    def _call_function(self, function: FileFunction, call: OperatorCall) -> tuple[Value, ...]:
        if len(self._functions) + len(self._scopes) > _DEEPEST:
            raise Unanalysable(f"functions inside of functions, deeper than {_DEEPEST}")
        outer = self._scopes
        self._scopes = [dict(zip(function.inputs, call.values, strict=False))]
        self._functions.append((function, call.step.attributes))
        try:
            for step in function.steps:
                self._step(step)
            return tuple(self._look_up(name) for name in function.outputs)
        finally:
            self._scopes = outer
            self._functions.pop()

    def _resolved(self, step: GraphStep) -> GraphStep:
        """The step with the attributes that the call of its function gives."""
        if not any(isinstance(each, Reference) for each in step.attributes.values()):
            return step
        given = self._functions[-1][1] if self._functions else {}
        attributes = {
            name: given.get(each.name) if isinstance(each, Reference) else each
            for name, each in step.attributes.items()
        }
        return GraphStep(step.name, step.operator, step.domain, step.inputs, step.outputs, attributes, step.place)

    def _look_up(self, name: str) -> Value:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        raise Unanalysable(f"nothing gives the tensor `{name}`")

    def _frame(self, step: GraphStep) -> StepModule:
        """The module of a step; made once, so that the same one runs at every size."""
        key = step.name
        if key not in self._frames:
            made = _frame_of(step)
            self._frames[key] = made
            self._modules[step.name] = made
        return self._frames[key]


def _all_steps(graph: Graph) -> list[GraphStep]:
    """The steps of a graph and of the graphs in it."""
    found: list[GraphStep] = []
    waiting = [graph]
    while waiting:
        each = waiting.pop()
        for step in each.steps:
            found.append(step)
            waiting.extend(value for value in step.attributes.values() if isinstance(value, Graph))
    return found


def _frame_of(step: GraphStep) -> StepModule:
    arguments = ops.convolution_arguments(step) if step.operator in ops.CONVOLUTIONS else None
    base = StepModule if arguments is None else Convolution
    kind = type(step.operator if step.title in OPERATORS else "Operator", (base,), {"__module__": __name__})
    return kind() if arguments is None else kind(arguments)  # type: ignore[no-any-return]


def _as_the_file_wants(tensor: torch.Tensor, given: Any) -> torch.Tensor:
    """The input, with the sizes that the file fixes: the runtime raises at others."""
    shown = given.name if given.name.isprintable() else repr(given.name)
    needs = tuple(
        Need(size, dim, Kind.PYTHON, f"the file fixes axis {axis} of `{shown}` at {dim}, and it is {{left}}", True)
        for axis, (size, dim) in enumerate(zip(tensor.shape, given.dims, strict=True))
        if isinstance(dim, int)
    )
    if not needs:
        return tensor
    result: torch.Tensor = declared(Declaration("given", (tuple(tensor.shape),), (tensor.dtype,), needs), tensor)
    return result


no_place_above(GraphModule.forward.__code__)
