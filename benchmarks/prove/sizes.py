"""Sizes and sets of sizes against brute force on integers: the laws of `tests/size/`, on new examples."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import hypothesis

from benchmarks.prove.trial import Trial

_EXAMPLES = 25
_MODULES = ("test_function", "test_number", "test_sets", "test_words")


@cache
def laws() -> tuple[Any, ...]:
    """The properties in the tests of sizes, as hypothesis knows them."""
    values = [value for name in _MODULES for value in vars(importlib.import_module(f"tests.size.{name}")).values()]
    return tuple(value for value in values if isinstance(value, FunctionType) and hasattr(value, "hypothesis"))


def trial(seed: int) -> Trial:
    """One law on some examples; hypothesis makes a failing one small."""
    law = random.Random(seed).choice(laws())
    examples = [0]
    try:
        _again(law, seed, examples)()
    except AssertionError as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        return Trial(examples[0], (f"sizes, trial {seed}: {law.__name__}: {error}\n{notes}",))
    return Trial(examples[0])


def _again(law: Any, seed: int, examples: list[int]) -> Callable[[], None]:
    """The law on examples that the seed draws, counted."""
    inner, strategies = law.hypothesis.inner_test, law.hypothesis._given_kwargs

    def counted(**drawn: Any) -> None:
        examples[0] += 1
        inner(**drawn)

    counted.__name__ = law.__name__
    settings = hypothesis.settings(max_examples=_EXAMPLES, deadline=None, database=None, print_blob=False)
    asked: Callable[[], None] = hypothesis.seed(seed)(settings(hypothesis.given(**strategies)(counted)))
    return asked
