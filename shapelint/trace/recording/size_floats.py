"""Floats computed from sizes as arguments of torch's functions: a number that scales a tensor changes no size."""

from __future__ import annotations

from typing import Any, Final

import numpy
import torch

from shapelint.instrument.size_array import SizeArray, sizes_of_array
from shapelint.size.size_float import SizeFloat, is_size_float
from shapelint.size.tracking import lose, tracker
from shapelint.trace.recording.arguments import with_numbers
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.trees import flat_tensors

_SCALING: Final = frozenset({
    "add", "sub", "mul", "div", "true_divide", "rsub", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__",
    "__rmul__", "__truediv__", "__rtruediv__", "__rdiv__",
})  # fmt: skip


def plain_arguments(op: Operation, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with plain numbers for such floats, and for tensors of one element where these are whole and known.

    That a float is lost is told, except where it only scales data.
    """
    args = with_numbers(op, args)
    current = tracker()
    if current is None or current not in (SizeFloat.latest, SizeArray.latest):
        return args, kwargs
    harmless = op.name in _SCALING and not kwargs and all(_is_data(op, each) for each in flat_tensors(args))
    return _plain(args, harmless=harmless), _plain(kwargs, harmless=harmless)


def _is_data(op: Operation, tensor: torch.Tensor) -> bool:
    known = op.recorder.known.get(id(tensor))
    return tensor.is_meta and tensor.is_floating_point() and known is not None and known.values is None


def _plain(tree: Any, *, harmless: bool) -> Any:
    if isinstance(tree, SizeFloat):
        return float.__float__(tree) if harmless or not is_size_float(tree) else float(tree)
    kind = type(tree)
    if kind is SizeArray:
        lose("an array of sizes", *sizes_of_array(tree))
        return numpy.asarray(tree)
    if kind is tuple or kind is list:
        return kind(_plain(each, harmless=harmless) for each in tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind(*(_plain(each, harmless=harmless) for each in tree))
    if isinstance(tree, dict):
        return {name: _plain(each, harmless=harmless) for name, each in tree.items()}
    if kind is slice:
        return slice(*(_plain(each, harmless=harmless) for each in (tree.start, tree.stop, tree.step)))
    return tree
