"""The errors that a recorded run raises through the model's own code."""

from __future__ import annotations

from shapelint.failure import Failure, Kind

__all__ = ["Failure", "Kind", "SizeError", "Unanalysable"]


class SizeError(RuntimeError):
    """Raised through the model's own code where an operation's requirement fails, as PyTorch would."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


class Unanalysable(RuntimeError):
    """Raised where the run cannot go on for a reason that says nothing about the sizes."""
