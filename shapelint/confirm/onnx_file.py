"""A model as ONNX bytes: by the quick exporter of torch.onnx or, where it refuses, the other.

All sizes are fixed in the file, or those of some axes of the inputs are open, as in a file that is deployed.
"""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from shapelint.errors import foreseen
from shapelint.load.devices import NamedDevices
from shapelint.request.entries import AnnotatedObject, Entries, built
from shapelint.source.fault import call_foreign, let_out

OPSET = 20
Arguments = tuple[tuple[object, ...], dict[str, object]]
OpenAxes = tuple[dict[int, str], ...]
"""For each input tensor the axes whose size stays open in the file, and what each is called there."""


pytree.register_pytree_node(
    Entries,
    lambda value: (list(value.values()), list(value)),
    lambda values, keys: Entries(zip(keys, values, strict=True)),
)
pytree.register_pytree_node(
    AnnotatedObject,
    lambda value: (list(value.fields.values()), (value.kind, list(value.fields))),
    lambda values, context: AnnotatedObject(context[0], dict(zip(context[1], values, strict=True))),
)


class Exporter(enum.StrEnum):
    """Which exporter of torch.onnx made the file: TorchScript takes 0.01 s, dynamo 1 s and 3 s for its imports."""

    TORCHSCRIPT = "dynamo=False"
    DYNAMO = "dynamo=True"


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A serialised ONNX model, and the exporter that made it."""

    data: bytes
    exporter: Exporter


@foreseen
class ExportRefused(Exception):
    """Neither exporter takes the model; the text is the reason, one line."""


class FlatModule(torch.nn.Module):
    """A module as a function from a flat row of tensors to the flat tuple of its output tensors.

    Arguments that are no tensors stay as they are given here.
    """

    def __init__(self, module: torch.nn.Module, arguments: Arguments) -> None:
        super().__init__()
        self.training = False
        self.module = module
        leaves, self.structure = pytree.tree_flatten(arguments)
        self.places = tuple(i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor))
        self.constants = tuple(None if i in self.places else leaf for i, leaf in enumerate(leaves))

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The tensors that the module gives for these tensors, depth first."""
        leaves: list[Any] = list(self.constants)
        for place, tensor in zip(self.places, tensors, strict=True):
            leaves[place] = tensor
        args, kwargs = built(pytree.tree_unflatten(leaves, self.structure))
        return tuple(output_tensors(call_foreign(self.module, *args, **kwargs)))


def input_tensors(arguments: Arguments) -> tuple[torch.Tensor, ...]:
    """The tensors among nested arguments, in the order in which FlatModule takes them."""
    return tuple(leaf for leaf in pytree.tree_leaves(arguments) if isinstance(leaf, torch.Tensor))


def output_tensors(value: object) -> Iterator[torch.Tensor]:
    """Yields all tensors of a model's output, depth first through tuples, lists, dicts and dataclasses."""
    if isinstance(value, torch.Tensor):
        yield value
        return
    parts: Sequence[object] = ()
    if isinstance(value, Mapping):
        parts = tuple(value.values())
    elif isinstance(value, tuple | list):
        parts = value
    elif is_dataclass(value) and not isinstance(value, type):
        parts = tuple(getattr(value, entry.name) for entry in fields(value))
    for part in parts:
        yield from output_tensors(part)


def input_names(count: int) -> tuple[str, ...]:
    """The names of the inputs of an exported file."""
    return tuple(f"input_{i}" for i in range(count))


def export(
    model: FlatModule, tensors: tuple[torch.Tensor, ...], exporters: Sequence[Exporter] = tuple(Exporter)
) -> OnnxFile:
    """The model as ONNX bytes at the sizes of `tensors`, by the first of `exporters` that takes it.

    Raises ExportRefused where none does. The file holds the sizes as constants.
    """
    errors: list[Exception] = []
    for exporter in exporters:
        try:
            return OnnxFile(_EXPORT[exporter](model, tuple(tensor.clone() for tensor in tensors)), exporter)
        except Exception as error:  # any class: the exporters run the user's code and a hundred translations
            let_out(error)
            errors.append(error)
    raise ExportRefused(_reason(errors))


def export_open(model: FlatModule, tensors: tuple[torch.Tensor, ...], axes: OpenAxes, exporter: Exporter) -> OnnxFile:
    """The model as ONNX bytes in which the sizes of some axes are open; raises ExportRefused.

    The quick exporter leaves the weights out: they are inputs of the file, named as in the state of `model`. Here it
    must hand the model traced sizes, not plain ones: a plain size would be a constant of the file.
    """
    copies = tuple(tensor.clone() for tensor in tensors)
    try:
        if exporter is Exporter.DYNAMO:
            automatic = tuple(dict.fromkeys(each, torch.export.Dim.AUTO) for each in axes)
            program = call_foreign(torch.export.export, model, copies, dynamic_shapes=(automatic,), strict=False)
            return OnnxFile(_converted(program, len(tensors)), exporter)
        return OnnxFile(_traced_open(model, copies, axes), exporter)
    except Exception as error:  # any class, as above
        let_out(error)
        raise ExportRefused(_reason([error])) from error


def _traced_open(model: FlatModule, tensors: tuple[torch.Tensor, ...], axes: OpenAxes) -> bytes:
    names = input_names(len(tensors))
    opened = {name: each for name, each in zip(names, axes, strict=True) if each}
    return _traced(model, tensors, dynamic_axes=opened, export_params=False, do_constant_folding=False)


def _export_torchscript(model: FlatModule, tensors: tuple[torch.Tensor, ...]) -> bytes:
    with PlainSizes():
        return _traced(model, tensors)


def _traced(model: FlatModule, tensors: tuple[torch.Tensor, ...], **options: Any) -> bytes:
    """By `dynamo=False`; PRESERVE, since EVAL would set the mode of every submodule, where some may train."""
    file = io.BytesIO()
    with NamedDevices():
        call_foreign(
            torch.onnx.export,
            model,
            tensors,
            file,
            dynamo=False,
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,
            input_names=list(input_names(len(tensors))),
            **options,
        )
    return file.getvalue()


def _export_dynamo(model: FlatModule, tensors: tuple[torch.Tensor, ...]) -> bytes:
    """By `dynamo=True` from a non-strict torch.export, so that a refusal is not tried again in slower ways."""
    return _converted(call_foreign(torch.export.export, model, tensors, strict=False), len(tensors))


def _converted(exported: torch.export.ExportedProgram, inputs: int) -> bytes:
    """The ONNX bytes of what torch.export gives, without an optimiser pass."""
    program = call_foreign(
        torch.onnx.export,
        exported,
        dynamo=True,
        verbose=False,
        optimize=False,
        opset_version=OPSET,
        input_names=input_names(inputs),
    )
    assert program is not None
    return bytes(call_foreign(program.model_proto.SerializeToString))


_EXPORT: dict[Exporter, Callable[[FlatModule, tuple[torch.Tensor, ...]], bytes]] = {
    Exporter.TORCHSCRIPT: _export_torchscript,
    Exporter.DYNAMO: _export_dynamo,
}


class PlainSizes(TorchFunctionMode):
    """Gives the model plain ints as sizes while torch.jit traces it, as in eager PyTorch, instead of traced tensors."""

    _SIZES = (torch.Tensor.shape.__get__, torch.Tensor.size, torch.Tensor.numel, torch.Tensor.__len__)  # type: ignore[attr-defined]

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func not in self._SIZES:
            return call_foreign(func, *args, **(kwargs or {}))
        state = torch._C._get_tracing_state()
        torch._C._set_tracing_state(None)  # type: ignore[attr-defined]
        try:
            return call_foreign(func, *args, **(kwargs or {}))
        finally:
            torch._C._set_tracing_state(state)  # type: ignore[attr-defined]


_OPERATOR = re.compile(
    r"(?:Exporting the operator '|unrecognized namespace |torch\.ops\.|OpOverload\(op=')(\w+)(?:::|\.)(\w+)"
)


def _reason(errors: Sequence[Exception]) -> str:
    """Names the operator that the last error is about, or of one before it; else the last error's first line."""
    for error in reversed(errors):
        for link in _causes(error):
            if match := _OPERATOR.search(str(link)):
                return f"the exporter refuses {match[1]}::{match[2]}"
    return f"the exporter refuses the model ({first_line(list(_causes(errors[-1]))[-1])})"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def first_line(error: BaseException) -> str:
    """The first line of an error's text, at most 160 characters; its type where it has no text."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= 160 else lines[0][:157] + "..."
