"""Repairs: each that is shown is set and run in eager PyTorch, each that is called impossible is searched for."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

import torch
from torch import nn

import shapelint
from benchmarks.prove.trial import Trial
from shapelint.facts.finding import Safety, Severity
from shapelint.report.report import Report
from tests.diagnosis import test_output_padding
from tests.drawn.load import load
from tests.drawn.models import Drawn, draw
from tests.oracle import attempt, given

_FEW = 300
_LARGEST = 64
_NEVER = "no constant `output_padding` is right for all sizes (proved)"
Shape = tuple[int, ...]
Values = Mapping[str, Shape]


def trial(seed: int) -> Trial:
    """A stack of layers against arithmetic on integers, or the fixes that a report on a drawn model shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if random.Random(seed).random() < 0.3:
            return _stack(seed)
        return _report(seed)


def _stack(seed: int) -> Trial:
    """The searches of the tests on another stack: all solutions at a size, and one for all sizes or none."""
    searches = (test_output_padding.test_the_solutions_at_one_size_are_those_of_exhaustive_search,
                test_output_padding.test_a_value_for_all_sizes_is_found_exactly_where_there_is_one)  # fmt: skip
    wrong = []
    for search in searches:
        try:
            search(seed)
        except AssertionError as error:
            wrong.append(f"repairs, trial {seed}: {search.__name__}({seed}): {str(error).splitlines()[:1]}")
    return Trial(len(searches), tuple(wrong))


def _report(seed: int) -> Trial:
    drawn, source = draw(seed), random.Random(seed)
    net = load(drawn.source, f"drawn{seed}").Net
    found: list[str] = []
    for point in source.sample(drawn.points, min(3, len(drawn.points))):
        shape = drawn.shape(point)
        found += [each and f"at {shape} {each}" for each in problems(net, shapelint.check(net, shape), shape)]
    found += [each and f"for {drawn.spec} {each}" for each in _forever(drawn, net)]
    wrong = tuple(f"repairs, trial {seed}: {each}\n{drawn.source}" for each in found if each)
    return Trial(len(found), wrong)


def problems(net: type[nn.Module], report: Report, shape: Shape) -> Iterator[str]:
    """What is wrong with the fixes of a report on one size; "" for each check that is right."""
    size = tuple(next(iter(report.asked.members())).values())
    fixes = [each.fix for each in report.findings if each.fix is not None and each.fix.assignments]
    shown = [fix for fix in fixes if fix.safety is not Safety.ADVICE]
    if shown and all(name.endswith(".output_padding") for fix in shown for name in fix.assignments):
        values = {name: value for fix in shown for name, value in fix.assignments.items()}
        beside = any(each.severity is Severity.ERROR and each.fix not in shown for each in report.findings)
        yield "" if beside or _is_right(net, report, shape, size, values) else f"{values} does not repair it"
        if all(fix.safety is Safety.SAFE for fix in shown):
            yield from _still_runs(net, shape, values)
    for finding in report.findings:
        if finding.code == "SL102" and any("was found" in note for note in finding.notes):
            yield from _searched(net, report, {shape: size})


def _is_right(net: type[nn.Module], report: Report, shape: Shape, size: Shape, values: Values) -> bool:
    """Whether the model runs with the values and, where that is meant, gives back the size that it took."""
    given, rank = _outputs(_set(net, values), shape), len(size)
    if given is None or not report.contract.meant:
        return given is not None
    return any(size in (each[-rank:], each[1 : 1 + rank]) for each in given)


def _still_runs(net: type[nn.Module], shape: Shape, values: Values) -> Iterator[str]:
    """A safe fix lets no size raise that ran."""
    before, after = net().eval(), _set(net, values)
    source = random.Random(str(shape))
    for _ in range(4):
        other = tuple(max(1, size + source.randint(-5, 5)) if size > 3 else size for size in shape)
        if _outputs(before, other) is not None:
            yield "" if _outputs(after, other) is not None else f"{values} is called safe, and {other} raises"


def _forever(drawn: Drawn, net: type[nn.Module]) -> Iterator[str]:
    """Where no constant value is said to be right for all sizes, none of the few that there are may be."""
    dims = drawn.spec.split(",")
    if len(drawn.symbols) > 1 or "*" in drawn.spec or dims.count(drawn.symbols[0]) < len(dims) - 2:
        return
    report = shapelint.check(net, drawn.spec)
    if any(_NEVER in note for finding in report.findings for note in finding.notes):
        sizes = {drawn.shape({drawn.symbols[0]: size}): size for size in range(1, _LARGEST + 1)}
        yield from _searched(net, report, {
            shape: (size,) * dims.count(drawn.symbols[0]) for shape, size in sizes.items()
        })  # fmt: skip


def _searched(net: type[nn.Module], report: Report, sizes: Mapping[Shape, Shape]) -> Iterator[str]:
    """Tries every legal value at every input shape that runs; nothing where the values are too many."""
    layers = {name: part for name, part in net().named_modules() if isinstance(part, nn.modules.conv._ConvTransposeNd)}
    limits = [max(s, d) for part in layers.values() for s, d in zip(part.stride, part.dilation, strict=True)]
    if not layers or math.prod(limits) > _FEW:
        return
    ran = {shape: size for shape, size in sizes.items() if len(sizes) == 1 or _outputs(net().eval(), shape)}
    for choice in product(*map(range, limits)):
        numbers = iter(choice)
        values = {name: tuple(islice(numbers, len(part.stride))) for name, part in layers.items()}
        if ran and all(_is_right(net, report, shape, size, values) for shape, size in ran.items()):
            yield f"{values} is right, but no value is said to be"
            return
    yield ""


def _set(net: type[nn.Module], values: Values) -> nn.Module:
    module = net().eval()
    for name, value in values.items():
        layer: Any = module.get_submodule(name.removesuffix(".output_padding"))
        layer.output_padding = value
    return module


def _outputs(module: nn.Module, shape: Shape) -> tuple[Shape, ...] | None:
    return given(attempt(module, torch.zeros(shape)))
