"""What one turn of a loop hands on to the next, written as a row of marks: equal rows are the same to the loop's body.

Taken in is all that the body may read: the variables that it does not set first, what these hold, and the globals of
the modules whose code may run, with the classes in them. A size is marked by its function, a tensor by what is known
of it, a list or an object by what is in it and where it was met before.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import logging
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

import numpy as np
import torch

from shapelint.instrument.caches import in_place_of, results_kept_by
from shapelint.instrument.compiled import is_tracked
from shapelint.instrument.filled_list import FilledList
from shapelint.instrument.reachable import home_of
from shapelint.restore.module import attributes_of
from shapelint.restore.process import settings
from shapelint.size.condition import Condition, symbols_of
from shapelint.size.data_number import DataNumber
from shapelint.size.number import Size, function_of
from shapelint.size.ratio import Ratio
from shapelint.source.ownership import is_foreign, is_foreign_class
from shapelint.trace.recording.record import KnownTensor
from shapelint.trace.turns.handed_on import HandedOn, Unseen
from shapelint.trace.turns.owners import ALL_NAMES, Owners, names_in
from shapelint.trace.turns.parts import hides, slots_of, strides_of

_PLAIN: Final = frozenset({bool, str, bytes, complex, type(None), type(...), type(NotImplemented), torch.dtype,
                           torch.device, torch.memory_format, torch.layout})  # fmt: skip
_APART: Final = (
    type, ModuleType, MethodDescriptorType, WrapperDescriptorType, MemberDescriptorType, GetSetDescriptorType,
    re.Pattern, logging.Filterer, logging.Manager, enum.Enum, torch.Generator,
)  # fmt: skip
_BOUND: Final = (BuiltinFunctionType, MethodWrapperType)
_AROUND: Final = (MethodType, property, classmethod, staticmethod, functools.partial, *_BOUND)
_OF_THE_TURN: Final = frozenset({"_getframe", "currentframe"})
_FEW: Final = 4096

Settled = Callable[[Condition], bool]
"""Whether a condition comes out at every size as it does in this run."""


def state_of(
    known: Mapping[int, KnownTensor], settled: Settled, roots: Mapping[str, Any], frame: FrameType | None = None
) -> HandedOn:
    """What there is in some variables, and in the globals that the code of a frame and what it may call have names for.

    Of the conditions on which the strides of a tensor depend those that are `settled` are left out from now on. Raises
    Unseen.
    """
    walk = _Walk(known, settled)
    try:
        with torch._C.DisableTorchFunction():
            for name, root in roots.items():
                walk.root(name, root)
            if frame is not None:
                walk.code(frame.f_code, frame.f_globals)
                walk._mark(settings())
                walk.rest()
                if found := _OF_THE_TURN & walk.owners.read:
                    raise Unseen(f"what `{min(found)}` tells")
    except RecursionError as error:
        raise Unseen("what is nested too deep") from error
    return walk.state


class _Walk:
    """One walk; `codes` are still to be gone through, each with its globals."""

    def __init__(self, known: Mapping[int, KnownTensor], settled: Settled) -> None:
        self.state, self.codes = HandedOn(), list[tuple[CodeType, dict[str, Any]]]()
        self._known, self._settled, self._met = known, settled, dict[int, int]()
        self._kinds, self._named, self.owners = set[type](), set[tuple[int, str]](), Owners()

    def _mark(self, *marks: Any) -> None:
        self.state.marks.extend(marks)

    def _is_new(self, value: Any) -> bool:
        """Whether this object was not met before; if it was, it is marked by when that was."""
        if id(value) in self._met:
            self._mark(("again", self._met[id(value)]))
            return False
        self._met[id(value)] = len(self._met)
        self.state.held.append(value)
        return True

    def code(self, code: CodeType, space: dict[str, Any]) -> None:
        """What the names in a code may stand for among its globals."""
        names = names_in(code)
        self.owners.read |= names
        for name in sorted(space.keys() if ALL_NAMES & names else space.keys() & names):
            if (id(space), name) not in self._named and not name.startswith("__"):
                self._named.add((id(space), name))
                self._mark(name)
                self.value(space[name])

    def rest(self) -> None:
        """The functions that were met, and what all this code may read of the modules and classes that were."""
        more = True
        while more:
            while self.codes:
                self.code(*self.codes.pop())
            more = False
            for name, value in self.owners.unread():
                more = True
                self._mark(name)
                self.value(value)

    def root(self, name: str, value: Any) -> None:
        """A variable."""
        self._mark(name)
        self.state.names[len(self.state.marks) + 1] = name
        self.value(value)

    def value(self, value: Any) -> None:
        """One value and what is in it."""
        value = in_place_of(value)
        kind = type(value)
        if kind is int or kind is Size:
            return self._size(value)
        if kind in _PLAIN:
            return self._mark((kind, value))
        if kind is float:
            return self._mark(("float", repr(value)))
        if kind is Ratio:
            self._mark("ratio", value._denominator, value._nearest)
            return self.value(value._numerator)
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if issubclass(kind, tuple):
            self._mark((kind, len(value)))
            return self._each(tuple.__iter__(value))
        if issubclass(kind, (FunctionType, CellType, MappingProxyType, *_AROUND)):
            return self._function(value)
        if isinstance(value, type):
            return self._kind(value)
        if issubclass(kind, _APART):
            return self._same(value)
        return self._object(value, kind) if self._is_new(value) else None

    def _size(self, size: int) -> None:
        function = function_of(size)
        self.state.symbols |= function.symbols()
        self._mark("size", function)

    def _each(self, values: Iterable[Any]) -> None:
        for each in values:
            self.value(each)

    def _same(self, value: Any) -> None:
        """What cannot change, or of which only matters that it is the same one."""
        self.state.held.append(value)
        self._mark(("same", id(value)))
        if isinstance(value, ModuleType | type):
            self.owners.meet(value)

    def _object(self, value: Any, kind: type) -> None:
        self._mark(kind)
        if issubclass(kind, dict):
            self._mark(dict.__len__(value))
            for key, item in list(dict.items(value)):
                self.value(key)
                self.value(item)
        elif issubclass(kind, list | deque):
            items, axes = list((list if issubclass(kind, list) else deque).__iter__(value)), dict(self.state.axes)
            self._mark(len(items))
            self._each(items)
            if kind is FilledList:  # an item stands for many, of which a turn makes one larger and not all
                self.state.axes = axes
                return self._each(dataclasses.astuple(value.middle) if value.middle else ())
        elif issubclass(kind, set | frozenset):
            self._mark(frozenset(each if type(each) in (int, str) else (type(each), id(each)) for each in value))
            self.state.held.extend(value)
        elif kind is range or kind is slice:
            self._each((value.start, value.stop, value.step))
        elif issubclass(kind, np.ndarray | np.generic):
            return self._array(np.asarray(value))
        elif isinstance(value, weakref.ref):
            return self.value(value())
        elif is_foreign_class(kind):
            self._same(value)
        return self._attributes(value, kind)

    def _attributes(self, value: Any, kind: type) -> None:
        """The attributes of an object, and the code of its class."""
        if hides(kind) or isinstance(value, DataNumber | float | int):
            raise Unseen(f"a {kind.__name__}")
        if not is_foreign_class(kind):
            self._kind(kind)
        own = getattr(value, "__dict__", None) if is_foreign_class(kind) else attributes_of(value)
        if isinstance(own, dict) and own:
            for name, item in list(own.items()):
                self._mark(name)
                self.value(item)
        for each in kind.__mro__:
            for name in slots_of(each):
                self._mark(name)
                if hasattr(value, name):
                    self.value(getattr(value, name))

    def _kind(self, kind: type) -> None:
        """A class, with what it keeps itself if it is the user's."""
        self._same(kind)
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        self._kind(type(kind))
        for base in kind.__mro__:
            if is_foreign_class(base):
                continue
            for name, value in list(vars(base).items()):
                if not name.startswith("__") or isinstance(value, FunctionType):
                    self._mark(name)
                    self.value(value)

    def _function(self, value: Any) -> None:
        """A function, with what it closes over and keeps, and the globals that its code sees."""
        if isinstance(value, _AROUND):
            self._mark(type(value), value.__name__ if isinstance(value, _BOUND) else "")
            names = ("__self__", "__func__", "fget", "fset", "func", "args", "keywords")
            self._each(getattr(value, name) for name in names if hasattr(value, name))
        elif isinstance(value, CellType | MappingProxyType):
            if self._is_new(value):
                inside: list[Any] = [dict(value)] if isinstance(value, MappingProxyType) else []
                with suppress(ValueError):  # an empty one
                    inside.extend([value.cell_contents] if isinstance(value, CellType) else [])
                self._each(inside)
        elif isinstance(value, FunctionType) and (kept := results_kept_by(value)) is not None:
            if self._is_new(value):
                self._mark(("same", id(value)), len(kept))
                self._each((*kept, vars(value)["__wrapped__"]))
        elif not isinstance(value, FunctionType) or is_foreign(home_of(value)):
            self._same(value)
        elif self._is_new(value):
            self._mark(("same", id(value)))
            self._each((*(value.__closure__ or ()), *(value.__defaults__ or ())))
            self._each((value.__kwdefaults__ or {}).values())
            self._each(value.__dict__.values())
            if is_tracked(value.__code__):  # another one was not called
                self.codes.append((value.__code__, value.__globals__))

    def _array(self, array: Any) -> None:
        if array.size > _FEW or array.dtype.hasobject:
            raise Unseen("an array")
        self._mark((array.dtype.str, array.shape, array.tobytes()))

    def _tensor(self, tensor: torch.Tensor) -> None:
        if not self._is_new(tensor):
            return
        known = self._known.get(id(tensor))
        if known is None:
            self._mark(("tensor", id(tensor), tuple(tensor.shape), tensor._version))
            return
        self._mark(("tensor", tensor.dtype, tensor.device, known.name, known.constant, known.stale, type(tensor)))
        known.layout = tuple(each for each in known.layout if not self._settled(each))
        self.state.symbols.update(*map(symbols_of, known.layout))
        self._mark(strides_of(tensor), frozenset(known.layout))
        for axis, dim in enumerate(known.dims):
            self.state.axes[len(self.state.marks) + 1] = tensor, axis
            self._size(dim)
        if known.values is not None:
            self.value(known.values)
        if not tensor.is_meta:
            self._numbers(tensor)
        if tensor.__dict__:
            self.value(tensor.__dict__)

    def _numbers(self, tensor: torch.Tensor) -> None:
        """Those of a tensor that has some; a large one is the same where nobody wrote into it."""
        if tensor.numel() > _FEW or tensor.layout is not torch.strided:
            self._mark(id(tensor), tensor._version)
        else:
            self._mark(repr(tensor.tolist()))
