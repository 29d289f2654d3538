"""What is wrong at one size, as plain data: the joins and pairs that fail, and the repairs that were proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from shapelint.facts.contract import Region
from shapelint.facts.failure import Failure
from shapelint.facts.finding import Repair, Safety
from shapelint.facts.graph import Node, Pair, ShapeGraph
from shapelint.facts.refused_call import RefusedCall
from shapelint.size.sets import SizeSet
from shapelint.source.span import Edit, Span


@dataclass(frozen=True, slots=True)
class Plan:
    """A verified repair: values of `output_padding` (or of channels) and what the model does with them.

    `restores` and `runs` are those of the repaired model; `loses` is where it was right before and is no more, `breaks`
    where it ran and now raises; `complete` tells that it is right at every asked size, and `ran` that it ran at sizes
    without end before, which show what it is to give.
    """

    values: Mapping[str, tuple[int, ...]]
    complete: bool
    restores: SizeSet
    runs: SizeSet
    loses: SizeSet
    breaks: SizeSet
    ran: bool = True

    @property
    def safety(self) -> Safety:
        """Safe: right at the asked sizes, and no size that ran now raises; advice where some asked size stays wrong.

        Where nothing ran before, or a few sizes did, nothing shows what the model is to give.
        """
        if not self.complete:
            return Safety.ADVICE
        return Safety.UNSAFE if self.breaks or not self.ran else Safety.SAFE

    @property
    def assignments(self) -> dict[str, tuple[int, ...]]:
        """The values by the path of their argument, such as `up1.output_padding`."""
        return {f"{module}.output_padding": value for module, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class LostRows:
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
    `strides` are those of both maps where they differ by a factor, at all sizes but the smallest: they are maps of two
    levels then; `levels` are calls that give a map of the second one's size.
    """

    node: Node
    failure: Failure
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    sources: tuple[str, str]
    up: Node | None
    loss: Pair | None
    values: Mapping[str, tuple[int, ...]]
    maps: bool = True
    strides: tuple[Fraction, Fraction] | None = None
    levels: tuple[str, ...] = ()


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
    constructed by the same call. `handed` is the call that gives the number to a helper which only hands it on, and the
    number in it.
    """

    node: Node
    failure: Failure
    given: int
    built_for: int
    joint: str
    origins: tuple[Origin, ...]
    groups: int
    alone: bool
    handed: tuple[Span, Span] | None = None


@dataclass(frozen=True, slots=True)
class Slip:
    """A `cat`, `permute` or `view` that hands a layer the wrong axis: the number that it has, and the one that fits.

    For a `cat` these are the axis; for a `view` what it makes of `axis`, so that there are `samples` (now, and before;
    () where it puts another axis into the channels); of a `permute` `wanted` is the whole order, of a `squeeze` that
    takes no axis away they are that axis' size, and of a shuffle of pixels its factor. For a linear layer that gets a
    map they are the axes of the map and the features of all of it, for a product of matrices its two matrices.
    """

    node: Node
    given: tuple[int, ...]
    wanted: tuple[int, ...]
    axis: int = 0
    samples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ShortUnpooling:
    """An unpooling that gives another size than the pool of its indices took."""

    unpool: Node
    pool: Node
    given: tuple[int, ...]
    taken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RefusedSize:
    """An `output_size` that a transposed layer `up` is asked for and cannot give, and the sizes that it can.

    `mirror` is the layer that took a size which it can give, `took`; None where there is none.
    """

    up: Node
    asked: tuple[int, ...]
    least: tuple[int, ...]
    most: tuple[int, ...]
    mirror: Node | None
    took: tuple[int, ...]


_ON_LINE = " on line "


def called_on(operation: str, line: int) -> str:
    """The name of the call of a function in a line, in the place of the path of a layer."""
    return f"{operation.removesuffix('_with_indices')}{_ON_LINE}{line}"


def called_line(module: str) -> int | None:
    """The line of the call that such a name is of; None for the path of a layer."""
    name, found, line = module.partition(_ON_LINE)
    return int(line) if found and name else None


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for one argument of one layer, per axis, and where the layer was constructed.

    `alike` are the other layers that the same call builds with the same value: one text changes them all. An expression
    in it gives each of the `others` a value of its own.
    """

    module: str
    parameter: str
    given: tuple[int, ...]
    value: tuple[int, ...]
    built: Span | None
    alike: tuple[str, ...] = ()
    others: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def values(self) -> dict[str, tuple[int, ...]]:
        """The value that each of the layers gets."""
        return {**dict.fromkeys((self.module, *self.alike), self.value), **dict(self.others)}

    @property
    def layer(self) -> str:
        """The path of the layer; "" where a function is called in its place."""
        return self.module if called_line(self.module) is None else ""

    @property
    def assignments(self) -> dict[str, tuple[int, ...]]:
        """The value by the path of the argument, such as `up1.kernel_size`."""
        return {f"{module}.{self.parameter}": value for module, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Other code for what misses a size: its edits, how it reads, and what the model then does.

    `repair` tells whether it changes the code of `forward`, or the channels that layers are built for.
    """

    edits: tuple[Edit, ...]
    texts: tuple[str, ...]
    plan: Plan
    repair: Repair


@dataclass(frozen=True, slots=True)
class EvenWindow:
    """A layer whose kernel is even, and the `call` that pads its input by as much on both sides of the `axes`, counted
    from the end of the `rank` that it gives. `tail` makes what a `cat` puts behind.
    """

    layer: str
    kernel: tuple[int, ...]
    call: str
    axes: tuple[int, ...]
    tail: Span | None
    rank: int


@dataclass(frozen=True, slots=True)
class ShortPadding:
    """A hand-made pad that makes a size `made` at the focus, where the layers need multiples of `step`.

    It rounds up to multiples of `multiple` (1: of nothing), which stands at `written`.
    """

    made: tuple[int, ...]
    step: int
    place: Span
    multiple: int
    written: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong at one size, the `focus`: either the call that raises, or sizes that do not come back.

    `stretches` tells that one layer is planned, and `output_size=` in its call is proved right at every size that runs.
    `misfits` are layers that get other channels than they were built for; `repaired` is the model built for them.
    `spoiler` is the one call after which the size of the output can no longer come right, and `slip` the one number
    ahead of the first misfit that is at fault. `setters` are the calls that change the output's size. `refused` is the
    size that the failing layer cannot give, and `handed` the call that gives a helper the argument of the change, or
    the stride of the spoiler; `declined` is what a layer refuses before it computes.
    """

    focus: Mapping[str, int]
    region: Region
    graph: ShapeGraph
    node: Node | None
    mismatches: tuple[Mismatch, ...]
    losses: tuple[LostRows, ...]
    plan: Plan | None
    change: Change | None = None
    stretches: bool = False
    misfits: tuple[Misfit, ...] = ()
    repaired: Plan | None = None
    unpoolings: tuple[ShortUnpooling, ...] = ()
    spoiler: Node | None = None
    slip: Slip | None = None
    setters: tuple[Node, ...] = ()
    refused: RefusedSize | None = None
    handed: Span | None = None
    declined: RefusedCall | None = None


@dataclass(frozen=True, slots=True)
class WrongAnnotation:
    """A jaxtyping annotation of an `argument`, or of the result (""), that fails at sizes at which the model runs.

    `axis` is the text of the first axis that is wrong, "" where their number is, and `gives` what is there; at the size
    `at` the tensor is `seen`. `better` is the annotation that holds at every size, "" where none was found.
    """

    function: str
    argument: str
    place: Span
    text: str
    axis: str
    gives: str
    fails: SizeSet
    holds: SizeSet
    at: Mapping[str, int]
    seen: tuple[int, ...]
    better: str
