"""Tensors that one argument of `forward` holds together: a dict, a tuple, a dataclass; and arguments without tensors.

The annotation says it, or how `forward` reads the argument does (`evidence/forwards.py`).
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Final

import torch
from torch import nn

from shapelint.evidence.forwards import DTYPES, Forward
from shapelint.request.entries import Entries
from shapelint.source.fault import call_foreign, let_out

_PLAIN: Final[Mapping[type, object]] = {int: 1, float: 1.0, bool: False, str: ""}
_COUNTS: Final = 3
_LONGEST: Final = 8


@dataclass(frozen=True, slots=True)
class Group:
    """The tensors of one argument by their names or places, and what else is needed in it.

    `axes` are those that are annotated, with a dtype. In a group that is `several` the places count.
    """

    keys: tuple[str, ...]
    several: bool = False
    others: Mapping[str, object] = field(default_factory=dict)
    axes: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def made(self, values: Mapping[str, object]) -> object:
        """The argument with some values in it: a tuple, or entries by name."""
        return tuple(values.values()) if self.several else Entries({**values, **self.others})


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of arguments by name: groups of tensors, each with the likeliest first, and values for others."""

    groups: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)
    plain: Mapping[str, object] = field(default_factory=dict)


def read_arguments(function: Callable[..., Any], forward: Forward, module: nn.Module) -> Reading:
    """What the annotations of a function and its body say of its arguments."""
    hints = _hints(function)
    groups: dict[str, tuple[Group, ...]] = {}
    plain: dict[str, object] = {}
    for name in _parameters(function):
        hint = hints.get(name)
        if hint in _PLAIN:
            plain[name] = _PLAIN[typing.cast("type", hint)]
        elif found := tuple(_groups(name, hint, forward, module)):
            groups[name] = found
    return Reading(groups, plain)


def _groups(name: str, hint: Any, forward: Forward, module: nn.Module) -> Iterator[Group]:
    own = _of_class(hint, forward.fields.get(name, ()) or forward.keys.get(name, ()))
    if own is not None:
        yield own
    elif count := _tuple_length(hint) or forward.places.get(name, 0):
        yield Group(tuple(map(str, range(count))), several=True)
    elif forward.keys.get(name):
        yield Group(forward.keys[name])
    elif _is_object(read := forward.fields.get(name, ())):
        yield Group(read)
    elif (_is_list(hint) or name in forward.rows) and hint is not torch.Tensor:
        counts = [len(each) for each in module.modules() if isinstance(each, nn.ModuleList)]
        for count in list(dict.fromkeys([*counts, 2]))[:_COUNTS]:
            if 1 < count <= _LONGEST:
                yield Group(tuple(map(str, range(count))), several=True)


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function, also where `Tensor` is imported for type checkers alone; none where unreadable."""
    for names in (None, {"torch": torch, "Tensor": torch.Tensor}):
        try:
            return call_foreign(typing.get_type_hints, inspect.unwrap(function), None, names)
        except Exception as error:  # an annotation may be any code of the user's
            let_out(error)
    return {}


def _is_object(read: tuple[str, ...]) -> bool:
    """Whether an argument is only read by names that no tensor has."""
    return bool(read) and not any(hasattr(torch.Tensor, each) for each in read)


def _of_class(kind: Any, read: tuple[str, ...]) -> Group | None:
    """The tensors that an annotated dataclass, NamedTuple or TypedDict needs; None for another annotation."""
    if not isinstance(kind, type) or not (is_dataclass(kind) or hasattr(kind, "_fields") or typing.is_typeddict(kind)):
        return None
    hints, needed = _hints(kind), _needed(kind)
    tensors = [each for each in hints if _is_tensor(hints[each])]
    keys = tuple(each for each in tensors if each in needed or (each in read and not needed))
    others = {each: _PLAIN.get(hints.get(each, object)) for each in needed if each not in keys}
    if not keys or any(value is None for value in others.values()):
        return None
    return Group(keys, others=others, axes={each: axes for each in keys if (axes := _axes(hints[each])) is not None})


def _needed(kind: Any) -> tuple[str, ...]:
    """The fields of a class that have no default."""
    if is_dataclass(kind):
        every = [each for each in fields(kind) if each.init]
        return tuple(each.name for each in every if each.default is MISSING and each.default_factory is MISSING)
    if typing.is_typeddict(kind):
        return tuple(sorted(kind.__required_keys__, key=list(kind.__annotations__).index))
    return tuple(each for each in kind._fields if each not in kind._field_defaults)


def _is_tensor(hint: Any) -> bool:
    array = getattr(hint, "array_type", hint)  # of jaxtyping
    return isinstance(array, type) and issubclass(array, torch.Tensor)


def _axes(hint: Any) -> tuple[tuple[str, ...], str] | None:
    """The axes and the dtype of a jaxtyping annotation as an object."""
    text, name = getattr(hint, "dim_str", None), getattr(hint, "__name__", "").partition("[")[0]
    return (tuple(text.split()), DTYPES[name]) if isinstance(text, str) and name in DTYPES else None


def _tuple_length(hint: Any) -> int:
    """The number of tensors of `tuple[Tensor, Tensor]`; 0 for another annotation."""
    items = typing.get_args(hint) if typing.get_origin(hint) is tuple else ()
    return len(items) if items and all(map(_is_tensor, items)) else 0


def _is_list(hint: Any) -> bool:
    """Whether an annotation says a list of tensors, of any length."""
    origin = typing.get_origin(hint)
    items = [each for each in typing.get_args(hint) if each is not ...]
    listed = isinstance(origin, type) and issubclass(origin, typing.Sequence)
    return listed and not isinstance(hint, types.UnionType) and len(items) == 1 and _is_tensor(items[0])
