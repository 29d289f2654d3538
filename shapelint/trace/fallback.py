"""What happens to a torch function without a size rule: its kernel runs, and what that proves is said.

Where no symbol reaches the call, the kernel's shapes are exact. Else the operation alone is run on meta tensors
at other sizes, and each output dimension is matched with the functions of its inputs: evidence, not proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from shapelint.size.function import Function
from shapelint.size.number import function_of, plain, size, symbolic
from shapelint.size.ratio import Ratio
from shapelint.trace.operation import Kernel, Operation, Plain, Result, Shape
from shapelint.trace.trees import flat_tensors

_TRIALS = 12
_QUIET = frozenset({
    "__get__", "is_floating_point", "is_complex", "is_contiguous", "element_size", "get_device", "is_inference",
    "requires_grad_", "__hash__", "is_signed", "data_ptr", "type", "is_conj", "is_neg", "is_nonzero", "register_hook",
    "backward", "__repr__", "__format__", "is_shared",
})  # fmt: skip


def fallback(operation: Operation, *args: Any, **kwargs: Any) -> Result:
    """The kernel's own result, with shapes that are matched at other sizes where symbols reach the call."""
    recorder = operation.recorder
    value = recorder.kernel(operation.function, args, kwargs)
    tensors = flat_tensors(value)
    if not tensors:
        if _symbolic(operation, (args, kwargs)) and operation.name not in _QUIET:
            recorder.leak(f"the result of `{operation.name}`, which has no size rule")
        return Plain(value)
    shapes = tuple(_known_shape(operation, tensor) for tensor in tensors)
    if None in shapes and _symbolic(operation, (args, kwargs)):
        recorder.leak(f"`{operation.name}` has no size rule; its sizes were matched at {_TRIALS} trials")
        shapes = _matched(operation, tensors, args, kwargs)
    return Ready(tuple(tuple(t.shape) if s is None else s for t, s in zip(tensors, shapes, strict=True)), value)


@dataclass(frozen=True, slots=True)
class Ready(Kernel):
    """A kernel's result that is there already."""

    value: Any = None


def _known_shape(operation: Operation, tensor: torch.Tensor) -> Shape | None:
    known = operation.recorder.known.get(id(tensor))
    return None if known is None or tuple(tensor.shape) != tuple(map(plain, known.dims)) else known.dims


def _symbolic(operation: Operation, tree: Any) -> bool:
    """Whether a symbol reaches any part of the arguments."""
    if isinstance(tree, torch.Tensor):
        return any(map(symbolic, operation.shape(tree)))
    if isinstance(tree, dict):
        return any(_symbolic(operation, part) for part in tree.values())
    if isinstance(tree, (tuple, list)):
        return any(_symbolic(operation, part) for part in tree)
    return symbolic(tree) or isinstance(tree, Ratio)


def _matched(operation: Operation, tensors: list[torch.Tensor], args: Any, kwargs: Any) -> tuple[Shape, ...]:
    """For each output dimension the function of the inputs that has its value at every trial."""
    recorder = operation.recorder
    candidates: dict[Function, int] = {}
    for tensor in flat_tensors((args, kwargs)):
        for dim in operation.shape(tensor):
            candidates[function_of(dim)] = plain(dim)
    observed: list[tuple[dict[str, int], list[tuple[int, ...]]]] = []
    for trial in range(_TRIALS):
        sizes = {name: value + trial + 1 for name, value in recorder.sizes.items()}
        try:
            result = recorder.kernel(operation.function, _at(operation, args, sizes), _at(operation, kwargs, sizes))
        except Exception:
            recorder.kernel_error = None
            continue
        observed.append((sizes, [tuple(tensor.shape) for tensor in flat_tensors(result)]))
    return tuple(_matched_shape(index, tensor, candidates, observed) for index, tensor in enumerate(tensors))


def _matched_shape(index: int, tensor: torch.Tensor, candidates: Any, observed: Any) -> Shape:
    dims: list[int] = []
    for axis, value in enumerate(tensor.shape):
        seen = [(sizes, shapes[index][axis]) for sizes, shapes in observed if len(shapes[index]) == tensor.dim()]
        if all(size_there == value for _, size_there in seen):
            dims.append(value)
            continue
        fits = [each for each, here in candidates.items() if here == value
                and all(each.value(sizes) == there for sizes, there in seen)]  # fmt: skip
        dims.append(size(value, fits[0]) if fits and len(seen) >= 3 else value)
    return tuple(dims)


def _at(operation: Operation, tree: Any, sizes: dict[str, int]) -> Any:
    """The arguments as they would be at other sizes: meta tensors of other shapes, other integers."""
    if isinstance(tree, torch.Tensor):
        dims = operation.shape(tree)
        if not any(map(symbolic, dims)):
            return tree
        return torch.empty([function_of(dim).value(sizes) for dim in dims], dtype=tree.dtype, device="meta")
    if isinstance(tree, dict):
        return {key: _at(operation, value, sizes) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(_at(operation, part, sizes) for part in tree)
    return function_of(tree).value(sizes) if symbolic(tree) else tree
