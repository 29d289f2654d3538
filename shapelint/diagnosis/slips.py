"""Finds the one number in a `cat`, a `permute` or a `view` that hands a layer the wrong axis, or too few features.

A layer that gets other channels than it was built for is right where the call ahead of it would give these channels
with one number changed: `cat` along the axis of the channels, `permute` with the channels last, where no layer between
them takes these as they are, `view` with rows of a sample, `flatten` from the axis behind the samples, a shuffle of
pixels by another factor. A linear layer that gets a map, of which it takes the width for the features, lacks a flatten.
A product of two results that fits with one of them transposed lacks that.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt, prod

from shapelint.diagnosis.channels import channel_axis
from shapelint.facts.diagnosis import Misfit, Slip
from shapelint.facts.graph import Node, ShapeGraph

_CATS = frozenset({"cat", "concat", "concatenate"})
_PERMUTES = frozenset({"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"})
_VIEWS = frozenset({"view", "reshape"})
PRODUCTS = frozenset({"bmm", "matmul", "__matmul__"})
_FED = frozenset({"linear", "layer_norm", "rms_norm"})
_ATTENTION = "MultiheadAttention"
_MOVES = _CATS | _PERMUTES | _VIEWS
_SHUFFLES = frozenset({"pixel_shuffle", "pixel_unshuffle"})
_TELLING = _MOVES | _SHUFFLES


def slip(graph: ShapeGraph, misfit: Misfit) -> Slip | None:
    """The call ahead of a layer that misfits, and the number that would make it fit; None where no such call is."""
    wanted = misfit.built_for
    if _is_unflattened(graph, misfit.node, wanted):
        taken = _shape(graph.nodes[misfit.node.inputs[0]])[1:]
        return Slip(misfit.node, taken, (prod(taken),))
    if misfit.node.operation in PRODUCTS and len(misfit.node.inputs) == 2:
        return _untransposed(misfit.node, *(_shape(graph.nodes[index]) for index in misfit.node.inputs))
    fed = False
    for node in _ahead(graph, misfit.node):
        fed = fed or node.operation in _FED
        own = node.module == misfit.node.module and misfit.node.kind == _ATTENTION  # it turns its batch itself
        if node.operation in _TELLING and not own:
            return None if fed and node.operation in _PERMUTES else _slip_of(graph, node, misfit)
        if node.operation == "squeeze" and _shape(node) == _shape(graph.nodes[node.inputs[0]]):
            return _kept(node, _shape(node), channel_axis(misfit.node, len(_shape(node))), wanted)
        if node.operation == "flatten" and len(_shape(node)) < len(_shape(graph.nodes[node.inputs[0]])):
            return _from_axis(node, _shape(graph.nodes[node.inputs[0]]), len(_shape(node)) - 1, wanted)
    return None


def _slip_of(graph: ShapeGraph, node: Node, misfit: Misfit) -> Slip | None:
    """The number of a call that joins, orders or cuts, with which a layer would get what it takes."""
    given, shapes = _shape(node), [_shape(graph.nodes[index]) for index in node.inputs]
    axis, wanted = channel_axis(misfit.node, len(given)), misfit.built_for
    if node.operation in _CATS:
        return _along(node, shapes, axis, wanted)
    if node.operation in _PERMUTES:
        return _ordered(node, shapes[0], axis, wanted)
    if node.operation in _VIEWS:
        return _in_rows(node, shapes[0], given, axis, wanted)
    return _shuffled(node, shapes[0], wanted)


def _untransposed(node: Node, left: tuple[int, ...], right: tuple[int, ...]) -> Slip | None:
    """The matrices of a product that fit where one of them is transposed; None for others."""
    if min(len(left), len(right)) < 3 or left[:-2] != right[:-2]:
        return None
    return Slip(node, left[-2:], right[-2:]) if left[-2] == right[-2] or left[-1] == right[-1] else None


def _is_unflattened(graph: ShapeGraph, node: Node, wanted: int) -> bool:
    """Whether a linear layer gets a map as a convolution or a pool gives it, rows of which are no features; of a
    signal only where it takes as many as a whole sample has.
    """
    taken = _shape(graph.nodes[node.inputs[0]]) if node.inputs else ()
    if node.operation != "linear" or len(taken) < 3:
        return False
    made = next((each for each in _ahead(graph, node) if each.spatial or each.operation in _MOVES), None)
    return made is not None and bool(made.spatial) and (len(taken) > 3 or prod(taken[1:]) == wanted)


def _ahead(graph: ShapeGraph, node: Node) -> Iterator[Node]:
    """The calls ahead of a layer, back to the first that joins, orders or cuts: those between keep the shape."""
    while node.inputs:
        above = graph.nodes[node.inputs[0]]
        if node.shapes and _shape(above) != _shape(node) and node.operation not in (*_PERMUTES, *_VIEWS, *_CATS):
            return
        node = above
        if node.inputs:  # else it is an input, or computes with constants
            yield node


def _along(node: Node, shapes: list[tuple[int, ...]], axis: int, wanted: int) -> Slip | None:
    rank = len(shapes[0])
    rests = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if axis >= rank or len(rests) > 1 or sum(shape[axis] for shape in shapes) != wanted:
        return None
    given = next(each for each in range(rank) if _shape(node)[each] != shapes[0][each])
    if sum(shape[given] for shape in shapes) != _shape(node)[given]:
        return None  # some of what it joins are constants
    return Slip(node, (given,), (axis,))


def _ordered(node: Node, taken: tuple[int, ...], axis: int, wanted: int) -> Slip | None:
    """The order of the axes that puts the channels where the layer takes them: where just one axis has so many."""
    if taken.count(wanted) != 1 or len(taken) < 3 or taken.index(wanted) == 0:
        return None
    channels = taken.index(wanted)
    order = [each for each in range(len(taken)) if each != channels]
    order.insert(axis, channels)
    return Slip(node, (), tuple(order))


def _kept(node: Node, given: tuple[int, ...], axis: int, wanted: int) -> Slip | None:
    """The axis that a `squeeze` leaves, since it is not 1, where the layer would else take the one before it."""
    fits = axis > 0 and given[axis - 1] == wanted and given[axis] > 1
    return Slip(node, (given[axis],), (1,)) if fits else None


def _from_axis(node: Node, taken: tuple[int, ...], axis: int, wanted: int) -> Slip | None:
    """The first axis of a flatten that leaves others apart, or takes the samples in, where a layer takes a sample."""
    return Slip(node, (axis,), (1,)) if axis != 1 and prod(taken[1:]) == wanted else None


def _in_rows(node: Node, taken: tuple[int, ...], given: tuple[int, ...], axis: int, wanted: int) -> Slip | None:
    """The number of a view that makes other samples of a batch, where with what the layer takes it keeps them; or that
    puts into the channels what was apart from them, where the layer takes as many as there were before.
    """
    if axis == 0:
        return None
    ends = len(given) - axis
    if len(taken) > len(given) and taken[-ends:] == (wanted, *given[axis + 1 :]) and given[axis] % wanted == 0:
        return Slip(node, (given[axis],), (wanted,), axis)
    if len(taken) == len(given) and taken[: axis + 1] == (*given[:axis], wanted):
        return _of_channels(node, taken, given, axis)
    kept = taken[0] * prod(given[1:]) * wanted == prod(taken) * given[axis]
    if not kept or given[0] == taken[0]:
        return None
    return Slip(node, (given[axis],), (wanted,), axis, (given[0], taken[0]))


def _of_channels(node: Node, taken: tuple[int, ...], given: tuple[int, ...], axis: int) -> Slip | None:
    """The one number behind the channels that takes from them what it has more than before."""
    unlike = [each for each in range(axis + 1, len(given)) if given[each] != taken[each]]
    return Slip(node, (given[unlike[0]],), (taken[unlike[0]],), unlike[0]) if len(unlike) == 1 else None


def _shuffled(node: Node, taken: tuple[int, ...], wanted: int) -> Slip | None:
    """The factor of a shuffle that makes the channels which the layer takes of those that come."""
    most, least = (taken[-3], wanted) if node.operation == "pixel_shuffle" else (wanted, taken[-3])
    factor = isqrt(most // least) if least else 0
    name = "upscale_factor" if node.operation == "pixel_shuffle" else "downscale_factor"
    if factor < 2 or factor * factor * least != most:
        return None
    return Slip(node, node.parameter(name) or (), (factor,))


def _shape(node: Node) -> tuple[int, ...]:
    return node.shapes[0].value({}) if node.shapes else ()
