"""What is wrong in an analysis, asked by several rules: the call that raises, and of which kind."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from shapelint.rule import Analysis, Diagnosis, Failure, Kind, LostRows, Mismatch, Node, Region, Severity, SizeSet, Span

_COMFORT = 8


def at_stake(analysis: Analysis) -> Severity:
    """How bad it is that an exported file differs: a warning where a runtime was asked for, and else a note."""
    return Severity.WARNING if analysis.providers else Severity.NOTE


def misses_output_size(loss: LostRows) -> bool:
    """Whether an unpooling misses the size that its pool took by what `output_size=` can add or take away."""
    stride = loss.up.parameter("stride") or ()
    unpooling = loss.up.operation.startswith("max_unpool") and bool(loss.pair.down)
    return unpooling and all(abs(gap) < step for gap, step in zip(loss.needed, stride, strict=False))


def is_unpooled(mismatch: Mismatch) -> bool:
    """Whether a join differs because an unpooling before it missed its pool's size."""
    return mismatch.up is not None and mismatch.loss is not None and mismatch.up.operation.startswith("max_unpool")


PRODUCTS = ("bmm", "matmul", "__matmul__")
_LEAVING = ("squeeze", "flatten", "linear", *PRODUCTS)


def is_pinned(analysis: Analysis, failure: Failure | None) -> bool:
    """Whether a layer's number of features depends on the spatial size, as after a flatten.

    Where it is an axis of the input itself, that is no size but a number of features.
    """
    if failure is None or failure.kind is not Kind.CHANNELS or isinstance(failure.left, int):
        return False
    target = analysis.question.target
    return failure.left not in target and any(failure.left.symbols() & dim.symbols() for dim in target)


def is_an_argument(diagnosis: Diagnosis) -> bool:
    """Whether one argument of a layer is at fault that is not how a pool rounds."""
    return diagnosis.change is not None and diagnosis.change.parameter != "ceil_mode"


def is_left_apart(diagnosis: Diagnosis) -> bool:
    """Whether a call leaves axes as they are that it was to take away, flatten or transpose, ahead of what misfits; or
    makes one row of several samples.
    """
    slip = diagnosis.slip
    return slip is not None and (slip.node.operation in _LEAVING or (bool(slip.samples) and slip.samples[0] == 1))


def pinned_regions(analysis: Analysis) -> list[Region]:
    """The regions that raise because a number of features depends on the size."""
    return [region for region in analysis.contract.regions if is_pinned(analysis, region.outcome.failure)]


def is_cut_into_rows(analysis: Analysis, failure: Failure | None, place: Span | None) -> bool:
    """Whether a view into rows of so many features fails, `x.view(-1, 400)`, which a linear layer behind it takes; not
    where a sample has just as many, of which `x.view(1, 400)` makes one of all.
    """
    samples = analysis.samples
    focus = {} if analysis.diagnosis is None else dict(analysis.diagnosis.focus)
    if focus and samples is not None and samples.features.value(focus) == samples.row:
        return False
    fixed = samples is not None and bool(samples.layer) and samples.place == place
    return fixed and failure is not None and failure.kind is Kind.RESHAPE


def raising(analysis: Analysis, *kinds: Kind) -> tuple[Diagnosis, Node, Failure] | None:
    """The diagnosis, the call and its failure, where a call that raises for one of these reasons is what is wrong."""
    diagnosis = analysis.diagnosis
    if diagnosis is None or diagnosis.node is None or analysis.claimed or diagnosis.region.outcome.ok is not False:
        return None
    failure = diagnosis.region.outcome.failure
    return None if failure is None or failure.kind not in kinds else (diagnosis, diagnosis.node, failure)


def noteworthy(analysis: Analysis, *kinds: Kind) -> Region | None:
    """With symbols alone: where a call raises for one of these reasons at sizes that are not tiny.

    Of several such calls it is the one that raises at the largest sizes; the sizes are those of all.
    """
    found: list[tuple[int, Region]] = []
    for region in () if analysis.certain or analysis.diagnosis is not None else analysis.contract.regions:
        failure, sizes = region.outcome.failure, region.sizes
        if failure is not None and failure.kind in kinds:
            least = sizes.at_least(dict.fromkeys(sizes.symbols, _COMFORT)).smallest()
            found += [] if least is None else [(sum(least.values()), region)]
    if not found:
        return None
    last = max(found, key=lambda each: each[0])[1]
    return replace(last, sizes=reduce(SizeSet.__or__, [region.sizes for _, region in found]).coalesced())


def node_of(analysis: Analysis, region: Region) -> Node | None:
    """The call that fails in a region, as the run that gave outputs has it."""
    return analysis.graph.call_of(region.outcome.module, region.outcome.place)


def size_taken(diagnosis: Diagnosis, node: Node) -> tuple[int, ...]:
    """The shape of the first tensor that a call takes, at the focus."""
    source = diagnosis.graph.nodes[node.inputs[0]] if node.inputs else None
    return source.shapes[0].value(dict(diagnosis.focus)) if source is not None and source.shapes else ()


def batch_rank(node: Node) -> int:
    """The axes of a batch that a convolution takes; 0 for other layers."""
    return 2 + int(node.operation[-2]) if node.operation.startswith("conv") and node.operation[-2:-1].isdigit() else 0


def misfit_regions(analysis: Analysis) -> list[Region]:
    """The regions that raise because a layer was built for other channels, whatever the size."""
    kinds = (Kind.CHANNELS, Kind.MULTIPLE)
    failures = [(region, region.outcome.failure) for region in analysis.contract.regions]
    return [region for region, each in failures if each and each.kind in kinds and isinstance(each.left, int)]


def place_of(node: Node) -> Span | None:
    """Where a layer was constructed; for a functional call, where it is called."""
    return node.built or node.place


def output_place(analysis: Analysis) -> Span | None:
    """The call that gives the first output."""
    outputs = [index for index in analysis.graph.outputs if index >= 0]
    return analysis.graph.nodes[outputs[0]].place if outputs else None
