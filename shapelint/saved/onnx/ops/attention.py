"""Attention and rotary embeddings, as onnxruntime looks at them (core/providers/cpu/llm, contrib_ops/cpu/bert)."""

from __future__ import annotations

from typing import Any

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, one_or, same, surely
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.record import Shape

_MS = "com.microsoft"
_NEWEST = 24  # later versions have windows, and onnxruntime no kernel


@operator("Attention")
def _attention(call: OperatorCall) -> Any:
    query, key, value = (call.shape(index) for index in range(3))
    if call.opset > _NEWEST:
        raise call.unsupported(f"its version in opset {call.opset}")
    if not len(query) == len(key) == len(value) or len(query) not in (3, 4) or call.has(6):
        raise call.unsupported(f"a query of {len(query)} axes, a key of {len(key)} and a value of {len(value)}")
    heads, others = call.integer("q_num_heads"), call.integer("kv_num_heads")
    if len(query) == 3:
        return _of_rows(call, heads, others)
    text = "a number of heads"
    needs = [same(each, own, text) for each, own in ((query[1], heads), (key[1], others), (value[1], others)) if own]
    needs += [same(key[1], value[1], text), same(query[3], key[3], "the key"), same(value[2], key[2], "the value")]
    return _attended(call, (query[0], query[1], query[2], query[3]), (key[1], key[2], value[3]), needs, rows=False)


def _of_rows(call: OperatorCall, heads: int, others: int) -> Any:
    """With the heads side by side in the last axis."""
    query, key, value = (call.shape(index) for index in range(3))
    if heads < 1 or others < 1:
        raise ValueError("q_num_heads and kv_num_heads are wanted for tensors of 3 axes")
    text = "{left} features left over of what is parted in heads"
    parted = ((query[2], heads), (value[2], others))
    needs = [Need(size % parts, 0, Kind.MULTIPLE, text, True) for size, parts in parted]
    surely(call, key[2], query[2] // heads * others, "a key of other features than the query")
    surely(call, key[1], value[1], "a key of other rows than the value")
    size = (query[0], heads, query[1], query[2] // heads)
    return _attended(call, size, (others, key[1], value[2] // others), needs, rows=True)


def _attended(call: OperatorCall, query: Shape, other: Shape, needs: list[Need], *, rows: bool) -> Any:
    """`query` is batch, heads, rows and features; `other` the heads, rows and features of what is attended to."""
    batch, heads, length, features = query
    kept, total, given = other
    needs += [same(call.shape(index)[0], batch, "a batch") for index in (1, 2)]
    if heads != kept:
        if symbolic(kept):
            raise call.unsupported("an open number of heads that attend together")
        needs.append(Need(heads % kept, 0, Kind.MULTIPLE, "{left} heads left over", True))
    if call.has(4) != call.has(5):
        raise ValueError("a past key goes with a past value")
    if call.has(4):
        past = call.shape(4)[2] if call.rank(4) == 4 else 0
        needs += of_shape(call, 4, (batch, kept, past, features), "the past key")
        needs += of_shape(call, 5, (batch, kept, past, given), "the past value")
        total = total + past
    if call.has(3):
        needs += _masked(call, (batch, heads, length, total), rows=rows)
    made = (batch, length, heads * given) if rows else (batch, heads, length, given)
    shapes: tuple[Shape, ...] = (made, (batch, kept, total, features), (batch, kept, total, given))
    shapes = (*shapes, (batch, heads, length, total))[: len(call.step.outputs)]
    declaration = Declaration("attention", shapes, (call.dtype(),) * len(shapes), tuple(needs))
    return declared(declaration, *call.tensors_of((0, 1, 2, 4, 5)))


def _masked(call: OperatorCall, wanted: Shape, *, rows: bool) -> list[Need]:
    """What is asked of a mask: the last two axes as they are, those before them 1 or as they are."""
    mask, what = call.shape(3), "the mask"
    if not 2 <= len(mask) <= 4:
        raise ValueError(f"a mask of {len(mask)} axes")
    if rows:
        surely(call, mask[-2], wanted[-2], "a mask of other rows than the query")
    needs = [same(mask[-2], wanted[-2], what), same(mask[-1], wanted[-1], what)]
    for dim, size in zip(mask[:-2], wanted[-len(mask) : -2], strict=True):
        needs += one_or(dim, size, what)
    return needs


@operator("RotaryEmbedding")
def _rotary(call: OperatorCall) -> Any:
    shape, cached = call.shape(0), call.shape(1)
    heads = call.integer("num_heads")
    if len(shape) not in (3, 4) or (len(shape) == 3 and heads < 1):
        raise ValueError(f"an input of {len(shape)} axes and {heads} heads")
    batch, length, features = (shape[0], shape[2], shape[3]) if len(shape) == 4 else shape
    if len(shape) == 3:
        surely(call, features % heads, 0, "features that are no multiple of the heads")
        features = features // heads
    turned = call.integer("rotary_embedding_dim") or features
    wanted: tuple[int, ...] = (batch, length, turned // 2)
    if call.has(3):
        _placed(call, 3, batch, length)
        wanted = (cached[0], turned // 2)
    return call.made(shape, needs=_caches(call, (1, 2), wanted), of=(0,))


def _placed(call: OperatorCall, index: int, batch: int, length: int) -> None:
    """States that there is a place for each row."""
    places = call.shape(index)
    if len(places) != 2:
        raise call.unsupported("places that are not one for each row")
    surely(call, places[0], batch, "places of another batch")
    surely(call, places[1], length, "places of other rows")


def _caches(call: OperatorCall, indices: tuple[int, ...], wanted: Shape) -> tuple[Need, ...]:
    for index in indices:
        if call.rank(index) != len(wanted):
            raise ValueError(f"a cache of {call.rank(index)} axes, {len(wanted)} are wanted")
        for dim, size in zip(call.shape(index), wanted, strict=True):
            surely(call, dim, size, "a cache of another size")
    return ()


@operator(f"{_MS}.RotaryEmbedding")
def _rotary_of_runtime(call: OperatorCall) -> Any:
    shape, cached = call.shape(0), call.shape(2)
    heads, turned = call.integer("num_heads"), call.integer("rotary_embedding_dim")
    if len(shape) not in (3, 4) or call.integer("is_packed_batching") or len(cached) != 2:
        raise call.unsupported(f"an input of {len(shape)} axes")
    length = shape[2] if len(shape) == 4 else shape[1]
    if len(shape) == 4:
        surely(call, shape[3], 2 * cached[1], "a cache of another size")
    elif heads:
        surely(call, shape[2] % heads, 0, "features that are no multiple of the heads")
        surely(call, turned or shape[2] // heads, 2 * cached[1], "a cache of another size")
    elif symbolic(cached[1]):
        raise call.unsupported("a cache of an open size")
    else:
        surely(call, shape[2] % (2 * cached[1]), 0, "features that are no multiple of the cache")
    if call.rank(1) == 2:
        _placed(call, 1, shape[0], length)
    else:
        surely(call, call.shape(1)[0] if call.rank(1) else 1, 1, "places that are not one for each row")
    if not cached[0] >= length:
        raise call.unsupported("a cache of fewer rows than the input")
    return call.made(shape, needs=_caches(call, (2, 3), cached), of=(0,))


@operator(f"{_MS}.Attention", f"{_MS}.QAttention")
def _merged_attention(call: OperatorCall) -> Any:
    """Of an input that is projected by one weight for query, key and value."""
    mask, past = (3, (4, 5)) if call.step.operator == "Attention" else (5, (8,))
    shape, weight = call.shape(0), call.shape(1)
    if len(shape) != 3 or len(weight) != 2 or any(map(call.has, past)) or len(call.step.outputs) > 1:
        raise call.unsupported("a past, or an input of other than 3 axes,")
    heads = call.integer("num_heads")
    sizes = call.integers("qkv_hidden_sizes")
    hidden = weight[1] // 3 if sizes is None else sizes[0]
    given = hidden if sizes is None else sizes[2]
    text = "{left} features left over of what is parted in heads"
    needs = [
        same(shape[2], weight[0], "the weight"),
        *of_shape(call, 2, (weight[1],), "the bias"),
        same(weight[1], 2 * hidden + given, "the weight"),
        *(Need(each % heads, 0, Kind.MULTIPLE, text, True) for each in (hidden, given)),
    ]
    if call.has(mask):
        needs += _padded(call, mask, shape[0], shape[1])
    return call.made((*shape[:2], given), needs=tuple(needs), name="attention", of=(0,))


def _padded(call: OperatorCall, index: int, batch: int, length: int) -> list[Need]:
    """What is asked of a mask that tells which rows count."""
    mask, what = call.shape(index), "the mask"
    if len(mask) == 1:
        return [same(mask[0], batch if mask[0] == batch else 2 * batch, what)]
    if len(mask) == 3:
        return [same(dim, size, what) for dim, size in zip(mask, (batch, length, length), strict=True)]
    if len(mask) != 2:
        raise call.unsupported(f"a mask of {len(mask)} axes")
    if mask[1] == 1:
        return [*one_or(mask[0], batch, what)]
    return [same(mask[0], batch, what), same(mask[1], length, what)]


@operator(f"{_MS}.MultiHeadAttention")
def _multi_head(call: OperatorCall) -> Any:
    packed = not (call.has(1) and call.has(2)) or any(call.rank(index) != 3 for index in range(3))
    if packed or any(call.has(index) for index in range(4, len(call.values))) or len(call.step.outputs) > 1:
        raise call.unsupported("a mask, a past, or a key and a value that are packed,")
    query, key, value = (call.shape(index) for index in range(3))
    for size in (query[2], value[2]):
        surely(call, size % call.integer("num_heads"), 0, "features that are no multiple of the heads")
    needs = (
        *(same(each[0], query[0], "a batch") for each in (key, value)),
        same(key[2], query[2], "the key"),
        same(value[1], key[1], "the value"),
    )
    if call.has(3):
        surely(call, call.shape(3)[0], 2 * query[2] + value[2], "a bias of another size")
    return call.made((*query[:2], value[2]), needs=needs, name="attention", of=(0, 1, 2))
