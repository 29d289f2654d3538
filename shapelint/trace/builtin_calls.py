"""Lets sizes survive the calls of `int`, `float`, `max`, `min` and `range` in the user's own code.

Python hands an int subclass to these as a plain number. For the time of a check, the functions of the user's modules
call our versions instead: in their byte code, `LOAD_GLOBAL int` that starts a call is given another name, and a
literal float is one that leaves `0.5 * h` to the size. `isinstance(x, int)`, `type(x) is int` and the builtins
themselves stay as they are.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce
from opcode import opmap
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import torch

from shapelint.size.number import Size, larger, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import lose, symbolic

_LOAD: Final = opmap["LOAD_GLOBAL"]
_EXTENDED: Final = opmap["EXTENDED_ARG"]
_PREFIX: Final = "__shapelint_"


def tracked_int(*args: Any, **kwargs: Any) -> Any:
    """int(), where a size stays a size and a quotient of sizes is rounded towards zero."""
    if len(args) == 1 and not kwargs:
        if isinstance(args[0], Size) and symbolic(args[0]):
            return args[0]
        if isinstance(args[0], Ratio):
            return args[0].__trunc__()
        if isinstance(args[0], torch.Tensor):
            return args[0].__int__()
    return int(*args, **kwargs)


def tracked_float(*args: Any) -> Any:
    """float(), where a size becomes an exact quotient."""
    if len(args) == 1 and isinstance(args[0], Size) and symbolic(args[0]):
        return Ratio(args[0], 1)
    return args[0] if len(args) == 1 and isinstance(args[0], Ratio) else float(*args)


def tracked_max(*args: Any, **kwargs: Any) -> Any:
    """max(), kept as a function where it compares integers of which one is a size."""
    return _extreme(max, larger, args, kwargs)


def tracked_min(*args: Any, **kwargs: Any) -> Any:
    """min(), kept as a function where it compares integers of which one is a size."""
    return _extreme(min, smaller, args, kwargs)


def tracked_range(*args: Any) -> range:
    """range(), which tells that a size became the length of a loop."""
    lose("range() over a size", *args)
    return range(*args)


def _extreme(builtin: Callable[..., Any], kept: Callable[[int, int], int], args: Any, kwargs: Any) -> Any:
    items = args if len(args) > 1 else args[0]
    whole = isinstance(items, (tuple, list)) and len(items) > 1 and all(isinstance(each, int) for each in items)
    if not kwargs and whole and any(map(symbolic, items)):
        return reduce(kept, items)
    return builtin(*args, **kwargs)


class TrackedFloat(float):
    """A literal float of the user's code, which leaves arithmetic with a size to the size: `0.5 * h`."""

    def __add__(self, other: Any) -> Any:
        return other + float(self) if symbolic(other) else float.__add__(self, other)

    def __sub__(self, other: Any) -> Any:
        return -other + float(self) if symbolic(other) else float.__sub__(self, other)

    def __mul__(self, other: Any) -> Any:
        return other * float(self) if symbolic(other) else float.__mul__(self, other)

    def __lt__(self, other: Any) -> bool:
        return other > float(self) if symbolic(other) else float.__lt__(self, other)

    def __le__(self, other: Any) -> bool:
        return other >= float(self) if symbolic(other) else float.__le__(self, other)

    def __gt__(self, other: Any) -> bool:
        return other < float(self) if symbolic(other) else float.__gt__(self, other)

    def __ge__(self, other: Any) -> bool:
        return other <= float(self) if symbolic(other) else float.__ge__(self, other)

    def __eq__(self, other: object) -> bool:
        return other == float(self) if symbolic(other) else float.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = float.__hash__


_TRACKED: Final[dict[str, Callable[..., Any]]] = {
    "int": tracked_int,
    "float": tracked_float,
    "max": tracked_max,
    "min": tracked_min,
    "range": tracked_range,
}


@contextmanager
def tracked_builtins(module: torch.nn.Module) -> Iterator[None]:
    """While it is open, the code of the module's classes and of their packages calls the tracked versions."""
    changed: list[tuple[FunctionType, CodeType]] = []
    names: list[ModuleType] = []
    for source in _sources(module):
        names.append(source)
        source.__dict__.update({_PREFIX + name: function for name, function in _TRACKED.items()})
        for function in _functions(source):
            code = rewritten(function.__code__)
            if code is not function.__code__:
                changed.append((function, function.__code__))
                function.__code__ = code
    try:
        yield
    finally:
        for function, code in changed:
            function.__code__ = code
        for source in names:
            for name in _TRACKED:
                source.__dict__.pop(_PREFIX + name, None)


def _sources(module: torch.nn.Module) -> list[ModuleType]:
    """The modules of the classes that a model is made of, and what else of their packages is imported."""
    owners = {kind.__module__ for part in module.modules() for kind in type(part).__mro__}
    roots = {name.partition(".")[0] for name in owners} - {"torch", "builtins", "abc", "typing"}
    found = [item for name, item in list(sys.modules.items()) if name.partition(".")[0] in roots]
    return [item for item in found if isinstance(item, ModuleType) and item.__name__.partition(".")[0] != "shapelint"]


def _functions(source: ModuleType) -> Iterator[FunctionType]:
    """The functions that a module defines: at its top, in its classes, under decorators."""
    waiting: list[Any] = list(source.__dict__.values())
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType):
            if item.__globals__ is source.__dict__:
                yield item
            waiting.extend(_enclosed(item))
        elif isinstance(item, type) and item.__module__ == source.__name__:
            waiting.extend(vars(item).values())
        elif isinstance(item, (staticmethod, classmethod)):
            waiting.append(item.__func__)
        elif isinstance(item, property):
            waiting.extend((item.fget, item.fset))


def _enclosed(function: FunctionType) -> Iterable[Any]:
    """What a decorated function wraps."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue
    yield getattr(function, "__wrapped__", None)


@lru_cache(maxsize=16384)
def rewritten(code: CodeType) -> CodeType:
    """The code with calls of the tracked builtins renamed; the same object where there are none."""
    inner = tuple(map(_constant, code.co_consts))
    same = all(new is old for new, old in zip(inner, code.co_consts, strict=True))
    if not (set(code.co_names) & _TRACKED.keys()):
        return code if same else code.replace(co_consts=inner)
    names, raw = list(code.co_names), bytearray(code.co_code)
    for name in _TRACKED.keys() & set(code.co_names):
        _rename_calls(names, raw, name)
    return code.replace(co_code=bytes(raw), co_names=tuple(names), co_consts=inner)


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return rewritten(value)
    return TrackedFloat(value) if type(value) is float else value


def _rename_calls(names: list[str], raw: bytearray, name: str) -> None:
    """Points every `LOAD_GLOBAL name` that starts a call (its lowest bit: PUSH_NULL) to the tracked name.

    An index that does not fit into one byte is left alone: the leak is then heard, and takes the proof away.
    """
    fresh = (len(names) << 1) | 1
    if fresh > 255:
        return
    wanted = (names.index(name) << 1) | 1
    found = False
    for offset in range(0, len(raw), 2):
        plain = offset == 0 or raw[offset - 2] != _EXTENDED
        if raw[offset] == _LOAD and raw[offset + 1] == wanted and plain:
            raw[offset + 1] = fresh
            found = True
    if found:
        names.append(_PREFIX + name)


assert all(hasattr(builtins, name) for name in _TRACKED)
