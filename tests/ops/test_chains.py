"""Numbers that went through more calls than Python's stack holds, and those that `vmap` hides."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import Contract, How


class Decoder(nn.Module):
    """Gives 200 letters one by one, each of which it is told when it chooses the next."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(3 + 5, 4), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        state, letter = x.new_zeros(x.shape[0], 4), x.new_zeros(x.shape[0], dtype=torch.int64)
        scores = []
        for _ in range(200):
            told = torch.cat([x.mean((2, 3)), nn.functional.one_hot(letter, 5).float()], 1)
            state = self.cell(told, state)
            scores.append(self.out(state))
            letter = scores[-1].argmax(1)
        return torch.stack(scores, 1)


def _contract(function: Callable[[Tensor], Tensor]) -> Contract:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    return shapelint.check(Net(), "1,3,H,W").contract


def _stepped(x: Tensor) -> Tensor:
    places = torch.arange(x.shape[-1], device=x.device)
    for _ in range(300):
        places = (places + 1) % x.shape[-1]
    return x[..., places]


def test_a_chain_longer_than_the_stack_is_followed_as_far_as_it_is_worth() -> None:
    found = shapelint.check(Decoder(), "N,3,H,W").contract.outcome(N=2, H=8, W=9)
    assert (found.how, found.outputs) == (How.PROVED, ((2, 200, 5),))
    assert _contract(_stepped).outcome(H=8, W=9).outputs == ((1, 3, 8, 9),)


def _mapped(x: Tensor) -> Tensor:
    """What is written in a mapped function, whose tensors do not tell of their memory."""
    counts = torch.zeros(x.shape[0], dtype=torch.int64)
    torch.vmap(lambda count, row: count.add_((row > 0).sum()))(counts, x)
    return x.gather(-1, torch.arange(x.shape[-1]).flip(0).expand(x.shape))


def test_a_mapped_function_ends_the_proof_and_not_the_check() -> None:
    outcome = _contract(_mapped).outcome(H=8, W=9)
    assert (outcome.how, outcome.outputs) == (How.SAMPLED, ((1, 3, 8, 9),))
