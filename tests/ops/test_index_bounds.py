"""Index tensors that leave their table at some sizes, or for some data: none of it may be proved to fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How


class Looked(nn.Module):
    """Rows of a table that an index chooses."""

    def __init__(self, index: Callable[[Tensor], Tensor], rows: Callable[[Tensor], int]) -> None:
        super().__init__()
        self.index, self.rows = index, rows

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(self.index(x), torch.zeros(self.rows(x), 1))


def _written(alias: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def index(x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1]) % 8
        alias(places).add_(100)
        return places

    return index


def _is_proved_to_fit(net: nn.Module, height: int, width: int) -> bool:
    outcome = shapelint.check(net, "1,H,W").contract.outcome(H=height, W=width)
    return bool(outcome.ok) and outcome.how is How.PROVED


def _is_told_to_fit(net: nn.Module, height: int, width: int) -> bool:
    return bool(shapelint.check(net, "1,H,W").contract.outcome(H=height, W=width).ok)


@pytest.mark.parametrize(
    ("index", "rows", "height", "width"),
    [
        (lambda x: (x % 5 * 2).long(), lambda x: 9, 3, 4),  # 4.9 * 2
        (lambda x: (x % 9).long(), lambda x: 9, 3, 4),  # -1e-9 % 9 is rounded to 9
        (lambda x: x.sort(axis=1)[1], lambda x: x.shape[2], 5, 2),
        (lambda x: x.argsort(axis=1), lambda x: x.shape[2], 5, 2),
        (lambda x: torch.where(x > 0, torch.zeros_like(x).long(), other=_places(x)[:, None] + 5), lambda x: 3, 3, 4),
        (lambda x: torch.zeros_like(_places(x)).clamp(min=_places(x)), lambda x: 1100, 2000, 2),
        (lambda x: ((x > 0).cumsum(1, dtype=torch.int16) * 200).long(), lambda x: x.shape[1] * 200 + 1, 200, 3),
        (lambda x: _inverse(x[0, :, 0].argsort() % 2), lambda x: x.shape[1], 5, 2),
        (lambda x: _inverse(x[0, :, 0].argsort()).add_(1), lambda x: x.shape[1], 5, 2),
        (lambda x: _inverse(x[0, :, 0].argsort()[1:]), lambda x: x.shape[1] - 2, 5, 2),
        (lambda x: _places(x).add_(1).sort()[0], lambda x: x.shape[1], 5, 2),
        (lambda x: (x * 99).long().clamp(0, x.shape[1]), lambda x: x.shape[1], 3, 4),
        (lambda x: _places(x) * (x.shape[2] - 3), lambda x: x.shape[1] * 9, 2, 2),
        (lambda x: (x[0] > 0).sum(), lambda x: 6, 7, 2),
        (lambda x: (x > 0).sum(1) % x.shape[2], lambda x: 4, 7, 9),
    ],
)
def test_an_index_that_can_leave_its_table_is_not_proved_to_fit(
    index: Callable[[Tensor], Tensor], rows: Callable[[Tensor], int], height: int, width: int
) -> None:
    net = Looked(index, rows)
    raised = 0
    for data in (torch.rand, torch.ones, lambda *size: torch.full(size, -1e-9), lambda *size: torch.rand(size) * -9):
        try:
            net(data(1, height, width))
        except (IndexError, RuntimeError):
            raised += 1
    assert raised
    assert not _is_told_to_fit(net, height, width)


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (lambda x: torch.randperm(x.shape[1])[: x.shape[1] // 4], lambda x: x.shape[1]),
        (lambda x: torch.randint(0, 50, (x.shape[1],)), lambda x: 50),
        (lambda x: torch.randint(high=x.shape[2], size=(7,)), lambda x: x.shape[2]),
        (lambda x: torch.multinomial(x[0].abs() + 1, 1), lambda x: x.shape[2]),
        (lambda x: torch.bucketize(x, torch.arange(5.0)), lambda x: 6),
        (lambda x: torch.searchsorted(torch.zeros(x.shape[2]), x), lambda x: x.shape[2] + 1),
    ],
)
def test_an_index_that_is_drawn_or_sought_fits_a_table_of_all_that_may_be(
    index: Callable[[Tensor], Tensor], rows: Callable[[Tensor], int]
) -> None:
    assert _is_proved_to_fit(Looked(index, rows), 8, 9)
    assert not _is_told_to_fit(Looked(index, lambda x: rows(x) - 1), 8, 9)


def _places(x: Tensor) -> Tensor:
    return torch.arange(x.shape[1])


def _inverse(order: Tensor) -> Tensor:
    places = torch.full_like(order, 99)
    places[order] = torch.arange(order.shape[0])
    return places


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (lambda x: _inverse(x[0, :, 0].argsort()), lambda x: x.shape[1]),
        (lambda x: x[0].topk(1)[1].flatten().sort()[0], lambda x: x.shape[2]),
        (lambda x: x.long().clamp(0, x.shape[1] - 1), lambda x: x.shape[1]),
        (lambda x: x.long() % x.shape[1], lambda x: x.shape[1]),
        (lambda x: (x > 0).sum(1, keepdim=True), lambda x: x.shape[1] + 1),
        (lambda x: _places(x)[:, None] * x.shape[2] + torch.arange(x.shape[2]), lambda x: x.shape[1] * x.shape[2]),
        (lambda x: _places(x) * 8 // x.shape[1], lambda x: 8),
    ],
)
def test_an_index_that_never_leaves_its_table_is_proved(
    index: Callable[[Tensor], Tensor], rows: Callable[[Tensor], int]
) -> None:
    net = Looked(index, rows)
    contract = shapelint.check(net, "1,H,W").contract
    assert contract.proved, [region.why for region in contract.regions]
    for height, width in ((1, 1), (1, 7), (5, 3), (8, 8)):
        for data in (torch.rand, torch.zeros, lambda *size: torch.rand(size) * 90 - 45):
            net(data(1, height, width))
        assert contract.outcome(H=height, W=width).ok


@pytest.mark.parametrize("alias", [
    lambda places: places[None].transpose(0, 1).contiguous(),
    lambda places: places[:, None].expand(-1, 1).reshape(-1),
    lambda places: places.to(torch.int64),
    lambda places: torch.cat([places + 1], out=places),
])  # fmt: skip
def test_what_may_lie_in_the_same_memory_is_written_to_as_well(alias: Callable[[Tensor], Tensor]) -> None:
    net = Looked(_written(alias), lambda x: 9)
    with pytest.raises(IndexError):
        net(torch.ones(1, 3, 4))
    assert not _is_told_to_fit(net, 3, 4)


def test_positions_that_a_mask_counts_are_proved_up_to_their_table_and_not_told_beyond() -> None:
    class Positions(nn.Module):
        def forward(self, ids: Tensor) -> Tensor:
            return F.embedding(ids.ne(1).cumsum(1) + 1, torch.zeros(20, 1))

    contract = shapelint.check(Positions(), "B,T:int64").contract
    within, beyond = contract.outcome(B=2, T=18), contract.outcome(B=2, T=19)
    assert (within.ok, within.how) == (True, How.PROVED)
    assert beyond.ok is None
    assert "not known" in next(region.why for region in contract.regions if region.how is How.UNKNOWN)


def test_rows_that_the_data_choose_are_a_note_where_the_model_runs_at_a_size() -> None:
    class Rows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.embedding((x * 4).long(), torch.zeros(9, 1))

    (finding,) = shapelint.check(Rows(), "1,H,W").findings
    assert (finding.code, finding.severity) == ("SL900", "note")
    (finding,) = shapelint.check(Looked(lambda x: (x * 999 + 999).long(), lambda x: 9), "1,H,W").findings
    assert (finding.code, finding.severity) == ("SL900", "warning")


def test_arguments_by_name_and_parameters_that_are_replaced_end_no_check() -> None:
    def replaced(x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1]) % 8
        places.data = places + 100
        return places

    for index in (lambda x: torch.argmax(input=x, dim=1), lambda x: torch.remainder(_places(x), other=5), replaced):
        assert shapelint.check(Looked(index, lambda x: 5), "1,H,W").contract.outcome(H=3, W=4)


def test_classes_beyond_their_number_and_numbers_beyond_their_dtype_are_refused() -> None:
    class Classes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.one_hot(_places(x), 8)

    class Filled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((3,), x.shape[1] * 1000, dtype=torch.int16)

    for net, most in ((Classes(), 8), (Filled(), 32)):
        contract = shapelint.check(net, "1,H,W").contract
        assert contract.proved
        assert contract.outcome(H=most, W=1).ok
        assert contract.outcome(H=most + 1, W=1).ok is False
        with pytest.raises(RuntimeError):
            net(torch.ones(1, most + 1, 1))


@pytest.mark.parametrize("alias", [lambda sizes: sizes.to(torch.int64), lambda sizes: sizes.cpu(), Tensor.detach])
@pytest.mark.parametrize("write", [lambda sizes: sizes.add_(100), lambda sizes: sizes.clamp_(min=100)])
def test_sizes_in_a_tensor_change_with_every_name_for_it(
    alias: Callable[[Tensor], Tensor], write: Callable[[Tensor], Tensor]
) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            sizes = torch.tensor([x.shape[1], 2])
            write(alias(sizes))
            return x.new_zeros(int(sizes[0]))

    outcome = shapelint.check(Net(), "1,H,W").contract.outcome(H=3, W=4)
    assert outcome.how is not How.PROVED or outcome.outputs == (tuple(Net()(torch.ones(1, 3, 4)).shape),)


@pytest.mark.parametrize(("part", "other"), [
    (lambda x: x, lambda part: F.dropout3d(part[None], training=False)),
    (lambda x: x[0], lambda part: F.dropout1d(part, training=False)),
    (lambda x: x, lambda part: torch.feature_dropout(part, 0.5, False)),
    (lambda x: x[:, 4:], lambda part: F.dropout(part, training=True)),
    (lambda x: x.transpose(1, 2), lambda part: part.contiguous()),
])  # fmt: skip
@pytest.mark.parametrize("height", [1, 3])
def test_a_shape_given_in_place_is_that_of_the_very_tensor_only(
    part: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], height: int
) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            first = part(x)
            other(first).unsqueeze_(0)
            return first

    outcome = shapelint.check(Net(), "1,H,W").contract.outcome(H=height, W=4)
    assert outcome.how is not How.PROVED or outcome.outputs == (tuple(Net()(torch.ones(1, height, 4)).shape),)


class TenRows(nn.Module):
    """Ten rows, looked up at numbers made of those of an input and a map."""

    def __init__(self, moved: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.rows, self.moved = nn.Embedding(10, 4), moved

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        rows: Tensor = self.rows(self.moved(x, ids))
        return rows


def _written_with_a_size(x: Tensor, ids: Tensor) -> Tensor:
    ids = ids.clone()
    ids.view(-1)[0] = x.shape[1]
    return ids


def _ten_more(x: Tensor, ids: Tensor) -> Tensor:
    if x.shape[1] > 20:
        ids = ids + 10
    return ids


def _one_more_a_step(x: Tensor, ids: Tensor) -> Tensor:
    for _ in range(x.shape[1]):
        ids = ids + 1
    return ids


@pytest.mark.parametrize("moved", [
    lambda x, ids: ids + x.shape[1],
    lambda x, ids: (ids * (x.shape[1] / 2)).long(),
    lambda x, ids: ids + torch.ones(1, x.shape[1]).long().sum(),
    _ten_more,
    _written_with_a_size,
    _one_more_a_step,
])  # fmt: skip
def test_indices_of_an_input_that_a_size_moves_are_not_taken_to_be_right(moved: Callable[..., Tensor]) -> None:
    contract = shapelint.check(TenRows(moved), ["2,T", "2,5:int64"]).contract
    with pytest.raises(IndexError):
        TenRows(moved)(torch.zeros(2, 30), torch.ones(2, 5, dtype=torch.int64))
    assert contract.outcome(T=30).ok is not True


@pytest.mark.parametrize("moved", [
    lambda x, ids: ids,
    lambda x, ids: ids.flip(1)[:, 1:] * 2 + 1,
    lambda x, ids: (ids + x.shape[1]) % 10,
])  # fmt: skip
def test_indices_of_an_input_alone_are_taken_to_be_right(moved: Callable[..., Tensor]) -> None:
    assert shapelint.check(TenRows(moved), ["2,T", "2,5:int64"]).contract.proved
