"""Drawn calls of torch functions, as source text, checked by `tests.operations.agree`."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch

from tests.operations import Claims, Contradiction, agree

_NAMES: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn}
_SMALL = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16)


def check(text: str, specs: Sequence[str], sizes: Sequence[dict[str, int]], **options: Any) -> Claims:
    """Checks the expression `text` of the tensors x, y and z."""
    function = eval(f"lambda x, y=None, z=None: {text}", dict(_NAMES))
    try:
        return agree(function, specs, sizes, **options)
    except Contradiction as error:
        raise Contradiction(error.kind, f"{text} of {'; '.join(specs)}: {error}") from None


def points(drawn: random.Random, count: int = 12) -> list[dict[str, int]]:
    """Sizes of the symbols H and W, small ones more often."""
    return [{"H": drawn.choice(_SMALL), "W": drawn.choice(_SMALL)} for _ in range(count)]


def check_drawn(seed: int, draw: Callable[[random.Random], tuple[str, Sequence[str]]], count: int = 15) -> None:
    """Checks `count` drawn calls, each at a dozen sizes; more must be claimed of other sizes than left open."""
    drawn = random.Random(seed)
    made = []
    for _ in range(count):
        text, specs = draw(drawn)
        made.append(check(text, specs, points(drawn)))
    claimed, silent = sum(each.runs + each.raises for each in made), sum(each.silent for each in made)
    reasons = sorted({reason for each in made for reason in each.reasons})
    assert claimed > silent, f"{silent} sizes left open, {claimed} claimed: {reasons}"
