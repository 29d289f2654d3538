"""The errors that shapelint raises: one line each for a user's mistake, and one for a bug of its own."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, TypeVar

Kind = TypeVar("Kind", bound=type[BaseException])

_foreseen: Final[list[type[BaseException]]] = []

# What the runner of a CI takes for a command: `::error::` at the start of a line, `##[` and `##vso[` anywhere.
_COMMAND: Final = re.compile(r"^\s*:(?=:)|#(?=#(?:\[|vso\[))", re.MULTILINE)


def foreseen(kind: Kind) -> Kind:
    """Declares that a class of exceptions is part of how a check works, and no bug where it is raised; a decorator."""
    _foreseen.append(kind)
    return kind


def is_foreseen(error: BaseException) -> bool:
    """Whether the class of an exception was declared `foreseen`."""
    return isinstance(error, tuple(_foreseen))


class InternalError(Exception):
    """A bug of shapelint's own; it is made of the exception in one line, with the line that raised it.

    It is no ShapelintError, so that nobody who expects a user's mistake catches it.
    """

    def __str__(self) -> str:
        return f"internal error: {self.args[0]}; this is a bug of shapelint, not of your model"


@foreseen
class ShapelintError(Exception):
    """A check that could not be done: the text says which two things are in conflict and what to do.

    `place` is the file and the line that is at fault, where no exception of the user's has it.
    """

    def __init__(self, *args: object, place: tuple[str, int] | None = None) -> None:
        super().__init__(*args)
        self.place = place


class TargetError(ShapelintError):
    """A target that cannot be found, imported or built."""


class NoModelError(TargetError):
    """A file in which reading finds no model."""


class SpecError(ShapelintError):
    """An input, size or expectation that cannot be read."""


class InferenceError(ShapelintError):
    """An input that nobody wrote down, and that could not be found by trying the model."""


class ModelError(ShapelintError):
    """A model that cannot be run on the given inputs for a reason that is no size rule."""


class ProviderError(ShapelintError):
    """An onnxruntime provider that is missing or fell back to another one."""


class RuleError(ShapelintError):
    """A rule code that does not exist, or that two packages claim."""


class EditError(ShapelintError):
    """An edit of a source file that cannot be made."""


class BaselineError(ShapelintError):
    """A baseline file that cannot be read, is damaged, or belongs to another program."""


class ConfigError(ShapelintError):
    """A `[tool.shapelint]` table that cannot be read."""


def words_of(error: BaseException) -> str:
    """What an exception says; "" where it says nothing, or cannot: its `__str__` is the user's code too."""
    try:
        return str(error)
    except BaseException:
        return ""


def printable(text: str) -> str:
    """The text in one line, with the escapes of what would move a terminal's cursor or cannot be encoded."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """The text in one line, with the escapes of what would act on a terminal or in the log of a CI; blanks stay.

    This and `without_commands` are the places that make a text safe to show.
    """
    if not text.isprintable():
        text = "".join(each if _is_shown(each) else _escape(each) for each in text)
    return without_commands(text)


def without_commands(text: str) -> str:
    """The text with the escapes of what the runner of a CI would take for a command."""
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def nearest(word: str, known: Sequence[str]) -> str:
    """`, did you mean 'x'?` where a known word is near, else the list of them."""
    close = difflib.get_close_matches(word, known, 1, 0.6) or difflib.get_close_matches(word.lower(), known, 1, 0.6)
    return f", did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
