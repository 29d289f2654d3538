"""Reports as bytes: for another process, or for the cache.

The bytes are JSON, in which what JSON has no form for stands as `[tag, ...]`: a tuple, a data class with its fields, an
enum's member, a set of sizes or a function as its text, a trail that stands further up as its number. Only shapelint's
own data classes are known by name, so bytes of whatever origin can be refused but never run code. Pickle is not used:
how it writes an enum depends on the version of Python.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from typing import Any, Final

from shapelint.caches import kept
from shapelint.errors import ShapelintError
from shapelint.facts import call, contract, failure, finding, graph, picture, region
from shapelint.facts.call import Trail
from shapelint.facts.contract import Contract
from shapelint.report.report import Report
from shapelint.size import condition
from shapelint.size.expression import parse_function
from shapelint.size.function import Function
from shapelint.size.sets import SizeSet
from shapelint.source import span

_MODULES: Final = (call, condition, contract, failure, finding, graph, picture, region, span)
_KINDS: Final[dict[str, Any]] = {
    each.__name__: each
    for each in chain([Report], *(vars(module).values() for module in _MODULES))
    if isinstance(each, type) and (is_dataclass(each) or issubclass(each, enum.Enum))
}
_SEQUENCES: Final[dict[type, str]] = {tuple: "t", list: "l", frozenset: "fs", set: "se"}
_MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    **{tag: kind for kind, tag in _SEQUENCES.items()},
    "q": lambda pair: Fraction(*pair),
}
_PLAIN: Final = (str, float, bool, type(None))
_OMITTED: Final[Mapping[type, frozenset[str]]] = {
    Contract: frozenset({"ask", "judge"}),
    Report: frozenset({"checked"}),
}


class UnreadableError(ShapelintError):
    """Bytes that are no report of this version."""


def dumps(report: Report) -> bytes:
    """The report as bytes. Raises TypeError for a part that no report has."""
    return json.dumps(_Writer().written(report), separators=(",", ":")).encode()


def loads(data: bytes) -> Report:
    """The report in the bytes; UnreadableError where they are something else. Runs no code of anybody."""
    try:
        found = _Reader().read(json.loads(data))
    except Exception as error:  # bytes of any origin: they may be wrong in any way
        raise UnreadableError(f"no report of this version: {type(error).__name__}: {error}") from error
    if not isinstance(found, Report):
        raise UnreadableError(f"no report of this version: a {type(found).__name__}")
    return found


class _Writer:
    """Writes one report; a trail, which many calls share, is written once."""

    def __init__(self) -> None:
        self._trails: dict[Trail, int] = {}

    def written(self, value: Any) -> Any:
        """A value as JSON has it. Raises TypeError for one that is no part of a report."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, enum.Enum):
            return ["e", _named(kind), value.name]
        if isinstance(value, int):
            return int(value)
        if kind in _SEQUENCES:
            return [_SEQUENCES[kind], *map(self.written, value)]
        if isinstance(value, Mapping):
            return ["d", *([self.written(key), self.written(each)] for key, each in value.items())]
        return self._made(value, kind)

    def _made(self, value: Any, kind: type) -> Any:
        """A value of a class of shapelint's own, or of Python's fractions."""
        if isinstance(value, SizeSet):
            return ["s", list(value.symbols), value.isl_text]
        if isinstance(value, Function):
            return ["f", str(value)]
        if kind is Fraction:
            return ["q", value.numerator, value.denominator]
        if isinstance(value, Trail) and value in self._trails:
            return ["r", self._trails[value]]
        if is_dataclass(value):
            parts = ["o", _named(kind), *(self.written(getattr(value, name)) for name in _stored(kind.__name__))]
            if isinstance(value, Trail):
                self._trails[value] = len(self._trails)
            return parts
        raise TypeError(f"a {kind.__name__} is no part of a report")


def _named(kind: type) -> str:
    name = kind.__name__
    if _KINDS.get(name) is not kind:
        raise TypeError(f"a {name} is no part of a report")
    return name


@cache
def _stored(name: str) -> tuple[str, ...]:
    """The fields of a data class that are written, in their order."""
    kind = _KINDS[name]
    return tuple(each.name for each in fields(kind) if each.name not in _OMITTED.get(kind, ()))


_set = kept(1024)(SizeSet.kept)
_function = kept(4096)(parse_function)


class _Reader:
    """Reads one report; the texts of sets and functions are parsed once, also those that an earlier one had."""

    def __init__(self) -> None:
        self._trails: list[Trail] = []

    def read(self, value: Any) -> Any:
        """The value that was written. Raises any error where it was not written here."""
        if not isinstance(value, list):
            return value
        tag, *parts = value
        if tag in _MAKERS:
            return _MAKERS[tag](map(self.read, parts))
        return _READERS[tag](self, parts)

    def _mapping(self, parts: list[Any]) -> dict[Any, Any]:
        return {self.read(key): self.read(each) for key, each in parts}

    def _member(self, parts: list[Any]) -> Any:
        name, member = parts
        return _KINDS[name][member]

    def _size_set(self, parts: list[Any]) -> SizeSet:
        symbols, text = parts
        return _set(tuple(map(str, symbols)), str(text))

    def _function(self, parts: list[Any]) -> Function:
        (text,) = parts
        return _function(text)

    def _record(self, parts: list[Any]) -> Any:
        name, *values = parts
        made = _KINDS[name](**dict(zip(_stored(name), map(self.read, values), strict=True)))
        if isinstance(made, Trail):
            self._trails.append(made)
        return made

    def _trail(self, parts: list[Any]) -> Trail:
        (number,) = parts
        trail: Trail = self._trails[number]
        return trail


_READERS: Final[dict[str, Callable[[_Reader, list[Any]], Any]]] = {
    "d": _Reader._mapping,
    "e": _Reader._member,
    "s": _Reader._size_set,
    "f": _Reader._function,
    "o": _Reader._record,
    "r": _Reader._trail,
}
