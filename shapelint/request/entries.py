"""Groups of named values that a person writes down, as the code that takes them wants them: a dict, a dataclass.

`--input batch.image=1,3,H,W` and the JSON object `{"model": {"width": 8}}` say names and values, and not whether the
code asks for `batch["image"]` or for `batch.image`. What is annotated gets an object of the annotated class.
"""

from __future__ import annotations

import copy
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.ownership import module_of


class Entries(dict[str, Any]):
    """A dict whose items are attributes too, as those of OmegaConf and of argparse's Namespace are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.__dict__ = self

    def __getattribute__(self, name: str) -> Any:
        # The methods of a dict win over entries of their names, as they do in OmegaConf.
        return getattr(dict, name).__get__(self) if name in _METHODS else super().__getattribute__(name)

    def __copy__(self) -> Entries:
        return Entries(self)

    def __deepcopy__(self, memo: Any) -> Entries:
        return Entries({key: copy.deepcopy(value, memo) for key, value in self.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        return Entries, (dict(self),)


_METHODS: Final = frozenset(name for name in vars(dict) if not name.startswith("_")) - {"fromkeys"}


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """An object that is to be made of a class and its fields; the values in the fields may be specs of tensors."""

    kind: Callable[..., object]
    fields: Mapping[str, object]

    def made(self, fields: Mapping[str, object]) -> object:
        """The object with other values in its fields; what the class raises comes out."""
        return call_foreign(self.kind, **fields)


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A class or function of the target's module by its name, or what it makes of some arguments."""

    name: str
    call: tuple[tuple[Any, ...], Mapping[str, Any]] | None = None

    def found(self, names: Mapping[str, Any]) -> Any:
        """The class or function, where `names` are those of the module; SpecError where there is none."""
        first, *rest = self.name.split(".")
        found = names.get(first)
        for part in rest:
            found = call_foreign(getattr, found, part, None)
        if found is None:
            raise SpecError(f"its module has no {self.name!r}")
        return found


def names_in(value: Any) -> Iterator[str]:
    """The names of the target's module that stand in a value."""
    if isinstance(value, NamedObject):
        yield value.name.partition(".")[0]
        value = value.call or ()
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for each in inside:
        yield from names_in(each)


def with_objects(value: Any, names: Mapping[str, Any]) -> Any:
    """A value in which NamedObjects are what they name, or AnnotatedObjects where they are called; SpecError."""
    if isinstance(value, NamedObject):
        if value.call is None:
            return value.found(names)
        args, kwargs = value.call
        return AnnotatedObject(partial(_applied, value.found(names)), with_objects({**kwargs, "*": args}, names))
    if isinstance(value, dict):
        items = {key: with_objects(item, names) for key, item in value.items()}
        return replaced_items(value, {key: item for key, item in items.items() if item is not value[key]})
    if type(value) in (list, tuple):
        return type(value)(with_objects(item, names) for item in value)
    return value


def _applied(function: Callable[..., object], **fields: Any) -> object:
    args = fields.pop("*")
    return call_foreign(function, *args, **fields)


def as_values(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The arguments of JSON or TOML with Entries in the place of the dicts among them."""
    return None if arguments is None else {name: as_entries(value) for name, value in arguments.items()}


def as_entries(value: Any) -> Any:
    """A value of JSON or TOML with Entries in the place of its dicts."""
    if isinstance(value, dict):
        return Entries({key: as_entries(item) for key, item in value.items()})
    return [as_entries(item) for item in value] if isinstance(value, list) else value


def fitted(function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, Entries that are meant for an annotated class as an AnnotatedObject of it.

    Raises SpecError where the class is a dataclass that does not take them, or where there is no object of a name.
    """
    module = sys.modules.get(module_of(function))
    values = with_objects(dict(values), {} if module is None else vars(module))
    if not any(isinstance(value, Entries) for value in values.values()):
        return dict(values)
    return _fitted(values, _annotations(function))


def built(value: Any) -> Any:
    """A value with objects in the place of its AnnotatedObjects, inside of lists, tuples and dicts too."""
    if isinstance(value, AnnotatedObject):
        return value.made({key: built(item) for key, item in value.fields.items()})
    if isinstance(value, dict):
        return replaced_items(value, {key: built(item) for key, item in value.items()})
    return type(value)(map(built, value)) if type(value) in (list, tuple) else value


def leaves(values: Iterable[object]) -> Iterator[object]:
    """The values that are no Entries, and those inside of them, `input.1=1,3,6,6` among them."""
    for value in values:
        yield from leaves(value.values()) if isinstance(value, Entries) else (value,)


def replaced_items(value: dict[Any, Any], items: Mapping[Any, Any]) -> dict[Any, Any]:
    """A new dict of the same type with other values for some of its keys."""
    result = copy.copy(value)
    result.update(items)
    return result


def _fitted(values: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as(kinds.get(name), name, value) for name, value in values.items()}


def _as(annotation: Any, name: str, value: Any) -> Any:
    kind = _class(annotation) if isinstance(value, Entries) else None
    if kind is None:
        return value
    if kind is getattr(sys.modules.get("omegaconf"), "DictConfig", None):
        return AnnotatedObject(_omegaconf, _plain(value))
    try:
        inspect.signature(kind).bind(**value)
    except (TypeError, ValueError) as error:
        if not is_dataclass(kind):
            return value
        raise SpecError(f"{name!r} is no {kind.__name__}: {error}") from None
    return AnnotatedObject(kind, _fitted(value, _annotations(kind)))


def _omegaconf(**fields: Any) -> object:
    """An object of settings as OmegaConf makes it, where the user's code has imported that."""
    return call_foreign(sys.modules["omegaconf"].OmegaConf.create, fields)


def _plain(value: Any) -> Any:
    """A value with plain dicts in the place of its Entries."""
    if isinstance(value, Entries):
        return {key: _plain(item) for key, item in value.items()}
    return list(map(_plain, value)) if type(value) is list else value


def _class(annotation: Any) -> type | None:
    """The class of the user's that an annotation names, also where it may be None; None where there is none."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        kinds = [each for each in typing.get_args(annotation) if each is not types.NoneType]
        return _class(kinds[0]) if len(kinds) == 1 else None
    if not isinstance(annotation, type) or annotation is Any:
        return None
    package = module_of(annotation).partition(".")[0]
    mapping = issubclass(annotation, Mapping) and package != "omegaconf"
    return None if mapping or package in ("builtins", "torch") else annotation


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    """The annotations of the arguments of a function, or of a class's constructor; none where they cannot be read."""
    plain = isinstance(function, type) and not is_dataclass(function)
    try:
        return call_foreign(typing.get_type_hints, function.__init__ if plain else function)
    except Exception as error:  # an annotation may be any code of the user's
        let_out(error)
        return {}
