"""shapelint: for every input size, whether a PyTorch model's sizes fit, which layer loses them, and the proved fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapelint.errors import ShapelintError

if TYPE_CHECKING:
    from shapelint.engine import check
    from shapelint.inputs import Literal

__version__ = "0.1.0"
__all__ = ["Literal", "ShapelintError", "check"]


def __getattr__(name: str) -> Any:
    """Loads what needs torch only when it is asked for."""
    if name == "check":
        from shapelint.engine import check

        return check
    if name == "Literal":
        from shapelint.inputs import Literal

        return Literal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
