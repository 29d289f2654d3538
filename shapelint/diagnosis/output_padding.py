"""Finds values of `output_padding` that repair a model, and proves that there are none where there are none.

The model runs again with one unknown for each axis of each transposed layer: at one fixed size, isl then gives
the complete set of values that make it right there. For many sizes the sets of single sizes are intersected,
each further size being a counterexample to the best candidate so far (counterexample-guided synthesis, Solar-Lezama
2008): the values are finitely many, so this ends with values that are proved for all sizes, or with an empty set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from shapelint.errors import foreseen
from shapelint.facts.contract import running
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.condition import Condition, all_of, at_least, equal
from shapelint.size.function import constant, symbol
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration, explore
from shapelint.trace.recording.record import Overrides
from shapelint.trace.run import Subject, overriding

_ROUNDS = 24
_CALLS, _SECONDS = 200_000, 40.0
# Of one exploration among them, whose runs are these at most where values are set, or where they are unknown.
_PART_CALLS, _PART_SECONDS = 100_000, 20.0
_SET_RUNS, _UNKNOWN_RUNS = 320, 256


@foreseen
class Unsettled(Exception):
    """Whether any value repairs the model was not found out."""


@dataclass(frozen=True, slots=True)
class TransposedLayer:
    """A transposed layer whose `output_padding` can be set: its path, its arguments per axis, and what built it."""

    module: str
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    present: tuple[int, ...]
    built: Span | None = None

    def limit(self, axis: int) -> int:
        """`output_padding` must be smaller than this (PyTorch: stride or dilation, the larger)."""
        return max(self.stride[axis], self.dilation[axis])


@dataclass(frozen=True, slots=True)
class RepairTrial:
    """Values of `output_padding` for some layers, and the contract's regions that the model has with them."""

    values: Mapping[str, tuple[int, ...]]
    explored: Exploration
    right: SizeSet
    runs: SizeSet


@dataclass(frozen=True, slots=True)
class Solver:
    """Searches the `output_padding` of a model's layers.

    `right` gives the members of an exploration's domain at which the model is as wanted; where the domain is one of
    unknowns, the input size is fixed and handed over with it. `sound` tells whether a repaired model does at
    one size what its author would accept, and `restores` whether it is seen there to be meant to give its size back.
    """

    subject: Subject
    domain: SizeSet
    layers: tuple[TransposedLayer, ...]
    right: Callable[[Exploration, Mapping[str, int] | None], SizeSet]
    sound: Callable[[Exploration, Mapping[str, int]], bool] = lambda _explored, _sizes: True
    restores: Callable[[Exploration, SizeSet], bool] = lambda _explored, _wanted: True

    def constant_for(self, wanted: SizeSet) -> RepairTrial | None:
        """The smallest change that is right at every wanted size; None where it is proved that there is none.

        Layers that one place in the source builds share a value where that is right too, since one edit writes it.
        Raises Unsettled where the search is given up.
        """
        found = self._searched(wanted, self.box())
        if found is not None and not self._is_tied(found.values):
            with suppress(Unsettled):
                return self._searched(wanted, self._tied(self.box())) or found
        return found

    def _searched(self, wanted: SizeSet, candidates: SizeSet) -> RepairTrial | None:
        point = wanted.sample()
        budget = Budget(calls=_CALLS, seconds=_SECONDS)
        for _ in range(_ROUNDS):
            if point is None:
                return None
            if budget.spent():
                break
            candidates = candidates & self.solutions(point, budget)
            values = self.smallest_change(candidates)
            if values is None:
                return None
            trial = self.trial(values, point, budget)
            if not self.sound(trial.explored, point):
                candidates = candidates - self._chosen(values)
                continue
            missed = wanted - trial.right
            if not missed:
                return trial
            if point in missed:
                break  # the run with the values set contradicts the search
            point = missed.sample()
        raise Unsettled

    def _chosen(self, values: Mapping[str, tuple[int, ...]]) -> SizeSet:
        """The one candidate that sets these values."""
        named = {layer.module: zip(self.unknowns(layer), values.get(layer.module, layer.present), strict=True)
                 for layer in self.layers}  # fmt: skip
        return SizeSet.point(self.names(), {name: value for pairs in named.values() for name, value in pairs})

    def _families(self) -> list[list[TransposedLayer]]:
        """Layers that the same place built."""
        found: dict[Span, list[TransposedLayer]] = {}
        for layer in self.layers:
            if layer.built is not None:
                found.setdefault(layer.built, []).append(layer)
        return list(found.values())

    def _is_tied(self, values: Mapping[str, tuple[int, ...]]) -> bool:
        return all(len({values.get(each.module, each.present) for each in family}) == 1 for family in self._families())

    def _tied(self, candidates: SizeSet) -> SizeSet:
        names = [[self.unknowns(layer) for layer in family] for family in self._families()]
        pairs = [pair for family in names for other in family[1:] for pair in zip(family[0], other, strict=False)]
        return candidates & SizeSet.where(
            candidates.symbols, all_of(equal(symbol(one), symbol(two)) for one, two in pairs)
        )

    def box(self) -> SizeSet:
        """Every value that PyTorch allows: 0 <= output_padding < max(stride, dilation)."""
        limits: list[Condition] = []
        for layer in self.layers:
            for axis, name in enumerate(self.unknowns(layer)):
                limits += [at_least(symbol(name), constant(0)), at_least(constant(layer.limit(axis) - 1), symbol(name))]
        return SizeSet.where(self.names(), all_of(limits))

    def unknowns(self, layer: TransposedLayer) -> tuple[str, ...]:
        """The unknown `output_padding` of each layer, as functions of symbols of their own."""
        index = self.layers.index(layer)
        return tuple(f"?{index}_{axis}" for axis in range(len(layer.stride)))

    def names(self) -> tuple[str, ...]:
        """The names of the unknowns, in the order of the layers."""
        return tuple(name for layer in self.layers for name in self.unknowns(layer))

    def solutions(self, sizes: Mapping[str, int], within: Budget | None = None) -> SizeSet:
        """All values at which the model is right at one size; raises Unsettled where some cannot be told."""
        subject = replace(self.subject, inputs=fixed(self.subject.inputs, sizes), symbols=self.names())
        unknown = {layer: tuple(map(symbol, self.unknowns(layer))) for layer in self.layers}
        overrides = {layer.module: {"output_padding": value} for layer, value in unknown.items()}
        present = {
            name: min(value, layer.limit(axis) - 1)
            for layer in self.layers
            for axis, (name, value) in enumerate(zip(self.unknowns(layer), layer.present, strict=True))
        }
        budget = Budget(runs=_UNKNOWN_RUNS, calls=_PART_CALLS, seconds=_PART_SECONDS, within=within)
        found = explore(subject, self.box(), present, overrides=overrides, replays=False, budget=budget)
        if any(region.outcome.ok is None for region in found.regions):
            raise Unsettled
        return self.right(found, sizes)

    def smallest_change(self, candidates: SizeSet) -> dict[str, tuple[int, ...]] | None:
        """Of the candidates one that keeps as many present values as it can and stays below the stride."""
        if not candidates:
            return None
        candidates = self._preferring(candidates, lambda layer, axis, name: at_least(
            constant(layer.stride[axis] - 1), symbol(name)))  # fmt: skip
        candidates = self._preferring(candidates, lambda layer, axis, name: equal(
            symbol(name), constant(layer.present[axis])))  # fmt: skip
        values = candidates.smallest()
        assert values is not None, "a set within a box has a smallest member"
        chosen = {layer.module: tuple(values[name] for name in self.unknowns(layer)) for layer in self.layers}
        return {layer.module: chosen[layer.module] for layer in self.layers if chosen[layer.module] != layer.present}

    def _preferring(self, candidates: SizeSet, wish: Callable[[TransposedLayer, int, str], Condition]) -> SizeSet:
        for layer in self.layers:
            for axis, name in enumerate(self.unknowns(layer)):
                narrower = candidates & SizeSet.where(candidates.symbols, wish(layer, axis, name))
                candidates = narrower or candidates
        return candidates

    def trial(
        self, values: Mapping[str, tuple[int, ...]], first: Mapping[str, int], within: Budget | None = None
    ) -> RepairTrial:
        """The model with the values set, for all sizes: a run of its own that verifies them."""
        return replace(self.explored_with(overriding(values), first, within), values=values)

    def explored_with(
        self, overrides: Overrides, first: Mapping[str, int], within: Budget | None = None
    ) -> RepairTrial:
        """The model with some arguments of layers replaced, for all sizes."""
        budget = Budget(runs=_SET_RUNS, calls=_PART_CALLS, seconds=_PART_SECONDS, within=within)
        found = explore(self.subject, self.domain, first, overrides=overrides, budget=budget)
        return RepairTrial({}, found, self.right(found, None), running(self.domain, found.regions))


def fixed(inputs: Inputs, sizes: Mapping[str, int]) -> Inputs:
    """The inputs at one size."""

    def at_size(spec: TensorSpec) -> TensorSpec:
        return replace(spec, dims=tuple(constant(dim.value(sizes)) for dim in spec.dims))

    args, kwargs = inputs.map(at_size)
    return Inputs(args, kwargs)


def layers_of(graph: ShapeGraph) -> tuple[TransposedLayer, ...]:
    """The transposed layers of a run, once each: modules, and those that one call of a function in a module makes."""
    found: dict[str, TransposedLayer] = {}
    called = transposing_calls(graph)
    for node in graph.nodes:
        stride, dilation = node.parameter("stride"), node.parameter("dilation")
        present, built = node.parameter("output_padding"), called.get(node.module, node.built)
        # A call that misses its channels ends before its size rule has told its arguments.
        if (is_transposed_layer(node) or _is_called(node, called)) and stride and dilation and present:
            found.setdefault(node.module, TransposedLayer(node.module, stride, dilation, present, built))
    return tuple(found.values())


def transposing_calls(graph: ShapeGraph) -> dict[str, Span]:
    """The place of the one call of `F.conv_transpose1d` to `3d` in each module that makes such calls itself."""
    found: dict[str, set[Span | None]] = {}
    for node in graph.nodes:
        if node.operation.startswith("conv_transpose") and "ConvTranspose" not in node.kind:
            found.setdefault(node.module, set()).add(node.place)
    return {module: place for module, (place, *more) in found.items() if place is not None and not more}


def _is_called(node: Node, called: Mapping[str, Span]) -> bool:
    return node.operation.startswith("conv_transpose") and node.module in called


def is_transposed_layer(node: Node) -> bool:
    """Whether a call is that of an nn.ConvTranspose module, whose `output_padding` is an attribute."""
    return node.operation.startswith("conv_transpose") and "ConvTranspose" in node.kind
