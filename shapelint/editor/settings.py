"""What a client of the server asks for, and what is wrong with it, in one line each."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_PATIENCE: Final = 60.0
_KINDS: Final[Mapping[type, str]] = {bool: "true or false", float: "a number of seconds above 0", str: "a text"}


@dataclass(slots=True)
class Settings:
    """What the client asks for, as `initializationOptions` or the section `shapelint` of its configuration."""

    trusted: bool = True
    inlayHints: bool = True  # noqa: N815 - as it is spelt in the settings of editors
    codeLens: bool = True  # noqa: N815
    timeout: float = _PATIENCE
    rulePage: str = ""  # noqa: N815

    def take(self, given: Any) -> list[str]:
        """Takes over what is as it should be; others stay as they are. What is wrong, in one line each."""
        if not isinstance(given, Mapping):
            return [] if given is None else [f"the settings must be an object, not {given!r}"]
        wrong = list(self._misspelt(given))
        for each in fields(self):
            value, kind = given.get(each.name), type(each.default)
            if _is_a(kind, value):
                setattr(self, each.name, value)
            elif value is not None:
                wrong.append(f"the setting {each.name!r} must be {_KINDS[kind]}, not {value!r}")
        return wrong

    def _misspelt(self, given: Mapping[Any, Any]) -> Iterator[str]:
        """Names that are nearly those of settings; the section may have other things in it."""
        known = [each.name for each in fields(self)]
        for name in map(str, given):
            near = [] if name in known else difflib.get_close_matches(name.lower(), map(str.lower, known), 1, 0.8)
            meant = next((each for each in known if each.lower() in near), "")
            if meant:
                yield f"there is no setting {name!r}, did you mean {meant!r}?"


def _is_a(kind: type, value: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    return isinstance(value, kind)
