"""A model's own small tensors keep their numbers; what writes into them is seen, or takes the proof away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.trace.recorder import Recorder
from shapelint.trace.recording import operation
from shapelint.trace.recording.trees import flat_tensors


class Counter(nn.Module):
    """One row more where `ask`, which may write into the buffer, says so."""

    numbers: Tensor

    def __init__(self, start: Tensor, ask: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.register_buffer("numbers", start)
        self.ask = ask

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 1)) if self.ask(self.numbers, x) else x


def filled(numbers: Tensor, x: Tensor) -> bool:
    numbers.fill_(x.shape[2])
    return numbers[0].item() == 37


def through_numpy(numbers: Tensor, x: Tensor) -> bool:
    numbers.numpy()[0] = x.shape[2]
    return numbers[0].item() == 37


def through_out(numbers: Tensor, x: Tensor) -> bool:
    torch.add(numbers[1:], x.shape[2], out=numbers[:1])
    return numbers[0].item() == 37


def through_data(numbers: Tensor, x: Tensor) -> bool:
    numbers.data.copy_(torch.tensor(list(x.shape[2:])))
    return numbers[0].item() == 37


def added(numbers: Tensor, x: Tensor) -> bool:
    numbers += x.shape[2]
    return bool((numbers == 37).any())


def part_set(numbers: Tensor, x: Tensor) -> Tensor:
    numbers[: x.shape[2]] = 1
    return numbers.sum() == 37


def masked(numbers: Tensor, x: Tensor) -> bool:
    return len(numbers[numbers < x.shape[2]]) == 37


def multiplied(numbers: Tensor, x: Tensor) -> Tensor:
    return (numbers * x.shape[2]).sum() == 111


@pytest.mark.parametrize(
    ("start", "ask"),
    [
        (torch.zeros(2, dtype=torch.int64), filled),
        (torch.zeros(2, dtype=torch.int64), through_numpy),
        (torch.zeros(2, dtype=torch.int64), through_out),
        (torch.zeros(2, dtype=torch.int64), through_data),
        (torch.zeros(2, dtype=torch.int64), added),
        (torch.zeros(40), part_set),
        (torch.arange(50), masked),
        (torch.tensor([1.0, 2.0]), multiplied),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_written_tensor_decides_as_in_eager_or_is_not_known(start: Tensor, ask: Any) -> None:
    model = Counter(start.clone(), ask)
    contract = shapelint.check(model, "1,3,H,W").contract
    assert torch.equal(model.numbers, start)
    for height in (36, 37, 38):
        outcome = contract.outcome(H=height, W=5)
        eager = Counter(start.clone(), ask)(torch.zeros(1, 3, height, 5)).shape
        assert outcome.ok is None or outcome.outputs == (tuple(eager),)
    assert not contract.proved or contract.outcome(H=37, W=5).outputs == ((1, 3, 38, 5),)


class Causal(nn.Module):
    """A mask over all pairs of positions in some frames, whose numbers are real ones."""

    def forward(self, x: Tensor) -> Tensor:
        frames = torch.arange(3, device=x.device).repeat_interleave(x.shape[2])
        return x + torch.where(frames[:, None] >= frames, 0.0, 1.0).mean(1).view(3, -1).mean(0)


def test_numbers_that_would_fill_the_memory_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    kernel = Recorder.kernel

    def watched(self: Recorder, *call: Any) -> Any:
        made = kernel(self, *call)
        taken.extend(tensor.numel() for tensor in flat_tensors(made) if not tensor.is_meta)
        return made

    monkeypatch.setattr(Recorder, "kernel", watched)
    monkeypatch.setattr(operation, "_MOST_NUMBERS", 1000)
    contract = shapelint.check(Causal(), "1,1,L").contract
    assert contract.proved
    assert contract.outcome(L=5000).outputs == ((1, 1, 5000),)
    assert max(taken) < 10_000  # the mask of the farthest run has 10 million
