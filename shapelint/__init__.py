"""shapelint: for every input size, whether a PyTorch model's sizes fit, which layer loses them, and the proved fix."""

from __future__ import annotations

TYPE_CHECKING = False  # nothing is imported here: Ctrl-C in it would be a traceback
if TYPE_CHECKING:
    from typing import Any

    from shapelint.engine import check
    from shapelint.errors import InternalError, ShapelintError
    from shapelint.request.inputs import Literal

__version__ = "0.1.0"
__all__ = ["InternalError", "Literal", "ShapelintError", "check"]


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is."""
    if name == "ShapelintError":
        from shapelint.errors import ShapelintError

        return ShapelintError
    if name == "InternalError":
        from shapelint.errors import InternalError

        return InternalError
    if name == "check":
        from shapelint.engine import check

        return check
    if name == "Literal":
        from shapelint.request.inputs import Literal

        return Literal
    if name == "load_ipython_extension":
        from shapelint.magic import load_ipython_extension

        return load_ipython_extension
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
