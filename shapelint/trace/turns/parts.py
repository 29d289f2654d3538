"""What of a value decides what code does with it: where its attributes are, how a tensor lies in memory."""

from __future__ import annotations

import datetime
import decimal
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from typing import Any, Final

import numpy as np
import torch

from shapelint.source.ownership import is_foreign_class

_IN_PYTHON: Final = 1 << 9
_SHOWN: Final = frozenset({
    object, dict, list, set, frozenset, tuple, deque, OrderedDict, defaultdict, range, slice, np.ndarray, weakref.ref,
    types.SimpleNamespace,
})  # fmt: skip
_CONSTANT: Final = frozenset({
    decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, np.dtype, np.ufunc,
    types.GenericAlias, types.UnionType, types.CodeType, torch.finfo, torch.iinfo, torch.Tag,
    type(threading.Lock()), type(threading.RLock()),
})  # fmt: skip


def hides(kind: type) -> bool:
    """Whether objects of a class may hold what changes and no attribute shows, as those of C code do."""
    if hasattr(kind, "__next__"):
        return True
    return not issubclass(kind, np.generic) and not {_made_in_c(kind), kind} & (_SHOWN | _CONSTANT)


def _made_in_c(kind: type) -> type:
    """The class of C code on which a class is built; see `copyreg`."""
    for base in kind.__mro__:
        new = vars(base).get("__new__")
        own = isinstance(new, types.BuiltinFunctionType) and new.__self__ is base
        if own or not base.__flags__ & _IN_PYTHON:
            return base
    return object


def strides_of(tensor: torch.Tensor) -> Any:
    """The strides of a tensor; of contiguous ones, which follow from the sizes, only that they are."""
    if tensor.layout is not torch.strided:
        return tensor.layout
    return "contiguous" if tensor.is_contiguous() else tensor.stride()


def slots_of(kind: type) -> tuple[str, ...]:
    """The names of the attributes that objects of a class of the user's keep in no dict."""
    names = vars(kind).get("__slots__", ())
    names = (names,) if isinstance(names, str) else tuple(names)
    own = {_mangled(kind, name) for name in names} - {"__dict__", "__weakref__"}
    return () if is_foreign_class(kind) else tuple(sorted(own))


def _mangled(kind: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name
