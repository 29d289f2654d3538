"""Packed sequences, whose lengths the data decide: what does not depend on these is proved, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

import shapelint
from shapelint.facts.contract import How


class Encoder(nn.Module):
    """An LSTM over sequences whose lengths a function tells, and what another makes of its output."""

    def __init__(self, lengths: Callable[[Tensor], Any], end: Callable[..., Any], *, is_sorted: bool = False) -> None:
        super().__init__()
        self.rnn = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.lengths, self.end, self.is_sorted = lengths, end, is_sorted

    def forward(self, x: Tensor) -> Any:
        lengths = self.lengths(x)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=self.is_sorted)
        packed, (hidden, _) = self.rnn(packed)
        return self.end(x, packed, hidden)


def _counted(x: Tensor) -> Tensor:
    return (x[:, :, 0] > 0).sum(1).clamp(min=1).cpu()


def _padded(x: Tensor, packed: PackedSequence, hidden: Tensor) -> Tensor:
    return pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]


def _longest(x: Tensor, packed: PackedSequence, hidden: Tensor) -> Tensor:
    return pad_packed_sequence(packed, batch_first=True)[0]


def _last(x: Tensor, packed: PackedSequence, hidden: Tensor) -> Tensor:
    return torch.cat([hidden[-1], hidden[-2]], 1)


def _mean(x: Tensor, packed: PackedSequence, hidden: Tensor) -> Tensor:
    return pad_packed_sequence(packed, batch_first=True)[0].mean(1)


@pytest.mark.parametrize(("net", "batch", "steps"), [
    (Encoder(_counted, _padded), 3, 7),
    (Encoder(_counted, _last), 1, 1),
    (Encoder(_counted, _mean), 4, 9),
    (Encoder(lambda x: [x.shape[1], x.shape[1]], _longest, is_sorted=True), 2, 5),
    (Encoder(lambda x: torch.full((len(x),), x.shape[1] - 3), _longest), 2, 5),
])  # fmt: skip
def test_what_the_lengths_do_not_decide_is_proved(net: Encoder, batch: int, steps: int) -> None:
    outcome = shapelint.check(net, "B,T,6").contract.outcome(B=batch, T=steps)
    for data in (torch.randn, torch.zeros, torch.ones):
        assert outcome.outputs == (tuple(net(data(batch, steps, 6)).shape),)
    assert (outcome.ok, outcome.how) == (True, How.PROVED)


@pytest.mark.parametrize(("net", "why"), [
    (Encoder(_counted, _longest), "how long the longest"),
    (Encoder(_counted, lambda x, packed, hidden: packed.data), "how many elements"),
    (Encoder(_counted, lambda x, packed, hidden: _longest(x, packed, hidden)[:, :, 0] + x[..., 0]), "how long"),
    (Encoder(lambda x: (x[:, :, 0] > 0).sum(1), _padded), "which must be from 1"),
    (Encoder(lambda x: _counted(x) + 1, _padded), "which must be from 1"),
    (Encoder(_counted, _padded, is_sorted=True), "in descending order"),
])  # fmt: skip
def test_what_the_lengths_decide_is_not_known(net: Encoder, why: str) -> None:
    contract = shapelint.check(net, "B,T,6").contract
    assert contract.outcome(B=3, T=7).ok is None
    assert any(why in region.why for region in contract.regions)


def test_lengths_that_an_input_holds_are_taken_to_be_right() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 5, batch_first=True)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            return pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])[0]

    report = shapelint.check(Net(), ["3,7,6", "3:int64"])
    assert report.ok
    assert "SL905" not in [finding.code for finding in report.findings]
    assert report.contract.outcome(**dict.fromkeys(report.contract.symbols, 6)).ok


def test_a_recurrent_layer_wants_a_step() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(6, 5, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(x[:, 3:])[0]  # type: ignore[no-any-return]

    contract = shapelint.check(Net(), "B,T,6").contract
    assert contract.proved
    assert [contract.outcome(B=2, T=steps).ok for steps in (3, 4)] == [False, True]
    with pytest.raises(RuntimeError, match="larger than 0"):
        Net()(torch.ones(2, 3, 6))
