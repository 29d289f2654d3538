"""The modules and code objects in which the steps of a saved graph run, so that what they do has a name and a place."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from torch import nn

from shapelint.caches import kept
from shapelint.instrument.frames import no_place_above
from shapelint.saved.graph import Place
from shapelint.source.fault import call_foreign
from shapelint.trace.freeze import CONVOLUTIONS


class StepModule(nn.Module):
    """The frame of a step or a layer: what runs in it belongs to its name."""

    def forward(self, run: Callable[[], Any]) -> Any:
        """What runs."""
        return run()


class Convolution(StepModule):
    """The frame of a convolution, with its arguments per axis, as torch's own layers have them."""

    def __init__(self, arguments: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        for name, value in arguments.items():
            setattr(self, name, value)


CONVOLUTIONS.append(Convolution)


@kept(4096)
def trampoline(place: Place | None) -> Callable[[Callable[..., Any], Any, Any], Any]:
    """A function that calls another, and whose own frame stands at a place of the source; at none without one."""
    if place is None:
        return _nowhere
    return FunctionType(_code_at(place), {})


def _code_at(place: Place) -> CodeType:
    tree = ast.parse("def step(run, args, kwargs):\n    return run(*args, **kwargs)")
    line = linecache.getline(place.file, place.line).encode().rstrip()
    start = len(line) - len(line.lstrip())
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt | ast.arg):
            node.lineno = node.end_lineno = place.line
            node.col_offset, node.end_col_offset = start, len(line)
    module = compile(tree, place.file, "exec", dont_inherit=True)
    return next(each for each in module.co_consts if isinstance(each, CodeType))


def _nowhere(run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return call_foreign(run, *args, **kwargs)


no_place_above(_nowhere.__code__)
