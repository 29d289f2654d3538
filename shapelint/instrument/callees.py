"""What the user's code is about to call: functions written in C, and the standard library's, hear of sizes first.

They take the plain value of a size without a word: `t.pop(h)`, `itertools.islice(t, h)`, `json.dumps([h])`.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, reduce
from itertools import accumulate, starmap
from numbers import Number
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final, Protocol

import numpy as np
import torch

from shapelint.instrument.builtins import TRACKED, item, tracked_sorted
from shapelint.instrument.caches import CACHED, in_place_of
from shapelint.instrument.identity import TELLING_APART
from shapelint.instrument.keys import asking, contained, has_texts, iterated
from shapelint.instrument.legacy import LEGACY
from shapelint.instrument.operand import compared, left_operand
from shapelint.instrument.reachable import home_of
from shapelint.instrument.resizes import is_resize, resized
from shapelint.instrument.results import telling_result
from shapelint.instrument.sized_shape import shape_of
from shapelint.instrument.standins import Heard, Hidden, stand_in
from shapelint.instrument.without_source import tell
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import is_foreign, is_foreign_class, module_of

_IN_C: Final = (BuiltinFunctionType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType)
_NUMBERS: Final = (int, float, complex, bytes, Number)
_SCRIPTED: Final = (torch.jit.ScriptFunction, torch._C.ScriptMethod)
_KEYED: Final = (dict, set, frozenset, OrderedDict, defaultdict)
_ON_THE_LEFT: Final = frozenset({
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift",
})  # fmt: skip
_COMPARING: Final = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_OF_ONE: Final = frozenset(
    {"invert", "abs", "neg", "pos", "not", "truth", "inv", "is", "is_not", "concat", "matmul"}
)
_HARMLESS: Final = frozenset({
    "isinstance", "issubclass", "type", "getattr", "setattr", "hasattr", "zip", "enumerate", "reversed", "list", "str",
    "tuple", "dict", "set", "frozenset", "any", "all", "iter", "next", "super", "id", "abs", "round", "print", "bool",
    "slice", "repr", "format", "hash", "callable", "object", "append", "appendleft", "extend", "index", "count",
    "remove", "copy", "join", "__new__", "__init__", "__setattr__", "__getattribute__", "eval", "exec", "locals",
    "globals", "chain", "product", "partial", "OrderedDict", "defaultdict", "Exception", "ValueError", "RuntimeError",
    "AssertionError", "TypeError", "NotImplementedError", "IndexError", "KeyError",
})  # fmt: skip
_HARMLESS_MODULES: Final = frozenset({
    "typing", "dataclasses", "contextlib", "functools", "copy", "warnings", "logging", "abc", "enum", "types",
    "inspect",
})  # fmt: skip

_LOST: Final = {
    **{id(each): f"what {each.__name__}() runs has no source" for each in (builtins.eval, builtins.exec)},
    # While a check runs, functions of ours stand between those of the user's.
    **{
        id(each): f"what {each.__name__}() tells of the callers"
        for each in (sys._getframe, inspect.currentframe, inspect.stack, inspect.getouterframes)
    },
}
"""Functions by their ids, with what no run hears of."""


def _handed(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A function that calls others: those that it is given hear of sizes too."""
    return call_foreign(function, *map(_given, args), **{name: _given(value) for name, value in kwargs.items()})


def _given(value: Any) -> Any:
    if isinstance(value, torch.nn.Module):
        _tell_of_owner(value)
    return callee(value) if callable(value) and not isinstance(value, torch.nn.Module) else value


def _keyed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **{name: _given(value) if name == "key" else value for name, value in kwargs.items()})


def _sort(items: Any, **kwargs: Any) -> None:
    items[:] = _keyed(tracked_sorted, items, **kwargs)


_BY_VALUE: Final[dict[Any, Callable[..., Any]]] = {
    **{getattr(builtins, name): tracked for name, tracked in TRACKED.items()}, torch.Size: shape_of, **LEGACY,
    **TELLING_APART, **{each: partial(_handed, each) for each in (map, filter, reduce, starmap, accumulate)},
    **{getattr(builtins, name): partial(_keyed, TRACKED[name]) for name in ("sorted", "max", "min")},
}  # fmt: skip


class Hearing(Protocol):
    """Who hears of the user's code that is about to be called."""

    def take(self, function: FunctionType) -> None:
        """Hears of a function."""

    def take_class(self, kind: type) -> None:
        """Hears of a class, of which a method of the library's calls the user's."""

    def take_module(self, module: torch.nn.Module) -> None:
        """Hears of a module, whose parts torch calls."""


_found: list[Hearing] = []
_HANDING: Final = frozenset({
    "torch.utils.checkpoint", "torch._functorch.apis", "torch._functorch.eager_transforms",
    "torch._functorch.functional_call", "torch.autograd.functional", "torch.nn.utils.stateless",
    "torch.nn.utils.parametrize", "torch.nn.parallel.parallel_apply",
})  # fmt: skip
"""Modules of torch whose functions call those that they are given."""


@contextmanager
def user_code_found(hearing: Hearing) -> Iterator[None]:
    """While it is open, `hearing` is told of all code of the user's that is about to be called."""
    _found.append(hearing)
    try:
        yield
    finally:
        _found.remove(hearing)


def callee(function: Any) -> Any:
    """The function, or the one that is called in its place."""
    found = _callee(function)
    if has_texts() and function is not len and function is not range and type(found) not in (FunctionType, MethodType):
        found = partial(_gone_through, found)
    return telling_result(function, found)


def callee_of_nothing(function: Any) -> Any:
    """As `callee`, for a call without arguments: it hears of no size."""
    if type(function) in (FunctionType, MethodType, partial):
        _callee(function)
    else:
        _tell_of(function)
    return telling_result(function, in_place_of(function))


def _gone_through(function: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function that is not in Python may go through, as `"".join(masks)` does."""
    return call_foreign(function, *map(iterated, args), **kwargs)


def _callee(function: Any) -> Any:
    kind = type(function)
    if kind is FunctionType:
        return _in_python(function)
    if kind is MethodType and type(function.__func__) is FunctionType:
        return _method(function)
    if kind is CACHED:
        callee(function.__wrapped__)
        return in_place_of(function)
    if kind in _SCRIPTED:
        made_from = getattr(function, "_torchdynamo_inline", None)  # the Python function, which torch keeps so
        return _in_python(made_from) if isinstance(made_from, FunctionType) else Hidden(function)
    if kind in _IN_C or kind is MethodType or kind.__name__ == "cython_function_or_method":
        return _in_c(function)
    if kind is partial:
        inner = callee(function.func)
        return function if inner is function.func else partial(inner, *function.args, **function.keywords)
    if module_of(kind) == "numpy":
        return _of_numpy(function)
    if isinstance(function, torch.nn.Module):
        _tell_of_owner(function)
    return _class(function) if isinstance(function, type) else function


def _method(function: MethodType) -> Any:
    """A method that is written in Python; one of the library's may call others of the same object."""
    inner: Any = function.__func__
    if is_foreign(home_of(inner)):
        _tell_of_owner(function.__self__)
        if _hands_on(inner):
            return partial(_handed, function)
    return function if _in_python(inner) is inner else Heard(function)


def _tell_of_owner(owner: Any) -> None:
    kind = owner if isinstance(owner, type) else type(owner)
    if _found and isinstance(owner, torch.nn.Module):
        _found[-1].take_module(owner)
    elif _found and not is_foreign_class(kind):
        _found[-1].take_class(kind)


def _hands_on(function: FunctionType) -> bool:
    """Whether a function of torch calls what it is given, now or later."""
    home, name = module_of(function) or "", function.__name__
    known = home in _HANDING or name.startswith("register_") or name in ("compile", "apply")
    return known and home.partition(".")[0] == "torch"


def _in_python(function: FunctionType) -> Any:
    """A function that is written in Python; the user's is compiled, if no one has foreseen that it is called."""
    name = home_of(function)
    if name.partition(".")[0] == "numpy":
        return _of_numpy(function)
    _tell_of(function)
    if is_resize(function):
        return partial(resized, function)
    if _is_strange(name):
        return Heard(function)
    if not (name and is_foreign(name)):
        if _found:
            _found[-1].take(function)
        return function
    inner = getattr(function, "__wrapped__", None)  # such as `torch.no_grad()` makes of the user's
    if type(inner) is FunctionType:
        _in_python(inner)
    return partial(_handed, function) if _hands_on(function) else function


def _tell_of(function: Any) -> None:
    if id(function) in _LOST:
        tell(_LOST[id(function)])


def _class(kind: type) -> Any:
    found = _BY_VALUE.get(kind)
    if found is not None or kind.__name__ in _HARMLESS:
        return found or kind
    return Heard(kind) if issubclass(kind, _NUMBERS) or _is_strange(module_of(kind)) else kind


def _of_numpy(function: Any) -> Any:
    found = stand_in(function)
    return Heard(function) if found is function else found


def _in_c(function: Any) -> Any:
    owner = getattr(function, "__self__", None)
    kind = type(owner)  # of the object itself nothing is asked: it may be its own `__getattribute__` that calls
    if issubclass(kind, (torch.Tensor, *_KEYED)) or issubclass(getattr(function, "__objclass__", kind), _KEYED):
        return asking(function, owner)
    if kind is CACHED:
        return in_place_of(function)
    _tell_of(function)
    if kind is ModuleType and function in _BY_VALUE:
        return _BY_VALUE[function]
    if kind is list and function.__name__ == "sort":
        return partial(_sort, owner)
    if function.__name__ in _HARMLESS:
        return function
    home = owner if issubclass(kind, ModuleType) else getattr(function, "__objclass__", kind)
    module = getattr(function, "__module__", None)  # a method-wrapper has none
    name: str = module or getattr(home, "__module__", None) or getattr(home, "__name__", None) or ""
    if name == "_operator":
        return _of_operator(function)
    if function is torch.from_numpy:
        return _from_numpy
    if name.startswith("torch") or getattr(home, "__module__", None) == "torch._C" or name in _HARMLESS_MODULES:
        return function
    found = stand_in(function)
    return Heard(function) if found is function else found


def _from_numpy(array: Any) -> Any:
    """The one function of torch that takes no tensor and that no mode hears of."""
    return torch.as_tensor(array) if type(array) is np.ndarray else Heard(torch.from_numpy)(array)


def _of_operator(function: Any) -> Any:
    """A function of the module `operator`, which does what an operator does in the source."""
    name = function.__name__.strip("_")
    if name in _COMPARING:
        return lambda first, *others: call_foreign(function, compared(first), *others)
    if name in _ON_THE_LEFT or name.removeprefix("i") in _ON_THE_LEFT:
        return partial(_applied, function)
    if name in ("getitem", "contains"):
        return item if name == "getitem" else lambda container, value: contained(value, container)
    return function if name in _OF_ONE else Heard(function)


def _applied(function: Any, first: Any, *others: Any) -> Any:
    """An operator on its operands; a text that takes them, as `operator.mod("%d", h)`, tells nobody itself."""
    if isinstance(first, str | bytes):
        return Heard(function)(first, *others)
    return call_foreign(function, left_operand(first), *others)


def _is_strange(name: str | None) -> bool:
    root = (name or "").partition(".")[0]
    return root == "numpy" or (root in sys.stdlib_module_names and root not in (*_HARMLESS_MODULES, "__main__"))
