"""Which layer of PyTorch's own refuses a call before it computes: a state, a mask or a map that does not fit it.

Such a layer asks in Python, or inside one call, and names neither itself nor the argument that is wrong.
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html has the shapes of states,
https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html those of masks.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import nn

from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import ShapeGraph
from shapelint.facts.refused_call import RefusalCause, RefusedCall
from shapelint.size.number import plain
from shapelint.source.span import Span
from shapelint.trace.explore import Exploration

Shape = tuple[int, ...]
_CELLS: Final = (nn.LSTMCell, nn.GRUCell, nn.RNNCell)
_BLOCKS: Final = (nn.Transformer, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
_RANKS: Final = {
    nn.BatchNorm1d: (2, 3), nn.BatchNorm2d: (4,), nn.BatchNorm3d: (5,),
    nn.InstanceNorm1d: (2, 3), nn.InstanceNorm2d: (3, 4), nn.InstanceNorm3d: (4, 5),
}  # fmt: skip
_MAPS: Final = {
    kind: axes
    for axes, kinds in enumerate((
        (nn.Conv1d, nn.ConvTranspose1d, nn.MaxPool1d, nn.AvgPool1d),
        (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d, nn.AvgPool2d),
        (nn.Conv3d, nn.ConvTranspose3d, nn.MaxPool3d, nn.AvgPool3d),
    ), start=1)
    for kind in kinds
}  # fmt: skip
_JOINING: Final = (*_CELLS, nn.MultiheadAttention, *_BLOCKS)
_LAYERS: Final = {
    Kind.PYTHON: (*_JOINING, nn.RNNBase, *_RANKS), Kind.JOIN: (*_JOINING, nn.RNNBase), Kind.AXES: tuple(_MAPS),
}  # fmt: skip
_SEQUENCE, _MASK = 3, 2
_PICKS: Final = frozenset({"__getitem__", "select", "unbind"})


@dataclass(frozen=True, slots=True)
class _LayerCall:
    """A call of a layer that has not ended: its path, and the tensors of its arguments by name."""

    name: str
    layer: nn.Module
    given: Mapping[str, Any]

    def shape(self, name: str) -> Shape:
        """The shape of an argument; () for one that is no tensor."""
        value = self.given.get(name)
        return tuple(map(plain, value.shape)) if isinstance(value, torch.Tensor) else ()

    def refused(self, cause: RefusalCause, given: Shape, wanted: Shape) -> RefusedCall:
        """What is wrong with the call."""
        return RefusedCall(self.name, type(self.layer).__name__, cause, given, wanted, None)


def refused_call(
    explored: Exploration, built: Mapping[str, Span], focus: Mapping[str, int], failure: Failure | None,
    graph: ShapeGraph,
) -> RefusedCall | None:  # fmt: skip
    """What the layer that is running when the model raises at the focus refuses; None where that is not known.

    `graph` has the calls of the run at the focus.
    """
    kinds = _LAYERS.get(failure.kind) if failure is not None else None
    if kinds is None:
        return None
    calls = _under_way(explored, focus, kinds)
    for call in reversed(calls):
        found = next((each for each in (judge(call) for judge in _JUDGES) if each is not None), None)
        if found is not None:
            block = next((each for each in calls if isinstance(each.layer, _BLOCKS)), call)
            found = found if found.cause is not RefusalCause.IN_FRONT else replace(found, module=block.name)
            return replace(found, built=built.get(found.module), steps=_is_step_of_one(call, found, graph))
    return None


def _is_step_of_one(call: _LayerCall, found: RefusedCall, graph: ShapeGraph) -> bool:
    """Whether a cell gets all steps of one sample, `x[t]` of what has the samples in front."""
    if not isinstance(call.layer, _CELLS) or not graph.nodes:
        return False
    taken = [graph.nodes[index] for index in graph.nodes[-1].inputs[:1]]
    ahead = [graph.nodes[index] for each in taken if each.operation in _PICKS for index in each.inputs[:1]]
    shapes = [node.shapes[0].value(graph.sizes) for node in ahead if node.shapes]
    return any(shape[:-1] == (found.given[0], found.wanted[0]) for shape in shapes)


def _under_way(
    explored: Exploration, focus: Mapping[str, int], kinds: tuple[type[nn.Module], ...]
) -> list[_LayerCall]:
    """The calls of layers of these kinds that had not ended when the model raised, the outermost first."""
    parts: list[tuple[str, nn.Module]] = list(explored.subject.module.named_modules())
    names = {part: name for name, part in parts if isinstance(part, kinds)}
    calls: list[_LayerCall] = []

    def begins(layer: nn.Module, args: Any, kwargs: Any) -> None:
        calls.append(_LayerCall(names[layer], layer, _by_name(layer, args, kwargs)))

    def ends(layer: nn.Module, *_: Any) -> None:
        while calls and calls.pop().layer is not layer:
            pass  # of a layer whose error the model caught

    with ExitStack() as stack:
        for part in names:
            stack.callback(part.register_forward_pre_hook(begins, with_kwargs=True).remove)
            stack.callback(part.register_forward_hook(ends).remove)
        failed = bool(names) and explored.run(focus, symbolic=False).failure is not None
    return calls if failed else []


def _by_name(layer: nn.Module, args: Any, kwargs: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(layer.forward).bind(*args, **kwargs).arguments
    except TypeError:
        return {}


def _of_state(call: _LayerCall) -> RefusedCall | None:
    """A recurrent layer whose state is for other layers, samples or features."""
    layer, taken = call.layer, call.shape("input")
    if not isinstance(layer, nn.RNNBase) or len(taken) != _SEQUENCE:
        return None
    rows = layer.num_layers * (1 + layer.bidirectional)
    for state, features in _states(call, layer):
        wanted = (rows, taken[0 if layer.batch_first else 1], features)
        if len(state) != len(wanted):
            return call.refused(RefusalCause.AXES, state, wanted)
        if state[1] == taken[0] != wanted[1] and not layer.batch_first:
            return call.refused(RefusalCause.IN_FRONT, taken, wanted)
        wrong = (RefusalCause.LAYERS, RefusalCause.SAMPLES, RefusalCause.FEATURES)
        for cause, has, needs in zip(wrong, state, wanted, strict=True):
            if has != needs:
                return call.refused(cause, state, wanted)
    return None


def _states(call: _LayerCall, layer: nn.RNNBase) -> Iterator[tuple[Shape, int]]:
    """The shapes of the hidden and the cell state, each with its features."""
    given = call.given.get("hx")
    states = given if isinstance(given, tuple) else (given,)
    for state, features in zip(states, (layer.proj_size or layer.hidden_size, layer.hidden_size), strict=False):
        if isinstance(state, torch.Tensor):
            yield tuple(map(plain, state.shape)), features


def _of_step(call: _LayerCall) -> RefusedCall | None:
    """A cell whose state is of other samples than its input."""
    taken, given = call.shape("input"), call.given.get("hx")
    state = given[0] if isinstance(given, tuple) and given else given
    if not isinstance(call.layer, _CELLS) or not isinstance(state, torch.Tensor):
        return None
    shape = tuple(map(plain, state.shape))
    if len(shape) != len(taken) or shape[0] == taken[0]:
        return None
    return call.refused(RefusalCause.SAMPLES, shape, (taken[0], shape[-1]))


def _of_attention(call: _LayerCall) -> RefusedCall | None:
    """An attention that takes the steps for samples: its masks, or its keys, are as they would be the other way."""
    query, keys = call.shape("query"), call.shape("key")
    front = len(query) == len(keys) == _SEQUENCE and not getattr(call.layer, "batch_first", True)
    if not isinstance(call.layer, nn.MultiheadAttention) or not front:
        return None
    padding, mask = call.shape("key_padding_mask"), call.shape("attn_mask")
    by_mask = padding == keys[:_MASK] and padding != keys[1::-1]
    by_mask = by_mask or (mask == (query[1], keys[1]) and mask != (query[0], keys[0]))
    by_keys = query[0] == keys[0] and query[1] != keys[1]
    return call.refused(RefusalCause.IN_FRONT, query, ()) if by_mask or by_keys else None


def _of_translation(call: _LayerCall) -> RefusedCall | None:
    """A transformer that takes the steps of source and target for their samples."""
    source, target = call.shape("src"), call.shape("tgt")
    front = isinstance(call.layer, nn.Transformer) and not call.layer.batch_first
    if not front or not len(source) == len(target) == _SEQUENCE:
        return None
    apart = source[0] == target[0] and source[1] != target[1]
    return call.refused(RefusalCause.IN_FRONT, source, ()) if apart else None


def _of_rank(call: _LayerCall) -> RefusedCall | None:
    """A norm that is built for maps of other axes."""
    ranks = next((ranks for kind, ranks in _RANKS.items() if isinstance(call.layer, kind)), ())
    taken, features = call.shape("input"), getattr(call.layer, "num_features", 0)
    fits = not ranks or not taken or len(taken) in ranks
    return None if fits else call.refused(RefusalCause.RANK, taken, (features,))


def _of_map(call: _LayerCall) -> RefusedCall | None:
    """A convolution or a pool that gets rows of features, or several maps of a sample."""
    axes = next((axes for kind, axes in _MAPS.items() if isinstance(call.layer, kind)), 0)
    taken, channels = call.shape("input"), getattr(call.layer, "in_channels", 0)
    fits = not axes or not taken or len(taken) in (axes + 1, axes + 2)
    return None if fits else call.refused(RefusalCause.MAP, taken, (channels, axes))


_JUDGES: Final = (_of_state, _of_step, _of_attention, _of_translation, _of_rank, _of_map)
