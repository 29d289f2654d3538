"""Every size rule against eager PyTorch, on drawn calls: the tests' own strategies, and their known calls, changed.

A known call stands in a test as text, such as `x.scatter(2, torch.zeros_like(y, dtype=torch.long), y)`. Here its
numbers and the shapes of its tensors are drawn anew, so most calls are right in some way and wrong in another.
"""

from __future__ import annotations

import ast
import importlib
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from benchmarks.prove.trial import Trial
from tests import calls
from tests.operations import Claims

_TESTS = Path(__file__).parents[2] / "tests"
_DIMS = ("0+1", "1", "1", "2", "2", "3", "4", "5", "8", "H", "H", "W", "W", "H//2", "2*W", "H+1", "W+2")
_NUMBERS = (-3, -2, -1, -1, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8)

Known = tuple[str, str, tuple[str, ...], tuple[tuple[str, Any], ...]]
"""A call of a test: the module, the text, the specs and the options."""


@cache
def modules() -> tuple[ModuleType, ...]:
    """The tests of the size rules."""
    return tuple(importlib.import_module(f"tests.ops.{path.stem}") for path in sorted(_TESTS.glob("ops/test_*.py")))


@cache
def strategies() -> tuple[Callable[[int], Claims | None], ...]:
    """What draws calls in the tests: functions of a seed that check, and functions that draw a text."""
    found: list[Callable[[int], Claims | None]] = []
    for module in modules():
        for name, value in sorted(vars(module).items()):
            if not isinstance(value, FunctionType) or value.__module__ != module.__name__:
                continue
            if name.startswith("drawn_") and value.__annotations__.get("return") == "Claims":
                found.append(value)
            elif name.startswith("_draw") and str(value.__annotations__.get("return", "")).startswith("tuple[str, "):
                found.append(partial(_drawn_text, value))
    return tuple(found)


def _drawn_text(draw: Callable[[random.Random], tuple[str, Sequence[str]]], seed: int) -> Claims:
    drawn = random.Random(seed)
    text, specs = draw(drawn)
    return calls.check(text, specs, calls.points(drawn))


@cache
def known_calls() -> tuple[Known, ...]:
    """The calls that the tests have as text, found by running each test with a `check` that only takes notes."""
    found: dict[Known, None] = {}
    for module in modules():
        for name, test in sorted(vars(module).items()):
            if name.startswith("test_") and isinstance(test, FunctionType):
                for text in _texts(test):
                    found.update(dict.fromkeys(_noted(module, test, text)))
    return tuple(found)


def _texts(test: FunctionType) -> Iterator[str]:
    """The values of the parameter `text`, where it is the only one of a test."""
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize" and mark.args[0] == "text" and test.__code__.co_argcount == 1:
            yield from mark.args[1]


def _noted(module: ModuleType, test: FunctionType, text: str) -> list[Known]:
    notes: list[Known] = []

    def check(text: str, specs: Sequence[str], sizes: Any, **options: Any) -> Claims:
        notes.append((module.__name__, text, tuple(specs), tuple(options.items())))
        return Claims()

    names = {**vars(module), "check": check}
    try:
        with suppress(AssertionError):  # it asserts something of claims that were not made
            FunctionType(test.__code__, names, test.__name__, test.__defaults__, test.__closure__)(text)
    except pytest.fail.Exception:
        return []  # it wants a disagreement: a call that depends on values
    return notes


class _Redraw(ast.NodeTransformer):
    """Changes some of the whole numbers and truth values of a call; classes that a loss is told stay in range."""

    def __init__(self, drawn: random.Random, rate: float, *, classes: bool) -> None:
        self.drawn, self.rate, self.classes = drawn, rate, classes

    def visit_Call(self, node: ast.Call) -> ast.AST:
        kept = self.classes and ast.unparse(node.func) == "torch.tensor"
        return node if kept else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if self.drawn.random() > self.rate:
            return node
        if isinstance(node.value, bool):
            return ast.Constant(not node.value)
        return ast.Constant(self.drawn.choice(_NUMBERS)) if isinstance(node.value, int) else node


def changed(known: Known, drawn: random.Random) -> tuple[str, tuple[str, ...]]:
    """A known call with other numbers and other shapes."""
    _, text, specs, _ = known
    redraw = _Redraw(drawn, drawn.choice((0.0, 0.15, 0.4)), classes="cross_entropy" in text or "loss" in text)
    tree = redraw.visit(ast.parse(text, mode="eval"))
    rate = drawn.choice((0.0, 0.1, 0.3))
    return ast.unparse(tree), tuple(_other_spec(spec, drawn, rate) for spec in specs)


def _other_spec(spec: str, drawn: random.Random, rate: float) -> str:
    dims = [drawn.choice(_DIMS) if drawn.random() < rate else dim for dim in spec.split(",")]
    if drawn.random() < rate / 3:
        dims.insert(drawn.randrange(len(dims) + 1), drawn.choice(_DIMS))
    elif len(dims) > 1 and drawn.random() < rate / 3:
        del dims[drawn.randrange(len(dims))]
    return ",".join(dims)


def trial(seed: int) -> Trial:
    """One drawn call: of a strategy, or a known one that is changed."""
    drawn = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if drawn.random() < 0.4:
            return _told(f"trial {seed}", lambda: drawn.choice(strategies())(drawn.randrange(1 << 30)))
        known = drawn.choice(known_calls())
        text, specs = changed(known, drawn)
        points = calls.points(drawn, 6)
        return _told(f"trial {seed}: check({text!r}, {list(specs)}, {points})",
                     lambda: calls.check(text, specs, points, **{**dict(known[3]), "open_ended": True}))  # fmt: skip


def _told(name: str, check: Callable[[], Claims | None]) -> Trial:
    try:
        claims = check()
    except AssertionError as error:
        return Trial(1, (f"operations, {name}: {error}",))
    return Trial(0 if claims is None else claims.runs + claims.raises)
