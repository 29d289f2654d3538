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

    def text(self, chance: str = "") -> None:
        """Notes that a text was made of a number that the data or `chance` decide: a leak, unless it is only shown."""

    def of_data(self, value: int, why: str, *, least: int = 0, most: int | None = None) -> int:
        """A Size for a number that the data or chance decide, `value` in this run, and any from `least` to `most`."""

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

    __int__ = __trunc__ = __floor__ = __ceil__ = __round__ = __index__ = __float__ = __complex__ = _refused
    is_integer = as_integer_ratio = hex = _refused

    def __copy__(self, *_: Any) -> DataNumber:
        return self

    __deepcopy__ = __copy__

    def conjugate(self) -> DataNumber:
        """The number itself."""
        return self

    @property
    def real(self) -> DataNumber:
        """The number itself."""
        return self

    def __hash__(self) -> int:
        self.refuse("a key")

    def __bool__(self) -> bool:
        return self._run.choose(self._chance)

    def __repr__(self) -> str:
        self._run.text(self._chance)
        return float.__repr__(self)

    def __format__(self, specification: str) -> str:
        self._run.text(self._chance)
        return float.__format__(self, specification)

    def _decided(self, other: Any) -> Any:
        return NotImplemented if is_tensor(other) else self._run.choose(self._chance)


def by_zero(name: str, others: tuple[Any, ...]) -> bool:
    """Whether an operation is a product with 0; raises what a division by 0 raises. Of a size the run is asked."""
    if name not in _WITH_ZERO or isinstance(others[0], DataNumber) or not isinstance(others[0], int | float):
        return False
    if others[0] != 0:
        return False
    getattr(float, name)(1.0, 0.0)
    return True


def _computed(name: str) -> Callable[..., Any]:
    def method(self: DataNumber, *others: Any) -> Any:
        if any(map(is_tensor, others)):
            return NotImplemented
        if any(isinstance(each, complex) for each in others):
            self.refuse("a complex number")
        if by_zero(name, others):
            return 0.0
        return (DataNumber(self._run),) * 2 if name.endswith("divmod__") else DataNumber(self._run)

    return method


def is_tensor(value: Any) -> bool:
    """Whether a value does arithmetic with numbers itself, for each of its own."""
    return hasattr(type(value), "__torch_function__")


_OF_TWO: Final = ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow")
ARITHMETIC: Final = (*(f"__{side}{name}__" for name in _OF_TWO for side in ("", "r")), "__neg__", "__pos__", "__abs__")
"""The methods of a float that give a number again, or two."""
_WITH_ZERO: Final = frozenset({"__mul__", "__rmul__", "__truediv__", "__floordiv__", "__mod__", "__divmod__"})

_METHODS: Final[dict[str, Callable[..., Any]]] = {
    **{name: _computed(name) for name in ARITHMETIC},
    **dict.fromkeys(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"), DataNumber._decided),
}

for _name, _method in _METHODS.items():
    setattr(DataNumber, _name, _method)
