"""What a float that is made of sizes has in common with every other one, exact or not."""

from __future__ import annotations

from typing import Any

from shapelint.size.number import plain


class FollowedFloat(float):
    """A float that is made of sizes: what copies it gives itself, and its type is said to be float."""

    __array_priority__ = 1000.0
    __class__ = property(lambda _: float)

    def __copy__(self) -> FollowedFloat:
        return self

    def __deepcopy__(self, memo: object) -> FollowedFloat:
        return self

    def __pos__(self) -> Any:
        return self

    def conjugate(self) -> Any:
        """The number itself."""
        return self

    @property
    def real(self) -> Any:
        """The number itself."""
        return self


def bare(number: Any) -> Any:
    """The plain number in the place of a size or of a float that is made of sizes."""
    if isinstance(number, int):
        return plain(number)
    return float.__float__(number) if isinstance(number, float) else number
