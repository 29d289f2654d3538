"""A numpy array of sizes, such as `np.array(x.shape[2:])`: the numbers of this run, and beside them the sizes.

It is an array to all that reads it. The few operations that models use on it keep the sizes; everything else gets
a plain array, which is a leak.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, Final

import numpy as np

from shapelint.instrument.size_ufuncs import EXACT, elementwise, is_live, plus, times
from shapelint.size.number import larger, plain, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import size_of
from shapelint.size.tracking import Tracker, lose, symbolic, tell, tracker
from shapelint.source.fault import call_foreign

_KINDS: Final = (np.dtype(np.int64), np.dtype(np.float64))
_MOST: Final = 64


class SizeArray(np.ndarray[Any, Any]):
    """An array of sizes; `numbers` are the same ones as objects, None once they are not known any more."""

    latest: Tracker | None = None  # the run in which the last one was made
    numbers: Any

    def __array_finalize__(self, _: Any) -> None:
        self.numbers = None

    def __getattribute__(self, name: str) -> Any:
        if name in _READS or not (name in _KEPT or name.startswith("_")):
            _lose(self, f"`{name}` of an array of sizes")
        return super().__getattribute__(name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        exact = EXACT.get(ufunc.__name__) if method == "__call__" and not options else None
        real = _called(getattr(ufunc, method), inputs, options)
        if exact is None or real is NotImplemented:
            return _lost(real, ufunc.__name__, inputs, options)
        numbers = exact(*map(_objects, inputs))
        return _lost(real, ufunc.__name__, inputs, options) if numbers is None else _kept(real, numbers)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name == "array_equal" and len(args) == 2 and not kwargs:
            return _equal(*map(_leaves, args))
        if name in _OVER_ALL and len(args) == 1 and not kwargs and isinstance(args[0], SizeArray):
            return getattr(args[0], _OVER_ALL[name])()
        real = _called(function, args, kwargs)
        if name in _MOVES and isinstance(real, np.ndarray):
            moved = function(*_tree(args, _objects), **_tree(kwargs, _objects))
            return _kept(real, moved)
        return _lost(real, name, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        found = np.ndarray.__getitem__(_plain(self), key)
        if self.numbers is None or any(map(symbolic, key if isinstance(key, tuple) else (key,))):
            return _lost(found, "an index", (self, key), {})
        return _kept(found, self.numbers[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        _lose(self, "an array of sizes that is written to")
        self.numbers = None
        _plain(self)[key] = value

    def __iter__(self) -> Iterator[Any]:
        return iter([self[place] for place in range(len(self))])

    def __bool__(self) -> bool:
        return bool(self.item()) if self.size == 1 else bool(_plain(self))

    def __contains__(self, number: Any) -> bool:
        return any(bool(each == number) for each in self.flatten())

    def __repr__(self) -> str:
        tell(*_sizes(self))
        return repr(_plain(self))

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        tell(*_sizes(self))
        return format(_plain(self), specification)

    def __reduce__(self) -> Any:
        _lose(self, "a pickled size")
        return _plain(self).__reduce__()

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def copy(self, order: Any = "C") -> Any:
        """A copy with the same sizes."""
        return _kept(_plain(self).copy(order), None if self.numbers is None else self.numbers.copy())

    def flatten(self, order: Any = "C") -> Any:
        """The array in one axis."""
        return _kept(_plain(self).flatten(order), None if self.numbers is None else self.numbers.flatten(order))

    def tolist(self) -> Any:
        """The sizes in nested lists."""
        return _plain(self).tolist() if self.numbers is None else self.numbers.tolist()

    def item(self, *place: Any) -> Any:
        """One number of the array."""
        return _plain(self).item(*place) if self.numbers is None else self.numbers.item(*place)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The array of another dtype; whole numbers are cut towards zero."""
        real = _plain(self).astype(dtype, *args, **kwargs)
        if self.numbers is None or real.dtype not in _KINDS:
            return _lost(real, "astype", (self,), {})
        cut = real.dtype.kind == "i" and self.dtype.kind == "f"
        return _kept(real, elementwise(math.trunc, self.numbers) if cut else self.numbers)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """The product of all numbers."""
        return self._folded("prod", times, args, kwargs)

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """The sum of all numbers."""
        return self._folded("sum", plus, args, kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """The largest number."""
        return self._folded("max", larger if self.dtype.kind == "i" else None, args, kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """The smallest number."""
        return self._folded("min", smaller if self.dtype.kind == "i" else None, args, kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Whether no number is 0."""
        return self._decided("all", all, args, kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """Whether some number is not 0."""
        return self._decided("any", any, args, kwargs)

    def nonzeros(self) -> Any:
        """How many numbers are not 0."""
        return self._decided("nonzeros", sum, (), {})

    def _decided(self, name: str, decide: Callable[[Any], Any], args: Any, kwargs: Any) -> Any:
        if args or kwargs or self.numbers is None:
            return _lost(getattr(_plain(self), name)(*args, **kwargs), name, (self,), {})
        return decide([bool(each) for each in self.numbers.flatten()])

    def _folded(self, name: str, exact: Callable[[Any, Any], Any] | None, args: Any, kwargs: Any) -> Any:
        real = getattr(_plain(self), name)(*args, **kwargs)
        if args or kwargs or exact is None or self.numbers is None or not self.size:
            return _lost(real, name, (self,), {})
        return _kept(real, reduce(exact, self.numbers.flatten().tolist()))


def size_array(real: Callable[..., Any], data: Any, dtype: Any = None) -> Any:
    """What numpy's function makes of nested sequences of sizes, with these sizes kept."""
    made = call_foreign(real, _tree(data, _plain), dtype)
    numbers = np.empty(made.shape, object)
    leaves = _leaves(data)
    if len(leaves) != made.size:
        return _lost(made, "array()", (leaves,), {})
    numbers.reshape(-1)[:] = leaves
    return _kept(made, numbers)


def sizes_of_array(value: Any) -> list[Any]:
    """The sizes in an array."""
    return _sizes(value) if isinstance(value, SizeArray) else []


def _leaves(data: Any) -> list[Any]:
    if isinstance(data, SizeArray) and data.numbers is not None:
        return _leaves(data.numbers.tolist())
    return [leaf for part in data for leaf in _leaves(part)] if isinstance(data, (list, tuple)) else [data]


def _kept(real: Any, numbers: Any) -> Any:
    """The result of numpy with the sizes in it; plain, and heard as lost, where they are not what numpy has."""
    if numbers is None:
        return real
    if not isinstance(real, np.ndarray):
        return numbers if _is_same(real, numbers) else _lost(real, "an array", (numbers,), {})
    if real.dtype == np.bool_:
        return real  # a comparison, which the run has taken
    flat = numbers.flatten().tolist()
    same = real.dtype in _KINDS and all(map(_is_same, real.flatten().tolist(), flat))
    if not same or len(flat) > _MOST:
        return _lost(real, "an array", (flat,), {})
    if not any(map(is_live, flat)):
        return real
    array, SizeArray.latest = real.view(SizeArray), tracker()
    array.numbers = elementwise(_as_float, numbers) if real.dtype.kind == "f" else numbers
    return array


def _is_same(value: Any, number: Any) -> bool:
    return bool(value == (plain(number) if isinstance(number, int) else float.__float__(number)))


def _as_float(number: Any) -> Any:
    return Ratio(number, 1) if symbolic(number) else number


def _equal(one: list[Any], two: list[Any]) -> bool:
    return len(one) == len(two) and all(map(operator.eq, one, two))


def _sizes(tree: Any) -> list[Any]:
    """What is lost with nested arguments: the sizes in them and in their arrays."""
    if isinstance(tree, SizeArray):
        return [] if tree.numbers is None else _sizes(tree.numbers.flatten().tolist())
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, (tuple, list)):
        return [each for part in tree for each in _sizes(part)]
    return [size_of(tree)]


def _lose(tree: Any, reason: str) -> None:
    lose(reason, *_sizes(tree))


def _lost(real: Any, name: str, args: Any, kwargs: Any) -> Any:
    _lose((args, kwargs), f"{name} of an array of sizes")
    return real


def _plain(value: Any) -> Any:
    """The array or number of this run, without sizes."""
    if isinstance(value, SizeArray):
        return np.ndarray.view(value, np.ndarray)
    if isinstance(value, int) and not isinstance(value, bool):
        return plain(value)
    return float.__float__(value) if type(value) is not float and isinstance(value, Ratio) else value


def _called(function: Any, args: Any, kwargs: Any) -> Any:
    return function(*_tree(args, _plain), **_tree(kwargs, _plain))


def _tree(tree: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {name: _tree(each, change) for name, each in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [_tree(each, change) for each in tree]
        return parts if isinstance(tree, list) else tuple(parts)
    return change(tree)


def _objects(value: Any) -> Any:
    """An argument with the sizes as objects; what is no array stays."""
    if isinstance(value, SizeArray):
        return np.ndarray.view(value, np.ndarray).astype(object) if value.numbers is None else value.numbers
    return value.astype(object) if isinstance(value, np.ndarray) else value


def _number(name: str) -> Callable[[SizeArray], Any]:
    return lambda array: getattr(np.ndarray, name)(_lost(_plain(array), name, (array,), {}))


for _name in ("__int__", "__float__", "__index__", "__complex__"):
    setattr(SizeArray, _name, _number(_name))

_OVER_ALL: Final = {
    "prod": "prod", "sum": "sum", "max": "max", "amax": "max", "min": "min", "amin": "min", "all": "all", "any": "any",
    "count_nonzero": "nonzeros",
}  # fmt: skip
_MOVES: Final = frozenset({
    "concatenate", "stack", "hstack", "vstack", "append", "flip", "reshape", "ravel", "transpose", "expand_dims",
    "squeeze", "atleast_1d", "atleast_2d", "copy", "insert", "delete", "roll",
})  # fmt: skip
_KEPT: Final = frozenset({
    "shape", "size", "ndim", "dtype", "numbers", "copy", "flatten", "tolist", "item", "astype", "prod", "sum", "max",
    "min", "all", "any", "nonzeros", "latest",
})  # fmt: skip
_READS: Final = frozenset({"__array_interface__", "__array_struct__", "__array__", "__dlpack__", "__reduce_ex__"})
