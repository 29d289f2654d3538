"""All that is known of one checked model, as plain data: what the rules read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shapelint.facts.call import Call
from shapelint.facts.contract import Contract
from shapelint.facts.diagnosis import Change, Diagnosis, EvenWindow, Rewrite, ShortPadding, WrongAnnotation
from shapelint.facts.failure import Failure
from shapelint.facts.finding import Confirmation, Finding
from shapelint.facts.graph import Node, Pair, ShapeGraph
from shapelint.facts.picture import Picture
from shapelint.facts.portability import NOTHING_KNOWN, Portability
from shapelint.facts.samples import MixedSamples
from shapelint.request.question import Question
from shapelint.size.function import Function, symbol
from shapelint.size.sets import SizeSet
from shapelint.source.span import Edit, Span


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model that is no container: its class, arguments per axis and construction place."""

    module: str
    kind: str
    parameters: Mapping[str, tuple[int, ...]]
    built: Span | None


@dataclass(frozen=True, slots=True)
class OddMiss:
    """A hand-made pad or crop that puts half of a difference on both sides, and so misses the odd ones by one.

    `sizes` are the input sizes at which that fails, `at` one of them; there the call has `before` and gives `after`
    where `target` is needed. `emptied` tells of a crop that keeps nothing, its end being `-0`, and
    `short` of one that gets fewer rows than are needed, its offset being negative; `source` is the layer of
    what it takes. A crop that is `one_sided` takes half of what is too much, from one side. `window` is the layer
    behind it where that takes an odd number of rows off.
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
    source: str = ""
    short: bool = False
    one_sided: bool = False
    window: EvenWindow | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two sizes that fit where all axes have them and do not fit together, `at` which the model is wrong.

    `sizes` are such sizes as far as they are known, `alone` the sizes that fit where all `axes` have them; `operation`
    is the call that mixes the axes up, and `error` what is said where they meet, at the call `shown`.
    """

    at: Mapping[str, int]
    axes: tuple[str, ...]
    sizes: SizeSet
    alone: tuple[int, ...]
    operation: str
    module: str
    place: Span | None
    error: str
    shown: str


@dataclass(frozen=True, slots=True)
class ShortTable:
    """A parameter or buffer with a row for each position, `rows` of them, where a size asks for `wanted`.

    `node` is the call that raises. Where it takes rows out by their number, it is `indexed`, and a `wanted` below
    `rows` is a number that no row has; else the table, or what was made of it, is joined to what the input became;
    `varies` tells that the size has a say in how many rows were taken out of it.
    """

    node: Node
    name: str
    rows: int
    wanted: int
    indexed: bool
    varies: bool = False


@dataclass(frozen=True, slots=True)
class LostTransform:
    """A transform of `taken` values whose inverse gives back `given`, for want of the size.

    The sizes that come back are `rest` mod `step`.
    """

    forward: Node
    inverse: Node
    taken: int
    given: int
    step: int
    rest: int

    @property
    def argument(self) -> str:
        """The argument of the inverse that tells it the size."""
        return {"istft": "length", "fft_irfft": "n"}.get(self.inverse.operation, "s")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A join that repeats a tensor whose axis has size 1 at the input sizes `sizes`, and not at all sizes; or a loss
    that repeats both of its tensors.

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
    `providers` are the runtimes by which a confirmation is asked for. `pytorch` is what eager
    PyTorch raised at the first asked size, "" where it did not or was not asked. `unused` are comments that silence
    nothing, and `found` is what the other rules found; only the rules that come `last` see these. `calls_at` gives the
    calls of the run at one size, for which it may run the model.
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
    padding: tuple[tuple[int, int], ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    remarks: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    pytorch: str = ""
    found: tuple[Finding, ...] = ()
    unused: tuple[UnusedIgnore, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    samples: MixedSamples | None = None
    table: ShortTable | None = None
    transform: LostTransform | None = None
    picture: Picture | None = None
    annotations: tuple[WrongAnnotation, ...] = ()
    calls: tuple[Call, ...] = ()
    calls_at: Callable[[Mapping[str, int]], tuple[Call, ...]] | None = None
    short_padding: ShortPadding | None = None

    @property
    def wanted(self) -> SizeSet:
        """The sizes that are right: those that restore where that is meant, else those that run."""
        return self.contract.restores if self.intent.meant else self.contract.runs

    @property
    def steps(self) -> dict[str, int]:
        """The total stride along each symbol that is a spatial axis of the first input."""
        names = {symbol(name): name for name in self.contract.symbols}
        pairs = zip(self.question.target, self.intent.stride, strict=False)
        return {names[dim]: step for dim, step in pairs if dim in names}

    @property
    def undecided(self) -> SizeSet:
        """The asked sizes of which nothing is known; with symbols alone only where no size is seen to be right."""
        left = self.asked & self.contract.undecided
        return left if self.certain or not self.wanted else SizeSet.empty(left.symbols)

    @property
    def claimed(self) -> bool:
        """Whether a rule knows the cause of what is wrong at the focus: a table, transform, pad, guard, mixed axes."""
        sets = [each.sizes for each in self.odd]
        sets += [] if self.mixed is None else [self.mixed.sizes]
        sets += [] if self.guard is None else [self.guard.needless]
        one = self.table or self.transform or self.short_padding
        known = one is not None or any(self.diagnosis.focus in sizes for sizes in sets if self.diagnosis)
        return self.diagnosis is not None and known

    def concerns(self, sizes: SizeSet) -> bool:
        """Whether something that happens at some sizes is worth a word: at an asked size, or where none is asked."""
        return not self.certain or bool(sizes & self.asked)

    def fails_at(self, sizes: SizeSet) -> bool:
        """Whether what happens at some sizes does so at an asked size, or at the focus where no size is right."""
        if self.certain:
            return bool(sizes & self.asked)
        return self.diagnosis is not None and not self.misaligned and self.diagnosis.focus in sizes

    def layer(self, module: str) -> Layer | None:
        """The layer of a module path; None where there is none."""
        return next((layer for layer in self.layers if layer.module == module), None)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A size at which eager PyTorch did otherwise than was proved; None stands for an error."""

    sizes: Mapping[str, int]
    said: tuple[tuple[int, ...], ...] | None
    seen: tuple[tuple[int, ...], ...] | None
    error: str


@dataclass(frozen=True, slots=True)
class UnusedIgnore:
    """A comment that silences nothing: its place and text, and the codes in it that do so; () are all of them.

    `edit` takes out the comment, or the codes.
    """

    place: Span
    text: str
    codes: tuple[str, ...]
    edit: Edit


@dataclass(frozen=True, slots=True)
class Intent:
    """What the output is compared with; `meant` is whether missing it is a defect, `why` says what was assumed.

    `stride` is the total stride per axis; `output` the index of the output that is compared, `axes` its spatial
    axes; `expected` the text of what `--expect` asks, "" where nothing. `scale` tells how many times the input's size
    is meant, such as "2 times", and `wanted` that size; "" and () for the input's own. `change` is the one change of a
    layer that shows it, where the model as it is does not.
    """

    meant: bool
    why: str
    stride: tuple[int, ...]
    output: int = 0
    axes: tuple[int, ...] = ()
    expected: str = ""
    scale: str = ""
    wanted: tuple[Function, ...] = ()
    change: Change | None = None
