"""What stands on the left of a size, or on the right of something in place, and leaves the operation to the size.

Python asks the left operand first, and floats, texts, truth values and all kinds of numbers take the plain value of an
int without a word. Here each asks the size where there is one, and else does what it did.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Number
from typing import Any, Final

from shapelint.caches import kept
from shapelint.instrument.keys import is_whole, whole
from shapelint.size.data_number import DataNumber
from shapelint.size.number import Size
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import SizeFloat
from shapelint.size.tracking import lose, symbolic, tell
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import module_of

_Operation = Callable[[Any, Any], Any]


class TrackedFloat(float):
    """A float whose operations with a size are the size's own: `0.5 * h`, `self.threshold < h`."""

    __hash__ = float.__hash__


class TrackedText(str):
    """A text whose `%` tells when a size, or a number of the data or of chance, is written into it."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        parts = values.values() if isinstance(values, dict) else values if isinstance(values, tuple) else (values,)
        tell(*(part._numerator if isinstance(part, Ratio) else part for part in parts))
        for part in parts:
            if isinstance(part, DataNumber):
                repr(part)  # which tells of it
        return str.__mod__(self, values)


class Left:
    """A number of another kind on the left: a truth value and a kind of int leave the operation to a size."""

    __slots__ = ("value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = value


class Right:
    """A size on the right of an operation in place, which the left operand does not know how to do."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def left_operand(value: Any) -> Any:
    """The value as it may stand on the left of a size; to be used in the operation only."""
    kind = type(value)
    if kind is int or kind is Size:
        return value
    if kind is float:
        return TrackedFloat(value)
    if kind is str:
        return TrackedText(value)
    if is_whole(value):
        return whole(value)
    return Left(value) if _asks_first(kind) else value  # type: ignore[arg-type]


@kept(1024)
def _asks_first(kind: type) -> bool:
    if kind is bool or kind is complex or kind is bytes:
        return True
    known = issubclass(kind, Size | Ratio | SizeFloat | DataNumber | TrackedFloat)
    known = known or module_of(kind) in ("numpy", "torch")
    return not known and issubclass(kind, Number)


def compared(value: Any) -> Any:
    """As `left_operand`, for a comparison: the numbers inside of a tuple, a list or a dict too."""
    kind = type(value)
    if kind is dict:
        whole(value)
    return _inside(value) if kind is tuple or kind is list or kind is dict else left_operand(value)


def compared_on(value: Any) -> Any:
    """The value in the middle of a comparison of three, where it stands on the right as well."""
    if type(value) is float:
        return TrackedFloat(value)
    plain = type(value) is int or issubclass(type(value), Size)
    return int(value) if isinstance(value, int) and not plain else value


def _inside(value: Any, depth: int = 4) -> Any:
    """The same container where nothing in it has to ask a size, else one that does."""
    kind = type(value)
    if depth and kind is dict:
        parts = {name: _inside(part, depth - 1) for name, part in value.items()}
        return parts if any(parts[name] is not part for name, part in value.items()) else value
    if depth and (kind is tuple or kind is list):
        found = [_inside(part, depth - 1) for part in value]
        return kind(found) if any(one is not two for one, two in zip(found, value, strict=True)) else value
    return compared_on(value)


def right_operand(value: Any, before: Any) -> Any:
    """A size as it may stand on the right of `before *= value`."""
    followed = symbolic(value) or isinstance(value, DataNumber)
    return Right(value) if followed and left_operand(before) is not before else value


def _left_to_the_size(name: str, operation: _Operation) -> Callable[[float, Any], Any]:
    own = getattr(float, name)

    def tracked(number: float, other: Any) -> Any:
        if isinstance(other, DataNumber):
            return NotImplemented
        if isinstance(other, Ratio | SizeFloat):
            return operation(float.__float__(number), other)
        if isinstance(other, int) and symbolic(other):
            return operation(float.__float__(number), Ratio(other, 1))
        return own(number, other)

    return tracked


def _of_another_kind(name: str, operation: _Operation) -> _Operation:
    def tracked(left: Left, other: Any) -> Any:
        value, kind = left.value, type(left.value)
        as_int = kind is bool or (issubclass(kind, int) and getattr(kind, name) is getattr(int, name))
        if as_int and symbolic(other):
            return call_foreign(operation, int(value), other)
        if isinstance(other, DataNumber) and not as_int:
            other.refuse(f"a {kind.__name__}")
        if kind is bytes and name == "__mod__":
            lose("the text of a size", *(other if isinstance(other, tuple) else (other,)))
        elif not as_int:
            lose(f"a {kind.__name__} with a size", other._numerator if isinstance(other, Ratio) else other)
        return call_foreign(operation, value, other)

    return tracked


def _on_the_right(operation: _Operation) -> _Operation:
    return lambda right, before: call_foreign(operation, left_operand(before), right.value)


_OPERATIONS: Final[dict[str, _Operation]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "mod": operator.mod,
    "floordiv": operator.floordiv, "pow": pow, "divmod": divmod,
}  # fmt: skip
_COMPARISONS: Final[dict[str, _Operation]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip
_OF_BITS: Final[dict[str, _Operation]] = {
    "and": operator.and_, "or": operator.or_, "xor": operator.xor, "lshift": operator.lshift, "rshift": operator.rshift,
}  # fmt: skip

for _name, _operation in (_OPERATIONS | _COMPARISONS).items():
    setattr(TrackedFloat, f"__{_name}__", _left_to_the_size(f"__{_name}__", _operation))
for _name, _operation in (_OPERATIONS | _COMPARISONS | _OF_BITS).items():
    setattr(Left, f"__{_name}__", _of_another_kind(f"__{_name}__", _operation))
for _name, _operation in (_OPERATIONS | _OF_BITS).items():
    setattr(Right, f"__r{_name}__", _on_the_right(_operation))
