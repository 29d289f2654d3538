"""One step of a recurrent layer, as `nn.LSTMCell` and its relatives call it.

https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html; requirements: aten/src/ATen/native/RNN.cpp.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _check(op: Operation, input: Tensor, hidden: Shape, input_weight: Tensor, hidden_weight: Tensor) -> Shape:
    """The shape of the next state: a row for each of the input, with the features of the hidden state."""
    shape = op.shape(input)
    if len(shape) != 2 or len(hidden) != 2:
        op.refuse(Kind.ARGUMENT, f"{op.name}: input and state must have two dimensions: {len(shape)}, {len(hidden)}")
    text = "input has inconsistent input_size: got {left} expected {right}"
    op.require_equal(shape[1], op.shape(input_weight)[1], Kind.CHANNELS, text)
    text = "Input batch size {left} doesn't match hidden batch size {right}"
    op.require_equal(shape[0], hidden[0], Kind.JOIN, text)
    text = "hidden has inconsistent hidden_size: got {left}, expected {right}"
    op.require_equal(hidden[1], op.shape(hidden_weight)[1], Kind.CHANNELS, text)
    return hidden


@size_rule(torch.lstm_cell)
def _lstm_cell(op: Operation, input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, *biases: Any) -> Result:
    """The next hidden and cell states."""
    first, second = (_check(op, input, op.shape(each), w_ih, w_hh) for each in hx)
    return Fresh(first, input), Fresh(second, input)


@size_rule(torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell)
def _cell(op: Operation, input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, *biases: Any) -> Result:
    return Fresh(_check(op, input, op.shape(hx), w_ih, w_hh), input)
