"""An `if` that only sets a number in a list: `if a.shape[2] != b.shape[2]: pads[1] = 1`.

Where the two sizes differ by one at most, wherever they come from, whether they do is itself a size, and so is the
number: the run needs no second way. Four levels of three axes would be 4,096 ways.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.bound import never_negative
from shapelint.size.function import constant
from shapelint.size.number import Size, function_of, plain, size
from shapelint.size.tracking import symbolic
from shapelint.source.fault import call_foreign

_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "NotEq": operator.ne, "Eq": operator.eq, "Gt": operator.gt, "Lt": operator.lt,
}  # fmt: skip


def sets(asked: tuple[Any, ...], comparison: str, owner: Any, index: Any, value: int) -> Any:
    """What the test of the `if` gives, whose body is `owner[index] = value`; False where that is done already.

    `asked` are both operands of the comparison, or the one value that is taken for a truth value.
    """
    flag = _flag(asked[0], asked[1] if comparison else 0, comparison or "NotEq")
    if flag is None or not _is_number_at(owner, index):
        return call_foreign(_OPERATIONS[comparison], *asked) if comparison else asked[0]
    owner[index] += flag * (value - owner[index])
    return False


def _is_number_at(owner: Any, index: Any) -> bool:
    """Whether a list has an integer or a size at an index."""
    inside = type(owner) is list and type(index) is int and -len(owner) <= index < len(owner)
    return inside and type(owner[index]) in (int, Size)


def _flag(left: Any, right: Any, comparison: str) -> int | None:
    """1 where the comparison holds and 0 elsewhere, as a size; None where the operands may differ by more than one."""
    if type(left) not in (int, Size) or type(right) not in (int, Size) or not (symbolic(left) or symbolic(right)):
        return None
    if comparison == "Lt":
        left, right, comparison = right, left, "Gt"
    difference = function_of(left) - function_of(right)
    for distance in (difference, difference.times(-1)):
        if never_negative(distance) and never_negative(constant(1) - distance):
            if comparison == "Gt" and distance is not difference:
                return 0
            number = size(abs(plain(left) - plain(right)), distance)
            return 1 - number if comparison == "Eq" else number
    return None
