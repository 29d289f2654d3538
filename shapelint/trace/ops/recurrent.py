"""Recurrent layers and multi-head attention, as the modules call them."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.size.number import plain
from shapelint.trace.failure import Kind
from shapelint.trace.operation import Fresh, NoRule, Operation, Plain, Result, Shape, size_rule

Tensor = torch.Tensor


def _output(op: Operation, input: Tensor, hidden: Shape, weights: list[Tensor], bidirectional: bool) -> Shape:
    shape = op.shape(input)
    text = "input.size(-1) must be equal to input_size. Expected {right}, got {left}"
    op.require_equal(shape[-1], op.shape(weights[0])[-1], Kind.CHANNELS, text)
    return (*shape[:-1], hidden[-1] * (2 if bidirectional else 1))


def _check_hidden(op: Operation, hidden: Shape, batch: int) -> None:
    op.require_equal(hidden[-2], batch, Kind.JOIN, "Expected hidden batch size {right}, got {left}")


@size_rule(torch.lstm)
def _lstm(
    op: Operation,
    input: Tensor,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: Any = None,
) -> Result:
    """The output of every step, and the last hidden and cell states."""
    if batch_first is None or not isinstance(hx, (tuple, list)) or len(op.shape(input)) != 3:
        raise NoRule
    hidden, cell = op.shape(hx[0]), op.shape(hx[1])
    batch = op.shape(input)[0 if batch_first else 1]
    _check_hidden(op, hidden, batch)
    _check_hidden(op, cell, batch)
    output = _output(op, input, hidden, params, bidirectional)
    return (Fresh(output, input), Fresh(hidden, input), Fresh(cell, input))


@size_rule(torch.gru, torch.rnn_tanh, torch.rnn_relu)
def _gru(
    op: Operation,
    input: Tensor,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: Any = None,
) -> Result:
    """The output of every step, and the last hidden state."""
    if batch_first is None or not isinstance(hx, Tensor) or len(op.shape(input)) != 3:
        raise NoRule
    hidden = op.shape(hx)
    _check_hidden(op, hidden, op.shape(input)[0 if batch_first else 1])
    return (Fresh(_output(op, input, hidden, params, bidirectional), input), Fresh(hidden, input))


@size_rule(torch.nn.functional.multi_head_attention_forward)
def _multi_head_attention(
    op: Operation,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    *rest: Any,
    **named: Any,
) -> Result:
    """(L, N, E) for the queries, and the weights (N, L, S) where they are wanted."""
    asked, keys, values = op.shape(query), op.shape(key), op.shape(value)
    if len(asked) != 3 or len(keys) != 3 or any(each is not None for each in rest[2:4]) or rest[4] or _unusual(named):
        raise NoRule
    op.require_equal(
        asked[2], embed_dim_to_check, Kind.CHANNELS, "was expecting embedding dimension of {right}, but got {left}"
    )
    text = "key shape {left} does not match value shape {right}"
    for one, two in zip(keys[:2], values[:2], strict=True):
        op.require_equal(one, two, Kind.JOIN, text)
    op.require_equal(asked[1], keys[1], Kind.JOIN, "the batch of the query ({left}) is not that of the key ({right})")
    for shape in (keys, values):
        op.require_equal(shape[2], embed_dim_to_check, Kind.CHANNELS, "was expecting {right} channels, but got {left}")
    if not named.get("need_weights", True):
        return (Fresh(asked, query), Plain(None))
    heads = () if named.get("average_attn_weights", True) else (plain(num_heads),)
    return (Fresh(asked, query), Fresh((asked[1], *heads, asked[0], keys[0]), query))


def _unusual(named: dict[str, Any]) -> bool:
    """Whether masks or separate projections are given, which the rule does not cover."""
    masks = (named.get("key_padding_mask"), named.get("attn_mask"), named.get("static_k"), named.get("static_v"))
    return any(each is not None for each in masks) or bool(named.get("use_separate_proj_weight"))
