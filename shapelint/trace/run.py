"""One run of a model at one size, on meta tensors, under the recorder; the model is left as it was."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.modules import module as hooks

from shapelint.inputs import Inputs
from shapelint.size.function import constant
from shapelint.size.number import track, tracked_size
from shapelint.source import Call
from shapelint.spec import TensorSpec
from shapelint.trace.failure import Failure, Kind, SizeError, Unanalysable
from shapelint.trace.frames import raised_by_python, raising_place
from shapelint.trace.operation import Shape
from shapelint.trace.record import Event, Overrides, Record
from shapelint.trace.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Subject:
    """What is run: a module on meta, the function of it that is called, and the inputs as functions of symbols."""

    module: torch.nn.Module
    function: Callable[..., Any]
    inputs: Inputs
    symbols: tuple[str, ...]
    names: Mapping[int, str]
    standing: Standing
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run did: its calls, the conditions on its path, and its outputs or its failure."""

    sizes: Mapping[str, int]
    records: list[Record]
    events: list[Event]
    leaks: list[tuple[str, Call | None]]
    outputs: tuple[Shape, ...]
    output_nodes: tuple[int, ...]
    failure: Failure | None
    place: Call | None = None
    error: BaseException | None = field(default=None, compare=False)


def run_once(subject: Subject, sizes: Mapping[str, int], *, symbolic: bool, overrides: Overrides | None = None) -> Run:
    """Runs the model where the symbols have `sizes`; with plain ints unless `symbolic`."""
    recorder = Recorder(
        subject.names,
        sizes,
        overrides=overrides or {},
        stop=run_once.__code__,
        deadline=time.monotonic() + subject.seconds,
    )
    before = track(recorder if symbolic else None)
    value: Any = None
    error: BaseException | None = None
    try:
        subject.standing.take()
        _learn_constants(recorder, subject.module)
        args, kwargs = subject.inputs.map(lambda spec: _input(recorder, spec, sizes))
        with _hooks(recorder), torch.no_grad(), recorder:
            value = subject.function(*args, **kwargs)
    except (Exception, SystemExit) as raised:
        error = raised
    finally:
        track(before)
    return _finished(recorder, sizes, value, error)


def _finished(recorder: Recorder, sizes: Mapping[str, int], value: Any, error: BaseException | None) -> Run:
    outputs: tuple[Shape, ...] = ()
    nodes: tuple[int, ...] = ()
    failure, place = None, None
    if error is not None:
        failure, place = _explained(recorder, error), raising_place(error.__traceback__)
    else:
        tensors = output_tensors(value)
        outputs = tuple(recorder.shape(tensor) for tensor in tensors)
        nodes = tuple(recorder.known[id(tensor)].node for tensor in tensors)
    return Run(sizes, recorder.records, recorder.events, recorder.leaks, outputs, nodes, failure, place, error)


def _explained(recorder: Recorder, error: BaseException) -> Failure:
    if isinstance(error, SizeError):
        return error.failure
    text = f"{type(error).__name__}: {error}".split("\n")[0]
    text = text.replace("{", "(").replace("}", ")")
    known = raised_by_python(error.__traceback__) and error is not recorder.kernel_error
    if known and not isinstance(error, (Unanalysable, SystemExit)):
        return Failure(Kind.PYTHON, _as_seen(text, recorder.sizes))
    return Failure(Kind.UNEXPLAINED, text)


def _as_seen(text: str, sizes: Mapping[str, int]) -> str:
    """The model's own words, with the size at which they were said where they may name it."""
    if not sizes or not any(str(size) in text for size in sizes.values()):
        return text
    return f"{text} (seen at {', '.join(f'{name}={size}' for name, size in sizes.items())})"


def output_tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor in a model's output, depth first, through containers and dataclasses."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, Mapping):
        parts: Any = value.values()
    elif isinstance(value, (tuple, list)):
        parts = value
    elif hasattr(value, "__dataclass_fields__"):
        parts = [getattr(value, name) for name in value.__dataclass_fields__]
    else:
        return []
    return [tensor for part in parts for tensor in output_tensors(part)]


def _input(recorder: Recorder, spec: TensorSpec, sizes: Mapping[str, int]) -> torch.Tensor:
    values = [function.value(sizes) for function in spec.dims]
    tensor = torch.empty(values, dtype=getattr(torch, spec.dtype), device="meta")
    dims = tuple(map(tracked_size, values, spec.dims))
    recorder.records.append(Record("input", None, (), {}, "", 1, (), None, outputs=(dims,)))
    recorder.learn(tensor, dims, len(recorder.records) - 1)
    return tensor


def _learn_constants(recorder: Recorder, module: torch.nn.Module) -> None:
    for part in module.modules():
        for group in (part._parameters, part._buffers):
            for tensor in group.values():
                if tensor is not None:
                    recorder.learn(tensor, tuple(tensor.shape), -1)


def overriding(values: Mapping[str, tuple[int, ...]], parameter: str = "output_padding") -> Overrides:
    """Values of one argument for some layers, as a run takes them."""
    return {module: {parameter: tuple(map(constant, value))} for module, value in values.items()}


@contextmanager
def _hooks(recorder: Recorder) -> Iterator[None]:
    before = hooks.register_module_forward_pre_hook(recorder.enter)
    after = hooks.register_module_forward_hook(recorder.leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


@contextmanager
def left_as_it_was(module: torch.nn.Module) -> Iterator[None]:
    """Puts back every attribute of the module's parts, torch's random state and Python's."""
    parts = [(part, dict(part.__dict__)) for part in module.modules()]
    stores: Any = [store for part, _ in parts for store in (part._parameters, part._buffers, part._modules)]
    inner = [(store, dict(store)) for store in stores]
    state, python_state = torch.get_rng_state(), random.getstate()
    try:
        yield
    finally:
        for part, attributes in parts:
            part.__dict__.clear()
            part.__dict__.update(attributes)
        for store, entries in inner:
            store.clear()
            store.update(entries)
        torch.set_rng_state(state)
        random.setstate(python_state)


class Standing:
    """How a module stands for a run: every tensor on meta, every part in training or evaluation mode."""

    def __init__(self, module: torch.nn.Module, *, train: bool) -> None:
        self._train, self._parts = train, list(module.modules())
        made: dict[int, torch.Tensor] = {}
        self._tensors = [
            (part, kind, {name: _on_meta(tensor, made) for name, tensor in store.items()})
            for part in self._parts
            for kind, store in (("_parameters", part._parameters), ("_buffers", part._buffers))
            if any(tensor is not None and tensor.device.type != "meta" for tensor in store.values())
        ]

    def take(self) -> None:
        """Sets the parts of the module up; `left_as_it_was` undoes it."""
        for part in self._parts:
            part.training = self._train
        for part, kind, tensors in self._tensors:
            getattr(part, kind).update(tensors)


def _on_meta(tensor: torch.Tensor | None, made: dict[int, torch.Tensor]) -> Any:
    """A tensor of the same kind without storage; tied tensors stay tied."""
    if tensor is None or tensor.device.type == "meta":
        return tensor
    if id(tensor) not in made:
        empty = torch.empty_like(tensor, device="meta", requires_grad=False)
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        made[id(tensor)] = torch.nn.Parameter(empty, requires_grad=False) if is_parameter else empty
    return made[id(tensor)]
