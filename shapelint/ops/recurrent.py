"""Recurrent layers, as the modules call them."""

from __future__ import annotations

from typing import Any

import torch

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
    if batch_first is None or not isinstance(hx, (tuple, list)) or len(op.shape(input)) != 3:
        raise NoRule
    hidden, cell = op.shape(hx[0]), op.shape(hx[1])
    batch = op.shape(input)[0 if batch_first else 1]
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
    if batch_first is None or not isinstance(hx, Tensor) or len(op.shape(input)) != 3:
        raise NoRule
    hidden = op.shape(hx)
    _check_hidden(op, hidden, op.shape(input)[0 if batch_first else 1])
    output = _output(op, input, hidden, params, bidirectional)
    return (_steps(output, input, batch_first), Fresh(hidden, input))
