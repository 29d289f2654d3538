"""Confirmation at many sizes: one file with open sizes, and what onnxruntime makes of it at sizes from the contract.

Shapes only: the weights are zeros there. Sizes at which the model raises are for eager PyTorch alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import onnx
import torch

from shapelint.confirm import runtime
from shapelint.confirm.confirm import ExportSubject, Shapes
from shapelint.confirm.many import RuntimeTask, SizedRun, Worker
from shapelint.confirm.onnx_file import (
    Exporter,
    ExportRefused,
    FlatModule,
    OnnxFile,
    OpenAxes,
    export_open,
    first_line,
    input_names,
    input_tensors,
)
from shapelint.confirm.sizes import Chosen, Sizes, chosen_sizes
from shapelint.facts.analysis import Analysis
from shapelint.facts.finding import Confirmation
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.restore.module import unchanged
from shapelint.restore.random import same_random_numbers
from shapelint.size.function import Function
from shapelint.source.fault import let_out
from shapelint.terminal.progress import counted, terminal
from shapelint.terminal.quiet import quiet

_SECONDS = 30.0  # of processor time in all threads of onnxruntime
_WAITING = 120.0
_MEMORY = 500_000_000
Told = tuple[tuple[Confirmation, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one exporter's file gave: a confirmation for each size that was reached, or why there is none."""

    exporter: Exporter
    confirmations: tuple[Confirmation, ...] = ()
    refusal: str = ""

    @property
    def wrong(self) -> tuple[Confirmation, ...]:
        return tuple(each for each in self.confirmations if not each.ok)


def confirmed_at_many(analysis: Analysis, subject: ExportSubject, inputs: Inputs, provider: str) -> Told:
    """What onnxruntime gives at sizes chosen from the contract, and remarks on what it was not asked, or why.

    Raises ProviderError where onnxruntime falls back to another provider.
    """
    chosen = chosen_sizes(analysis)
    with terminal() as stream, quiet(), same_random_numbers(), torch.no_grad(), Worker(provider) as worker:
        bench = _OpenSizes(analysis, subject, inputs, provider, worker, chosen, stream)
        raising = tuple(bench.raising())
        if not chosen.running:
            return raising, ()
        attempts = list(bench.attempts())
    best = min(attempts, key=lambda each: (bool(each.refusal), len(each.wrong)))
    return (*best.confirmations, *raising), tuple(_remarks(best, attempts, chosen, bench.too_large))


@dataclass(slots=True)
class _OpenSizes:
    """One model, one provider, and the sizes that it is to be run at."""

    analysis: Analysis
    subject: ExportSubject
    inputs: Inputs
    provider: str
    worker: Worker
    chosen: Chosen
    stream: Any
    module: torch.nn.Module = field(init=False)
    running: tuple[Sizes, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.module = self.subject.build()
        self.running = tuple(sizes for sizes in self.chosen.running if self._fits(sizes))

    @property
    def too_large(self) -> int:
        """How many of the chosen sizes need too much memory."""
        return len(self.chosen.running) - len(self.running)

    def _fits(self, sizes: Sizes) -> bool:
        return self.subject.memory is None or self.subject.memory(sizes) <= _MEMORY

    def attempts(self) -> Iterator[_Attempt]:
        """The quick exporter's file; the other's too where that one refuses, or is wrong for no known reason."""
        first = self._attempt(Exporter.TORCHSCRIPT)
        yield first
        if first.refusal or any(not self._predicted(each) for each in first.wrong):
            yield self._attempt(Exporter.DYNAMO)

    def _predicted(self, wrong: Confirmation) -> bool:
        return self.analysis.portability.foretells(wrong.sizes, fixed=False)

    def _attempt(self, exporter: Exporter) -> _Attempt:
        try:
            arguments = self.subject.inputs(self.analysis.portability.exported)
            model, tensors = FlatModule(self.module, arguments), input_tensors(arguments)
            with unchanged(self.module):
                file = export_open(model, tensors, _open_axes(self.inputs), exporter)
            work = RuntimeTask.of(file, model, tensors, map(self._shapes, self.running))
        except ExportRefused as refusal:
            return _Attempt(exporter, refusal=str(refusal))
        except Exception as error:  # torch and numpy, for inputs and weights that they cannot make
            let_out(error)
            return _Attempt(exporter, refusal=first_line(error))
        if names := _constants(file, self.inputs):
            return _Attempt(exporter, refusal=f"{' and '.join(names)} became a constant in the file")
        try:
            runs = self.worker.runs(work, seconds=_SECONDS, waiting=_WAITING)
            shown = counted(runs, len(self.running), self.stream)
            found = [self._confirmed(*each, exporter) for each in zip(self.running, shown, strict=False)]
        except (runtime.RunRefused, OSError) as reason:
            return _Attempt(exporter, refusal=str(reason))
        return _Attempt(exporter, tuple(found))

    def _shapes(self, sizes: Sizes) -> Shapes:
        return tuple(tuple(dim.value(sizes) for dim in spec.dims) for spec in _specs(self.inputs))

    def _confirmed(self, sizes: Sizes, run: SizedRun, exporter: Exporter) -> Confirmation:
        predicted = self.analysis.contract.outcome(**sizes).outputs
        blank = self._blank(sizes, runtime.provider_name(self.provider), runtime.VERSION)
        ok = run.shapes == predicted
        return replace(blank, predicted=predicted, observed=run.shapes, ok=ok, note=run.error, exporter=str(exporter))

    def _blank(self, sizes: Mapping[str, int], provider: str, version: str) -> Confirmation:
        return Confirmation(provider, version, dict(sizes), False, None, None, None, False, dynamic=True)

    def raising(self) -> Iterator[Confirmation]:
        """Eager PyTorch at the sizes at which it should raise; onnxruntime can crash there."""
        for sizes in filter(self._fits, self.chosen.raising):
            blank = self._blank(sizes, "PyTorch", str(torch.__version__))
            try:
                arguments = self.subject.inputs(sizes)
                with unchanged(self.module):
                    outputs = FlatModule(self.module, arguments)(*input_tensors(arguments))
            except Exception as error:  # the user's code
                let_out(error)
                yield replace(blank, ok=True, note=f"raises, as predicted: {first_line(error)}", raises="PyTorch")
            else:
                shapes = tuple(tuple(output.shape) for output in outputs)
                yield replace(blank, observed=shapes, note="does not raise")


def _specs(inputs: Inputs) -> list[TensorSpec]:
    """The specs of the input tensors, in the order in which FlatModule takes the tensors."""
    leaves = torch.utils._pytree.tree_leaves(inputs.map(lambda spec: spec))
    return [leaf for leaf in leaves if isinstance(leaf, TensorSpec)]


def _open_axes(inputs: Inputs) -> OpenAxes:
    return tuple(
        {axis: _axis_name(dim, number, axis) for axis, dim in enumerate(spec.dims) if dim.constant is None}
        for number, spec in enumerate(_specs(inputs))
    )


def _axis_name(dim: Function, number: int, axis: int) -> str:
    """The symbol itself; an expression of symbols has a name of its own."""
    text = str(dim)
    return text if text.isidentifier() else f"input_{number}_{axis}"


def _constants(file: OnnxFile, inputs: Inputs) -> tuple[str, ...]:
    """The open axes, as they are written in the spec, whose size is a number in the file all the same."""
    model = onnx.load_from_string(file.data)
    given = {entry.name: entry.type.tensor_type.shape.dim for entry in model.graph.input}
    fixed = [
        f"`{dim}`"
        for name, spec in zip(input_names(len(_specs(inputs))), _specs(inputs), strict=True)
        for axis, dim in enumerate(spec.dims)
        if name in given and dim.constant is None and _is_number(given[name][axis])
    ]
    return tuple(dict.fromkeys(fixed))


def _is_number(dim: Any) -> bool:
    """Whether a dimension of a file is fixed; the dynamo exporter also writes a number as the name of an open one."""
    return bool(dim.HasField("dim_value") or dim.dim_param.isdigit())


def _remarks(best: _Attempt, attempts: Sequence[_Attempt], chosen: Chosen, too_large: int) -> Iterator[str]:
    if best.refusal:
        yield f"not confirmed at many sizes: {best.refusal}"
        return
    for other in attempts:
        if other is not best and other.refusal and best.wrong:
            yield f"with {other.exporter}: {other.refusal}"
        elif other is not best and other.wrong:
            yield f"with {other.exporter}: {len(other.wrong)} of {len(other.confirmations)} sizes come out otherwise"
    late = len(chosen.running) - too_large - len(best.confirmations)
    parts = [*chosen.left_out]
    large = "1 size that needs" if too_large == 1 else f"{too_large} sizes that need"
    parts += [f"{large} too much memory"] if too_large else []
    limit = f"{_SECONDS:g} s of processor time or {_WAITING:g} s in all"
    parts += [f"{late} size{'s' * (late != 1)} after {limit}"] if late else []
    if parts:
        yield f"not run by onnxruntime: {', '.join(parts)}"
