"""The modules of a model as a table: each call with its class, what it gives, and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from shapelint.facts.call import Call
from shapelint.report.table import aligned

_LAZY: Final = "Lazy"
"""How torch names the layers whose parameters get their sizes when they are first called."""


@dataclass(slots=True)
class _Branch:
    """The call of a module, and those of the modules that it called."""

    call: Call
    parts: list[_Branch] = field(default_factory=list)


def layer_lines(calls: Sequence[Call], shape: Callable[[Call], str], width: int | None = None) -> Iterator[str]:
    """The table of the modules of one run, as they end; parts of a module are indented below it."""
    roots: list[_Branch] = []
    for call in calls:
        if call.kind and (shape(call) or not call.outputs):
            branch = _Branch(call)
            while roots and _is_part(roots[-1].call, call):
                branch.parts.insert(0, roots.pop())
            roots.append(branch)
    counted: set[str] = set()
    rows = [row for branch in roots for row in _rows(branch, 0, shape, counted)]
    if not rows:
        yield "no module was called"
        return
    yield from aligned([("layer", "class", "output", "parameters"), *rows], width)
    yield ""
    whole = next((branch.call for branch in roots if not branch.call.module), None)
    if whole is not None:
        lazy = any(call.kind.startswith(_LAZY) and not call.parameters for call in calls)
        yield f"{whole.parameters:,} parameters" + ", without those of lazy layers" * lazy


def _is_part(call: Call, module: Call) -> bool:
    """Whether a call belongs to a module, by its name, or as a layer of it that has its name from elsewhere."""
    named = call.module != module.module and (not module.module or call.module.startswith(module.module + "."))
    return named or (call.inner and not module.inner and call.place == module.place)


def _rows(
    branch: _Branch, depth: int, shape: Callable[[Call], str], counted: set[str]
) -> Iterator[tuple[str, str, str, str]]:
    call = branch.call
    name = (call.module or "(model)") + (f", call {call.call}" if call.call > 1 else "")
    count = "again" if call.module in counted and call.parameters else f"{call.parameters:,}" if call.parameters else ""
    counted.add(call.module)
    yield "  " * depth + name, call.kind, shape(call), count
    for part in branch.parts:
        yield from _rows(part, depth + 1, shape, counted)
