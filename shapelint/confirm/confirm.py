"""The confirmation step: predictions about sizes, checked by eager PyTorch and by onnxruntime on the exported model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy
import torch
from torch.nn.parameter import is_lazy

from shapelint.confirm import runtime
from shapelint.confirm.onnx_file import (
    Arguments,
    Exporter,
    ExportRefused,
    FlatModule,
    OnnxFile,
    export,
    first_line,
    input_tensors,
)
from shapelint.confirm.witness import is_numeric
from shapelint.errors import foreseen
from shapelint.facts.finding import Confirmation
from shapelint.instrument.frames import raised_by_python
from shapelint.load.devices import NamedDevices
from shapelint.restore.module import unchanged
from shapelint.restore.random import Drawn, same_random_numbers, seed
from shapelint.size.words import sized
from shapelint.source.fault import let_out
from shapelint.terminal.quiet import quiet

Shapes = tuple[tuple[int, ...], ...]
LIMIT = 2_000_000_000  # bytes; protobuf, and so an ONNX file in memory, ends at 2**31


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """A model to be confirmed: how to build it, its inputs at given sizes, and what was predicted for them.

    `build` gives a CPU module in eval mode, fresh or the user's own. `inputs` gives seeded CPU tensors. `predict` takes
    the sizes and whether the model is repaired, and gives None where it says that the model raises, and no shapes where
    it says nothing. `memory`, where given, is asked for the bytes of inputs and activations before any of them is made.
    """

    build: Callable[[], torch.nn.Module]
    inputs: Callable[[Mapping[str, int]], Arguments]
    predict: Callable[[Mapping[str, int], bool], Shapes | None]
    memory: Callable[[Mapping[str, int]], int] | None = None


@foreseen
class _NotConfirmed(Exception):
    """No confirmation of one point, for the reason in the text."""


@dataclass(frozen=True, slots=True)
class _Eager:
    """What eager PyTorch gave: the output tensors, and whether other random numbers give other values."""

    outputs: tuple[torch.Tensor, ...]
    random: bool


def confirm(
    subject: ExportSubject,
    points: Sequence[Mapping[str, int]],
    *,
    provider: str,
    assignments: Mapping[str, tuple[int, ...]] | None,
) -> tuple[tuple[Confirmation, ...], tuple[str, ...]]:
    """Confirms the predictions at the points, as the model is and with the assignments; and notes on what it could not.

    Raises ProviderError where onnxruntime does not run on the provider; every other failure is a note, or a
    Confirmation that is not ok.
    """
    runtime.check_provider(provider)
    with quiet(), same_random_numbers(), torch.no_grad():
        try:
            module = subject.build()
        except Exception as error:  # the user's code
            let_out(error)
            return (), (f"not confirmed: the model cannot be built on the CPU ({first_line(error)})",)
        if reason := too_large(module):
            return (), (f"not confirmed: {reason}",)
        return _confirm_points(_FixedSizes(subject, module, provider), points, assignments)


def too_large(module: torch.nn.Module) -> str | None:
    """Why the module (on any device, meta too) is too large to be exported; None where it is not."""
    size = _bytes(chain(module.parameters(), module.buffers()))
    if size <= LIMIT:
        return None
    billions = sum(parameter.numel() for parameter in module.parameters() if not is_lazy(parameter)) / 1e9
    return f"the model has {billions:.1f} billion parameters, {_gigabytes(size)} (limit {_gigabytes(LIMIT)})"


def _confirm_points(
    bench: _FixedSizes, points: Sequence[Mapping[str, int]], assignments: Mapping[str, tuple[int, ...]] | None
) -> tuple[tuple[Confirmation, ...], tuple[str, ...]]:
    confirmations: list[Confirmation] = []
    notes: list[str] = []
    for sizes in points:
        for values in (None, assignments) if assignments else (None,):
            try:
                found = bench.confirmation(sizes, values)
                confirmations.append(replace(found, predicted=found.predicted or None))
            except _NotConfirmed as reason:
                notes.append(f"not confirmed{reason}")
    return tuple(confirmations), tuple(dict.fromkeys(notes))


class _FixedSizes:
    """One model on one provider; remembers what the exporters refused, so that the slow one refuses only once."""

    def __init__(self, subject: ExportSubject, module: torch.nn.Module, provider: str) -> None:
        self.subject = subject
        self.module = module
        self.provider = provider
        self.exporters = tuple(Exporter)
        self.refusal = ""

    def confirmation(self, sizes: Mapping[str, int], values: Mapping[str, tuple[int, ...]] | None) -> Confirmation:
        """What PyTorch and onnxruntime give at the sizes; raises _NotConfirmed where it cannot be tried."""
        blank = self._blank(sizes, repaired=values is not None)
        arguments = self._arguments(sizes)
        with unchanged(self.module):
            for path, value in (values or {}).items():
                owner, _, attribute = path.rpartition(".")
                if not hasattr(self.module.get_submodule(owner), attribute):
                    raise _NotConfirmed(" with the repair, which is in a call of a function")
                setattr(self.module.get_submodule(owner), attribute, value)
            model, tensors = FlatModule(self.module, arguments), input_tensors(arguments)
            try:
                with NamedDevices():
                    eager = _run_eager(model, tensors)
            except _NotConfirmed:
                raise
            except Exception as error:  # the user's code
                let_out(error)
                return _raised(blank, error)
            return self._observed(blank, model, tensors, eager)

    def _blank(self, sizes: Mapping[str, int], *, repaired: bool) -> Confirmation:
        return Confirmation(
            provider=runtime.provider_name(self.provider),
            version=runtime.VERSION,
            sizes=dict(sizes),
            repaired=repaired,
            predicted=self.subject.predict(sizes, repaired),
            observed=None,
            max_abs_error=None,
            ok=False,
        )

    def _arguments(self, sizes: Mapping[str, int]) -> Arguments:
        need = self.subject.memory(sizes) if self.subject.memory else 0
        if need <= LIMIT:
            try:
                arguments = self.subject.inputs(sizes)
            except Exception as error:  # torch, for sizes of which there can be no tensor
                let_out(error)
                raise _NotConfirmed(f"{_at(sizes)}: the inputs cannot be made ({first_line(error)})") from error
            need = _bytes(chain(input_tensors(arguments), self.module.parameters(), self.module.buffers()))
        if need > LIMIT:
            raise _NotConfirmed(f"{_at(sizes)}: it takes {_gigabytes(need)} of memory (limit {_gigabytes(LIMIT)})")
        return arguments

    def _observed(
        self, blank: Confirmation, model: FlatModule, tensors: tuple[torch.Tensor, ...], eager: _Eager
    ) -> Confirmation:
        file = self._export(model, tensors)
        notes = [] if file.exporter is Exporter.TORCHSCRIPT else [f"exported with {file.exporter}"]
        try:
            observation = runtime.run(file, tensors, self.provider)
        except runtime.RunRefused as reason:
            return replace(blank, note="; ".join([str(reason), *notes]))
        given = tuple(tuple(output.shape) for output in eager.outputs)
        observed = tuple(tuple(output.shape) for output in observation.outputs)
        ok = blank.predicted == observed == given
        error = max_abs_error(eager.outputs, observation.outputs) if observed == given and not eager.random else None
        notes += [] if blank.predicted == given else [f"PyTorch gives {written(given)}"]
        return replace(
            blank, provider=observation.provider, observed=observed, max_abs_error=error, ok=ok,
            note="; ".join(notes), exporter=str(file.exporter), eager=given,
        )  # fmt: skip

    def _export(self, model: FlatModule, tensors: tuple[torch.Tensor, ...]) -> OnnxFile:
        try:
            return export(model, tensors, self.exporters)
        except ExportRefused as reason:
            self.exporters = (Exporter.TORCHSCRIPT,)
            self.refusal = self.refusal or f": {reason}"
            raise _NotConfirmed(self.refusal) from reason


def _run_eager(model: FlatModule, tensors: tuple[torch.Tensor, ...]) -> _Eager:
    """Runs the module; a second time, with another seed, only where the first run took random numbers."""
    seed(0)
    before = Drawn()
    outputs = model(*(tensor.clone() for tensor in tensors))
    if not outputs:
        raise _NotConfirmed(": the model gives no tensor")
    if Drawn() == before:
        return _Eager(outputs, random=False)
    seed(1)
    again = model(*(tensor.clone() for tensor in tensors))
    return _Eager(outputs, random=not all(map(torch.equal, outputs, again)))


def _raised(blank: Confirmation, error: Exception) -> Confirmation:
    if "can't allocate memory" in str(error):
        raise _NotConfirmed(f"{_at(blank.sizes)}: {first_line(error)}") from error
    expected = blank.predicted is None
    note = f"PyTorch raises{', as predicted' * expected}: {first_line(error)}"
    of_sizes = expected or not (is_numeric(error) or raised_by_python(error.__traceback__))
    return replace(blank, ok=expected, note=note, raises="PyTorch" if of_sizes else "")


def max_abs_error(eager: Sequence[torch.Tensor], observed: Sequence[Any]) -> float:
    """The largest difference of two values in the same place; equal infinities and two NaNs differ by 0."""
    return max(_difference(left, right) for left, right in zip(eager, observed, strict=True))


def _difference(eager: torch.Tensor, observed: Any) -> float:
    left, right = eager.detach().double().numpy(), numpy.asarray(observed, dtype=numpy.float64)
    same = (left == right) | (numpy.isnan(left) & numpy.isnan(right))
    with numpy.errstate(invalid="ignore"):
        largest = float(numpy.abs(numpy.where(same, 0.0, left - right)).max(initial=0.0))
    return math.inf if math.isnan(largest) else largest


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    known = (tensor for tensor in tensors if not is_lazy(tensor))
    return sum(tensor.numel() * tensor.element_size() for tensor in known)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _at(sizes: Mapping[str, int]) -> str:
    return " at " + ", ".join(f"{symbol}={size}" for symbol, size in sizes.items()) if sizes else ""


def written(shapes: Shapes) -> str:
    """The shapes of some outputs as people write them."""
    return ", ".join(sized(shape) for shape in shapes)
