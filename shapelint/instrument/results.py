"""What the functions give that the user's code calls: told to the run, which knows the shapes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

import torch

from shapelint.source.fault import call_foreign
from shapelint.source.ownership import is_foreign, module_of

_TAKING: Final = frozenset({"pop", "popleft", "popitem", "get", "next"})
"""Functions written in C that give what a container of the user's holds."""
_DEEPEST: Final = 32
"""Deeper in one another no result is told: Python limits how many frames there are."""
_HOLDING: Final = (torch.Tensor, tuple, list, dict)
_running: list[str] = []
_hearing: list[Callable[[str, Any], None]] = []


@contextmanager
def results_heard(hear: Callable[[str, Any], None]) -> Iterator[None]:
    """While it is open, `hear` is called with the name of each function that the user's code calls, and its result."""
    _hearing.append(hear)
    try:
        yield
    finally:
        _hearing.remove(hear)


def telling_result(function: Any, called: Any) -> Any:
    """What is `called` in the place of a function; one that tells its result where somebody hears of it."""
    heard = _hearing and len(_running) < _DEEPEST and _is_told(function)
    return partial(_told, called, getattr(function, "__name__", type(function).__name__)) if heard else called


def _told(called: Callable[..., Any], name: str, /, *args: Any, **kwargs: Any) -> Any:
    _running.append(name)
    try:
        result = call_foreign(called, *args, **kwargs)
    finally:
        _running.pop()
    for hear in _hearing[-1:]:
        hear(name, result)
    return result


def handed_on(name: str, value: Any) -> Any:
    """The value, which the user's code gives another name; told as what is called is."""
    for hear in _hearing[-1:]:
        if isinstance(value, _HOLDING):
            hear(name, value)
    return value


def _is_told(function: Any) -> bool:
    """Whether it is code of the user's, or takes something out of a container; torch's functions are recorded."""
    kind = type(function)
    if kind is BuiltinFunctionType:
        return function.__name__ in _TAKING
    if kind is FunctionType or (kind is MethodType and type(function.__func__) is FunctionType):
        return not is_foreign(module_of(function))
    called = vars(kind).get("__call__")
    return type(called) is FunctionType and not (is_foreign(module_of(called)) or issubclass(kind, torch.nn.Module))
