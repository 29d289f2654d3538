"""The errors that a recorded run raises through the model's own code."""

from __future__ import annotations

from collections.abc import Iterable

from shapelint.errors import foreseen
from shapelint.facts.failure import Failure, Kind
from shapelint.source.span import CallSite

__all__ = ["Failure", "Kind", "OutOfTime", "SizeError", "Unanalysable", "refuse_nested"]


@foreseen
class SizeError(RuntimeError):
    """Raised through the model's own code where an operation's requirement fails, as PyTorch would."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


@foreseen
class Unanalysable(RuntimeError):
    """Raised where the run cannot go on, and whether PyTorch would is not known; `failure` is what may befall it.

    `place` is where that began, if it is not where it was raised.
    """

    def __init__(self, text: str, failure: Failure | None = None, place: CallSite | None = None) -> None:
        super().__init__(text)
        self.failure, self.place = failure, place


def refuse_nested(types: Iterable[type]) -> None:
    """Raises Unanalysable for a call of nested tensors, whose axes have no one size."""
    for each in types:
        if each.__name__ == "NestedTensor":
            raise Unanalysable("a nested tensor: it has no one size for an axis")


class OutOfTime(Unanalysable):
    """Raised where a run takes longer than any run should; `spent` says after how many calls or seconds."""

    def __init__(self, spent: str) -> None:
        super().__init__(f"the run was stopped after {spent}")
        self.spent = spent
