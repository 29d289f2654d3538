"""Questions that a model's code asks of the data: both answers are followed; sizes that come out alike are proved."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How
from shapelint.trace import explore
from tests.oracle import attempt, given

SIZES = [(1, 1), (2, 3), (4, 4), (7, 8), (16, 10), (33, 2)]


def pooled(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2)


def scaled(x: Tensor) -> Tensor:
    if x.max() > 1:
        x = x / 255
    return pooled(x)


def checked(x: Tensor) -> Tensor:
    y = pooled(x)
    if torch.isnan(y).any() or y.isinf().all().item():
        raise ValueError("nan")
    return y


def logged(x: Tensor) -> tuple[Tensor, float]:
    y = pooled(x)
    return y, y.mean().item()


def chosen(x: Tensor) -> Tensor:
    level = float(x.abs().mean())
    gain = 0.5 / level if level > 0.1 else 1.0
    return pooled(x * gain + min(level, 1.0))


def asserted(x: Tensor) -> Tensor:
    assert (x <= 100).all()
    return pooled(x)


def compared(x: Tensor) -> Tensor:
    return pooled(x) if torch.equal(x, x.flip(-1)) or torch.allclose(x, x * 2) else pooled(x + 1)


def contained(x: Tensor) -> Tensor:
    if 7 in x[:, [-1, 0]]:
        x = x * 2
    return pooled(x)


def repeated(x: Tensor) -> Tensor:
    for _ in range(3):
        if x.sum() > 0:
            x = x * 0.5
    return pooled(x)


def weighed(x: Tensor) -> Tensor:
    """A float of the data on the left of a tensor, in a sum and in a comparison."""
    mean = x.mean().item()
    return torch.where(mean < x, mean + x, 2.0 * mean - x)


def drawn_from_distributions(x: Tensor) -> Tensor:
    """Their arguments are checked by branches that only raise."""
    one = torch.distributions.Normal(x[:, :, ::2], x[:, :, ::2].exp())
    two = torch.distributions.Bernoulli(logits=x[..., 0])
    return torch.distributions.kl_divergence(one, one).mean() + two.log_prob(two.sample()) + one.rsample().sum()


ALIKE = [scaled, checked, logged, chosen, asserted, compared, contained, repeated, weighed, drawn_from_distributions]


def net(function: Any) -> nn.Module:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return function(x)

    return Net()


@pytest.mark.parametrize("function", ALIKE)
def test_what_the_data_decide_does_not_matter_where_sizes_come_out_alike(function: Any) -> None:
    model = net(function)
    contract = shapelint.check(model, "1,3,H,W").contract
    assert contract.proved, [(str(region.sizes), region.why) for region in contract.regions]
    for height, width in SIZES:
        outcome = contract.outcome(H=height, W=width)
        assert (outcome.outputs if outcome.ok else None) == given(attempt(model, torch.rand(1, 3, height, width)))


@pytest.mark.parametrize("train", [False, True])
def test_a_counter_of_batches_decides_nothing(train: bool) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3, momentum=None)

        def forward(self, x: Tensor) -> Tensor:
            return pooled(self.norm(x))

    for model in (Net, Net()):
        contract = shapelint.check(model, "2,3,H,W", train=train).contract
        assert contract.proved, [region.why for region in contract.regions]


def cropped(x: Tensor) -> Tensor:
    return x[..., 1:] if x.sum() > 0 else x


def failing(x: Tensor) -> Tensor:
    return F.conv2d(x, torch.ones(1, 3, 5, 5)) if x.sum() > 0 else x[:, :1]


def as_size(x: Tensor) -> Tensor:
    return x[..., : int(x.max())]


def as_floor(x: Tensor) -> Tensor:
    return x.new_zeros(1, 1 + round(x.max().item() * 4))


def as_key(x: Tensor) -> Tensor:
    return {0.5: x}.get(x.mean().item(), x[..., 1:])


@pytest.mark.parametrize("function", [cropped, failing, as_size, as_floor, as_key])
def test_where_the_data_decide_the_sizes_nothing_is_decided(function: Any) -> None:
    report = shapelint.check(net(function), "1,3,H,W")
    outcome = report.contract.outcome(H=8, W=8)
    assert (outcome.ok, outcome.how) == (None, How.UNKNOWN)
    assert [finding.code for finding in report.findings if finding.counts] == ["SL900"]


def test_where_one_way_alone_raises_nothing_is_proved() -> None:
    """The sum decides whether the convolution is asked at all."""

    def either(x: Tensor) -> Tensor:
        return x[..., 1:] if x.sum() > 0 else F.conv2d(x, torch.ones(3, 3, 3, 3))

    contract = shapelint.check(net(either), "1,3,H,W").contract
    assert [contract.outcome(H=size, W=size).ok for size in (2, 8)] == [None, None]


def test_a_size_at_which_one_way_alone_fails_is_not_decided_and_the_others_are() -> None:
    def strided(x: Tensor) -> Tensor:
        return F.conv2d(x, torch.ones(3, 3, 3, 3), padding=1) if x.sum() > 0 else F.conv2d(x, torch.ones(3, 3, 1, 1))

    def kernel(x: Tensor) -> Tensor:
        return F.avg_pool2d(F.conv2d(x, torch.ones(3, 3, 3, 3)), 1) if x.sum() > 0 else x[..., 1:-1, 1:-1]

    assert shapelint.check(net(strided), "1,3,H,W").contract.proved
    contract = shapelint.check(net(kernel), "1,3,H,W").contract
    assert contract.outcome(H=8, W=5).outputs == ((1, 3, 6, 3),)
    assert contract.outcome(H=8, W=5).how == "proved"
    assert contract.outcome(H=2, W=2).ok is None  # the convolution raises there, the crop gives nothing


def test_more_ways_than_can_be_run_are_not_decided() -> None:
    def many(x: Tensor) -> Tensor:
        for index in range(12):
            if x[..., index % x.shape[-1]].sum() > 0:
                x = x + 1
        return x

    report = shapelint.check(net(many), "1,3,H,W")
    assert report.contract.outcome(H=8, W=8).ok is None
    assert "more than 16 ways" in report.findings[0].message


def upsampled(x: Tensor) -> Tensor:
    for _ in range(2):
        if x.numel() * 2.0 > pow(2, 31):
            x = x.contiguous()
        x = F.interpolate(x, scale_factor=2.0)
    return F.max_pool3d(x, 3, 2)


def chunked(x: Tensor) -> Tensor:
    big = x.numel() > 5000
    parts = x.chunk(3, 1) if big else [x]
    return torch.cat([F.max_pool3d(part, 2) for part in parts], 1)


def counted_and_refused(x: Tensor) -> Tensor:
    """What every way asks after it: the last convolution refuses the small sizes at once."""
    if x.numel() > 2**31:
        x = x.contiguous()
    return F.conv3d(F.conv3d(x, torch.ones(3, 3, 3, 3, 3)), torch.ones(3, 3, 3, 3, 3))


def test_the_calls_after_such_a_comparison_are_told_and_only_where_they_are_reached() -> None:
    calls = [call for call in shapelint.check(net(counted_and_refused), "1,3,T,H,W").calls if call.name == "conv3d"]
    assert [call.at(T=9, H=9, W=9) for call in calls] == [((1, 3, 7, 7, 7),), ((1, 3, 5, 5, 5),)]
    assert [call.at(T=4, H=9, W=9) for call in calls] == [((1, 3, 2, 7, 7),), None]


def refused_either_way(x: Tensor) -> Tensor:
    large = x.numel() > 5000
    return F.avg_pool3d(x if large else F.pad(x, (1,) * 6, mode="reflect"), 2 if large else 4, 1)


@pytest.mark.parametrize("function", [upsampled, chunked, counted_and_refused, refused_either_way])
def test_a_comparison_that_no_set_can_tell_does_not_matter_where_both_ways_end_alike(function: Any) -> None:
    contract = shapelint.check(net(function), "1,3,T,H,W").contract
    assert contract.proved
    for sizes in [(1, 1, 1), (2, 3, 4), (1, 4, 4), (12, 12, 13), (16, 20, 18)]:
        outcome = contract.outcome(**dict(zip("THW", sizes, strict=True)))
        assert (outcome.outputs if outcome.ok else None) == given(attempt(net(function), torch.rand(1, 3, *sizes)))


def cut_where_large(x: Tensor) -> Tensor:
    return x[..., 1:] if x.numel() > 5000 else x


def raising_where_large(x: Tensor) -> Tensor:
    if x.numel() > 5000:
        raise ValueError("too large")
    return x


def large_twice(x: Tensor) -> Tensor:
    large, larger = x.numel() > 5000, x.numel() * 2 > 20000
    return x[..., large - larger :]


def nested(x: Tensor) -> Tensor:
    """What only the other way asks counts too."""
    if x.numel() > 5000 and x.shape[2] * x.numel() > 80000:
        return x[..., 1:]
    return x


@pytest.mark.parametrize("function", [cut_where_large, raising_where_large, large_twice, nested])
def test_it_matters_where_they_do_not(function: Any) -> None:
    contract = shapelint.check(net(function), "1,3,T,H,W").contract
    assert not contract.proved
    for sizes in [(4, 4, 4), (10, 10, 10), (12, 12, 13), (16, 20, 18)]:
        outcome = contract.outcome(**dict(zip("THW", sizes, strict=True)))
        assert outcome.how != "proved"


def repeated_where_single(x: Tensor) -> Tensor:
    for _ in range(3):
        x = x + F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)
    return x


@pytest.fixture
def symbolic_runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sizes of the runs with symbols since."""
    found, run_once = [], explore.run_once

    def counting(subject: Any, sizes: Any, **options: Any) -> Any:
        found.extend([sizes] if options["symbolic"] else [])
        return run_once(subject, sizes, **options)

    monkeypatch.setattr(explore, "run_once", counting)
    return found


def large_after_a_cut(x: Tensor) -> Tensor:
    """On each of its four ways it asks for another product of sizes."""
    x = x[:, :, 1:, 1:] if x.shape[2] % 2 and x.shape[3] % 2 else x
    x = x[:, :, 1:] if x.shape[2] % 2 else x
    x = x[..., 1:] if x.shape[3] % 2 else x
    return x.contiguous() if x.numel() * 2 > 2**31 else x


def test_a_comparison_like_one_that_no_set_could_tell_is_taken_either_way_at_once(symbolic_runs: list[Any]) -> None:
    assert shapelint.check(net(large_after_a_cut), "1,3,H,W").contract.proved
    ways = Counter(map(str, symbolic_runs))
    assert sorted(ways.values()) == [2, 2, 2, 3]  # the first way is followed before it is known to be asked there


def test_a_size_that_is_never_1_gives_the_size_of_a_join_without_another_way(symbolic_runs: list[Any]) -> None:
    """Else each axis of size 1 would be a way of its own at each join."""
    contract = shapelint.check(net(repeated_where_single), "1,3,H,W").contract
    assert contract.proved
    assert len(symbolic_runs) == 1
    for height, width in SIZES:
        outcome = contract.outcome(H=height, W=width)
        real = attempt(net(repeated_where_single), torch.rand(1, 3, height, width))
        assert (outcome.outputs if outcome.ok else None) == given(real)
