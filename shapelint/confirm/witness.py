"""Eager PyTorch on the CPU at one asked size: what it does there is seen, whatever the contract says.

The run costs little where it is done at all: the recorded shapes tell the memory and the multiplications before it is
run. A small model is built again; the parameters of a larger one are zeros that take no memory until they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Final

import numpy
import torch
from torch.nn.parameter import is_lazy

from shapelint.errors import printable, words_of
from shapelint.load import Loaded
from shapelint.load.devices import NamedDevices
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.restore.module import set_mode, unchanged
from shapelint.restore.random import same_random_numbers
from shapelint.size.number import plain
from shapelint.source.fault import call_foreign, let_out
from shapelint.terminal.quiet import quiet
from shapelint.trace.recording.record import Record
from shapelint.trace.recording.trees import flat_tensors
from shapelint.trace.run import Run, output_tensors

_MULTIPLICATIONS: Final = 1_500_000_000
_ELEMENTS: Final = 100_000_000
_REBUILT: Final = 2_000_000
_PARAMETERS: Final = 2_000_000_000
_PACKED: Final = 50_000_000
_NUMERIC: Final = (ZeroDivisionError, FloatingPointError, MemoryError, vars(torch.linalg)["LinAlgError"])
_LAYERS: Final = ("conv", "linear", "matmul", "bmm", "mm", "attention", "lstm", "gru", "rnn", "einsum", "bilinear")

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What eager PyTorch did at some sizes: the shapes of its outputs, or the error that it raised.

    `real` tells that parameters and inputs had numbers, so that values were as good as any; `numeric` that the error is
    about numbers, or an output has no shape, and so nothing that sizes decide.
    """

    sizes: Mapping[str, int]
    shapes: Shapes | None
    error: str
    real: bool
    numeric: bool = False

    @property
    def counts(self) -> bool:
        """Whether it says something about sizes."""
        return not self.numeric


class Witness:
    """The model for real; it is built when it is first asked, and left as it was."""

    def __init__(self, loaded: Loaded, *, method: str | None, train: bool) -> None:
        self._loaded, self._method, self._train = loaded, method, train
        tensors = [*loaded.module.parameters(), *loaded.module.buffers()]
        self._lazy = any(map(is_lazy, tensors))
        tensors = [] if self._lazy else tensors
        self._total = sum(tensor.numel() for tensor in tensors)
        self._largest = max((tensor.numel() for tensor in tensors if tensor.dim() > 2), default=0)
        self._elsewhere = next((each.device.type for each in tensors if each.device.type not in ("cpu", "meta")), "")
        self._given = all(tensor.device.type == "cpu" for tensor in tensors)

    def too_large(self, run: Run) -> str:
        """Why the run is not done for real, as far as its records tell; "" where it is."""
        if self._lazy:
            return "its lazy layers have no parameters yet"
        if self._elsewhere:
            return f"its parameters are on {self._elsewhere}"
        if not self._given and (self._total > _PARAMETERS or self._largest > _PACKED):
            return f"{self._total / 1e9:.1f} billion parameters"
        records = run.records if run.failure is None else [each for each in run.records if each.outputs]
        elements = sum(prod(map(plain, shape)) for record in records for shape in record.outputs)
        if elements > _ELEMENTS:
            return f"{elements * 4 / 1e9:.1f} GB of results"
        multiplications = sum(map(_multiplications, records))
        return f"{multiplications / 1e9:.0f} billion multiplications" if multiplications > _MULTIPLICATIONS else ""

    def at(self, inputs: Inputs, sizes: Mapping[str, int], *, quick: bool = False) -> Seen:
        """What eager PyTorch does where the symbols have these sizes; its prints and warnings are not shown.

        A `quick` run takes zeros for parameters, and does without oneDNN, which compiles something for each new shape.
        """
        with same_random_numbers():
            torch.manual_seed(0)
            try:
                with quiet(), torch.no_grad():  # apart: what builds the model gives the state back as it was outside
                    module, real = (self._loaded.module, self._given) if quick else self._module()
            except Exception as error:  # the user's constructor, or what a factory does on the CPU
                let_out(error)
                return Seen(sizes, None, _line(error), real=False, numeric=True)
            with _without_onednn() if quick else nullcontext():
                seen = self._run(module, inputs, sizes, real=real)
                if seen.shapes is None and any(_is_whole(spec) for spec in inputs.tensors()):
                    again = self._run(module, inputs, sizes, real=real, whole=1)
                    return seen if again.shapes is None else again
            return seen

    def _run(
        self, module: torch.nn.Module, inputs: Inputs, sizes: Mapping[str, int], *, real: bool, whole: int = 0
    ) -> Seen:
        """One run, with `whole` for all integers of the inputs: no length may be 0, and not every label may be 1."""
        args, kwargs = inputs.map(lambda spec: _tensor(spec, sizes, whole))
        with (
            quiet(), torch.no_grad(), unchanged(module), _filled(module), _mode(module, self._train), NamedDevices()
        ):  # fmt: skip
            try:
                value = call_foreign(getattr(module, self._method or "__call__"), *args, **kwargs)
            except Exception as error:  # the user's code
                let_out(error)
                return Seen(sizes, None, _line(error), real, is_numeric(error))
        outputs = output_tensors(value)
        if any(each.is_nested for each in outputs):  # no one size for an axis
            return Seen(sizes, None, "", real, numeric=True)
        return Seen(sizes, tuple(tuple(each.shape) for each in outputs), "", real)

    def _module(self) -> tuple[torch.nn.Module, bool]:
        if self._given or self._loaded.rebuild is None or self._total > _REBUILT:
            return self._loaded.module, self._given
        return self._built, True

    @cached_property
    def _built(self) -> torch.nn.Module:
        """The model built again on the CPU, with the numbers that its constructor gives its parameters."""
        assert self._loaded.rebuild is not None, "only a model that can be built again is"
        return call_foreign(self._loaded.rebuild)


@contextmanager
def _without_onednn() -> Iterator[None]:
    """Kernels that are there already, which take longer where an axis is long."""
    flags: Any = torch.backends.mkldnn.set_flags
    before, *_ = flags(_enabled=False, _fp32_precision=None)
    try:
        yield
    finally:
        flags(_enabled=before, _fp32_precision=None)


def _is_whole(spec: TensorSpec) -> bool:
    dtype = getattr(torch, spec.dtype)
    return not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool)


def _tensor(spec: TensorSpec, sizes: Mapping[str, int], whole: int) -> torch.Tensor:
    shape, dtype = [dim.value(sizes) for dim in spec.dims], getattr(torch, spec.dtype)
    drawn = dtype.is_floating_point or dtype.is_complex
    return torch.rand(shape).to(dtype) if drawn else torch.full(shape, whole if _is_whole(spec) else 0).to(dtype)


@contextmanager
def _filled(module: torch.nn.Module) -> Iterator[None]:
    """Zeros in the place of the tensors without numbers; `unchanged` puts these back."""
    made: dict[int, torch.Tensor] = {}
    for part in module.modules():
        for store in (part._parameters, part._buffers):
            for name, tensor in store.items():
                if tensor is not None and tensor.is_meta:
                    store[name] = made.setdefault(id(tensor), _zeros(tensor))  # type: ignore[assignment]
    yield


def _zeros(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of zeros like another, whose pages are not written: numpy asks the system for them."""
    raw = numpy.zeros(tensor.numel() * tensor.element_size(), dtype=numpy.uint8)
    zeros = torch.from_numpy(raw).view(tensor.dtype).reshape(tensor.shape)
    return torch.nn.Parameter(zeros, requires_grad=False) if isinstance(tensor, torch.nn.Parameter) else zeros


@contextmanager
def _mode(module: torch.nn.Module, train: bool) -> Iterator[None]:
    """The mode of a check, in all parts, and one thread; `unchanged` puts back what these were.

    A process that was forked from one with threads of its own may wait for ever for the first that it asks for.
    """
    set_mode(module, train=train)
    torch.set_num_threads(1)
    yield


def _multiplications(record: Record) -> int:
    """About how many multiplications a recorded call takes; a bound is all that is needed."""
    made = sum(prod(map(plain, shape)) for shape in record.outputs)
    if not any(word in record.name for word in _LAYERS):
        return made
    given = [tuple(tensor.shape) for tensor in flat_tensors((record.arguments, record.keywords))]
    if record.name.startswith("conv") and len(given) > 1:
        rows = prod(given[0]) if "transpose" in record.name else made
        return rows * prod(given[1][1:])
    if "attention" in record.name and len(given) > 1:
        return 2 * prod(given[0]) * (given[1][-2] if len(given[1]) > 1 else 1)
    widths = [shape[-1] for shape in given if shape]
    return (made or sum(map(prod, given))) * max(widths, default=1)


def is_numeric(error: Exception) -> bool:
    """Whether an error is about numbers, which are not the user's here."""
    return isinstance(error, _NUMERIC)


def _line(error: Exception) -> str:
    said = words_of(error).partition("\n")[0]
    return printable(f"{type(error).__name__}: {said}".removesuffix(": "))
