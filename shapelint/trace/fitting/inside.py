"""Functions of torch that are written in Python and have no size rule: their own calls are followed."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any, Final

from shapelint.caches import kept
from shapelint.source.fault import call_foreign
from shapelint.trace.recording.record import Recording

_HOMES: Final = frozenset({"torch.nn.functional", "torch.functional"})
_ASKED: Final = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


def is_followed(function: Any) -> bool:
    """Whether a function of torch is Python code whose calls have size rules, or may be tried, each for itself."""
    return isinstance(function, FunctionType) and function.__module__ in _HOMES


def value_inside(recorder: Recording, function: FunctionType, args: Any, kwargs: Any) -> Any:
    """What the function gives, each of its calls recorded; raises what it raises."""
    with recorder:
        return call_foreign(_undispatched(function), *args, **kwargs)


@kept(256)
def _undispatched(function: FunctionType) -> Callable[..., Any]:
    """The function without the question by which it hands itself to a mode of torch's functions first."""
    space = {**function.__globals__, **dict.fromkeys(_ASKED, _no)}
    closure = tuple(map(_undispatched_cell, function.__closure__ or ())) or None
    same = FunctionType(function.__code__, space, function.__name__, function.__defaults__, closure)
    same.__kwdefaults__ = function.__kwdefaults__
    return same


def _undispatched_cell(cell: CellType) -> CellType:
    """One of the two functions between which a function with a flag chooses asks too."""
    inner = cell.cell_contents
    return CellType(_undispatched(inner)) if is_followed(inner) else cell


def _no(*_: object) -> bool:
    return False
