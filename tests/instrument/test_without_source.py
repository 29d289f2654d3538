"""Code whose source is not at hand, or is another one by now, proves nothing; what only stores loses nothing."""

from __future__ import annotations

import importlib.util
import inspect
import linecache
import py_compile
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import shapelint

MARKED = [0] * 37 + [1] + [0] * 26
SOURCE = """
def marked(height):
    return ([0] * 37 + [1] + [0] * 26)[height % 64] == 1
"""
MADE: dict[str, Any] = {"MARKED": MARKED}
exec("def marked(height): return MARKED[height % 64] == 1", MADE)
exec("def steps(height):\n    yield MARKED[height % 64] == 1", MADE)


def checked(marked: Callable[[int], Any]) -> Any:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 1:] if marked(x.shape[1]) else x

    found = shapelint.check(Net, "1,H").contract
    assert [found.outcome(H=height).outputs for height in (36, 37, 38)] == [((1, 36),), ((1, 36),), ((1, 38),)]
    return found


def test_code_made_of_a_text_is_said_to_have_no_source() -> None:
    assert {region.why for region in checked(MADE["marked"]).regions} == {"`marked` has no source"}
    assert {region.why for region in checked(lambda h: next(MADE["steps"](h))).regions} == {"`steps` has no source"}


def test_a_text_that_a_run_executes_is_followed() -> None:
    def executed(height: int) -> Any:
        space: dict[str, Any] = {}
        exec("def half(height): return int(height * scale)", {"scale": 0.5}, space)
        return space["half"](height) == 18 and eval("height % 2 == 1")

    assert checked(executed).proved


@pytest.mark.parametrize("ask", [lambda: sys._getframe(1), inspect.currentframe, inspect.stack])
def test_what_asks_for_its_callers_is_not_proved(ask: Callable[[], Any]) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            ask()
            return x

    (why,) = {region.why for region in shapelint.check(Net, "1,H").contract.regions}
    assert why.endswith("tells of the callers")


def imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.name.partition(".")[0], file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_compiled_file_alone_has_no_source(tmp_path: Path) -> None:
    (tmp_path / "helper_a.py").write_text(SOURCE)
    py_compile.compile(str(tmp_path / "helper_a.py"), str(tmp_path / "helper_a.pyc"))
    (tmp_path / "helper_a.py").unlink()
    module = imported(tmp_path / "helper_a.pyc")
    assert {region.why for region in checked(module.marked).regions} == {"`marked` has no source"}


def test_the_code_that_is_loaded_counts_not_the_file(tmp_path: Path) -> None:
    file = tmp_path / "helper_b.py"
    file.write_text(SOURCE)
    module = imported(file)
    file.write_text(SOURCE.replace("37", "36"))
    told = {region.why for region in checked(module.marked).regions}
    assert told == {"`marked` runs other code than helper_b.py has now"}
    file.write_text(SOURCE)
    linecache.checkcache(str(file))
    assert {region.why for region in checked(module.marked).regions} == {"a size as an index"}


def test_a_file_that_is_loaded_again_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "helper_c.py"
    file.write_text("def marked(height):\n    return height == 3\n")
    assert imported(file).marked(3)
    assert linecache.getline(str(file), 2) == "    return height == 3\n"
    file.write_text("def marked(height):\n    return int(height * 2) == 74\n")
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    assert checked(imported(file).marked).proved


@dataclass(frozen=True)
class Sides:
    height: int
    all: list[int] = field(default_factory=list)


class Pair(NamedTuple):
    height: int
    width: int


@pytest.mark.parametrize("kind", [Sides, lambda h: Pair(h, h)])
def test_what_python_makes_for_a_class_only_stores(kind: Callable[[int], Any]) -> None:
    assert checked(lambda h: kind(h).height == 37).proved


def test_a_named_tuple_may_first_be_made_in_a_later_run() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, 2, 1)

        def forward(self, x: Tensor) -> Pair:
            y = self.conv(x)  # the first guess has 13 channels
            return Pair(y, x)  # type: ignore[arg-type]

    report = shapelint.check(Net())
    assert [str(spec) for spec in report.inputs] == ["1,3,H,W"]
    assert report.contract.outcome(H=8, W=9).outputs == ((1, 8, 4, 5), (1, 3, 8, 9))


def test_another_thread_and_later_calls_have_plain_builtins(tmp_path: Path) -> None:
    def drawn(value: float) -> tuple[Any, ...]:
        from math import ceil

        found = value * 2 + 0.5, max(value, 3), sorted([value, 1.0]), ceil(value), "%s" % value  # noqa: UP031
        value *= 3
        return (*found, value)

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(drawn)
            return x[..., : drawn(1.5)[3]]

    seen: list[Callable[[float], tuple[Any, ...]]] = []
    assert shapelint.check(Net(), "1,3,H,W").contract.proved
    kept = Net()(torch.zeros(1, 3, 4, 4))
    assert kept.shape == (1, 3, 4, 2)
    found = seen[-1](1.5)
    assert found == (3.5, 3, [1.0, 1.5], 2, "1.5", 4.5)
    assert [type(each) for each in found] == [float, int, list, int, str, float]
