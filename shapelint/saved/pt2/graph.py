"""An exported program as plain data, and the conditions on its inputs that torch.export wrote down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shapelint.saved.graph import Given, Place, Stored

_SYMBOL: Final = re.compile(r"(?:Symbol\('(\w+)'[^()]*\)|(\w+))")


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most that a size of the inputs may be; None for no bound."""

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """One call of a graph: its arguments are still JSON; `module` is the path of the layer that made it."""

    target: str
    positional: tuple[Any, ...]
    keywords: Mapping[str, Any]
    outputs: tuple[Any, ...]
    name: str
    module: str
    kind: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class ProgramPart:
    """A graph that a call takes, such as each way of `torch.cond`: names of its inputs, its calls, and its outputs."""

    inputs: tuple[str, ...]
    calls: tuple[ProgramCall, ...]
    outputs: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A program: `symbols` are the names of the open sizes of its inputs, `paths` what guards call the inputs."""

    given: tuple[Given, ...]
    paths: Mapping[str, str]
    symbols: tuple[tuple[str | None, ...], ...]
    ranges: Mapping[str, Range]
    guards: tuple[str, ...]
    held: Mapping[str, Stored]
    constants: Mapping[str, Any]
    calls: tuple[ProgramCall, ...]
    outputs: tuple[str, ...]


def symbol_in(size: Any) -> str | None:
    """The symbol that a size is; None for a number, or for an expression."""
    text = size["as_expr"]["expr_str"] if "as_expr" in size else ""
    match = _SYMBOL.fullmatch(text)
    return None if match is None else match[1] or match[2]
