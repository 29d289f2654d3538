"""One operation run alone at other sizes, on tensors of its own, and the formulas that its shapes follow there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from shapelint.size.condition import Condition
from shapelint.size.function import Function
from shapelint.size.number import function_of, size
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic
from shapelint.source.fault import call_foreign, let_out
from shapelint.trace.fitting.fit import fitted
from shapelint.trace.fitting.real import TooLarge, real_result
from shapelint.trace.fitting.refusals import needed
from shapelint.trace.fitting.trials import NEAR, WIDE, Trial, restored_random_numbers, trials
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Shape
from shapelint.trace.recording.trees import flat_tensors

Shapes = tuple[tuple[int, ...], ...]
Seen = Sequence[tuple[Trial, Shapes | None]]
"""The shapes at each trial, None where the operation raised."""


def shapes_in(value: Any) -> Shapes:
    """The shapes of all tensors; for a result of integers only, those."""
    tensors = flat_tensors(value)
    if tensors:
        return tuple(tuple(tensor.shape) for tensor in tensors)
    whole = value if isinstance(value, (tuple, list)) else (value,)
    return (tuple(whole),) if whole and all(type(each) is int for each in whole) else ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the trials tell: a formula for each size, and what raises where its condition fails."""

    formulas: tuple[tuple[Function, ...], ...]
    needs: tuple[tuple[Condition, str], ...]
    trials: int

    def give(self, shapes: Shapes, sizes: Mapping[str, int]) -> bool:
        """Whether the formulas give these shapes at these sizes."""
        return shapes == tuple(tuple(each.value(sizes) for each in formulas) for formulas in self.formulas)


_known: dict[Any, Evidence] = {}
_MOST_KNOWN = 512


def explain(operation: Operation, args: Any, kwargs: Any) -> None:
    """Where the trials tell why this run raised, it does so with the sizes that raise like this."""
    functions = functions_in(operation, (args, kwargs))
    if functions:
        runs = _Runs(operation, args, kwargs, None)
        seen = runs.at(trials(operation.recorder.sizes, functions))
        needs = _needs(functions, runs, seen) if any(there is not None for _, there in seen) else None
        if needs:
            _require(operation, Evidence((), needs, len(seen)))


def functions_in(operation: Operation, tree: Any) -> list[Function]:
    """The functions of the symbols that reach any part of the arguments, each once."""
    found: dict[Function, None] = {}
    for number in _numbers(operation, tree):
        function = function_of(number)
        if function.constant is None:
            found[function] = None
    return list(found)


def _numbers(operation: Operation, tree: Any) -> Iterator[int]:
    if isinstance(tree, torch.Tensor):
        yield from operation.shape(tree)
        yield from _numbers(operation, operation.recorder.known[id(tree)].values)
    elif isinstance(tree, dict):
        yield from (number for part in tree.values() for number in _numbers(operation, part))
    elif isinstance(tree, (tuple, list)):
        yield from (number for part in tree for number in _numbers(operation, part))
    elif isinstance(tree, slice):
        yield from _numbers(operation, (tree.start, tree.stop, tree.step))
    elif isinstance(tree, Ratio) and symbolic(tree._numerator):
        yield tree._numerator
    elif symbolic(tree):
        yield tree


def fitted_shapes(operation: Operation, args: Any, kwargs: Any, shapes: Shapes) -> tuple[Shape, ...]:
    """The shapes with a formula for each number; what raised at other sizes becomes a requirement."""
    key = _key(operation, (operation.function, args, kwargs))
    found = None if key is None else _known.get(key)
    if found is None or not found.give(shapes, operation.recorder.sizes):
        found = _evidence(operation, functions_in(operation, (args, kwargs)), _Runs(operation, args, kwargs, shapes))
        if key is not None and len(_known) < _MOST_KNOWN:
            _known[key] = found
    _require(operation, found)
    return tuple(tuple(map(size, shape, formulas)) for shape, formulas in zip(shapes, found.formulas, strict=True))


def _evidence(operation: Operation, functions: Sequence[Function], runs: _Runs) -> Evidence:
    text = f"`{operation.name}` has no size rule, and its"
    for near in (NEAR, WIDE):
        seen = runs.at(trials(operation.recorder.sizes, functions, near))
        formulas = _formulas(functions, [(trial, there) for trial, there in seen if there is not None])
        if formulas is not None:
            break
    else:
        raise Unanalysable(f"{text} sizes fit no formula")
    needs = _needs(functions, runs, seen)
    if needs is None:
        raise Unanalysable(f"{text} errors fit no condition")
    return Evidence(formulas, needs, len(seen))


def _needs(functions: Sequence[Function], runs: _Runs, seen: Seen) -> tuple[tuple[Condition, str], ...] | None:
    """The conditions on which it runs, with the error elsewhere; None where the trials that raised tell none."""
    outcomes = [(trial, there is not None) for trial, there in seen]
    conditions = needed(functions, outcomes, lambda sizes: runs.shapes(sizes) is not None)
    return None if conditions is None else tuple((each, runs.error(each)) for each in conditions)


def _require(operation: Operation, found: Evidence) -> None:
    operation.recorder.leak(f"`{operation.name}` has no size rule; it was tried at {found.trials} sizes")
    for condition, text in found.needs:
        operation.require(condition, Kind.ARGUMENT, f"{operation.name}: {text}")


def _key(operation: Operation, tree: Any) -> Any:
    """The arguments as a key, in which functions stand for sizes; None where some are not just sizes and settings."""
    if isinstance(tree, torch.Tensor):
        axes = tuple(sorted(range(tree.dim()), key=lambda axis: (tree.stride(axis), -axis)))
        dims = tuple(map(function_of, operation.shape(tree)))
        return (tree.dtype, dims, axes, 0 in tree.stride()) if tree.is_meta else None
    if isinstance(tree, dict):
        tree = tuple(tree.items())
    if isinstance(tree, (tuple, list)):
        parts = tuple(_key(operation, part) for part in tree)
        return None if None in parts else (type(tree), parts)
    if isinstance(tree, Ratio) and symbolic(tree._numerator):
        return (function_of(tree._numerator), tree._denominator)
    if symbolic(tree):
        return function_of(tree)
    return ("", type(tree), tree) if callable(tree) or type(tree) in _SETTINGS else None


_SETTINGS = frozenset({type(None), str, bool, int, float, torch.dtype, torch.device, torch.Size})


def _formulas(
    functions: Sequence[Function], seen: Sequence[tuple[Trial, Shapes]]
) -> tuple[tuple[Function, ...], ...] | None:
    """For each number of the shapes its formula; None where the ranks change or a number has none."""
    shapes = seen[0][1]
    ranks = [len(shape) for shape in shapes]
    if any([len(shape) for shape in there] != ranks for _, there in seen):
        return None
    found = []
    for index, rank in enumerate(ranks):
        formulas = [fitted(functions, [(trial, there[index][axis]) for trial, there in seen]) for axis in range(rank)]
        if None in formulas:
            return None
        found.append(tuple(each for each in formulas if each is not None))
    return tuple(found)


class _Runs:
    """The operation run alone at other sizes, on tensors of its own; None stands for what it gave in this run."""

    def __init__(self, operation: Operation, args: Any, kwargs: Any, here: Shapes | None) -> None:
        self._operation, self._arguments = operation, (args, kwargs)
        self._found: dict[tuple[int, ...], Shapes | None] = {tuple(operation.recorder.sizes.values()): here}
        self._errors: list[tuple[Mapping[str, int], str]] = []

    def at(self, tried: Sequence[Trial]) -> list[tuple[Trial, Shapes | None]]:
        """The shapes at each of the trials."""
        return [(trial, self.shapes(trial.sizes)) for trial in tried]

    def shapes(self, sizes: Mapping[str, int]) -> Shapes | None:
        """The shapes that the operation gives at these sizes; None where it raises."""
        key = tuple(sizes.values())
        if key not in self._found:
            self._found[key] = self._run(sizes)
        return self._found[key]

    def _run(self, sizes: Mapping[str, int]) -> Shapes | None:
        operation, recorder = self._operation, self._operation.recorder
        before = recorder.kernel_error
        try:
            args, kwargs = _at(operation, self._arguments, sizes, {})
            if not any(tensor.is_meta for tensor in flat_tensors((args, kwargs))):
                with restored_random_numbers():
                    return shapes_in(recorder.kernel(operation.function, args, kwargs))
            return shapes_in(real_result(recorder, operation.function, args, kwargs, twice=False))
        except TooLarge:
            raise Unanalysable(f"`{operation.name}` has no size rule; its tensors are too large to try it") from None
        except Exception as error:  # torch's kernel, and tensors of sizes that there cannot be
            let_out(error)
            self._errors.append((sizes, str(error) or type(error).__name__))
            return None
        finally:
            recorder.kernel_error = before

    def error(self, condition: Condition) -> str:
        """The first line of what was raised at a trial where the condition fails."""
        for sizes, text in self._errors:
            if not condition.holds(sizes):
                line = text.split("\n")[0].replace("{", "(").replace("}", ")")
                return f"{line} (seen at {', '.join(f'{name}={size}' for name, size in sizes.items())})"
        return "it raises there"


def _at(operation: Operation, tree: Any, sizes: Mapping[str, int], made: dict[int, torch.Tensor]) -> Any:
    """The arguments as they would be at other sizes: tensors of their own, other integers."""
    if isinstance(tree, torch.Tensor):
        if id(tree) not in made:
            made[id(tree)] = _tensor_at(operation, tree, sizes)
        return made[id(tree)]
    if isinstance(tree, dict):
        return {key: _at(operation, value, sizes, made) for key, value in tree.items()}
    if isinstance(tree, slice):
        return slice(*(_at(operation, each, sizes, made) for each in (tree.start, tree.stop, tree.step)))
    if isinstance(tree, (tuple, list)):
        parts = [_at(operation, part, sizes, made) for part in tree]
        return parts if isinstance(tree, list) else tree._make(parts) if hasattr(tree, "_make") else tuple(parts)
    if isinstance(tree, Ratio) and symbolic(tree._numerator):
        return function_of(tree._numerator).value(sizes) / tree._denominator
    return function_of(tree).value(sizes) if symbolic(tree) else tree


def _tensor_at(operation: Operation, tensor: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
    """A new tensor whose axes lie in memory in the same order; real ones keep their numbers."""
    known = operation.recorder.known.get(id(tensor))
    if known is not None and known.values is not None:
        values = _at(operation, known.values, sizes, {})
        return call_foreign(torch.tensor, values, dtype=tensor.dtype).reshape(tensor.shape)
    if not tensor.is_meta:
        return tensor.detach().clone()
    dims = [function_of(dim).value(sizes) for dim in operation.shape(tensor)]
    steps = tensor.stride() if len(dims) == tensor.dim() else tuple(range(len(dims), 0, -1))  # a resized `out`
    strides, block = [0] * len(dims), 1
    for axis in sorted(range(len(dims)), key=lambda axis: (steps[axis], -axis)):
        if steps[axis]:
            strides[axis], block = block, block * max(dims[axis], 1)
    return call_foreign(torch.empty_strided, dims, strides, dtype=tensor.dtype, device="meta")
