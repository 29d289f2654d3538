"""Repairs against exhaustive search: every legal `output_padding` of random stacks, at single sizes and for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from itertools import product as grid
from random import Random
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.diagnosis.intent import restored
from shapelint.diagnosis.output_padding import Solver, TransposedLayer, fixed, layers_of
from shapelint.diagnosis.subject import subject_of
from shapelint.engine import Options
from shapelint.facts.contract import union
from shapelint.load import load
from shapelint.request.inputs import parse_inputs
from shapelint.request.question import question
from shapelint.size import SizeSet
from shapelint.trace.explore import Exploration, explore
from shapelint.trace.freeze import freeze


@dataclass(frozen=True)
class Level:
    """One strided convolution of kernel, stride, padding and dilation per axis, or its transpose."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def down(self, size: int, axis: int) -> int:
        whole = size + 2 * self.padding[axis] - self.dilation[axis] * (self.kernel[axis] - 1) - 1
        return whole // self.stride[axis] + 1 if whole >= 0 else 0

    def up(self, size: int, axis: int, output_padding: int) -> int:
        covered = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        return (size - 1) * self.stride[axis] - 2 * self.padding[axis] + covered + output_padding

    def limit(self, axis: int) -> int:
        return max(self.stride[axis], self.dilation[axis])


@dataclass(frozen=True)
class Stack:
    """Levels down, then the same or other levels up; all that a size goes through, without any model."""

    downs: tuple[Level, ...]
    ups: tuple[Level, ...]
    present: tuple[tuple[int, ...], ...]

    @property
    def rank(self) -> int:
        return len(self.downs[0].kernel)

    def module(self) -> nn.Module:
        conv: Any = (nn.Conv1d, nn.Conv2d)[self.rank - 1]
        transposed: Any = (nn.ConvTranspose1d, nn.ConvTranspose2d)[self.rank - 1]
        layers: list[nn.Module] = [
            conv(1, 1, each.kernel, each.stride, each.padding, each.dilation) for each in self.downs
        ]
        layers += [
            transposed(1, 1, each.kernel, each.stride, each.padding, extra, dilation=each.dilation)
            for each, extra in zip(self.ups, self.present, strict=True)
        ]
        return nn.Sequential(*layers)

    def given_back(self, size: int, axis: int, extras: Sequence[int]) -> int:
        """The output size on one axis; 0 where some layer raises."""
        for each in self.downs:
            size = each.down(size, axis)
            if size < 1:
                return 0
        for each, extra in zip(self.ups, extras, strict=True):
            size = each.up(size, axis, extra)
            if size < 1:
                return 0
        return size

    def right(self, size: int, axis: int) -> set[tuple[int, ...]]:
        """Every choice of `output_padding` on one axis at which the size comes back."""
        choices = grid(*(range(each.limit(axis)) for each in self.ups))
        return {extras for extras in choices if self.given_back(size, axis, extras) == size}

    def runs(self, size: int, axis: int) -> bool:
        return self.given_back(size, axis, [extra[axis] for extra in self.present]) > 0


def drawn(seed: int) -> Stack:
    """A random stack; its decoder mirrors its encoder in half of the cases."""
    random = Random(seed)
    rank, depth = random.choice([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)])

    def level() -> Level:
        def per_axis(low: int, high: int) -> tuple[int, ...]:
            return tuple(random.randint(low, high) for _ in range(rank))

        return Level(per_axis(1, 5), per_axis(1, 4), per_axis(0, 2), per_axis(1, 2))

    downs = tuple(level() for _ in range(depth))
    ups = downs[::-1] if random.random() < 0.5 else tuple(level() for _ in range(depth))
    present = tuple(tuple(random.randrange(each.limit(axis)) for axis in range(rank)) for each in ups)
    return Stack(downs, ups, present)


def solver_of(module: nn.Module, rank: int) -> tuple[Solver, SizeSet]:
    """The solver for a model that is meant to restore its input, and the sizes at which the model runs."""
    parsed = parse_inputs("1,1," + ",".join("HW"[:rank]))
    asked, options = question(parsed, {}), Options({}, None, (), False, None)
    loaded = load(module)
    explored = explore(subject_of(loaded, asked, options), asked.domain, asked.first)

    def right(found: Exploration, sizes: Mapping[str, int] | None) -> SizeSet:
        if sizes is None:
            return restored(found.domain, found.regions, asked, None)
        alone = asked.at(fixed(asked.inputs, sizes), found.domain.symbols)
        return restored(found.domain, found.regions, alone, None)

    graph = freeze(explored.runs[0], loaded.module, {})
    runs = union(asked.symbols, [region.sizes for region in explored.regions if region.outcome.ok])
    return Solver(explored.subject, asked.domain, layers_of(graph), right), runs


def names_of(solver: Solver, axis: int) -> list[str]:
    return [solver.unknowns(layer)[axis] for layer in solver.layers]


@pytest.mark.parametrize("seed", range(24))
def test_the_solutions_at_one_size_are_those_of_exhaustive_search(seed: int) -> None:
    stack = drawn(seed)
    solver, runs = solver_of(stack.module(), stack.rank)
    random = Random(seed)
    for _ in range(4):
        sizes = {name: random.randint(1, 40) for name in "HW"[: stack.rank]}
        expected = [stack.right(size, axis) for axis, size in enumerate(sizes.values())]
        found = solver.solutions(sizes)
        told = [
            {tuple(values.values()) for values in found.onto(names_of(solver, axis)).members()}
            for axis in range(stack.rank)
        ]
        assert told == (expected if all(expected) else [set()] * stack.rank)
        trial = solver.constant_for(SizeSet.point(runs.symbols, sizes))
        assert (trial is not None) is all(map(bool, expected))
        if trial is not None:
            _check_values(stack, solver, trial.values, expected)
            assert sizes in trial.right <= trial.runs


def _check_values(
    stack: Stack, solver: Solver, values: Mapping[str, tuple[int, ...]], expected: Sequence[set[tuple[int, ...]]]
) -> None:
    """The values are among those of the search, and nothing is changed where nothing needs to be."""
    chosen = [values.get(layer.module, layer.present) for layer in solver.layers]
    for axis, right in enumerate(expected):
        assert tuple(each[axis] for each in chosen) in right
    present = [tuple(extra[axis] for extra in stack.present) for axis in range(stack.rank)]
    if all(mine in right for mine, right in zip(present, expected, strict=True)) and all(
        extra[axis] < each.stride[axis]
        for each, extra in zip(stack.ups, stack.present, strict=True)
        for axis in range(stack.rank)
    ):
        assert not values


@pytest.mark.parametrize("seed", range(100, 124))
def test_a_value_for_all_sizes_is_found_exactly_where_there_is_one(seed: int) -> None:
    stack = drawn(seed)
    solver, runs = solver_of(stack.module(), stack.rank)
    trial = solver.constant_for(runs)
    for_all = []
    for axis in range(stack.rank):
        wanted = list(islice((size for size in range(1, 513) if stack.runs(size, axis)), 64))
        choices = grid(*(range(each.limit(axis)) for each in stack.ups))
        for_all.append(
            {extras for extras in choices if all(stack.given_back(size, axis, extras) == size for size in wanted)}
        )
    assert (trial is not None) is all(map(bool, for_all))
    if trial is not None:
        _check_values(stack, solver, trial.values, for_all)
        assert runs <= trial.right


def test_the_values_are_right_in_eager_pytorch() -> None:
    repaired = 0
    for seed in range(40):
        stack = drawn(seed)
        size = 20 + seed % 9
        solver, runs = solver_of(stack.module(), stack.rank)
        point = dict.fromkeys(runs.symbols, size)
        trial = solver.constant_for(SizeSet.point(runs.symbols, point))
        if trial is None:
            continue
        module = stack.module()
        for name, value in trial.values.items():
            module.get_submodule(name).output_padding = value  # type: ignore[assignment]
        shape = (1, 1, *(size,) * stack.rank)
        with torch.no_grad():
            assert module(torch.zeros(shape)).shape == shape
        repaired += bool(trial.values)
    assert repaired >= 8


def test_the_smallest_change_keeps_what_is_right_already() -> None:
    """At 28 the three levels need 0, 1 and 1: the first stays as it is."""
    encoder = [nn.Conv2d(1, 1, 3, 2, 1) for _ in range(3)]
    decoder = [nn.ConvTranspose2d(1, 1, 3, 2, 1) for _ in range(3)]
    solver, runs = solver_of(nn.Sequential(*encoder, *decoder), 2)
    trial = solver.constant_for(SizeSet.point(runs.symbols, {"H": 28, "W": 28}))
    assert trial is not None
    assert trial.values == {"4": (1, 1), "5": (1, 1)}
    assert str(trial.right) == "H and W 4 mod 8"
    assert solver.constant_for(runs) is None


def test_axes_may_need_different_values() -> None:
    solver, runs = solver_of(nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.ConvTranspose2d(1, 1, 3, 2, 1)), 2)
    trial = solver.constant_for(SizeSet.point(runs.symbols, {"H": 6, "W": 5}))
    assert trial is not None
    assert trial.values == {"1": (1, 0)}
    assert str(trial.right) == "H even, W odd"


def test_a_layer_without_stride_needs_nothing_and_has_one_choice() -> None:
    solver, runs = solver_of(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.ConvTranspose1d(1, 1, 3, padding=1)), 1)
    assert solver.layers == (TransposedLayer("1", (1,), (1,), (0,)),)
    assert list(solver.box().members()) == [{solver.names()[0]: 0}]
    trial = solver.constant_for(runs)
    assert trial is not None
    assert not trial.values


def test_no_wanted_size_needs_no_repair() -> None:
    solver, runs = solver_of(nn.Sequential(nn.Conv1d(1, 1, 2, 2), nn.ConvTranspose1d(1, 1, 2, 2)), 1)
    assert solver.constant_for(runs - runs) is None


@pytest.mark.parametrize(("size", "values"), [(5, {}), (6, {"1.output_padding": (1, 1)}), (7, {})])
def test_the_fix_of_a_report_is_the_solver_s(size: int, values: dict[str, tuple[int, ...]]) -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.ConvTranspose2d(1, 1, 3, 2, 1))
    report = shapelint.check(module, (1, 1, size, size))
    fixes = [finding.fix for finding in report.findings if finding.fix is not None]
    assert [dict(fix.assignments) for fix in fixes] == ([values] if values else [])
    assert report.ok is not bool(values)
