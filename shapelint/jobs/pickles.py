"""Reports as bytes: for another process, or for the cache.

They are pickled, and read by an unpickler that knows shapelint's own data classes and nothing else, so that bytes of
whatever origin can be refused but never run code.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

from shapelint.errors import ShapelintError
from shapelint.report.report import Report

# By module, what a report is made of: classes, and the functions that read a set of sizes or a function from its text.
_KNOWN: Final = {
    "builtins": {"int", "float", "frozenset", "set"},
    "fractions": {"Fraction"},
    "shapelint.facts.contract": {"Contract", "How", "Region", "RegionOutcome"},
    "shapelint.facts.failure": {"Failure", "Kind"},
    "shapelint.facts.finding": {"Confirmation", "Finding", "Fix", "Repair", "Safety", "Severity"},
    "shapelint.facts.graph": {"Node", "Pair", "ShapeGraph", "TensorShape"},
    "shapelint.facts.picture": {"DrawnChange", "Mark", "Picture", "Role", "Scene", "Step"},
    "shapelint.report.report": {"Report"},
    "shapelint.size.expression": {"parse_function"},
    "shapelint.size.sets": {"_read"},
    "shapelint.source.span": {"Edit", "Span"},
}


class UnreadableError(ShapelintError):
    """Bytes that are no report of this version."""


def dumps(report: Report) -> bytes:
    """The report as bytes."""
    return pickle.dumps(report, protocol=5)


def loads(data: bytes) -> Report:
    """The report in the bytes; UnreadableError where they are something else. Runs no code of anybody."""
    try:
        found = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # bytes of any origin: pickle does not say what it raises for them
        raise UnreadableError(f"no report of this version: {type(error).__name__}: {error}") from error
    if not isinstance(found, Report):
        raise UnreadableError(f"no report of this version: a {type(found).__name__}")
    return found


class _Unpickler(pickle.Unpickler):
    """Finds only what a report is made of."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in _KNOWN.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a report")
        return super().find_class(module, name)
