"""What the user's code is about to call: functions written in C, and the standard library's, hear of sizes first.

They take the plain value of a size without a word: `t.pop(h)`, `itertools.islice(t, h)`, `json.dumps([h])`.
"""

from __future__ import annotations

import builtins
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, MethodWrapperType, ModuleType
from typing import Any, Final

import torch

from shapelint.instrument.builtins import TRACKED, item
from shapelint.instrument.legacy import LEGACY
from shapelint.instrument.sized_shape import shape_of
from shapelint.instrument.standins import Heard, Hidden
from shapelint.size.operand import left_operand

_IN_C: Final = (BuiltinFunctionType, MethodDescriptorType, MethodWrapperType)
_SCRIPTED: Final = (torch.jit.ScriptFunction, torch._C.ScriptMethod)
_KEYED: Final = (dict, set, frozenset, OrderedDict, defaultdict)
_HARMLESS: Final = frozenset({
    "isinstance", "issubclass", "type", "getattr", "setattr", "hasattr", "zip", "enumerate", "reversed", "list", "str",
    "tuple", "dict", "set", "frozenset", "sorted", "any", "all", "iter", "next", "map", "filter", "super", "id", "abs",
    "round", "print", "bool", "slice", "repr", "format", "hash", "callable", "object", "append", "appendleft", "extend",
    "index", "count", "remove", "copy", "join", "__new__", "__init__", "__setattr__", "__getattribute__", "reduce",
    "eval", "exec", "locals", "globals", "chain", "product", "starmap", "partial", "OrderedDict", "defaultdict",
})  # fmt: skip
_HARMLESS_MODULES: Final = frozenset({
    "typing", "dataclasses", "contextlib", "functools", "copy", "warnings", "logging", "abc", "enum", "types",
    "inspect",
})  # fmt: skip
_BY_VALUE: Final[dict[Any, Callable[..., Any]]] = {
    **{getattr(builtins, name): tracked for name, tracked in TRACKED.items()}, torch.Size: shape_of, **LEGACY,
}  # fmt: skip


def callee(function: Any) -> Any:
    """The function, or the one that is called in its place."""
    kind = type(function)
    if kind is MethodType and type(function.__func__) is FunctionType:
        return function
    if kind is FunctionType:
        return Heard(function) if _is_strange(function.__module__) else function
    if kind in _SCRIPTED:
        return Hidden(function)
    if kind in _IN_C or kind.__name__ == "cython_function_or_method" or kind is MethodType:
        return _in_c(function)
    if isinstance(function, type):
        found = _BY_VALUE.get(function)
        if found is not None or function.__name__ in _HARMLESS:
            return found or function
        return Heard(function) if _is_strange(function.__module__) else function
    return function


def _in_c(function: Any) -> Any:
    owner = getattr(function, "__self__", None)
    kind = type(owner)  # of the object itself nothing is asked: it may be its own `__getattribute__` that calls
    if issubclass(kind, (torch.Tensor, *_KEYED)) or function.__name__ in _HARMLESS:
        return function
    home = owner if issubclass(kind, ModuleType) else kind
    module = getattr(function, "__module__", None)  # a method-wrapper has none
    name: str = module or getattr(home, "__module__", None) or getattr(home, "__name__", None) or ""
    if name == "_operator":
        return item if function.__name__ == "getitem" else partial(_left_first, function)
    if name.startswith("torch") or getattr(home, "__module__", None) == "torch._C" or name in _HARMLESS_MODULES:
        return function
    return _BY_VALUE.get(function) or Heard(function)


def _left_first(function: Any, *operands: Any) -> Any:
    return function(*map(left_operand, operands[:1]), *operands[1:])


def _is_strange(name: str | None) -> bool:
    root = (name or "").partition(".")[0]
    return root in sys.stdlib_module_names and root not in _HARMLESS_MODULES and root != "__main__"
