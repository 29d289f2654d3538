"""Calls without a size rule are tried on real tensors: what meta kernels allow or say is not taken from them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.errors import ModelError
from tests.oracle import attempt, given


def net(function: Any) -> nn.Module:
    class Net(nn.Module):
        def forward(self, *tensors: Tensor) -> Any:
            return function(*tensors)

    return Net()


@pytest.mark.parametrize(
    ("function", "specs"),
    [
        (lambda x: F.multilabel_margin_loss(x, torch.zeros(5, dtype=torch.long), reduction="none"), ["5"]),
        (lambda x: torch.as_strided_scatter(x, torch.ones(2, 2), (2, 2), (1, 2)), ["9"]),
        (lambda x: torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5), ["4,3,5"]),
    ],
)
def test_what_such_a_call_gives_is_what_the_cpu_gives(function: Any, specs: list[str]) -> None:
    shapes = [tuple(map(int, spec.split(","))) for spec in specs]
    seen = given(attempt(function, *map(torch.rand, shapes)))
    contract = shapelint.check(net(function), list(map(tuple, shapes))).contract
    assert contract.outcome(**dict.fromkeys(contract.symbols, shapes[0][-1])).outputs == seen


def test_strides_of_the_wrong_length_are_refused_as_pytorch_does() -> None:
    with pytest.raises(ModelError, match=r"expected stride to be a single integer value or a list of 1 values"):
        shapelint.check(net(lambda x: F.conv1d(x, torch.ones(1, 1, 3), stride=(2, 1))), "1,1,L")


def test_a_raise_at_one_size_of_the_trial_is_none_at_every_size() -> None:
    """A matrix of equal numbers has no inverse, and one of others has; 64 columns have no windows of 10, 12 of 2."""
    contract = shapelint.check(net(torch.linalg.inv_ex), "A,A").contract
    assert contract.outcome(A=3).ok
    windows = net(lambda x: F.fold(x.reshape(2, -1, 1), (x.shape[2] // 6, 1), (x.shape[2] // 6, 1)))
    assert shapelint.check(windows, "2,3,L").contract.outcome(L=12).ok is not False


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.gumbel_softmax(x, dim=1),
        lambda x: F.hardsigmoid(x) + F.feature_alpha_dropout(x),
        lambda x: F.triplet_margin_with_distance_loss(x, x + 1, x - 1),
        lambda x: torch.functional.atleast_3d(x[0, 0]),
    ],
)
def test_a_function_of_torch_in_python_is_followed_inside(function: Any) -> None:
    contract = shapelint.check(net(function), "2,3,H,W").contract
    assert contract.proved, [(region.outcome, region.why) for region in contract.regions]
    for height, width in ((1, 1), (2, 3), (5, 4)):
        outcome = contract.outcome(H=height, W=width)
        assert (outcome.outputs if outcome.ok else None) == given(attempt(function, torch.rand(2, 3, height, width)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.quantize_per_tensor(x, 1.0, 0, torch.qint8),
        lambda x: x.to_sparse().to_dense(),
        lambda x: torch.nested.nested_tensor([x[0], x[0]], layout=torch.jagged),
    ],
)
def test_a_tensor_that_is_no_dense_one_is_no_error_and_nothing_is_known_of_it(function: Any) -> None:
    report = shapelint.check(net(function), "2,3,L")
    assert [each.code for each in report.findings] == ["SL900"]
    assert report.contract.outcome(L=8).ok is None
    assert shapelint.check(net(function), "2,3,8").contract.proved is False
