"""Recurrent layers, as the modules call them."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.packed import check_rows
from shapelint.size.condition import equal
from shapelint.size.number import function_of
from shapelint.trace.memory.layout import in_order
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _output(op: Operation, input: Tensor, hidden: Shape, weights: list[Tensor], bidirectional: bool) -> Shape:
    shape = op.shape(input)
    text = "input.size(-1) must be equal to input_size. Expected {right}, got {left}"
    op.require_equal(shape[-1], op.shape(weights[0])[-1], Kind.CHANNELS, text)
    return (*shape[:-1], hidden[-1] * (2 if bidirectional else 1))


def _check_hidden(op: Operation, hidden: Shape, batch: int) -> None:
    op.require_equal(hidden[-2], batch, Kind.JOIN, "Expected hidden batch size {right}, got {left}")


def _check_steps(op: Operation, steps: int) -> None:
    op.require_at_least(steps, 1, Kind.EMPTY, "Expected sequence length to be larger than 0 in RNN")


def _steps(output: Shape, input: Tensor, batch_first: bool) -> Fresh:
    """The output of every step: in memory the steps come first, whatever the layer calls first."""
    return Fresh(output, input, layout=in_order(output, (1, 0, 2)) if batch_first else None)


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
    if isinstance(hx, Tensor):
        return _of_packed(op, input, hx, params, has_biases, bidirectional=batch_first)
    if batch_first is None or not isinstance(hx, (tuple, list)) or len(op.shape(input)) != 3:
        raise NoRule
    hidden, cell = op.shape(hx[0]), op.shape(hx[1])
    batch = op.shape(input)[0 if batch_first else 1]
    _check_steps(op, op.shape(input)[1 if batch_first else 0])
    _check_hidden(op, hidden, batch)
    _check_hidden(op, cell, batch)
    output = _output(op, input, hidden, params, bidirectional)
    return (_steps(output, input, batch_first), Fresh(hidden, input), Fresh(cell, input))


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
    if isinstance(hx, Tensor) and isinstance(params, Tensor):
        return _of_packed(op, input, hx, (params,), has_biases, bidirectional=batch_first)
    if batch_first is None or not isinstance(hx, Tensor) or len(op.shape(input)) != 3:
        raise NoRule
    hidden = op.shape(hx)
    _check_steps(op, op.shape(input)[1 if batch_first else 0])
    _check_hidden(op, hidden, op.shape(input)[0 if batch_first else 1])
    output = _output(op, input, hidden, params, bidirectional)
    return (_steps(output, input, batch_first), Fresh(hidden, input))


def _of_packed(op: Operation, data: Tensor, batch_sizes: Tensor, states: Any, weights: Any, *,
               bidirectional: Any) -> Result:  # fmt: skip
    """Of packed sequences, whose sizes of steps stand where `hx` else does, and all that follows one place later."""
    if type(bidirectional) is not bool or not isinstance(states, (tuple, list)) or len(op.shape(data)) != 2:
        raise NoRule
    batch, shapes = check_rows(op, data, batch_sizes), list(map(op.shape, states))
    if not op.decide(equal(function_of(op.shape(data)[-1]), function_of(op.shape(weights[0])[-1]))):
        op.recorder.unknown("packed sequences of other features than the layer takes, which PyTorch may not check")
    for each in shapes:
        _check_hidden(op, each, batch)
    output = _output(op, data, shapes[0], weights, bidirectional)
    return Fresh(output, data), *(Fresh(each, data) for each in shapes)
