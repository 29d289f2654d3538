"""The arguments of one call of a model, with tensor specs in the place of tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shapelint.errors import SpecError
from shapelint.request.entries import AnnotatedObject, Entries, built, fitted, replaced_items
from shapelint.request.spec import TensorSpec, keyword_name, parse_argument, parse_tensor, whole_number


@dataclass(frozen=True, slots=True)
class Literal:
    """A string among the inputs that is passed to the model as it is, and not read as a tensor spec."""

    text: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Positional and keyword arguments: lists, tuples and dicts whose leaves are TensorSpecs or plain values."""

    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = field(default_factory=dict)

    def tensors(self) -> Iterator[TensorSpec]:
        """The specs, depth first: positional arguments, then keyword arguments."""
        yield from _specs([*self.args, *self.kwargs.values()])

    def map(self, fn: Callable[[TensorSpec], object]) -> tuple[tuple[object, ...], dict[str, object]]:
        """The arguments with each spec replaced by `fn(spec)`; containers are new at every call.

        Once no spec is left in an AnnotatedObject, the object is made of it.
        """
        args, kwargs = self.parts(fn)
        if any(_specs([*args, *kwargs.values()])):
            return args, kwargs
        return built(args), built(kwargs)

    def parts(self, fn: Callable[[TensorSpec], object]) -> tuple[tuple[object, ...], dict[str, object]]:
        """The arguments with each spec replaced by `fn(spec)`, and no object made of an AnnotatedObject yet."""
        args = tuple(_replaced(value, fn) for value in self.args)
        return args, {name: _replaced(value, fn) for name, value in self.kwargs.items()}

    def in_dtype(self, dtype: str) -> Inputs:
        """The arguments with another dtype for each tensor that has none of its own. Raises SpecError."""

        def changed(spec: TensorSpec) -> TensorSpec:
            return spec if spec.stated else TensorSpec(spec.dims, dtype, spec.name, stated=False)

        return Inputs(*self.map(changed))

    def fitted(self, function: Callable[..., object]) -> Inputs:
        """The arguments as the annotations of a function want them: entries of a dataclass as such an object.

        Raises SpecError where the class does not take its entries.
        """
        return replace(self, kwargs=fitted(function, self.kwargs))

    def texts(self) -> tuple[str, ...]:
        """The specs as texts for reports, such as `1,3,H,W` or `name=1,77:int64`."""
        return tuple(map(str, self.tensors()))


def parse_inputs(inputs: object, call_kwargs: Mapping[str, object] | None = None) -> Inputs:
    """The arguments that a person gives: one spec, one shape, or the list of positional arguments.

    In the list a string is a tensor spec and a tuple of integers a shape; `name=...` becomes a keyword argument,
    `batch.image=...` an entry of the group `batch`, and `sr=16000` a number.
    Nested lists, tuples and dicts are followed, and there only strings are specs; Literal passes a string; all
    else is passed as it is. In `call_kwargs` strings are specs too. Raises SpecError.
    """
    args: list[object] = []
    kwargs: dict[str, object] = {}
    for item in _positional(inputs):
        name, value = parse_argument(item) if isinstance(item, str) else (None, _argument(item))
        name = value.name if isinstance(value, TensorSpec) else name
        if name:
            _add_entry(kwargs, name.split("."), value)
        else:
            args.append(value)
    for name, item in (call_kwargs or {}).items():
        _add(kwargs, keyword_name(name), _named(name, _tree(item)))
    return Inputs(tuple(args), kwargs)


def _positional(inputs: object) -> list[object]:
    if inputs is None:
        return []
    if isinstance(inputs, str | TensorSpec) or _is_shape(inputs):
        return [inputs]
    if isinstance(inputs, list) and len(inputs) > 1 and all(whole_number(item) is not None for item in inputs):
        raise SpecError(f"inputs {inputs!r} is a list of positional arguments; write the shape as {tuple(inputs)!r}")
    if isinstance(inputs, tuple) and any(whole_number(item) is not None for item in inputs):
        raise SpecError(f'inputs {inputs!r} mixes numbers and others; write "{",".join(map(str, inputs))}" or a list')
    if isinstance(inputs, list | tuple):
        return list(inputs)
    raise SpecError(f"inputs is of type {type(inputs).__name__}{_advice(inputs)}")


def _advice(inputs: object) -> str:
    shape = getattr(inputs, "shape", None)
    if shape is not None:
        return f"; give its shape, {tuple(shape)}"
    if isinstance(inputs, Mapping):
        return "; write [inputs] for one positional dict, or call_kwargs=inputs for keywords"
    return "; it takes '1,3,H,W', (1, 3, 6, 6) or the list of positional arguments"


def _is_shape(value: object) -> bool:
    """Whether a value is a tuple of integers, with at least one."""
    return isinstance(value, tuple) and len(value) > 0 and all(whole_number(item) is not None for item in value)


def _argument(value: object) -> object:
    """A positional argument: only here, at the top, a tuple of integers is a shape and a spec may have a name."""
    if isinstance(value, tuple) and _is_shape(value):
        try:
            return TensorSpec(value)
        except SpecError as error:
            raise SpecError(f"input {value!r}: {error}") from None
    return value if isinstance(value, TensorSpec) else _unnamed(_tree(value))


def _tree(value: object) -> object:
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, str):
        return parse_tensor(value)
    return _followed(value, _tree)


def _followed(value: object, fn: Callable[[object], object]) -> object:
    """A list, tuple or dict of the same type with `fn` of its items; anything else as it is."""
    if isinstance(value, tuple):
        items = tuple(fn(item) for item in value)
        if all(map(operator.is_, items, value)):
            return value
        named: Callable[..., object] = type(value)
        return named(*items) if hasattr(value, "_fields") else items
    if isinstance(value, list):
        return [fn(item) for item in value]
    if isinstance(value, dict):
        return replaced_items(value, {key: fn(item) for key, item in value.items()})
    return value


def _specs(value: object) -> Iterator[TensorSpec]:
    if isinstance(value, TensorSpec):
        yield value
    value = value.fields if isinstance(value, AnnotatedObject) else value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _specs(item)


def _replaced(value: object, fn: Callable[[TensorSpec], object]) -> object:
    if isinstance(value, AnnotatedObject):
        fields = {key: _replaced(item, fn) for key, item in value.fields.items()}
        return replace(value, fields=fields)
    return fn(value) if isinstance(value, TensorSpec) else _followed(value, lambda item: _replaced(item, fn))


def _unnamed(value: object) -> object:
    for spec in _specs(value):
        if spec.name:
            raise SpecError(f"input '{spec}': a name is for keyword arguments, not for a tensor inside of another")
    return value


def _named(name: str, value: object) -> object:
    if not isinstance(value, TensorSpec):
        return _unnamed(value)
    if value.name not in (None, name):
        raise SpecError(f"input '{value}': it has another name than its keyword {name!r}")
    return replace(value, name=name)


def _add_entry(kwargs: dict[str, object], path: list[str], value: object) -> None:
    """Adds an argument, or an entry of one that is a group of entries; SpecError where it is there already."""
    for depth, key in enumerate(path[:-1], 1):
        kwargs = kwargs.setdefault(key, Entries())  # type: ignore[assignment]
        if not isinstance(kwargs, Entries):
            raise SpecError(f"the argument {'.'.join(path[:depth])!r} is given twice")
    if path[-1] in kwargs:
        raise SpecError(f"the argument {'.'.join(path)!r} is given twice")
    kwargs[path[-1]] = value


def _add(kwargs: dict[str, object], name: str, value: object) -> None:
    if name in kwargs:
        raise SpecError(f"the argument {name!r} is given twice")
    kwargs[name] = value
