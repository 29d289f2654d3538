"""Which Python functions a model reaches, found without running it: by the names that its code mentions.

More are found than are called; what is found by name only is looked at, never run. What a function mentions need not
be followed before it is called.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import torch

from shapelint.caches import kept
from shapelint.source.ownership import is_foreign, is_foreign_class

_WRAPPERS: Final = (
    *(FunctionType, MethodType, property, staticmethod, classmethod), functools.partial, functools.cached_property
)  # fmt: skip
_PLAIN: Final = frozenset({int, float, str, bool, type(None), list, tuple, dict, torch.Tensor, torch.nn.Parameter})
_HOOKS: Final = ("_forward_hooks", "_forward_pre_hooks")


def user_functions(module: torch.nn.Module) -> tuple[FunctionType, ...]:
    """The functions outside of torch and the standard library that a run of the model may call."""
    reached = Reached(module)
    waiting = deque(reached.found.values())
    while waiting:
        waiting.extend(reached.followed(function := waiting.popleft(), function.__code__))
    return tuple(reached.found.values())


def home_of(function: FunctionType) -> str:
    """The name of the module in which a function is; "" for one made of a text, in a namespace without a name."""
    name = function.__globals__.get("__name__")
    return name if isinstance(name, str) else ""


class Reached:
    """The functions that a model's parts, and the functions that were followed so far, mention by name."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.found: dict[int, FunctionType] = {}
        self._names: set[str] = {"forward"}
        self._seen: set[int] = set()
        self._by_name: dict[str, list[Any]] = {}
        self._waiting: deque[Any] = deque()
        for part in module.modules():
            self.of_module(part)

    def of_module(self, part: torch.nn.Module) -> tuple[FunctionType, ...]:
        """What is found besides in one module."""
        self._of_object(part, 2)
        for name in _HOOKS:
            self._waiting.extend(vars(part).get(name, {}).values())
        return self._visited()

    def of_class(self, kind: type) -> tuple[FunctionType, ...]:
        """What is found besides in a class."""
        self._waiting.append(kind)
        return self._visited()

    def followed(self, function: FunctionType, code: CodeType) -> tuple[FunctionType, ...]:
        """What is found besides when the names in a function's own code are followed."""
        self._learn(function, set(_names(code)))
        return self._visited()

    def _visited(self) -> tuple[FunctionType, ...]:
        known = len(self.found)
        while self._waiting:
            self._visit(self._waiting.popleft())
        return tuple(islice(self.found.values(), known, None))

    def _visit(self, item: Any) -> None:
        if id(item) in self._seen:
            return
        self._seen.add(id(item))
        if isinstance(item, FunctionType):
            self._function(item)
        elif isinstance(item, type):
            self._class(item)
        else:
            self._waiting.extend(_inside(item))

    def _function(self, function: FunctionType) -> None:
        if not home_of(function) or not is_foreign(home_of(function)):
            self.found[id(function)] = function
        self._waiting.extend(_enclosed(function))

    def _learn(self, function: FunctionType, names: set[str]) -> None:
        """What the function's code mentions: globals of its module, attributes of classes seen before or later."""
        for value in (*map(function.__globals__.get, names), *_cells(function)):
            if isinstance(value, ModuleType) and not is_foreign(value.__name__):
                space = vars(value)
                self._waiting.extend(space[name] for name in names & space.keys() if _is_code(space[name]))
            for each in _items(value):
                if each is not None and _is_code(each):
                    self._waiting.append(each)
                elif not isinstance(each, torch.nn.Module) and not is_foreign_class(type(each)):
                    self._of_object(each, 1)
        for name in names - self._names:
            self._names.add(name)
            self._waiting.extend(self._by_name.pop(name, ()))
        if "getattr" in names:
            self._waiting.extend(each for values in self._by_name.values() for each in values)
            self._by_name.clear()

    def _class(self, kind: type) -> None:
        foreign = [base for base in kind.__mro__ if is_foreign_class(base)]
        called = {name for base in foreign if base is not object for name in vars(base)}
        for base in kind.__mro__:
            if is_foreign_class(base):
                continue
            for name, value in list(vars(base).items()):
                if name in self._names or name in called or _is_special(name) or "getattr" in self._names:
                    self._waiting.append(value)
                elif _is_code(value):
                    self._by_name.setdefault(name, []).append(value)

    def _of_object(self, value: Any, depth: int) -> None:
        """The class of an object of the user's, and what its attributes hold."""
        self._waiting.append(type(value))
        for item in list(vars(value).values()) if hasattr(value, "__dict__") and depth else ():
            for each in _items(item):
                if _is_code(each):
                    self._waiting.append(each)
                elif not isinstance(each, torch.nn.Module) and not is_foreign_class(type(each)):
                    self._of_object(each, depth - 1)


def _items(value: Any) -> Iterable[Any]:
    if type(value) in (list, tuple):
        return list(value)
    return list(value.values()) if type(value) is dict else (value,)


def _is_code(value: Any) -> bool:
    """Whether a value is, or wraps, something that may hold the user's code."""
    if type(value) in _PLAIN:
        return False
    if isinstance(value, _WRAPPERS) or hasattr(type(value), "cache_info"):
        return True
    return isinstance(value, type) and not is_foreign_class(value)


def _inside(item: Any) -> Iterator[Any]:
    """The functions in a method, a property, a partial or a cache."""
    for name in ("__func__", "__wrapped__", "fget", "fset", "func"):
        inner = getattr(item, name, None)
        if inner is not None and not isinstance(item, torch.nn.Module):
            yield inner


def _enclosed(function: FunctionType) -> Iterator[Any]:
    """What a decorated function wraps."""
    yield from (each for value in _cells(function) for each in _items(value) if _is_code(each))
    if hasattr(function, "__wrapped__"):
        yield function.__wrapped__


def _is_special(name: str) -> bool:
    """Whether Python itself calls a method of this name."""
    return name.startswith("__") and name.endswith("__")


def _cells(function: FunctionType) -> Iterator[Any]:
    """The values of the variables around a function that it takes from there."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # one that has no value yet
            yield cell.cell_contents


@kept(16384)
def _names(code: CodeType) -> frozenset[str]:
    inner = (name for each in code.co_consts if isinstance(each, CodeType) for name in _names(each))
    return frozenset([*code.co_names, *inner])
