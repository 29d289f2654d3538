"""What the runtimes gave, in words: one line for each provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from shapelint.finding import Confirmation, Report
from shapelint.graph import Dimension

Shapes = tuple[tuple[int, ...], ...]


def confirmation_lines(report: Report) -> tuple[str, ...]:
    """One line for each provider: `onnxruntime 1.32.0 (CPUExecutionProvider): 5x5 as it is, 6x6 with the repair`."""
    ordered = sorted(report.confirmations, key=_provider)
    groups = [(name, tuple(group)) for name, group in groupby(ordered, key=_provider)]
    return tuple(f"onnxruntime {name}: {_group(group, report)}" for name, group in groups)


def worst_error(confirmations: Iterable[Confirmation]) -> float | None:
    """The largest difference between the values of the runtime and of PyTorch; None where none was taken."""
    return max((each.max_abs_error for each in confirmations if each.max_abs_error is not None), default=None)


def _provider(confirmation: Confirmation) -> str:
    version, provider = confirmation.version, confirmation.provider
    return f"{version} ({provider})" if version else f"({provider})"


def _group(group: tuple[Confirmation, ...], report: Report) -> str:
    axes = _open_axes(report)
    by_size: dict[tuple[tuple[str, int], ...], list[Confirmation]] = {}
    for each in group:
        by_size.setdefault(tuple(each.sizes.items()), []).append(each)
    if len(by_size) == 1:
        return _at_one_size(group, axes)
    return "; ".join(f"{_at_one_size(some, axes)} at {_named(dict(size))}" for size, some in by_size.items())


def _at_one_size(group: Iterable[Confirmation], axes: tuple[int, tuple[int, ...]]) -> str:
    group = tuple(group)
    mixed = any(each.repaired for each in group)
    return ", ".join(_one(each, axes, mixed=mixed) for each in group)


def _one(each: Confirmation, axes: tuple[int, tuple[int, ...]], *, mixed: bool) -> str:
    how = "" if not mixed else " with the repair" if each.repaired else " as it is"
    if each.observed is None:
        reason = each.note.partition(": ")[0] if each.ok else each.note
        return f"not run{how}" + (f" ({reason})" if reason else "")
    text = _size(each.observed, axes) + how
    if not each.ok and each.predicted is not None:
        text += f" where {_size(each.predicted, axes)} was predicted"
    return text + (f" ({each.note})" if each.note else "")


def _size(shapes: Shapes, axes: tuple[int, tuple[int, ...]]) -> str:
    output, chosen = axes
    if output >= len(shapes):
        return "no output"
    shape = shapes[output]
    dims = [shape[axis] for axis in chosen if axis < len(shape)] or shape
    return "x".join(map(str, dims)) or "a scalar"


def _open_axes(report: Report) -> tuple[int, tuple[int, ...]]:
    """The first output whose size depends on the symbols, and its axes that do; (0, ()) where none does."""
    for region in report.contract.regions:
        for number, shape in enumerate(region.outcome.outputs):
            axes = tuple(axis for axis, dim in enumerate(shape.dims) if _open(dim))
            if axes:
                return number, axes
    return 0, ()


def _open(dim: Dimension) -> bool:
    return not isinstance(dim, int) and dim.constant is None


def _named(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items())
