"""What the runtimes gave, in words: one line for each provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from shapelint.facts.finding import Confirmation
from shapelint.facts.graph import Dimension
from shapelint.facts.result import CheckResult
from shapelint.size.words import sized

Shapes = tuple[tuple[int, ...], ...]


def confirmation_lines(report: CheckResult) -> tuple[str, ...]:
    """One line for each provider: `onnxruntime 1.32.0 (CPUExecutionProvider): 5x5 as it is, 6x6 with the repair`.

    What came of one file at many sizes, and of PyTorch where it is to raise, is a line for all of them.
    """
    one = sorted((each for each in report.confirmations if not each.dynamic), key=_provider)
    many = sorted((each for each in report.confirmations if each.dynamic), key=_file)
    fixed = [f"onnxruntime {name}: {_group(tuple(group), report)}" for name, group in groupby(one, key=_provider)]
    return (*fixed, *(_together(name, tuple(group), report) for name, group in groupby(many, key=_file)))


def worst_error(confirmations: Iterable[Confirmation]) -> float | None:
    """The largest difference between the values of the runtime and of PyTorch; None where none was taken."""
    return max((each.max_abs_error for each in confirmations if each.max_abs_error is not None), default=None)


def _file(each: Confirmation) -> str:
    if not each.exporter:
        return f"{each.provider} {each.version}"
    *others, last = each.sizes
    symbols = f"{', '.join(others)} and {last}" if others else last
    return f"onnxruntime {_provider(each)}, one file with {symbols} open ({each.exporter})"


def _together(name: str, group: tuple[Confirmation, ...], report: CheckResult) -> str:
    """How many sizes came as predicted, between which ones, and an example of those that did not."""
    right = sum(each.ok for each in group)
    verb = "sizes as predicted" if group[0].exporter else "sizes raise as predicted"
    ranges = ", ".join(_range(symbol, [each.sizes[symbol] for each in group]) for symbol in group[0].sizes)
    text = f"{name}: {right} of {len(group)} {verb} ({ranges})"
    wrong = next((each for each in group if not each.ok), None)
    if wrong is None:
        return text
    return f"{text}; at {_named(wrong.sizes)} {_one(wrong, _open_axes(report), mixed=False)}"


def _range(symbol: str, sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{symbol} {low}" if low == high else f"{symbol} from {low} to {high}"


def _provider(confirmation: Confirmation) -> str:
    version, provider = confirmation.version, confirmation.provider
    return f"{version} ({provider})" if version else f"({provider})"


def _group(group: tuple[Confirmation, ...], report: CheckResult) -> str:
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
        reason = f"{each.raises} raises, as predicted" if each.ok and each.raises else each.note
        return f"not run{how}" + (f" ({reason})" if reason else "")
    text, wanted = _size(each.observed, axes), _size(each.predicted or (), axes)
    if text == wanted and each.observed != each.predicted:
        text, wanted = _whole(each.observed), _whole(each.predicted or ())
    text += how
    if not each.ok and each.predicted is not None:
        text += f" where {wanted} was predicted"
    return text + (f" ({each.note})" if each.note else "")


def _whole(shapes: Shapes) -> str:
    return " and ".join(sized(shape) for shape in shapes) or "no output"


def _size(shapes: Shapes, axes: tuple[int, tuple[int, ...]]) -> str:
    output, chosen = axes
    if output >= len(shapes):
        return "no output"
    shape = shapes[output]
    dims = [shape[axis] for axis in chosen if axis < len(shape)] or shape
    return sized(dims)


def _open_axes(report: CheckResult) -> tuple[int, tuple[int, ...]]:
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
