"""One place of a project that says how a class is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapelint.source.notebook import place_in
from shapelint.source.ownership import shown


@dataclass(frozen=True, slots=True)
class Usage:
    """One place where a class is built with literals, and the literals of a call of what was built; None for no call.

    `own` tells that it stands in the file of the class, and `run` that who runs its file as a program runs it.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    inputs: tuple[Any, ...] | None
    input_kwargs: Mapping[str, Any]
    file: str
    line: int
    own: bool
    run: bool = False

    @property
    def built(self) -> str:
        """The literals that it is built with, as in the source."""
        named = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return ", ".join([*map(repr, self.args), *named])


def place(usage: Usage) -> str:
    """`net.py:40`: where a usage stands, from the current folder where it lies in it."""
    file, line = place_in(os.path.realpath(usage.file), usage.line)
    return f"{shown(file)}:{line}"
