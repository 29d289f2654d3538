"""All that is known of one checked model, as plain data: what the rules read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shapelint.contract import Contract, Region
from shapelint.failure import Failure
from shapelint.finding import Confirmation
from shapelint.graph import Node, Pair, ShapeGraph
from shapelint.intent import Intent
from shapelint.question import Question
from shapelint.size.sets import SizeSet
from shapelint.source import Span


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model that is no container: its class, arguments per axis and construction place."""

    module: str
    kind: str
    parameters: Mapping[str, tuple[int, ...]]
    built: Span | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A verified repair: values of `output_padding` and what the model does with them.

    `restores` and `runs` are those of the repaired model; `loses` is where it was right before and is no more,
    `breaks` where it ran and now raises; `complete` tells that it is right at every asked size.
    """

    values: Mapping[str, tuple[int, ...]]
    complete: bool
    restores: SizeSet
    runs: SizeSet
    loses: SizeSet
    breaks: SizeSet

    @property
    def assignments(self) -> dict[str, tuple[int, ...]]:
        return {f"{module}.output_padding": value for module, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class Loss:
    """A mirrored pair that does not come back to its size at the focus, all losses before it being repaired.

    `needed` is by how much its own layers miss the size, per axis, were what lies between them right. The last
    down-sampling drops `remainder` of the size `taken` on its way to the size `inner`.
    """

    pair: Pair
    up: Node
    down: Node
    needed: tuple[int, ...]
    remainder: tuple[int, ...]
    taken: tuple[int, ...]
    inner: tuple[int, ...]
    values: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A join that fails at the focus, all mismatches before it being repaired.

    `sizes` are the two sizes along the join's spatial axes, `sources` the modules they come from; `loss` is the pair
    that lost the row, where one is known.
    """

    node: Node
    failure: Failure
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    sources: tuple[str, str]
    up: Node | None
    loss: Pair | None
    values: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for one argument of one layer, per axis, and where the layer was constructed."""

    module: str
    parameter: str
    given: tuple[int, ...]
    value: tuple[int, ...]
    built: Span | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong at one size, the `focus`: either the call that raises, or sizes that do not come back.

    `stretches` tells that one layer is planned, and `output_size=` in its call is proved right at every size that runs.
    """

    focus: Mapping[str, int]
    region: Region
    graph: ShapeGraph
    node: Node | None
    mismatches: tuple[Mismatch, ...]
    losses: tuple[Loss, ...]
    plan: Plan | None
    change: Change | None = None
    stretches: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """One model, analysed: the contract for all sizes, and the diagnosis of what is wrong where anything is.

    `graph` is a run that gave outputs where there is one. `asked` is where somebody cares; `certain` tells that it
    was asked for, and is not just every size. `misaligned` tells that no multiple of the total stride restores.
    """

    target: str
    question: Question
    contract: Contract
    intent: Intent
    graph: ShapeGraph
    pairs: tuple[Pair, ...]
    layers: tuple[Layer, ...]
    asked: SizeSet
    certain: bool
    misaligned: bool
    constant_for_all: bool | None
    diagnosis: Diagnosis | None
    confirmations: tuple[Confirmation, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def wanted(self) -> SizeSet:
        """The sizes that are right: those that restore where that is meant, else those that run."""
        return self.contract.restores if self.intent.meant else self.contract.runs

    def layer(self, module: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.module == module), None)
