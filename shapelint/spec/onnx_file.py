"""An ONNX file that is exported by the very text that is shown, and what onnxruntime makes of it at many sizes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from shapelint.confirm.confirm import max_abs_error, written
from shapelint.confirm.many import FileWork, SizedRun, Worker
from shapelint.confirm.onnx_file import OPSET, Exporter, output_tensors
from shapelint.confirm.runtime import RunRefused, run_named
from shapelint.request.spec import TensorSpec
from shapelint.size.sets import SizeSet
from shapelint.source.fault import call_foreign, let_out
from shapelint.spec.boxes import SizeBox, boxes
from shapelint.spec.code import binding, named_leaves, open_axes, sample_code
from shapelint.spec.exporting import Exportable, Sizes, defined, example_of, exporting, plain, points, reason
from shapelint.spec.search import found_spec, wide_boxes

_MOST = 64
_FEWEST = 2
_BOXES = 3
_SECONDS = 60.0  # of processor time of onnxruntime
_WAITING = 180.0
_MEMORY = 500_000_000
_COMPARED, _COMPARED_MEMORY = 4, 100_000_000
_NEAR = 1e-2  # of the largest value
_EXPORT = '''


def export(net, file):
    """Writes the model, which is in eval mode, as an ONNX file with open sizes."""
    torch.onnx.export(
        net, args, file, kwargs=kwargs, input_names={names},
        {axes}, opset_version={opset}, {exporter},
    )
'''


@dataclass(frozen=True, slots=True)
class OnnxText:
    """Python that defines `export(net, file)`, and the exporter of torch.onnx that it calls."""

    code: str
    exporter: Exporter


@dataclass(frozen=True, slots=True)
class OnnxTrial:
    """What came of a text: why there is no file, "" where there is one; and at each size what is wrong, "" if nothing.

    `right` are the sizes of the contract at which the file was run and not once was wrong; at `compared` of all sizes
    its values were compared too.
    """

    exporter: Exporter
    text: OnnxText | None
    refusal: str = ""
    seen: Mapping[tuple[tuple[str, int], ...], str] | None = None
    right: SizeSet | None = None
    compared: int = 0

    @property
    def wrong(self) -> list[tuple[Sizes, str]]:
        """The sizes at which the file is wrong, and how."""
        return [(dict(sizes), said) for sizes, said in (self.seen or {}).items() if said]


def onnx_trials(model: Exportable) -> Iterator[OnnxTrial]:
    """Trials with the exporter that torch.onnx takes by itself, then with the other one. Raises SpecError."""
    module = model.build()
    wide = [box for box, _ in zip(wide_boxes(model), range(_BOXES), strict=False)]
    args, kwargs = model.inputs.parts(lambda spec: spec)
    named = named_leaves(binding(module.forward)(*args, **kwargs), TensorSpec)
    found = found_spec(model)
    sizes = list(_sizes(model, [*wide, *([found.spec.box] if found.spec else [])]))
    with Worker("cpu") as worker:
        if found.spec is None:
            said = found.refused[0].refusal if found.refused else "no range of sizes was found in which the model runs"
            yield OnnxTrial(Exporter.DYNAMO, None, f"torch.export: {said}")
        else:
            text = OnnxText(found.spec.code + _dynamo(named), Exporter.DYNAMO)
            yield _tried(model, module, text, worker, named, sizes)
        for example in {tuple(example_of(box, model).items()): None for box in wide}:
            text = OnnxText(_traced(model, named, dict(example)), Exporter.TORCHSCRIPT)
            yield _tried(model, module, text, worker, named, sizes)


def _sizes(model: Exportable, wide: Iterable[SizeBox]) -> Iterator[Sizes]:
    """Sizes of each region and at the corners of the boxes, as far as there is memory for them."""
    found = [*model.sizes, *(each for box in wide for each in points(box, example_of(box, model)))]
    runs = {tuple(each.items()): each for each in found if each in model.wanted}
    yield from [each for each in runs.values() if model.memory(each) <= _MEMORY][:_MOST]


def _dynamo(named: Mapping[str, TensorSpec]) -> str:
    return _EXPORT.format(
        names=list(named), axes="dynamic_shapes=dynamic_shapes", opset=OPSET, exporter="dynamo=True, verbose=False"
    )


def _traced(model: Exportable, named: Mapping[str, TensorSpec], example: Sizes) -> str:
    args, kwargs = sample_code(model.inputs, example)
    lines = [f"args = {args}", f"kwargs = {kwargs}", f"dynamic_axes = {open_axes(named)}"]
    exporter = "dynamo=False, do_constant_folding=False"
    return "\n".join(lines) + _EXPORT.format(
        names=list(named), axes="dynamic_axes=dynamic_axes", opset=OPSET, exporter=exporter
    )


def _tried(
    model: Exportable,
    module: torch.nn.Module,
    text: OnnxText,
    worker: Worker,
    named: Mapping[str, TensorSpec],
    sizes: list[Sizes],
) -> OnnxTrial:
    """A text run as a person would run it, and its file at the sizes."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "net.onnx"))
        with exporting(module):
            scope = defined(text.code)
            try:
                call_foreign(scope["export"], module, file)
            except Exception as error:  # any class: the exporters run the user's code and a hundred translations
                let_out(error)
                return OnnxTrial(text.exporter, text, reason(error))
        dtypes = tuple(spec.dtype for spec in named.values())
        shapes = tuple(tuple(tuple(d.value(each) for d in spec.dims) for spec in named.values()) for each in sizes)
        work = FileWork(file, dtypes, shapes, tuple(named))
        try:
            runs = list(worker.runs(work, seconds=_SECONDS, waiting=_WAITING))
        except (RunRefused, OSError) as refusal:
            return OnnxTrial(text.exporter, text, str(refusal))
        seen = {tuple(each.items()): _wrong(model, each, run) for each, run in zip(sizes, runs, strict=False)}
        compared = list(_compared(model, seen))
        for each in compared:
            seen[tuple(each.items())] = _other_values(model, module, file, each)
    return OnnxTrial(text.exporter, text, "", seen, _right(model, seen), len(compared))


def _wrong(model: Exportable, sizes: Sizes, run: SizedRun) -> str:
    """How a run of onnxruntime differs from the contract; "" where it does not."""
    expected = model.contract.outcome(**sizes).outputs
    if run.shapes is None:
        return run.error
    return "" if run.shapes == expected else f"the file gives {written(run.shapes)}, the model {written(expected)}"


def _compared(model: Exportable, seen: Mapping[tuple[tuple[str, int], ...], str]) -> Iterator[Sizes]:
    """Some of the sizes at which the file gives the right shapes, small ones and larger ones."""
    fits = sorted((dict(point) for point, said in seen.items() if not said), key=model.memory)
    fits = [sizes for sizes in fits if model.memory(sizes) <= _COMPARED_MEMORY]
    numbers = range(_COMPARED) if len(fits) > _COMPARED else range(len(fits))
    yield from (fits[number * (len(fits) - 1) // max(1, len(numbers) - 1)] for number in numbers)


def _other_values(model: Exportable, module: torch.nn.Module, file: str, sizes: Sizes) -> str:
    """How the values of a file differ from those of PyTorch at a size; "" where they do not, or are random."""
    with exporting(module):
        first, second = (_outputs(module, *map(plain, model.sample(sizes))) for _ in range(2))
    if not all(map(torch.equal, first, second)):
        return ""
    args, kwargs = map(plain, model.sample(sizes))
    try:
        found = run_named(file, named_leaves(binding(module.forward)(*args, **kwargs), torch.Tensor), "cpu").outputs
    except RunRefused as refusal:
        return str(refusal)
    scale = max((float(each.abs().max()) for each in first if each.numel() and each.is_floating_point()), default=0.0)
    error = max_abs_error(first, found)
    return "" if error <= _NEAR * max(1.0, scale) else f"the file gives other values, up to {error:.2g} off"


def _outputs(module: torch.nn.Module, args: Any, kwargs: Any) -> tuple[torch.Tensor, ...]:
    return tuple(output_tensors(call_foreign(module, *args, **kwargs)))


def _right(model: Exportable, seen: Mapping[tuple[tuple[str, int], ...], str]) -> SizeSet | None:
    """The most sizes of the contract among which some were run and none was wrong; None where there are none."""
    points_of = {point: dict(point) for point in seen}

    def holds(sizes: SizeSet) -> bool:
        inside = [point for point, size in points_of.items() if size in sizes]
        return len(inside) >= min(_FEWEST, len(seen)) and not any(seen[point] for point in inside)

    return next(filter(holds, _candidates(model, lambda sizes: not _any(seen, sizes))), None)


def _any(seen: Mapping[tuple[tuple[str, int], ...], str], sizes: SizeSet) -> bool:
    return any(said and dict(point) in sizes for point, said in seen.items())


def _candidates(model: Exportable, clean: Callable[[SizeSet], bool]) -> Iterator[SizeSet]:
    """All sizes that run, those of the regions in which nothing was wrong, and boxes in them."""
    runs = model.wanted
    yield runs
    regions = [region.sizes & runs for region in model.contract.regions if region.outcome.ok]
    kept = SizeSet.empty(runs.symbols)
    for sizes in filter(clean, regions):
        kept = kept | sizes
    yield kept.coalesced()
    for sizes in (runs, *regions):
        yield from (box.sizes for box in boxes(sizes, model.steps))
