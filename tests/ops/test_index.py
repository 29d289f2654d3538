"""Indexing against eager PyTorch."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How
from tests.calls import check, check_drawn, points

_SPECS = ("2,4,H,W", "1,6,H,W", "H,3,W", "2,H,2*W", "4,W,H//2+1", "H")
_BOUNDS = ("", "", "0", "1", "2", "-1", "-2", "5", "x.shape[-1]", "x.shape[-1] // 2", "x.shape[-1] - 2",
           "-x.shape[-1] // 2", "(x.shape[-1] - 3) // 2", "(x.shape[-1] - 3) // 2 + 3", "y.shape[-1]")  # fmt: skip


def _part(drawn: random.Random) -> str:
    kind = drawn.random()
    if kind < 0.2:
        return drawn.choice(("0", "1", "-1", "3", "-3", "x.shape[-1] - 1", "x.shape[-1] // 2"))
    if kind < 0.3:
        return drawn.choice(("None", "...", ":"))
    if kind < 0.37:
        return drawn.choice(("[0, 1]", "torch.tensor([0, 1, 0])", "torch.tensor([[0], [1]])", "torch.tensor(0)",
                             "[True, False, True, False]", "torch.tensor([True, False])",
                             "torch.arange(4) > 1"))  # fmt: skip
    step = drawn.choice(("", "", "", ":2", ":3", ":1"))
    return f"{drawn.choice(_BOUNDS)}:{drawn.choice(_BOUNDS)}{step}"


def _index(drawn: random.Random) -> str:
    parts = [_part(drawn) for _ in range(drawn.choice((1, 2, 3, 4)))]
    while parts.count("...") > 1:
        parts.remove("...")
    return ", ".join(parts)


def _draw(drawn: random.Random) -> tuple[str, list[str]]:
    return f"x[{_index(drawn)}]", [drawn.choice(_SPECS), "1,2,H//2"]


def _draw_written(drawn: random.Random) -> tuple[str, list[str]]:
    value = drawn.choice(("y", "0.0", f"y[{_index(drawn)}]", f"x[{_index(drawn)}]", "y[:, :, :1]", "torch.zeros(1)"))
    spec = drawn.choice(_SPECS)
    index = _slices(drawn)
    return f"(x.__setitem__({index}, {value}), x)[1]", [spec, drawn.choice((spec, spec.replace("H", "W"), "1,2,W"))]


def _slices(drawn: random.Random) -> str:
    bounds = [drawn.choice(_BOUNDS) or "None" for _ in range(4)]
    return drawn.choice((
        f"(..., slice({bounds[0]}, {bounds[1]}))", "0", "(slice(None), 0)",
        f"(slice(None), slice({bounds[2]}, {bounds[3]}))",
        f"(slice(None), slice(None), slice({bounds[0]}, {bounds[3]}))", "(..., 0)", "Ellipsis",
    ))  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_drawn_indices(seed: int) -> None:
    check_drawn(seed, _draw)


@pytest.mark.parametrize("seed", range(12))
def test_drawn_assignments(seed: int) -> None:
    check_drawn(seed, _draw_written)


def _numbers(drawn: random.Random, depth: int = 3) -> str:
    """Integers that sizes make, as positions and distances are made."""
    if not depth:
        start = drawn.choice(("", "", "1, ", "2 - x.shape[2], "))
        return drawn.choice((
            f"torch.arange({start}x.shape[2])", "torch.arange(0, 2 * x.shape[3], 2)", "torch.arange(x.shape[3], 0, -1)",
            "torch.zeros(x.shape[2], dtype=torch.int64)", "torch.full((3,), 2)", "torch.arange(5)",
            "torch.ones(x.shape[3], dtype=torch.int64).cumsum(0)",
        ))  # fmt: skip
    one, two = _numbers(drawn, depth - 1), _numbers(drawn, depth - 1)
    number = drawn.choice(("1", "2", "3", "x.shape[2]", "x.shape[3] // 2"))
    return drawn.choice((
        one, f"({one} + {number})", f"({number} - {one})", f"({one})[:, None].flatten()", f"({one} // 2)",
        f"(-{one})", f"({one} * {drawn.choice('123')})", f"({one}).clamp(0, {drawn.choice('357')})", f"({one} % 5)",
        f"torch.cat([{one}.flatten(), {two}.flatten()])", f"({one}).flip(0)", f"({one}).long()[1:]",
        f"(({one}).flatten()[:, None] - ({two}).flatten()[None])", f"(({one}).flatten() + ({one}).flatten())",
        f"(({one}).flatten()[None] + ({two}).flatten()[:, None])", f"torch.stack([{one}, {one}])",
        f"({one}).flatten().unfold(0, {drawn.choice('123')}, 1)",
        f"torch.meshgrid({one}.flatten(), {two}.flatten(), indexing='ij')[{drawn.choice('01')}]",
    ))  # fmt: skip


def _draw_looked_up(drawn: random.Random) -> tuple[str, list[str]]:
    rows = drawn.choice(("6", "9", "17", "x.shape[2]", "2 * x.shape[2] - 1", "x.shape[3] + 2"))
    taken = drawn.choice((
        "F.embedding({}, torch.zeros({}, 3))", "torch.zeros({1}, 3)[{0}]", "torch.zeros(2, {1})[:, {0}]",
        "torch.zeros({1}, 3).index_select(0, ({0}).flatten())", "torch.zeros({1}).gather(0, ({0}).flatten())",
    ))  # fmt: skip
    return taken.format(_numbers(drawn), rows), ["2,4,H,W"]


@pytest.mark.parametrize("seed", range(16))
def test_what_sizes_make_is_looked_up_where_there_is_a_row_for_it(seed: int) -> None:
    check_drawn(seed, _draw_looked_up)


@pytest.mark.parametrize("text", [
    "x[:, :, 1:-1, ::2]",
    "x[:, :, : y.shape[2], : y.shape[3]]",
    "x[:, :, (x.shape[2] - y.shape[2]) // 2 : (x.shape[2] - y.shape[2]) // 2 + y.shape[2]]",
    "x[:, :, x.shape[2] - y.shape[2] :]",
    "x[:, :, -y.shape[2] :]",
    "x[0, :, 2, -2]",
    "x[:, [0, 1], :, 0]",
    "x[:, [0, 3]]",
    "x[:, [0, 9]]",
    "x[:, None, ..., :1]",
    "x[x.shape[2] - 1]",
    "torch.index_select(x, 1, torch.tensor([0, 2]))",
    "x.index_select(1, torch.tensor([[0, 2]]))",
    "x.gather(2, torch.tensor([[[[0, 1]]]]))",
    "F.embedding(torch.arange(x.shape[2]), torch.zeros(6, 5))",
    "F.embedding(torch.arange(x.shape[2]).unsqueeze(0).expand(3, -1), torch.zeros(6, 5))",
    "torch.zeros(6, 5)[torch.arange(1, x.shape[2])]",
    "torch.zeros(9, 5)[torch.arange(8).unfold(0, 3, 2) + x.shape[3]]",
    "torch.zeros(9, 5)[torch.arange(x.shape[2]).unfold(0, 2, 1).reshape(-1)]",
    "torch.zeros(4, 5)[torch.stack([x.argmin(1), x.argmax(1)], -1)[..., 0]]",
    "torch.zeros(6, 5)[torch.cat([x.argmax(2), x.topk(1, 3)[1][..., 0]], 1)]",
    ("torch.zeros(9, 5)[(lambda n: torch.arange(n)[:, None] * 1.0 - torch.arange(n) * max(n / n, 1.0) + (n - 1) * 1.0)"
    "(x.shape[2]).long()]"),
    "x[:, :, ::0]",
    "x[0, 0, 0, 0, 0]",
    "x[:, :, torch.arange(x.shape[2] - 1)]",
])  # fmt: skip
def test_known_indices(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2"], points(random.Random(text), 24))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize(
    "text", ["x[x > 0]", "x.masked_select(x > 0)", "x.nonzero()", "torch.unique(x)", "x[x[0, 0, 0].long()]"]
)
def test_what_depends_on_values_is_not_claimed(text: str) -> None:
    assert check(text, ["2,4,H,W"], []).runs == 0


class Tokens(nn.Module):
    """A table looked up by what a function makes of the input."""

    def __init__(self, moved: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.table, self.moved = nn.Embedding(30, 4), moved

    def forward(self, tokens: Tensor) -> Tensor:
        found: Tensor = self.table(self.moved(tokens))
        return found


@pytest.mark.parametrize(
    ("moved", "spec", "proved"),
    [
        (lambda tokens: tokens.view(-1, tokens.shape[1])[:, :-1].t().long(), "B,T:int32", True),
        (lambda tokens: tokens.chunk(2, 1)[0], "B,T:int64", True),
        (lambda tokens: tokens + 1, "B,T:int64", False),
        (lambda tokens: tokens.clone().fill_(31), "B,T:int64", False),
        (lambda tokens: tokens.add_(1).t(), "B,T:int64", False),
        (lambda tokens: tokens.long(), "B,T:int64", True),
        (lambda tokens: tokens.long(), "B,T", False),
    ],
)
def test_numbers_of_an_input_are_taken_to_be_right_wherever_they_are_moved(
    moved: Callable[[Tensor], Tensor], spec: str, proved: bool
) -> None:
    contract = shapelint.check(Tokens(moved), spec).contract
    assert contract.proved == proved
    assert (contract.outcome(B=2, T=5).how is How.PROVED) == proved


def test_numbers_that_are_written_into_what_they_are_read_from_are_not_known() -> None:
    """The places by which a matrix of relative positions is shifted, on both sides of its diagonal."""

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            upper = torch.triu_indices(4, 4, offset=1, device=x.device)
            steps = torch.cat([torch.arange(1, 4 - i, device=x.device) for i in range(3)])
            places = torch.zeros(4, 4, dtype=torch.long, device=x.device)
            places[..., upper[0], upper[1]] = steps
            places.transpose(-2, -1)[..., upper[0], upper[1]] = steps
            places = (3 - places).repeat(x.shape[-2] // 4, 1)
            return x[..., torch.arange(x.size(-2), device=x.device).unsqueeze(1), places]

    contract = shapelint.check(Net, "N,8,4").contract
    assert contract.outcome(N=5).outputs in ((), ((5, 8, 4),))


class Buckets(nn.Module):
    """Distances between tokens, sorted into buckets that grow with them, as T5 does it."""

    def __init__(self, buckets: int, *, both_ways: bool, late: int = 0) -> None:
        super().__init__()
        self.table, self.buckets, self.both_ways, self.late = nn.Embedding(32, 2), buckets, both_ways, late

    def forward(self, x: Tensor) -> Tensor:
        places, count = torch.arange(x.shape[1]), self.buckets
        distance = places[None, :] - places[:, None]
        found: Any = 0
        if self.both_ways:
            count //= 2
            found += (distance > 0).to(torch.long) * count
            distance = torch.abs(distance)
        else:
            distance = -torch.min(distance, torch.zeros_like(distance))
        exact = count // 2
        far = exact + (torch.log(distance.float() / exact) / math.log(128 / exact) * (count - exact)).to(torch.long)
        far = torch.min(far, torch.full_like(far, count - 1))
        found += torch.where(distance < exact, distance, far)
        if self.late:
            found[:1] += self.late
        rows: Tensor = self.table(found)
        return rows


@pytest.mark.parametrize(
    ("buckets", "both_ways", "late", "proved"),
    [(32, True, 0, True), (32, False, 0, True), (34, True, 0, False), (33, False, 0, False), (32, True, 1, False)],
)
def test_buckets_of_distances_are_looked_up_where_the_table_has_a_row_for_each(
    buckets: int, both_ways: bool, late: int, proved: bool
) -> None:
    net = Buckets(buckets, both_ways=both_ways, late=late)
    contract = shapelint.check(net, "1,T").contract
    assert contract.proved == proved
    assert not proved or all(contract.outcome(T=size).outputs == (tuple(net(torch.ones(1, size)).shape),)
                             for size in (1, 8, 9, 127, 300))  # fmt: skip


@pytest.mark.parametrize(
    ("moved", "most"),
    [
        (lambda ids: torch.cumsum(torch.ones_like(ids), dim=1).long() * torch.ones_like(ids) - 1, 30),
        (lambda ids: torch.cumsum(ids.ne(1).int(), dim=1).type_as(ids) * ids.ne(1).int() + 1, 28),
    ],
)
def test_places_counted_by_a_mask_are_looked_up_as_far_as_the_table_goes(
    moved: Callable[[Tensor], Tensor], most: int
) -> None:
    contract = shapelint.check(Tokens(moved), "B,T:int64").contract
    assert contract.outcome(B=2, T=most).how is How.PROVED
    assert contract.outcome(B=2, T=most).outputs == ((2, most, 4),)
    longer = contract.outcome(B=2, T=most + 2)
    assert longer.how is not How.PROVED or not longer.ok
