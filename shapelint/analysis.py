"""All that is known of one checked model, as plain data: what the rules read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shapelint.contract import Contract, Region
from shapelint.exporting import NOTHING_KNOWN, Portability
from shapelint.failure import Failure
from shapelint.finding import Confirmation
from shapelint.graph import Node, Pair, ShapeGraph
from shapelint.intent import Intent
from shapelint.picture import Picture
from shapelint.question import Question
from shapelint.silence import UnusedIgnore
from shapelint.size.sets import SizeSet
from shapelint.source import Edit, Span


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model that is no container: its class, arguments per axis and construction place."""

    module: str
    kind: str
    parameters: Mapping[str, tuple[int, ...]]
    built: Span | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A verified repair: values of `output_padding` (or of channels) and what the model does with them.

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
    that lost the row, where one is known. `maps` is False where the tensors are no batches of maps, but tokens.
    """

    node: Node
    failure: Failure
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    sources: tuple[str, str]
    up: Node | None
    loss: Pair | None
    values: Mapping[str, tuple[int, ...]]
    maps: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """A part of the channels that arrive: how many (or the whole size, where it was flattened) and which call made
    them; "" is an input.
    """

    size: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """A layer that gets `given` channels or features where it was built for others, those before it being mended.

    `joint` is the call that joins the `origins`, "" for a single one. `alone` tells that no other layer was
    constructed by the same call.
    """

    node: Node
    failure: Failure
    given: int
    built_for: int
    joint: str
    origins: tuple[Origin, ...]
    groups: int
    alone: bool


@dataclass(frozen=True, slots=True)
class ShortUnpooling:
    """An unpooling that gives another size than the pool of its indices took."""

    unpool: Node
    pool: Node
    given: tuple[int, ...]
    taken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for one argument of one layer, per axis, and where the layer was constructed."""

    module: str
    parameter: str
    given: tuple[int, ...]
    value: tuple[int, ...]
    built: Span | None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Other code for the calls of `forward` that miss a size: its edits, how it reads, and what the model then does."""

    edits: tuple[Edit, ...]
    texts: tuple[str, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong at one size, the `focus`: either the call that raises, or sizes that do not come back.

    `stretches` tells that one layer is planned, and `output_size=` in its call is proved right at every size that runs.
    `misfits` are layers that get other channels than they were built for; `mended` is the model built for them.
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
    misfits: tuple[Misfit, ...] = ()
    mended: Plan | None = None
    unpoolings: tuple[ShortUnpooling, ...] = ()


@dataclass(frozen=True, slots=True)
class OddMiss:
    """A hand-made pad or crop that puts half of a difference on both sides, and so misses the odd ones by one.

    `sizes` are the input sizes at which that fails, `at` one of them; there the call has `before` and gives `after`
    where `target` is needed. `emptied` tells of a crop that keeps nothing, its end being `-0`.
    """

    place: Span
    module: str
    crops: bool
    emptied: bool
    at: Mapping[str, int]
    before: tuple[int, ...]
    after: tuple[int, ...]
    target: tuple[int, ...]
    sizes: SizeSet


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two sizes that fit where all axes have them and do not fit together, `at` which the model is wrong.

    `sizes` are such sizes as far as they are known, `alone` the sizes that fit where all `axes` have them; `operation`
    is the call at which the axes meet, and `error` what it says.
    """

    at: Mapping[str, int]
    axes: tuple[str, ...]
    sizes: SizeSet
    alone: tuple[int, ...]
    operation: str
    module: str
    place: Span | None
    error: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A join that repeats a tensor whose axis has size 1 at the input sizes `sizes`, and not at all sizes.

    `at` is one of them; `one` and `other` are the shapes that the two tensors have there, `sources` what gives them.
    """

    node: Node
    at: Mapping[str, int]
    sizes: SizeSet
    one: tuple[int, ...]
    other: tuple[int, ...]
    sources: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Guard:
    """The model's own `assert` and `raise` statements about sizes, and what they refuse and let through wrongly.

    `refuses` are the sizes at which one of them raises, `without` those at which the model is right with them taken
    out; `needless` are sizes of both, empty where that is not proved. `lax` are sizes that they let through and at
    which a call behind them raises `failure`; `at` is a size of one of the two.
    """

    place: Span
    at: Mapping[str, int]
    refuses: SizeSet
    accepts: SizeSet
    without: SizeSet
    needless: SizeSet
    lax: SizeSet
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One model, analysed: the contract for all sizes, and the diagnosis of what is wrong where anything is.

    `graph` is a run that gave outputs where there is one. `asked` is where somebody cares; `certain` tells that it
    was asked for, and is not just every size. `misaligned` tells that no multiple of the total stride restores.
    `providers` are the runtimes by which a confirmation is asked for. `unused` are comments that silence nothing; only
    the rules that come `last` see them.
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
    odd: tuple[OddMiss, ...] = ()
    mixed: Crossing | None = None
    broadcasts: tuple[Broadcast, ...] = ()
    guard: Guard | None = None
    rewrite: Rewrite | None = None
    portability: Portability = NOTHING_KNOWN
    padding: tuple[int, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    remarks: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    unused: tuple[UnusedIgnore, ...] = ()
    picture: Picture | None = None

    @property
    def wanted(self) -> SizeSet:
        """The sizes that are right: those that restore where that is meant, else those that run."""
        return self.contract.restores if self.intent.meant else self.contract.runs

    @property
    def claimed(self) -> bool:
        """Whether a rule knows the cause of what is wrong at the focus: a hand-made pad, mixed axes or a guard."""
        sets = [each.sizes for each in self.odd]
        sets += [] if self.mixed is None else [self.mixed.sizes]
        sets += [] if self.guard is None else [self.guard.needless]
        return self.diagnosis is not None and any(self.diagnosis.focus in sizes for sizes in sets)

    def concerns(self, sizes: SizeSet) -> bool:
        """Whether something that happens at some sizes is worth a word: at an asked size, or where none is asked."""
        return not self.certain or bool(sizes & self.asked)

    def fails_at(self, sizes: SizeSet) -> bool:
        """Whether what happens at some sizes does so at an asked size, or at the focus where no size is right."""
        if self.certain:
            return bool(sizes & self.asked)
        return self.diagnosis is not None and not self.misaligned and self.diagnosis.focus in sizes

    def layer(self, module: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.module == module), None)
