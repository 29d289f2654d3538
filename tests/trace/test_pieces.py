"""Loops that go through no range: the pieces of a tensor, its rows, and lists that a loop or a comprehension filled."""

# ruff: noqa: B023, FURB187, PERF401 - the loops are what is tested
from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

LENGTHS = [*range(1, 26), 31, 32, 33, 40, 61]


class Net(nn.Module):
    def __init__(self, function: Callable[[Net, Tensor], object]) -> None:
        super().__init__()
        self.function = function
        self.cache: Tensor | None = None
        self.turns = 0

    def forward(self, x: Tensor) -> object:
        self.cache, self.turns = None, 0
        return self.function(self, x)

    def cached(self, piece: Tensor) -> Tensor:
        whole = piece if self.cache is None else torch.cat([self.cache, piece], 2)
        self.cache = whole[:, :, -3:]
        return whole

    def every_other(self, piece: Tensor) -> Tensor:
        self.turns += 1
        return piece if self.turns % 2 else piece[:, :, :1]


def split_in_a_loop(net: Net, x: Tensor) -> Tensor:
    outs = []
    for piece in torch.split(x, 4, dim=-1):
        outs += [F.pad(piece, (1, 1))]
    return torch.cat(outs, 2)


def split_in_a_comprehension(net: Net, x: Tensor) -> Tensor:
    return torch.cat([net.cached(piece) for piece in x.split(4, 2)], 2)


def split_and_kept(net: Net, x: Tensor) -> object:
    pieces = x.split(split_size=4, dim=2)
    again = [piece * 2 for piece in pieces]
    assert isinstance(pieces, tuple)
    return torch.cat(again, 2), pieces[-1], x.new_zeros(len(pieces))


def frames_one_by_one(net: Net, x: Tensor) -> Tensor:
    state = x.new_zeros(1, 3)
    for frame, mask in zip(x.unbind(2), (x * 2).unbind(dim=-1), strict=False):
        state = state + frame * mask
    return state


def frames_together(net: Net, x: Tensor) -> Tensor:
    return torch.stack([a * b for a, b in zip(x.unbind(2), (x * 2).unbind(2))], 1)  # noqa: B905 - as it is written


def rows_of_a_tensor(net: Net, x: Tensor) -> Tensor:
    return torch.stack([F.pad(row, (0, 1)) * number for number, row in enumerate(x.mT[0])])


def tiles_by_their_numbers(net: Net, x: Tensor) -> Tensor:
    """Tiles of a row, each blended with the one before it."""
    tiles = [x[:, :, start : start + 6].clone() for start in range(0, x.shape[2], 4)]
    outs = []
    for number, tile in enumerate(tiles):
        if number > 0:
            tile[:, :, 0] = tiles[number - 1][:, :, -1] + tile[:, :, 0]
        outs.append(tile[:, :, :4])
    return torch.cat(outs, 2)


def there_and_back(net: Net, x: Tensor) -> Tensor:
    """As videos are restored: backwards first, and then forwards with what came of it."""
    state, before, after = x.new_zeros(1, 3), [], []
    for number in reversed(range(x.shape[2])):
        state = state + x[:, :, number]
        before.append(state)
    before = before[::-1]
    for number in range(x.shape[2]):
        after.append(torch.cat([x[:, :, number], before[number]], 1))
    after.reverse()
    return torch.stack(after, 2)


def nested(net: Net, x: Tensor) -> Tensor:
    image = x.view(1, 3, -1, 1).expand(1, 3, x.shape[2], x.shape[2])
    rows = [torch.cat([part + 1 for part in row.split(4, 3)], 3) for row in image.split(4, 2)]
    return torch.cat(rows, 2)


PROVED = [split_in_a_loop, split_in_a_comprehension, split_and_kept, frames_one_by_one, frames_together,
          rows_of_a_tensor, tiles_by_their_numbers, there_and_back, nested]  # fmt: skip


def other_turns(net: Net, x: Tensor) -> Tensor:
    return torch.cat([net.every_other(piece) for piece in x.split(4, 2)], 2)


def shorter_meanwhile(net: Net, x: Tensor) -> Tensor:
    tiles, outs = [x[:, :, start : start + 4] for start in range(0, x.shape[2], 4)], []
    for tile in tiles:
        outs.append(tile)
        if len(tiles) > 2:
            tiles.pop()
    return torch.cat(outs, 2)


def pieces_unlike_in_number(net: Net, x: Tensor) -> Tensor:
    return torch.cat([torch.cat(pair, 2) for pair in zip(x.split(4, 2), x.split(8, 2), strict=False)], 2)


def added_up(net: Net, x: Tensor) -> object:
    pieces = x.split(4, 2)
    return torch.cat((*pieces, x), 2), torch.cat(pieces + (x,), 2), torch.cat(pieces[1:] or pieces, 2)  # noqa: RUF005


def late(net: Net, x: Tensor) -> Tensor:
    functions = [lambda: number for number in range(x.shape[2] // 4)]
    return x.new_zeros(functions[0]() + 1) if functions else x


def one_counter_in_all_items(net: Net, x: Tensor) -> Tensor:
    """The loop names nothing that changes from turn to turn: it gets it from the list that it goes through."""
    counts: list[int] = []
    outs, kept = [], [counts for _ in x.split(4, 2)]
    for piece, each in zip(x.split(4, 2), kept, strict=True):
        each.append(1)
        outs.append(piece if len(each) != 7 else piece[:, :, :1])
    return torch.cat(outs, 2)


def each_item_grows_once(net: Net, x: Tensor) -> Tensor:
    """The turn in general position makes its own item larger, not that of all turns."""
    rows = [x.new_zeros(1) for _ in range(x.shape[2])]
    for number in range(len(rows)):
        rows[number].resize_(rows[number].shape[0] + 1)
    return torch.cat(rows)


def hook_of_all_modules(net: Net, x: Tensor) -> Tensor:
    calls: list[int] = []

    def hook(module: nn.Module, args: object, output: Tensor) -> Tensor:
        calls.append(1)
        return output if len(calls) != 7 else output[:, :, :1]

    handle = nn.modules.module.register_module_forward_hook(hook)
    identity = nn.Identity()
    try:
        return torch.cat([identity(piece) for piece in x.split(4, 2)], 2)
    finally:
        handle.remove()


def rows_of_what_changes_its_shape(net: Net, x: Tensor) -> Tensor:
    rows, whole = [], x[0].mT.clone()
    for row in whole:
        if whole.dim() == 2:
            whole.unsqueeze_(0)
        rows.append(row)
    return torch.stack(rows)


def one_of_two_is_changed(net: Net, x: Tensor) -> Tensor:
    """The two are one and the same only where their number is even."""
    rows = [x[:, :, number] for number in range(x.shape[2])]
    if len(rows) < 6:
        return x
    rows[len(rows) // 2].unsqueeze_(0)
    return rows[(len(rows) + 1) // 2]


def one_of_two_lists_is_changed(net: Net, x: Tensor) -> Tensor:
    kept: list[list[int]] = [[] for number in range(x.shape[2])]
    if len(kept) < 6:
        return x
    kept[len(kept) // 2].append(1)
    return x.new_zeros(len(kept[(len(kept) + 1) // 2]) + 1)


def added_in_place_under_another_name(net: Net, x: Tensor) -> Tensor:
    whole = also = [x]
    pieces = [piece for piece in x.split(4, 2)]  # noqa: C416
    whole += pieces
    return torch.cat(also, 2)


def copied(net: Net, x: Tensor) -> Tensor:
    return torch.cat([each[0] for each in copy.deepcopy([[piece] for piece in x.split(4, 2)])], 2)


NOT_PROVED = [copied, other_turns, shorter_meanwhile, pieces_unlike_in_number, added_up, late, one_counter_in_all_items,
              each_item_grows_once, hook_of_all_modules, rows_of_what_changes_its_shape, one_of_two_is_changed,
              one_of_two_lists_is_changed, added_in_place_under_another_name]  # fmt: skip


@pytest.mark.parametrize("function", [*PROVED, *NOT_PROVED])
def test_what_is_said_of_pieces_is_what_eager_does(function: Callable[[Net, Tensor], object]) -> None:
    contract = shapelint.check(lambda: Net(function), "1,3,L").contract
    if function in PROVED:
        assert contract.proved, [region.why for region in contract.regions]
    assert not any("plain integers" in (region.why or "") for region in contract.regions), "a proof was wrong"
    for length in LENGTHS:
        claimed = contract.outcome(L=length)
        seen = given(attempt(Net(function), torch.zeros(1, 3, length)))
        assert claimed.ok is None or claimed.outputs == (seen or ()), length


class Switched(nn.Module):
    """The data decide ahead of a loop, which has few turns at other sizes than those of the first way."""

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            x = x * 2
        if x.shape[-1] > 200:
            return x
        return torch.cat([x[..., i : i + (4 if i % 8 else 2)] for i in range(0, x.shape[-1], 4)], -1)


def test_all_ways_are_run_at_the_sizes_to_which_a_loop_moves_one_of_them() -> None:
    contract = shapelint.check(Switched, "1,3,L").contract
    assert contract.proved
    for size in (1, 9, 11, 47, 50, 200, 201):
        assert contract.outcome(L=size).outputs == (tuple(Switched()(torch.ones(1, 3, size)).shape),)
