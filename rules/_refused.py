"""What is said of a call that a layer of PyTorch's own refuses before it computes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from shapelint.rule import Fix, RefusalCause, RefusedCall, Safety, Span, sized

from ._words import BATCH_FIRST, counted, quoted

_FIRST = {RefusalCause.IN_FRONT, RefusalCause.RANK}
_NORMS = {2: "1d", 3: "1d", 4: "2d", 5: "3d"}


def refused_text(call: RefusedCall) -> str:
    """What the layer gets, and what it takes."""
    name, given, wanted = quoted(call.module), call.given, call.wanted
    if call.cause is RefusalCause.IN_FRONT:
        return f"{name} takes axis 1 of {sized(given)} for the samples: it is not built with `batch_first=True`"
    if call.cause is RefusalCause.LAYERS:
        return f"{name} gets {counted(given[0], 'state')}, and takes {wanted[0]}: one for each layer and direction"
    if call.cause is RefusalCause.SAMPLES:
        return f"{name} gets {counted(wanted[-2], 'sample')}, and a state for {given[-2]}"
    if call.cause is RefusalCause.FEATURES:
        return f"{name} gets a state of {given[-1]} features, and its own has {wanted[-1]}"
    if call.cause is RefusalCause.AXES:
        return f"{name} gets a state of {sized(given)}, and takes one of {sized(wanted)}"
    if call.cause is RefusalCause.MAP:
        return f"{name}, a {call.kind}, takes tensors of {wanted[1] + 2} axes, and gets {sized(given)} of {len(given)}"
    return f"{name} is a {call.kind}, and gets {sized(given)}, which has {len(given)} axes"


def refused_place(call: RefusedCall, otherwise: Span | None) -> Span | None:
    """The constructor of a layer that is built for other axes; else the call."""
    return call.built or otherwise if call.cause in _FIRST else otherwise


def refused_fix(call: RefusedCall) -> Fix:
    """What to write instead."""
    return Fix(_advice(call, quoted(call.module)), Safety.ADVICE)


def _advice(call: RefusedCall, name: str) -> str:
    given, wanted = call.given, call.wanted
    if call.cause is RefusalCause.IN_FRONT:
        return f"build {name} {BATCH_FIRST}"
    if call.cause is RefusalCause.MAP:
        return _as_maps(given, *wanted, grows="Transpose" in call.kind)
    if call.steps:
        return "take one step of all samples: `x[:, t]`, where `x[t]` is all steps of one"
    if call.cause is RefusalCause.RANK:
        family = call.kind.rstrip("123d")
        return f"build {name} as `nn.{family}{_NORMS.get(len(given), '2d')}({wanted[0]})`"
    if call.cause is RefusalCause.AXES and given == wanted[1:]:
        return f"give the state an axis for the layers in front: `[None]` makes it {sized(wanted)}"
    if call.cause is RefusalCause.LAYERS:
        return f"make the state of {sized(wanted)}, or let {name} have as many layers and directions as it is for"
    return f"make the state of {sized(wanted)}"


def _as_maps(given: Sequence[int], channels: int, axes: int, *, grows: bool) -> str:
    """How what a convolution or a pool gets becomes maps of so many axes besides samples and channels; of one place
    only for what `grows`.
    """
    more = len(given) - axes - 2
    rows = prod(given[1:]) // channels if channels and len(given) > 1 else 0
    side = round(rows ** (1 / axes))
    if more < 0 and side > (not grows) and channels * side**axes == prod(given[1:]):
        sides = ", ".join([str(side)] * axes)
        return f"make maps of the rows ahead of it: `.view(-1, {channels}, {sides})`"
    single = [axis for axis, size in enumerate(given) if axis and size == 1]
    if more == 1 and single:
        return f"take axis {single[0]}, of 1, away ahead of it: `.squeeze({single[0]})`"
    if more == 1 and channels == given[2]:
        return "let it take each step as a sample: `.flatten(0, 1)` ahead of it, `.unflatten(0, x.shape[:2])` behind it"
    names = ("length", "height and width", "depth, height and width")
    return f"give it samples, channels, {names[axes - 1]}: {axes + 2} axes"
