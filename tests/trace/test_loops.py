"""Loops whose number of turns is a size: proved for every number where the turns are alike, and never where not."""

# ruff: noqa: PERF401 - the loops are what is tested
from __future__ import annotations

import array
import contextvars
import os
import threading
from collections.abc import Callable
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How
from tests.oracle import attempt, given

SIZES = [*range(1, 34), 47, 64, 65, 81, 100]
COUNTS: dict[str, int] = {}


class Net(nn.Module):
    """A model whose forward is a function of its own."""

    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function, self.conv, self.strided = function, nn.Conv1d(2, 2, 3), nn.Conv1d(2, 2, 2, stride=2)
        self.cache: Tensor | None = None
        self.seen = [0]

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def chunks_with_a_cache(net: Net, x: Tensor) -> Tensor:
    """The first chunk takes the rest; each convolution is given the last two rows of the chunk before."""
    length, cache, outs = x.shape[2], {}, []
    for i in range(max(length // 8, 1)):
        start = 8 * i + (0 if i == 0 else length % 8)
        y = x[:, :, start : 8 * (i + 1) + length % 8]
        head = cache["head"] if "head" in cache else y[:, :, :1].repeat(1, 1, 2)
        y = torch.cat([head, y], 2)
        cache["head"] = y[:, :, -2:]
        outs.append(net.conv(y))
    return torch.cat(outs, 2)


def grown_by_joins(net: Net, x: Tensor) -> Tensor:
    """What comes out is joined to what came before, and a cache of the module's begins empty."""
    out = x
    for i in range(1 + (x.shape[2] - 1) // 4):
        if i == 0:
            out = x[:, :, :1]
        else:
            y = x[:, :, 1 + 4 * (i - 1) : 1 + 4 * i]
            y = torch.cat([y[:, :, :1] if net.cache is None else net.cache, y], 2)
            net.cache = y[:, :, -1:]
            out = torch.cat([out, y], 2)
    return out


def rest_at_the_end(net: Net, x: Tensor) -> Tensor:
    outs = []
    for start in range(0, x.shape[2], 5):
        outs.append(F.pad(x[:, :, start : start + 7], (1, 0)))
    return torch.cat(outs, dim=-1)


def counted(net: Net, x: Tensor) -> Tensor:
    """A variable counts the rows, and the list of chunks is counted by its length."""
    start, rows, outs = 0, 0, []
    for _ in range(x.shape[2] // 3):
        y = x[:, :, start : start + 3]
        start += 3
        rows = rows + y.shape[2] + 1
        outs.append(y)
    return x.new_zeros(1, rows, len(outs))


def stacked(net: Net, x: Tensor) -> Tensor:
    parts = []
    for i in range((x.shape[2] - 4) // 2 + 1):
        parts.append(x[:, :, 2 * i : 2 * i + 4])
    return torch.stack(parts, 1) if x.shape[2] >= 4 else x


def first_turns_that_raise(net: Net, x: Tensor) -> Tensor:
    """The third turn meets a cache that does not fit."""
    cache, outs = x[:, :, :1], []
    for i in range(x.shape[2] // 2):
        y = x[:, :, 2 * i : 2 * i + 2]
        y = y + cache
        cache = y if i == 0 else torch.cat([y, y], 2)[:, :, 1:]
        outs.append(y)
    return torch.cat(outs, 2) if outs else x


ALIKE = [chunks_with_a_cache, grown_by_joins, rest_at_the_end, counted, stacked, first_turns_that_raise]


def halves_of_turns(net: Net, x: Tensor) -> Tensor:
    outs = []
    for i in range(x.shape[2] // 2):
        outs.append(x[:, :, 2 * i : 2 * i + 1 + i % 2])
    return torch.cat(outs, 2) if x.shape[2] > 1 else x


def counted_in_a_list(net: Net, x: Tensor) -> Tensor:
    net.seen[0] = 0
    outs = [x]
    for _ in range(x.shape[2] // 2):
        net.seen[0] += 1
        outs.append(x[:, :, : 1 if net.seen[0] > 5 else 2])
    return torch.cat(outs, 2)


def counted_in_a_global(net: Net, x: Tensor) -> Tensor:
    COUNTS["turns"] = 0
    outs = [x]
    for _ in range(x.shape[2] // 2):
        COUNTS["turns"] += 1
        outs.append(x[:, :, : 1 if COUNTS["turns"] > 5 else 2])
    return torch.cat(outs, 2)


def counted_by_an_iterator(net: Net, x: Tensor) -> Tensor:
    numbers, outs = iter(range(1000)), [x]
    for _ in range(x.shape[2] // 2):
        outs.append(x[:, :, : 1 if next(numbers) > 5 else 2])
    return torch.cat(outs, 2)


def left_in_the_middle(net: Net, x: Tensor) -> Tensor:
    outs = [x]
    for i in range(x.shape[2]):
        outs.append(x[:, :, :1])
        if i > 5:
            break
    return torch.cat(outs, 2)


def left_by_an_error(net: Net, x: Tensor) -> Tensor:
    """The chunk in the end is too short for the convolution, which ends the loop."""
    outs = [x]
    try:
        for i in range(0, x.shape[2], 5):
            outs.append(net.conv(x[:, :, i : i + 5]))
    except RuntimeError:
        pass
    return torch.cat(outs, 2)


def seen_by_another_name(net: Net, x: Tensor) -> Tensor:
    outs: list[Tensor] = []
    others = outs
    for _ in range(x.shape[2] // 2):
        outs.append(x[:, :, :1])
    return F.pad(x, (0, len(others)))


def filled_by_a_bound_method(net: Net, x: Tensor) -> Tensor:
    outs = [x]
    add = outs.append
    for _ in range(x.shape[2] // 2):
        add(x[:, :, :2])
    return torch.cat(outs, 2)


def longer_with_each_turn(net: Net, x: Tensor) -> Tensor:
    outs = []
    for i in range(x.shape[2]):
        outs.append(x[:, :, : i + 1])
    return torch.cat(outs, 2)


def its_number_goes_on(net: Net, x: Tensor) -> Tensor:
    i, longest = 0, 0
    for i in range(x.shape[2] // 2):
        longest = max(longest, min(i, 7))
    return F.pad(x, (0, i + longest))


class Text(str):
    """A text of the user's own class."""

    __slots__ = ()


TURN: contextvars.ContextVar[int] = contextvars.ContextVar("TURN", default=0)


class Counters:
    """Places in which a number may be kept; each method counts in one of them and returns how often."""

    def in_an_array(self) -> Callable[[], int]:
        numbers = array.array("i", [0])
        return lambda: numbers.__setitem__(0, numbers[0] + 1) or numbers[0]

    def in_a_text(self) -> Callable[[], int]:
        texts = [Text()]
        return lambda: texts.__setitem__(0, Text(texts[0] + "a")) or len(str(texts[0]))

    def in_the_context(self) -> Callable[[], int]:
        TURN.set(0)
        return lambda: TURN.set(TURN.get() + 1) and TURN.get()

    def in_the_environment(self) -> Callable[[], int]:
        os.environ["TURNS"] = ""
        return lambda: os.environ.__setitem__("TURNS", os.environ["TURNS"] + "a") or os.environ["TURNS"].count("a")

    def in_a_module(self) -> Callable[[], int]:
        place = SimpleNamespace(module=threading)
        setattr(threading, "turns", 0)  # noqa: B010
        return lambda: setattr(place.module, "turns", place.module.turns + 1) or place.module.turns

    def in_a_class_of_torch(self) -> Callable[[], int]:
        setattr(nn.Conv1d, "turns", 0)  # noqa: B010
        return lambda: setattr(nn.Conv1d, "turns", nn.Conv1d.turns + 1) or nn.Conv1d.turns

    def behind_a_view(self) -> Callable[[], int]:
        held = {"turns": 0}
        update, shown = held.update, MappingProxyType(held)
        return lambda: update(turns=shown["turns"] + 1) or shown["turns"]

    def by_a_bound_method(self) -> Callable[[], int]:
        return iter(range(1, 1000)).__next__

    def in_the_mode_of_torch(self) -> Callable[[], int]:
        def flip() -> int:
            torch.set_grad_enabled(not torch.is_grad_enabled())
            return 99 * torch.is_grad_enabled()

        return flip


UNLIKE = [
    halves_of_turns, counted_in_a_list, counted_in_a_global, counted_by_an_iterator, left_in_the_middle,
    left_by_an_error, seen_by_another_name, filled_by_a_bound_method, longer_with_each_turn, its_number_goes_on,
]  # fmt: skip


def _agrees(function: Callable[[Any, Tensor], Any], report: shapelint.Report, sizes: list[int]) -> int:
    """At how many sizes the contract says what eager PyTorch does, none otherwise."""
    known = 0
    for size in sizes:
        outcome = report.contract.outcome(T=size)
        if outcome.ok is None or outcome.how is not How.PROVED:
            continue
        shapes = given(attempt(Net(function), torch.zeros(1, 2, size)))
        assert (outcome.outputs if outcome.ok else None) == shapes, size
        known += 1
    return known


@pytest.mark.parametrize("function", ALIKE, ids=lambda function: function.__name__)
def test_turns_that_are_alike_are_proved_for_every_number(function: Callable[[Any, Tensor], Any]) -> None:
    report = shapelint.check(Net(function), "1,2,T")
    assert report.contract.proved
    assert _agrees(function, report, SIZES) == len(SIZES)


@pytest.mark.parametrize("function", UNLIKE, ids=lambda function: function.__name__)
def test_turns_that_are_not_alike_are_not_taken_for_it(function: Callable[[Any, Tensor], Any]) -> None:
    report = shapelint.check(Net(function), "1,2,T")
    assert not report.contract.proved
    _agrees(function, report, SIZES)


@pytest.mark.parametrize("place", [name for name in vars(Counters) if not name.startswith("_")])
def test_a_number_that_changes_in_a_hidden_place_is_not_taken_for_the_same(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNS", "")
    for owner in (threading, nn.Conv1d):
        monkeypatch.setattr(owner, "turns", 0, raising=False)

    def counted_there(net: Net, x: Tensor) -> Tensor:
        step, outs = getattr(Counters(), place)(), [x]
        for _ in range(x.shape[2] // 2):
            outs.append(x[:, :, : 1 if step() > 25 else 2])
        return torch.cat(outs, 2)

    report = shapelint.check(Net(counted_there), "1,2,T")
    assert not report.contract.proved
    _agrees(counted_there, report, [50, 54, 70])


def test_what_keeps_a_loop_from_proof_is_told_at_its_line() -> None:
    report = shapelint.check(Net(counted_in_a_list), "1,2,T")
    assert not report.contract.proved
    (finding,) = [each for each in report.findings if each.code == "SL900"]
    assert "its turns do not hand on to each other what they were given" in str(report)
    assert finding.location is not None
    assert finding.location.line == counted_in_a_list.__code__.co_firstlineno + 3
