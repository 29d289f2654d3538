"""Which texts among JSON arguments are tensors and which are meant as texts."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.request.entries import Entries

TEXT: Final = "str:"


def _texts(value: Any, known: AbstractSet[str] | None) -> Any:
    """A value with what is to be passed as a text (`str:bilinear`) marked so, also inside of lists and dicts.

    A word alone is rather a text than a tensor of an open size that no other input has: SpecError, unless `known`
    is None.
    """
    if isinstance(value, dict):
        return Entries({key: _texts(item, known) for key, item in value.items()})
    if isinstance(value, list):
        return [_texts(item, known) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith(TEXT):
        from shapelint.request.inputs import Literal

        return Literal(value.removeprefix(TEXT))
    if known is not None and not _is_tensor(value, known):
        hint = f"write '{TEXT}{value}' for the text, or '{value}:float32' for a tensor of that size"
        raise SpecError(f"--call-kwargs: {value!r} is no size that an input has; {hint}")
    return value


def _is_tensor(text: str, known: AbstractSet[str]) -> bool:
    """Whether a text is plainly the spec of a tensor."""
    from shapelint.request.spec import parse_tensor

    try:
        symbols = set(parse_tensor(text).symbols())
    except SpecError as error:
        raise SpecError(f"--call-kwargs: {error}; for a text write '{TEXT}{text}'") from None
    return "," in text or ":" in text or symbols <= known
