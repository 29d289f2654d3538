"""What stands in for `math` and `numpy` in the globals of the user's modules while a check runs.

Functions written in C take the plain value of a size without a word: `math.log2(h)`, `np.zeros(h)`. Those of a
stand-in tell, or keep the function where the result has one.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

import numpy as np

from shapelint.instrument.dice import thrown, told
from shapelint.instrument.operand import left_operand
from shapelint.instrument.size_array import SizeArray, size_array, sizes_of_array
from shapelint.size.bits import integral
from shapelint.size.data_number import DataNumber
from shapelint.size.number import Size, larger, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.roots import whole_root
from shapelint.size.size_float import computed, is_size_float, size_of
from shapelint.size.tracking import lose, symbolic
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import module_of


def stand_in(value: Any) -> Any:
    """The value, or what a module or a function of one is replaced by in the user's code."""
    if isinstance(value, ModuleType):
        return value if isinstance(value, _StandIn) else _of_module(value)
    try:
        home, name = _stand_in_of(value.__module__ or type(value).__module__), value.__name__
    except Exception:  # a proxy for a module that is not installed may raise whatever it likes
        return value
    if home is not None and name and not isinstance(value, type) and getattr(home.real, name, None) is value:
        return getattr(home, name)
    return value


_made: dict[str, _StandIn] = {}


def _stand_in_of(name: str) -> _StandIn | None:
    """The stand-in of the module of a name; None where it has none, or the user's program has not imported it."""
    if name not in _made and name in _KEPT and name in sys.modules:
        _made[name] = (_Dice if name == "random" else _StandIn)(sys.modules[name], _KEPT[name])
    return _made.get(name)


def _of_module(module: ModuleType) -> Any:
    top, _, rest = module.__name__.partition(".")
    found: Any = _stand_in_of(top)
    if found is None or sys.modules.get(module.__name__) is not module:
        return module
    for part in rest.split(".") if rest else ():
        found = getattr(found, part)
    return found


class _StandIn(ModuleType):
    """A module whose functions hear of the sizes that they are given."""

    def __init__(self, real: ModuleType, kept: dict[str, Callable[..., Any]]) -> None:
        super().__init__(real.__name__)
        self.real, self._kept = real, kept

    def __getattr__(self, name: str) -> Any:
        value = call_foreign(getattr, self.real, name)
        if isinstance(value, ModuleType) and value.__name__.startswith(self.real.__name__):
            value = (_Dice if name == "random" else _StandIn)(value, {})
        elif name in self._kept:
            value = _Kept(self._kept[name], value)
        elif callable(value) and not isinstance(value, type):
            value = Heard(value)
        self.__dict__[name] = value
        return value


class _Dice(_StandIn):
    """A module of random numbers."""

    def __getattr__(self, name: str) -> Any:
        return thrown(call_foreign(getattr, self.real, name), f"{self.real.__name__}.{name}")


class Heard:
    """A function that tells of the sizes in its arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._name = f"{getattr(function, '__name__', 'a function')}() of a size"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        sizes = list(sizes_in((args, kwargs)))
        if not _hears_arrays(self._function):
            sizes += arrays_in((args, kwargs))
        for each in sizes:
            if isinstance(each, DataNumber):
                each.refuse(self._name.removesuffix(" of a size"))
        lose(self._name, *sizes)
        return call_foreign(self._function, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return call_foreign(getattr, self._function, name)


class _Kept(Heard):
    """A function whose result is kept; what it has itself, such as `np.maximum.reduce`, hears of sizes."""

    def __init__(self, compute: Callable[..., Any], function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._compute = compute

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._compute(self._function, *args, **kwargs)


class Hidden(Heard):
    """A function that no recorder can look into."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return told(self._function, "a function that torch.jit compiled, which hides its calls", *args, **kwargs)


def sizes_in(tree: Any) -> Iterator[Any]:
    """The sizes in nested arguments, and the numbers that the data decide."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, (tuple, list)):
        for part in tree:
            yield from sizes_in(part)
    elif isinstance(tree, slice):
        yield from sizes_in((tree.start, tree.stop, tree.step))
    elif isinstance(tree, Ratio):
        yield tree._numerator
    elif symbolic(tree) or isinstance(tree, DataNumber) or is_size_float(tree):
        yield tree


def arrays_in(tree: Any) -> list[Any]:
    """The sizes in numpy's arrays in nested arguments."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, (tuple, list)):
        return [each for part in tree for each in arrays_in(part)]
    return sizes_of_array(tree)


def _hears_arrays(function: Any) -> bool:
    """Whether a function of numpy asks the arrays in its arguments what to do."""
    return module_of(type(function)) == "numpy" and type(function).__name__ in ("ufunc", "_ArrayFunctionDispatcher")


# -- what keeps a function ----------------------------------------------------------------------------------------


class _Rounded(Ratio):
    """A whole float, as numpy's rounding gives it."""

    def astype(self, kind: Any, *args: Any, **kwargs: Any) -> Any:
        whole = kind is int or getattr(kind, "__name__", str(kind)).lstrip("u").startswith("int")
        return self.__trunc__() if whole else self

    def item(self) -> Any:
        return Ratio(self._numerator, self._denominator)


def _is_size(value: Any) -> bool:
    return isinstance(value, Ratio) or (isinstance(value, Size) and symbolic(value))


def _rounded(round_one: Callable[[Any], Any], real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and not kwargs and _is_size(args[0]):
        return _Rounded(round_one(args[0]), 1)
    return Heard(real)(*args, **kwargs)


def _product(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    items = args[0] if len(args) == 1 and not kwargs else None
    if isinstance(items, (tuple, list)) and any(map(_is_size, items)):
        return functools.reduce(lambda total, each: left_operand(total) * each, items, 1)
    return Heard(real)(*args, **kwargs)


def _extreme(choose: Callable[[int, int], int], real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if len(args) == 2 and not kwargs and any(map(_is_size, args)) and all(map(integral, args)):
        return choose(*args)
    return Heard(real)(*args, **kwargs)


def _lost(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function that asks the size itself."""
    return call_foreign(real, *args, **kwargs)


def _common_divisor(real: Callable[..., Any], *numbers: Any) -> Any:
    """The greatest common divisor with one constant: each of its divisors is a way of its own."""
    sizes = [each for each in numbers if symbolic(each)]
    if len(numbers) == 2 and len(sizes) == 1:
        (fixed,) = (abs(each) for each in numbers if not symbolic(each))
        if 0 < fixed <= 4096:
            return next(d for d in range(fixed, 0, -1) if fixed % d == 0 and sizes[0] % d == 0)
    return Heard(real)(*numbers)


def _of_a_float(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function of doubles, such as `math.sqrt`, of what is made of sizes."""
    if len(args) == 1 and not kwargs and (_is_size(args[0]) or is_size_float(args[0])):
        return computed(real.__name__, args[0], why=f"{real.__name__}() of a size")
    if real is math.log and len(args) == 2 and type(args[1]) in (int, float) and args[1] > 1 and not kwargs:
        return _of_a_float(real, args[0]) / math.log(args[1])  # as `math.log` does
    return Heard(real)(*args, **kwargs)


def _side(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`math.isqrt` and `np.sqrt` of the product of two equal sizes."""
    root = whole_root(args[0]) if len(args) == 1 and not kwargs and isinstance(args[0], int) else None
    if root is None:
        return Heard(real)(*args, **kwargs)
    return root if real is math.isqrt else _Rounded(root, 1)


def _array(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """An array of sizes, of which numpy is told the dtype at most."""
    told = len(args) == 1 and set(kwargs) <= {"dtype"} and isinstance(args[0], (list, tuple, int, SizeArray))
    found = [*sizes_in(args), *arrays_in(args)] if told else []
    if not found or any(isinstance(each, DataNumber) for each in found):
        return Heard(real)(*args, **kwargs)
    return size_array(real, *args, **kwargs)


def _divided(operation: Callable[[Any, Any], Any], real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Sizes by a number above 0, where numpy does as Python does."""
    if len(args) == 2 and not kwargs and type(args[1]) is int and args[1] > 0:
        if symbolic(args[0]):
            return operation(*args)
        if isinstance(args[0], (list, tuple)):
            return operation(_array(np.array, list(args[0])), args[1])
    return Heard(real)(*args, **kwargs)


def _is(answer: bool) -> Callable[..., Any]:
    """isnan, isinf and isfinite, which have one answer for all sizes."""

    def asked(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return answer if len(args) == 1 and not kwargs and symbolic(size_of(args[0])) else Heard(real)(*args, **kwargs)

    return asked


def _remainder(made: Callable[[Any], Any], real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """fmod, which of a size that is not negative is the remainder."""
    known = len(args) == 2 and not kwargs and symbolic(args[0]) and type(args[1]) is int and args[1] > 0
    if known and args[0] >= 0:
        return made(args[0] % args[1])
    return Heard(real)(*args, **kwargs)


_MATH: Final[dict[str, Callable[..., Any]]] = {
    **dict.fromkeys(("floor", "ceil", "trunc"), _lost),
    **dict.fromkeys(("sqrt", "log", "log2", "log10"), _of_a_float),
    **dict.fromkeys(("isnan", "isinf"), _is(False)),
    "isfinite": _is(True),
    "prod": _product,
    "gcd": _common_divisor,
    "isqrt": _side,
    "fmod": functools.partial(_remainder, lambda rest: Ratio(rest, 1)),
}
_NUMPY: Final[dict[str, Callable[..., Any]]] = {
    "ceil": functools.partial(_rounded, math.ceil),
    "floor": functools.partial(_rounded, math.floor),
    "trunc": functools.partial(_rounded, math.trunc),
    "fix": functools.partial(_rounded, math.trunc),
    **dict.fromkeys(("round", "rint", "around"), functools.partial(_rounded, round)),
    **dict.fromkeys(("array", "asarray"), _array),
    "prod": _product,
    "sqrt": _side,
    "maximum": functools.partial(_extreme, larger),
    "minimum": functools.partial(_extreme, smaller),
    "gcd": _common_divisor,
    **dict.fromkeys(("mod", "remainder"), functools.partial(_divided, operator.mod)),
    "floor_divide": functools.partial(_divided, operator.floordiv),
    "divmod": functools.partial(_divided, lambda one, two: (one // two, one % two)),
    "fmod": functools.partial(_remainder, lambda rest: rest),
}
_KEPT: Final[dict[str, dict[str, Callable[..., Any]]]] = {"math": _MATH, "numpy": _NUMPY, "random": {}}
