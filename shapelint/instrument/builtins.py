"""Our versions of builtins, which keep a size a size: `int`, `float`, `max`, `len` and their kind.

Python hands an int subclass to the builtins as a plain number. The user's code calls these instead while a check runs.
"""

from __future__ import annotations

import builtins
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, reduce
from operator import getitem
from typing import Any, Final

import torch

from shapelint.instrument.filled_list import FilledList
from shapelint.instrument.key_text import KeyText
from shapelint.instrument.keys import DICTS, item_of, key, whole
from shapelint.instrument.operand import TrackedFloat, compared_on, left_operand, right_operand
from shapelint.instrument.sized_shape import SizedShape
from shapelint.instrument.standins import sizes_in
from shapelint.size.data_number import DataNumber
from shapelint.size.number import Size, larger, plain, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import SizeFloat, computed
from shapelint.size.tracking import lose, symbolic
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import module_of

_MOST = 32
_MOST_TURNS = 256
_SIZED: Final = (Size, Ratio, SizeFloat)
_SEQUENCES: Final = (list, tuple, str, bytes, range, deque, torch.nn.ModuleList, torch.nn.Sequential)


def tracked_int(*args: Any, **kwargs: Any) -> Any:
    """int(), where a size stays a size and a quotient of sizes is rounded towards zero."""
    if len(args) == 1 and not kwargs:
        value = call_foreign(args[0].item) if isinstance(args[0], torch.Tensor) else args[0]
        if isinstance(value, Size) and symbolic(value):
            return value
        return value.__trunc__() if isinstance(value, Ratio | SizeFloat) else call_foreign(int, value)
    return call_foreign(int, *args, **kwargs)


def tracked_float(*args: Any) -> Any:
    """float(), where a size becomes an exact quotient."""
    if len(args) == 1:
        value = call_foreign(args[0].item) if isinstance(args[0], torch.Tensor) else args[0]
        if isinstance(value, Size) and symbolic(value):
            return Ratio(value, 1)
        return value if isinstance(value, Ratio | SizeFloat | DataNumber) else call_foreign(float, value)
    return call_foreign(float, *args)


def tracked_max(*args: Any, **kwargs: Any) -> Any:
    """max(), kept as a function where it compares integers of which one is a size."""
    return _extreme(max, larger, args, kwargs)


def tracked_min(*args: Any, **kwargs: Any) -> Any:
    """min(), kept as a function where it compares integers of which one is a size."""
    return _extreme(min, smaller, args, kwargs)


def _extreme(builtin: Callable[..., Any], kept: Callable[[int, int], int], args: Any, kwargs: Any) -> Any:
    if len(args) == 1 and isinstance(args[0], Iterator):
        args = (call_foreign(list, args[0]),)
    items = args[0] if len(args) == 1 else args
    if kwargs or not isinstance(items, (tuple, list)) or not any(isinstance(each, _SIZED) for each in items):
        return call_foreign(builtin, *args, **kwargs)
    if len(items) > 1 and all(isinstance(each, int) for each in items) and any(map(symbolic, items)):
        return reduce(kept, items)
    if len(items) > 1 and _are_floats(items):
        return reduce(partial(computed, builtin.__name__), items)
    return _untracked(call_foreign(builtin, _compared(items)))


def _are_floats(items: Iterable[Any]) -> bool:
    """Whether a float that is no exact quotient is compared, and only with floats."""
    kinds = {type(each) for each in items}
    return SizeFloat in kinds and kinds <= {float, Ratio, SizeFloat}


def _compared(items: Iterable[Any]) -> list[Any]:
    return [compared_on(each) for each in items]


def _untracked(value: Any) -> Any:
    """A float as the user knows it."""
    return float(value) if type(value) is TrackedFloat else value


def tracked_sorted(items: Iterable[Any], **kwargs: Any) -> list[Any]:
    """sorted(), in which a float leaves the comparison to the size that it meets."""
    kept: list[Any] = call_foreign(list, items)
    if "key" in kwargs or not any(isinstance(each, _SIZED) for each in kept):
        return call_foreign(sorted, kept, **kwargs)
    return [_untracked(each) for each in call_foreign(sorted, _compared(kept), **kwargs)]


def tracked_range(*args: Any) -> Sequence[int]:
    """range(), which tells that a size became the length of a loop.

    Where only its numbers are sizes, as in `range(0, h, h // 4)` where 4 divides h, it is a tuple of these.
    """
    numbers = _numbers_of(*args) if len(args) in (2, 3) and any(map(symbolic, (args[0], *args[2:]))) else None
    if numbers is None:
        lose("range() over a size", *args)
        return call_foreign(range, *args)
    return numbers


def _numbers_of(first: Any, stop: Any, step: Any = 1) -> Sequence[int] | None:
    """The numbers of a range, where how many there are is no size."""
    if not all(isinstance(each, int) for each in (first, stop, step)) or step < 0:
        return None
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    count = number_of_turns(first, stop, step)
    if symbolic(count) or plain(count) > _MOST_TURNS:
        return None
    return tuple(first + step * number for number in call_foreign(range, plain(count)))


def number_of_turns(first: int, stop: int, step: int) -> int:
    """How many numbers `range(first, stop, step)` has, as a size; it may be negative where it has none."""
    if symbolic(step):
        return -((first - stop) // step)
    return (stop - first + step - 1) // step if step > 0 else (first - stop - step - 1) // -step


def tracked_len(*args: Any) -> int:
    """len(), which of a tensor is its first size, and of a list that a loop filled the number of its turns."""
    if len(args) == 1 and isinstance(args[0], torch.Tensor) and args[0].dim():
        return args[0].shape[0]
    if len(args) == 1 and type(args[0]) is FilledList:
        return args[0].length()
    return call_foreign(len, *args)


def tracked_sum(items: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """sum(), item by item: the builtin adds a size to a float as a plain number."""
    kept: list[Any] = call_foreign(list, items)
    if any(isinstance(each, _SIZED) for each in kept):
        start = args[0] if args else kwargs.get("start", 0)
        return reduce(lambda total, each: call_foreign(operator.add, left_operand(total), each), kept, start)
    return call_foreign(sum, kept, *args, **kwargs)


def tracked_pow(base: Any, *args: Any, **kwargs: Any) -> Any:
    """pow(), where a float leaves a size as exponent to the size."""
    return call_foreign(pow, left_operand(base), *args, **kwargs)


def tracked_divmod(dividend: Any, divisor: Any) -> Any:
    """divmod(), where a float leaves a size as divisor to the size."""
    return call_foreign(divmod, left_operand(dividend), divisor)


def _taken(builtin: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    lose(f"{builtin.__name__}() of a size", *args)
    return call_foreign(builtin, *args, **kwargs)


def added(value: Any, *target: Any) -> Any:
    """What is added in place to a variable, `owner.name` or `owner[index]`, of which no name is None.

    Of an owner alone it is not known what it is added to.
    """
    if type(value) is FilledList:
        return value.of_this_run()
    whole(value)
    if len(target) == 1:
        whole(target[0])
        return _right_of(target[0], value)
    if not symbolic(value) or (target and isinstance(target[0], torch.Tensor)):
        return value
    if len(target) < 3:
        lose("a size on the right of an operation in place", value)
        return value
    owner, name, index = target
    return _right_of(call_foreign(getitem, owner, index) if name is None else call_foreign(getattr, owner, name), value)


def _right_of(before: Any, value: Any) -> Any:
    if isinstance(before, str | bytes):
        lose("the text of a size", *sizes_in(value))
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, DataNumber):
                each.refuse("the text")
        return value
    return right_operand(value, before)


def tracked_type(*args: Any) -> Any:
    """type(), which of a size is int and of its quotient float."""
    kind: type = type(*args)
    return args[0].__class__ if len(args) == 1 and kind in (*_SIZED, DataNumber, SizedShape, FilledList) else kind


def item(container: Any, index: Any) -> Any:
    """container[index]; where a size counts the items, each of them is a way of its own."""
    if type(container) in DICTS or type(index) is KeyText:
        return item_of(container, index)
    if isinstance(index, slice):
        if isinstance(container, _SEQUENCES) or module_of(type(container)) == "numpy":
            lose("a slice by a size", index.start, index.stop, index.step)
    elif symbolic(index):
        if type(container) is FilledList and container.is_one(index):
            return container[index]
        if isinstance(container, _SEQUENCES) and len(container) <= _MOST:
            return container[_place(len(container), index)]
        if not isinstance(container, (torch.Tensor, dict)):
            lose("a size as an index", index)
    return call_foreign(getitem, container, index)


def place(container: Any, index: Any) -> Any:
    """The index, at which an item of the container is to be set or deleted."""
    if not isinstance(container, (torch.Tensor, dict)):
        lose("a size as an index", index)
    return key(container, index, sets=True)


def _place(length: int, index: int) -> int:
    """The index as a plain number, which it is on this path only: the comparison is what remembers it.

    Of a number of the data it need not be the one of this run.
    """
    if index >= length or index < -length:
        raise IndexError("index out of range")
    here = plain(index)
    if index == here:
        return here
    others = [each for each in range(-length, length) if each != here]
    return next((each for each in others[:-1] if index == each), others[-1])


TRACKED: Final[dict[str, Callable[..., Any]]] = {
    "int": tracked_int, "float": tracked_float, "max": tracked_max, "min": tracked_min, "range": tracked_range,
    "len": tracked_len, "sum": tracked_sum, "sorted": tracked_sorted, "type": tracked_type, "pow": tracked_pow,
    "divmod": tracked_divmod,
    **{each.__name__: partial(_taken, each) for each in (bin, hex, oct, chr, bytes, bytearray, complex)},
}  # fmt: skip

assert all(hasattr(builtins, name) for name in TRACKED)
