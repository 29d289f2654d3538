"""The page a drawn model is written on: constructor lines, forward lines, and what is known of the tensor `x`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")
Axes = tuple[int, ...]

HEADER = '''"""Drawn model, seed {seed}."""
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
'''


@dataclass(frozen=True, slots=True)
class Level:
    """What a decoder level has to undo: the geometry of the encoder's layer, and the names it left behind."""

    kernel: Axes
    stride: Axes
    padding: Axes
    dilation: Axes
    size: str
    channels: int
    skip: str = ""
    indices: str = ""
    ceil: bool = False


@dataclass(slots=True)
class Writer:
    """Collects the source of one model; `channels` is the channel count of `x` after the lines so far.

    `nominal` is an input shape that is worth a try: a dense layer is pinned to it.
    """

    random: Random
    rank: int
    channels: int
    init: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    counter: int = 0
    nominal: tuple[int, ...] = ()

    def pick(self, *values: Choice) -> Choice:
        return self.random.choice(values)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def weighted(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def name(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def line(self, text: str) -> None:
        self.body.append(text)

    def module(self, expression: str, stem: str = "layer") -> str:
        name = self.name(stem)
        self.init.append(f"self.{name} = {expression}")
        return f"self.{name}"

    def apply(self, expression: str, stem: str = "layer") -> None:
        self.line(f"x = {self.module(expression, stem)}(x)")

    def kind(self, name: str) -> str:
        return f"{name}{self.rank}d"

    def each(self, value: int) -> Axes:
        return (value,) * self.rank

    def axes(self, *values: int, mixed: float = 0.15) -> Axes:
        """One drawn value for all axes, or now and then one for each."""
        if self.chance(mixed):
            return tuple(self.random.choice(values) for _ in range(self.rank))
        return self.each(self.random.choice(values))

    def text(self, values: Sequence[int | float]) -> str:
        """The values as one would write them: a single number where they are equal, mostly."""
        if len(set(values)) == 1 and self.chance(0.8):
            return str(values[0])
        return "(" + ", ".join(map(str, values)) + ("," if len(values) == 1 else "") + ")"

    def remember_size(self) -> str:
        name = self.name("size")
        self.line(f"{name} = {self.pick('x.shape[2:]', 'x.size()[2:]', f'x.shape[-{self.rank}:]')}")
        return name

    def same_convolution(self, channels: int, expression: str = "x") -> None:
        """A stride-1 convolution that keeps the size and sets the channels."""
        kernel = self.pick(1, 3, 3, 3, 5)
        dilation = self.pick(1, 1, 1, 2)
        padding = self.pick(str(dilation * (kernel - 1) // 2), "'same'")
        mode = ""
        if self.chance(0.2):
            mode = f", padding_mode='{self.pick('reflect', 'replicate', 'circular')}'"
        layer = self.module(f"nn.{self.kind('Conv')}({self.channels}, {channels}, {kernel}, padding={padding}, "
                            f"dilation={dilation}{mode})", "conv")  # fmt: skip
        self.channels = channels
        self.line(f"x = {layer}({expression})")

    def source(self, seed: int, final: str = "return x") -> str:
        """The whole module as text."""
        init = self.init or ["pass"]
        return (
            HEADER.format(seed=seed)
            + "".join(f"        {line}\n" for line in init)
            + "\n    def forward(self, x):\n"
            + "".join(f"        {line}\n" for line in [*self.body, final])
        )
