"""A float that the data decide, such as `y.mean().item()`: nobody knows its value, and it may go through user code.

It is a NaN that says so: arithmetic keeps it, a comparison is a decision of the data, which the run takes, and
what makes an integer of it raises, since that could become a size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol, runtime_checkable


@runtime_checkable
class Asked(Protocol):
    """The run that answers for the data; `thrown` tells that a number was drawn in it."""

    thrown: bool

    def choose(self, chance: str = "") -> bool:
        """The answer to a question that the data decide, or `chance`, as it is prescribed for this run."""

    def unknown(self, reason: str) -> NoReturn:
        """Ends the run: what follows depends on the data."""

    def text(self) -> None:
        """Notes that a text was made, which is a leak unless the text is only shown."""

    def leak(self, reason: str) -> None:
        """Notes that what follows holds for this run only."""


class DataNumber(float):
    """A float whose value depends on the data of a run."""

    _run: Asked
    _chance = ""

    def __new__(cls, run: Asked) -> DataNumber:
        self = float.__new__(cls, "nan")
        self._run = run
        return self

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return float

    def refuse(self, use: str) -> NoReturn:
        """Ends the run at a use for which the value must be known; raises Unanalysable."""
        self._run.unknown(f"a data-dependent value: {use} of a number in a tensor")

    def _refused(self, *_: Any) -> NoReturn:
        self.refuse("an integer")

    __int__ = __trunc__ = __floor__ = __ceil__ = __round__ = __index__ = _refused
    is_integer = as_integer_ratio = hex = _refused

    def __copy__(self, *_: Any) -> DataNumber:
        return self

    __deepcopy__ = __copy__

    def __hash__(self) -> int:
        self.refuse("a key")

    def __bool__(self) -> bool:
        return self._run.choose(self._chance)

    def __repr__(self) -> str:
        self._run.text()
        return "nan"

    def __format__(self, specification: str) -> str:
        return repr(self)

    def _another(self, *others: Any) -> Any:
        return NotImplemented if any(map(is_tensor, others)) else DataNumber(self._run)

    def _decided(self, other: Any) -> Any:
        return NotImplemented if is_tensor(other) else self._run.choose(self._chance)


def is_tensor(value: Any) -> bool:
    """Whether a value does arithmetic with numbers itself, for each of its own."""
    return hasattr(type(value), "__torch_function__")


ARITHMETIC: Final = (
    *(f"__{side}{name}__" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow") for side in ("", "r")),
    *("__neg__", "__pos__", "__abs__"),
)
"""The methods of a float that give a number again."""

_METHODS: Final[dict[str, Callable[..., Any]]] = {
    **dict.fromkeys(ARITHMETIC, DataNumber._another),
    **dict.fromkeys(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"), DataNumber._decided),
}

for _name, _method in _METHODS.items():
    setattr(DataNumber, _name, _method)
