"""What stands on the left of a size: a float or a text that leaves the operation to the size.

Python asks the left operand first, and a float or a text takes the plain value of an int without a word.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.data_number import DataNumber
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic, tell


class TrackedFloat(float):
    """A float whose operations with a size are the size's own: `0.5 * h`, `self.threshold < h`."""

    __hash__ = float.__hash__


class TrackedText(str):
    """A text whose `%` tells when a size is written into it."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        parts = values.values() if isinstance(values, dict) else values if isinstance(values, tuple) else (values,)
        tell(*(part._numerator if isinstance(part, Ratio) else part for part in parts))
        return str.__mod__(self, values)


def left_operand(value: Any) -> Any:
    """The value as it may stand on the left of a size."""
    if type(value) is float:
        return TrackedFloat(value)
    return TrackedText(value) if type(value) is str else value


def _left_to_the_size(name: str, operation: Callable[[Any, Any], Any]) -> Callable[[float, Any], Any]:
    own = getattr(float, name)

    def tracked(number: float, other: Any) -> Any:
        if isinstance(other, DataNumber):
            return NotImplemented
        if isinstance(other, Ratio):
            return operation(float.__float__(number), other)
        if isinstance(other, int) and symbolic(other):
            return operation(float.__float__(number), Ratio(other, 1))
        return own(number, other)

    return tracked


_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "mod": operator.mod,
    "floordiv": operator.floordiv, "pow": pow, "divmod": divmod, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip

for _name, _operation in _OPERATIONS.items():
    setattr(TrackedFloat, f"__{_name}__", _left_to_the_size(f"__{_name}__", _operation))
