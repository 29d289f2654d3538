"""What Python's own containers and iterators raise on a way is raised wherever that way is taken, and nowhere else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

CALLS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "piece": lambda x, k: x[:, :, :k].unbind(2)[0],
    "item of a list": lambda x, k: [x + i for i in range(k)][k // 9],
    "item by the number of pieces": lambda x, k: x + [0, 1, 2][len(x.split(4, 2)) + k],
    "popped": lambda x, k: [x for _ in range(k)].pop(),
    "largest": lambda x, k: x + max([i * i for i in range(k)]),
    "key": lambda x, k: x * {0: 1, 1: 2}[k],
    "key with a size": lambda x, k: x * {(1, 4): 1, (2, 4): 2}[k, x.shape[3]],
}


class OfRest(nn.Module):
    """Hands a call what the rows leave over in fours."""

    def __init__(self, call: Callable[[Tensor, int], Tensor]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x, x.shape[2] % 4)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_it_raises_at_the_sizes_that_lead_to_it(call: Callable[[Tensor, int], Tensor]) -> None:
    contract = shapelint.check(OfRest(call), "2,3,H,W").contract
    for rows in range(1, 10):
        seen = given(attempt(OfRest(call), torch.rand(2, 3, rows, 4)))
        outcome = contract.outcome(H=rows, W=4)
        assert (outcome.outputs if outcome.ok else None) == seen


@pytest.mark.parametrize("made", [deque, set, lambda numbers: dict.fromkeys(numbers)])
def test_a_number_taken_as_it_is_at_a_few_sizes_is_no_model_that_never_runs(
    made: Callable[[range], Iterable[int]],
) -> None:
    report = shapelint.check(OfRest(lambda x, k: x + next(iter(made(range(k))))), "2,3,H,W")
    assert "it raises wherever it was tried: StopIteration" in str(report)
    assert report.contract.outcome(H=16, W=16).ok is not True
    assert report.contract.outcome(H=17, W=16).ok is not False
