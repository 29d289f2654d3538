"""A text with sizes in it that is only a key, as `f"{h}x{w}"`: it is compared with other keys by its sizes."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import Any, Final

from shapelint.size.number import Size
from shapelint.size.size_float import size_of
from shapelint.size.tracking import lose, symbolic, tell
from shapelint.source.fault import call_foreign

_WHY: Final = "the text of a size"
_MAKING: Final[dict[Any, Any]] = {"": format, "s": str, "r": repr}


class KeyText(str):
    """A text and its parts, in turn what stands between and a size; whatever else is done with it loses these."""

    __slots__ = ("literals", "sizes")

    literals: tuple[str, ...]
    sizes: tuple[int, ...]

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, str) else False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __radd__(self, other: Any) -> Any:
        return call_foreign(operator.add, other, self.lost())

    def __str__(self) -> str:
        tell(*self.sizes)
        return str.__str__(self)

    def lost(self) -> str:
        """The plain text."""
        lose(_WHY, *self.sizes)
        return str.__str__(self)


def _losing(name: str) -> Any:
    own = getattr(str, name)

    def method(self: KeyText, *args: Any, **kwargs: Any) -> Any:
        return call_foreign(own, self.lost(), *args, **kwargs)

    return method


_OF_OBJECTS: Final = {"__lt__", "__le__", "__gt__", "__ge__", "__format__", "__repr__"}
for _name in set(dir(str)) - set(dir(object)) - {"__getnewargs__"} | _OF_OBJECTS:
    setattr(KeyText, _name, _losing(_name))


def key_text(*parts: Any) -> str:
    """The text of its parts, texts, and values each with how it becomes one; a KeyText where one of them is a size."""
    literals, sizes = [""], list[int]()
    for part in parts:
        for each in [part] if isinstance(part, str) else _pieces(*part):
            if isinstance(each, str):
                literals[-1] += str.__str__(each)
            else:
                sizes.append(each)
                literals.append("")
    text = "".join(_alternating(literals, [int.__repr__(each) for each in sizes]))
    if not sizes:
        return text
    made = KeyText(text)
    made.literals, made.sizes = tuple(literals), tuple(sizes)
    return made


def same(one: KeyText, two: str) -> bool:
    """Whether two texts are equal, which is asked of their sizes where these stand apart."""
    others = two.sizes if isinstance(two, KeyText) else ()
    as_written = not isinstance(two, KeyText) or one.literals == two.literals
    if not as_written or not all(map(_keeps_apart, one.literals[1:-1])):
        lose(_WHY, *one.sizes, *others)
        return str.__eq__(one, two)
    if others:
        return all(first == second for first, second in zip(one.sizes, others, strict=True))
    found = re.fullmatch(r"(0|-?[1-9]\d*)".join(map(re.escape, one.literals)), two)
    return found is not None and all(size == int(text) for size, text in zip(one.sizes, found.groups(), strict=True))


def _keeps_apart(literal: str) -> bool:
    """Whether it is seen where the number before it ends, and where the one behind it begins."""
    return bool(literal) and not (literal[0].isdigit() or literal[-1].isdigit() or literal[-1] == "-")


def _pieces(how: Any, value: Any) -> Iterator[Any]:
    """The text of a value, with the sizes in it as they are."""
    if isinstance(value, Size) and symbolic(value):
        yield value if how in ("", "s", "r", "d", str, repr) else call_foreign(how, value)
    elif isinstance(value, tuple) and type(value).__name__ in ("tuple", "SizedShape") and how != "d":
        yield from _of_tuple(value)
    elif how == "d":
        yield call_foreign(str.__mod__, "%d", (value,))
    else:
        lose(_WHY, size_of(value))  # a quotient of sizes, or a float computed from them
        yield call_foreign(_MAKING.get(how, how), value)


def _of_tuple(value: tuple[Any, ...]) -> Iterator[Any]:
    """As Python writes a tuple, and torch a shape."""
    shape = type(value) is not tuple
    yield "torch.Size([" if shape else "("
    for index, each in enumerate(tuple.__iter__(value)):
        yield ", " if index else ""
        yield from _pieces("r", each)
    yield "])" if shape else ",)" if len(value) == 1 else ")"


def _alternating(literals: list[str], numbers: list[str]) -> Iterator[str]:
    for literal, number in zip(literals, [*numbers, ""], strict=True):
        yield literal
        yield number
