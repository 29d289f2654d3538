"""Arrays of numpy that hold sizes: guards, paddings and grids are proved, and whoever else reads one is heard."""

from __future__ import annotations

import array
import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import shapelint
from shapelint.facts.contract import How
from tests.instrument.test_size_floats import agrees

CELL = np.array([2, 2])


def guarded(x: Tensor) -> Tensor:
    """As monai's SwinUNETR._check_input_size."""
    remainder = (np.array(x.shape[2:]) % np.power(2, 2)) > 0
    if remainder.any():
        wrong = (np.where(remainder)[0] + 2).tolist()
        text = f"spatial dimensions {wrong} must be divisible by 4"
        raise ValueError(text)
    return F.max_pool2d(x, 4)


def padded(x: Tensor) -> Tensor:
    sides = np.array(x.shape[-2:])
    wanted = (np.ceil(sides / 8) * 8).astype(int)
    top, left = wanted - sides
    return F.pad(x, (0, left, 0, top))


def at_least_a_cell(x: Tensor) -> Tensor:
    height, width = np.maximum(np.asarray(x.shape[2:]) // CELL, 1).tolist()
    return F.interpolate(x, size=(height, width))


def of_one_side(x: Tensor) -> Tensor:
    sides = np.array([x.shape[2], x.shape[3], 12])
    return x.new_zeros(int(sides.max()), 1 + sides[:2].sum() - sides.min()).repeat(x.shape[0], int(np.prod(sides) / 6))


@pytest.mark.parametrize("forward", [guarded, padded, at_least_a_cell, of_one_side])
def test_an_array_of_sizes_keeps_them(forward: Callable[[Tensor], Tensor]) -> None:
    agrees(forward, proved=True)


READ: dict[str, Callable[[Any], Any]] = {
    "torch.from_numpy": lambda a: torch.from_numpy(a).sum().item() > 9,
    "torch.tensor": lambda a: torch.tensor(a).sum().item() > 9,
    "torch.Tensor": lambda a: torch.Tensor(a).sum().item() > 9,
    "np.sort": lambda a: np.sort(a)[0] > 3,
    "np.linalg": lambda a: np.linalg.norm(a) > 6,
    "argmax": lambda a: a.argmax() == 0,
    "np.zeros": lambda a: np.zeros(a).shape[1] > 4,
    "sqrt": lambda a: np.sqrt(a)[0] > 2.5,
    "clip": lambda a: a.clip(2, 6)[0] > 4,
    "an array of Python": lambda a: array.array("d", a)[0] > 4,
    "a memoryview": lambda a: memoryview(a).tolist()[0] > 4,
    "bytes": lambda a: a.tobytes()[0] % 2,
    "a text": lambda a: "5" in str(a),
    "pickle": lambda a: pickle.loads(pickle.dumps(a))[0] > 4,
    "int32": lambda a: a.astype(np.int32)[0] > 4,
    "what is written to": lambda a: (a.__setitem__(0, 4), a[1] > 3)[1],
    "an operation in place": lambda a: np.add(a, 1, out=a)[1] > 5,
    "a size that divides": lambda a: (24 // a)[0] > 3,
    "a fold along an axis": lambda a: copy.deepcopy(a).sum(axis=0) > 9,
    "np.maximum.reduce": lambda a: np.maximum.reduce(a) > 4,
    "a list in np.maximum.reduce": lambda a: np.maximum.reduce(a.tolist()) > 4,
}


@pytest.mark.parametrize("name", READ)
def test_an_array_that_something_else_reads_takes_the_proof(name: str) -> None:
    agrees(lambda x: x[:, 1:] if READ[name](np.array(x.shape[2:])) else x, proved=False)


def test_a_table_that_is_cut_by_a_product_of_sizes_is_compared_with_it() -> None:
    """The relative positions of a window that is as small as the map, as in monai's SwinUNETR."""

    def forward(x: Tensor) -> Tensor:
        height, width = (min(side, 3) for side in x.shape[2:])
        tokens = height * width
        index = torch.zeros(9, 9, dtype=torch.int64)[:tokens, :tokens]
        return torch.zeros(9, 4)[index.reshape(-1)].reshape(tokens, tokens, -1)

    agrees(forward, proved=True)


@pytest.mark.parametrize("limit", [
    lambda x: x.shape[2],
    lambda x: x.shape[2] - 0.5,
    lambda x: (x.shape[2] * x.shape[3]) ** 0.5,
])  # fmt: skip
def test_an_array_that_is_compared_with_a_size_gives_one_answer_for_each_element(
    limit: Callable[[Tensor], float],
) -> None:
    class Net(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            steps, most = np.arange(1.0, 9.0), limit(x)
            within = (steps <= most) & (most != steps + 9) & (most / steps >= 1)
            return x.new_zeros(int(within.sum()))

    outcome = shapelint.check(Net(), "1,1,H,W").contract.outcome(H=5, W=5)
    assert outcome.outputs == (tuple(Net()(torch.zeros(1, 1, 5, 5)).shape),)
    assert outcome.how is not How.PROVED
