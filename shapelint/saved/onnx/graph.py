"""An ONNX graph as plain data: what the reader made of a file, and what the module in `module.py` runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapelint.saved.graph import Given, Place, Stored


@dataclass(frozen=True, slots=True)
class GraphStep:
    """One operation of a graph: `name` is unique in its file; an input or output that is left out is ""."""

    name: str
    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    place: Place | None = None

    @property
    def title(self) -> str:
        """The operator with its domain, where it is not one of ONNX's own."""
        return f"{self.domain}.{self.operator}" if self.domain else self.operator


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which each finds what it takes, and the tensors that the file holds.

    `handed` are the names by which a graph inside of another one, such as the body of a Loop, is handed values, and
    `told` the dims that it tells of its outputs; None where it tells none.
    """

    inputs: tuple[Given, ...]
    outputs: tuple[str, ...]
    stored: Mapping[str, Stored]
    steps: tuple[GraphStep, ...]
    handed: tuple[str, ...] = ()
    told: tuple[tuple[int | str | None, ...] | None, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFunction:
    """A function that a file brings along for operators of its own; attributes may be handed on by reference."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    steps: tuple[GraphStep, ...]
    opset: int


@dataclass(frozen=True, slots=True)
class Model:
    """A graph with the version of ONNX's operators that it is written in, and its own functions."""

    graph: Graph
    opset: int
    functions: Mapping[tuple[str, str], FileFunction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute of a step in a function, whose value the call of the function gives."""

    name: str
