"""Code of the user's that only torch calls, and that no name leads to, is heard of too."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import shapelint
from shapelint.facts.contract import How

STRANGE = 77
FORMAT = "%d"


def halved(x: Tensor) -> Tensor:
    """Half of the rows at a size that a text tells."""
    return x.sum(2) if FORMAT % x.shape[2] == "77" else x


class Halved(nn.Module):
    """The same as a module."""

    def forward(self, x: Tensor) -> Tensor:
        return halved(x)


class Scan(torch.autograd.Function):
    """The same with a gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.sum(2) if FORMAT % x.shape[2] == "77" else x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0]


def _hooked(x: Tensor) -> Tensor:
    layer = nn.Identity()
    layer.register_forward_hook(_KEPT.hook)
    made: Tensor = layer(x)
    return made


_scan = Scan.apply
_KEPT = types.SimpleNamespace(
    net=Halved(),
    row=nn.Sequential(Halved()),
    function=halved,
    quiet=torch.no_grad()(halved),
    hook=lambda module, given, made: halved(made),
)


class Net(nn.Module):
    """A function of a signal as a model."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("function", [
    lambda x: _scan(x),
    lambda x: _KEPT.net(x),
    lambda x: _KEPT.row(x),
    lambda x: nn.Sequential(_KEPT.net)(x),
    lambda x: _KEPT.quiet(x),
    lambda x: checkpoint(_KEPT.function, x, use_reentrant=False),
    _hooked,
])  # fmt: skip
def test_code_that_only_torch_calls_is_heard_of(function: Callable[[Tensor], Tensor]) -> None:
    assert function(torch.zeros(2, 1, STRANGE)).dim() == 2
    outcome = shapelint.check(Net(function), "2,1,L").contract.outcome(L=STRANGE)
    assert outcome.how is not How.PROVED or outcome.outputs == ((2, 1),)


@pytest.mark.parametrize("function", [
    lambda x: x[:, :, :1] if FORMAT % x.shape[2] == "77" else x,
    lambda x: max([x, x.sum(2)], key=lambda part: FORMAT % part.shape[-1]),
    lambda x: next(filter(lambda part: FORMAT % part.shape[-1] != "77", [x, x.sum(2)])),
])  # fmt: skip
def test_a_text_made_in_a_function_that_is_handed_on_is_not_only_shown(
    function: Callable[[Tensor], Tensor],
) -> None:
    outcome = shapelint.check(Net(function), "2,1,L").contract.outcome(L=STRANGE)
    assert outcome.how is not How.PROVED


def _cropped(x: Tensor) -> Tensor:
    if FORMAT % x.shape[2] == "77":
        x = x[:, :, :1]
    return x


def test_a_text_in_the_test_of_an_if_that_only_crops_is_not_only_shown() -> None:
    assert _cropped(torch.zeros(2, 1, STRANGE)).shape == (2, 1, 1)
    assert shapelint.check(Net(_cropped), "2,1,L").contract.outcome(L=STRANGE).how is not How.PROVED


def _made_inside(x: Tensor) -> Tensor:
    made: Tensor = type("Made", (Halved,), {})()(x)
    return made


def test_a_module_may_be_built_in_a_run() -> None:
    contract = shapelint.check(Net(_made_inside), "2,1,L").contract
    assert contract.outcome(L=STRANGE).how is not How.PROVED
