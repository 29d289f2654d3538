"""An `if` that only pads is no way of its own where the padding adds nothing else; else it is what it was."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How
from tests.oracle import attempt, given


class Merged(nn.Module):
    """Swin for pictures of any size: padded to whole patches, and merged four times by half of its rows and columns."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if width % 4 != 0:
            amounts = (0, 4 - width % 4)
            x = F.pad(x, amounts)
        if height % 4 != 0:
            amounts = (0, 0, 0, 4 - height % 4)
            x = F.pad(x, amounts)
        x = x.permute(0, 2, 3, 1)[:, ::4, ::4].contiguous()
        for _ in range(4):
            height, width = x.shape[1:3]
            pad_input = (height % 2 == 1) or (width % 2 == 1)
            if pad_input:
                x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
            x = x.view(1, (height + 1) // 2, 2, (width + 1) // 2, 2, 1)[:, :, 0, :, 1].contiguous()
        return x


def whole_steps(x: Tensor) -> Tensor:
    """Where one axis is odd the other gets a step too many."""
    height, width = x.shape[2:]
    if height % 4 or width % 4:
        x = F.pad(x, (0, 4 - width % 4, 0, 4 - height % 4))
    return x


def of_another(x: Tensor) -> Tensor:
    if x.shape[3] % 2:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2))
    return x


def beyond_its_test(x: Tensor) -> Tensor:
    below = (4 - x.shape[2] % 4) % 4
    if below > 1:
        x = F.pad(x, (0, 0, 0, below))
    return x


def looks_at_its_memory(x: Tensor) -> Tensor:
    x = x.transpose(2, 3)
    if x.shape[3] % 2:
        x = F.pad(x, (0, x.shape[3] % 2))
    return x.view(1, -1)


def is_itself(x: Tensor) -> Tensor:
    given = x
    if x.shape[2] % 2:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2))
    return x if x is given else x[:, :, 1:]


def amounts_are_used_again(x: Tensor) -> Tensor:
    amounts = (3, 0)
    if x.shape[2] % 2:
        amounts = (0, 0, 0, x.shape[2] % 2)
        x = F.pad(x, amounts)
    return F.pad(x, amounts)


def too_many_axes(x: Tensor) -> Tensor:
    x, odd = x[0, 0], x.shape[2] % 2
    if odd:
        x = F.pad(x, (0, 0, 0, 0, 0, odd))
    return x


def calls_another(x: Tensor) -> Tensor:
    pad = lambda x, amounts: x[:, :, : x.shape[2] - 1]  # noqa: E731
    if x.shape[2] % 2:
        x = pad(x, (0, 0, 0, x.shape[2] % 2))
    return x


def amounts_grow(x: Tensor, more: int = 0) -> Tensor:
    """What is added is the sum of what was added in the turns before."""
    for _ in range(3):
        if x.shape[3] % 2:
            more = more + 2
            x = F.pad(x, (0, more))
    return x


def with_a_list(x: Tensor, amounts: list[int]) -> Tensor:
    amounts += [0, 1]
    return F.pad(x, amounts)


def gives_a_list(x: Tensor) -> Tensor:
    amounts = [0, x.shape[3] % 2]
    if x.shape[3] % 2:
        x = with_a_list(x, amounts)
    return F.pad(x, amounts)


def asks_in_order(x: Tensor) -> Tensor:
    if x.shape[1] == 1 or x.shape[4] % 2:
        x = F.pad(x, (0, 1))
    return x


def looks_at_its_variables(x: Tensor) -> Tensor:
    odd = x.shape[3] % 2
    if odd:
        x = F.pad(x, (0, 1))
    return x[..., eval("odd") :]


def names_its_variables(x: Tensor) -> Tensor:
    if x.shape[3] % 2:
        more = x.shape[3] % 2
        x = F.pad(x, (0, more))
    return x[..., int("more" in locals()) :]


def has_a_class(x: Tensor) -> Tensor:
    odd = x.shape[3] % 2
    if odd:
        x = F.pad(x, (0, 1))

    class Kept:
        count = odd

    return x[..., Kept.count :]


class Called(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("model", [Merged(), *map(Called, [
    whole_steps, of_another, beyond_its_test, looks_at_its_memory, is_itself, amounts_are_used_again, too_many_axes,
    calls_another, amounts_grow, gives_a_list, asks_in_order, looks_at_its_variables, names_its_variables, has_a_class,
])])  # fmt: skip
def test_every_size_is_as_eager_has_it(model: nn.Module) -> None:
    contract = shapelint.check(model, "1,1,H,W").contract
    assert contract.proved, [region.why for region in contract.regions]
    if isinstance(model, Merged):
        assert len(contract.regions) == 1
    for height in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64):
        for width in (1, 2, 3, 4, 5, 8, 9, 17, 32):
            seen = given(attempt(model, torch.zeros(1, 1, height, width)))
            assert contract.outcome(H=height, W=width).outputs == (seen or ()), (height, width)


def test_a_shape_given_in_place_is_also_that_of_what_was_not_padded() -> None:
    def reshaped(x: Tensor) -> Tensor:
        given = x
        if x.shape[2] % 2:
            x = F.pad(x, (0, 0, 0, x.shape[2] % 2))
        x.unsqueeze_(0)
        return given

    outcome = shapelint.check(Called(reshaped), "1,1,H,W").contract.outcome(H=4, W=3)
    assert reshaped(torch.zeros(1, 1, 4, 3)).shape == (1, 1, 1, 4, 3)
    assert outcome.how is not How.PROVED


def test_the_amounts_are_read_after_a_question_that_settles_them() -> None:
    def moved(x: Tensor) -> Tensor:
        height = x.shape[2]
        x = x.permute(0, 3, 1, 2)  # contiguous at 1x1 only
        if height % 2 == 0:
            x = F.pad(x, (0, 0, 0, height % 2))
        return x

    contract = shapelint.check(Called(moved), "1,3,H,W").contract
    for height, width in ((1, 1), (1, 4), (2, 1), (3, 5), (4, 4)):
        assert contract.outcome(H=height, W=width).outputs == ((1, width, 3, height),)


def padded_to_even(x: Tensor) -> Tensor:
    if x.shape[2] % 2:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2))
    return x


def compared(x: Tensor) -> Tensor:
    whole = padded_to_even(x)
    return whole[:, :1] if whole is x else whole


def compared_by_id(x: Tensor) -> Tensor:
    whole = padded_to_even(x)
    return whole[:, :1] if id(whole) == id(x) else whole


def compared_in_place(x: Tensor) -> Tensor:
    whole = x
    if x.shape[2] % 2:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2))
    return whole[:, :1] if id(whole) == id(x) else x


def compared_elsewhere(x: Tensor) -> Tensor:
    whole = padded_to_even(x)
    return whole[:, :1] if operator.is_(whole, x) else whole


def compared_by_ids(x: Tensor) -> Tensor:
    whole = padded_to_even(x)
    return whole[:, : len(set(map(id, (whole, x))))]


@pytest.mark.parametrize("function", [compared, compared_by_id, compared_in_place, compared_elsewhere, compared_by_ids])
def test_the_code_may_ask_whether_a_tensor_is_the_padded_one(function: Callable[[Tensor], Tensor]) -> None:
    outcome = shapelint.check(Called(function), "1,3,H,W").contract.outcome(H=4, W=4)
    assert function(torch.zeros(1, 3, 4, 4)).shape == (1, 1, 4, 4)
    assert outcome.how is not How.PROVED or outcome.outputs == ((1, 1, 4, 4),)
