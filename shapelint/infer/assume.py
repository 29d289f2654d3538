"""A target for which nobody gave inputs: how it is built and called, by the evidence there is, the best first.

The order: a comment above the class; what the project's source says as literals; jaxtyping annotations of `forward`;
`example_input_array`; and else what the layers take. Whatever it is, it has run before it is assumed.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch

from shapelint.errors import InferenceError, TargetError
from shapelint.evidence.definitions import argument_names
from shapelint.evidence.settings import NamedPart, SettingsObject
from shapelint.evidence.tensors import TensorLiteral
from shapelint.evidence.usage import Usage, place
from shapelint.evidence.usages import usages
from shapelint.infer.guesses import default_dtype
from shapelint.infer.infer import Assumed, infer, runs_at
from shapelint.load import Loaded, load
from shapelint.request.annotation import annotated_models
from shapelint.request.entries import AnnotatedObject, Entries, NamedObject
from shapelint.request.inputs import Inputs, parse_inputs
from shapelint.request.options import Options
from shapelint.request.spec import TensorSpec
from shapelint.source.module_files import module_file
from shapelint.source.notebook import SOURCES
from shapelint.source.ownership import installed, shown

_BUILT: Final = 3
_TRIED: Final = 3

Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A model that is built, the arguments that it was built with, its inputs, and what was assumed of all that."""

    loaded: Loaded
    init_kwargs: Arguments | None
    inputs: Inputs
    sentence: str
    built: bool = False

    @property
    def comment(self) -> str:
        """The comment that would give these inputs, above the class; "" where none can say it."""
        values = [*self.inputs.args, *self.inputs.kwargs.values()]
        plain = bool(self.sentence) and all(_is_written(each) for each in values)
        if not plain or self.init_kwargs or self.built:
            return ""
        return "# shapelint: " + " ".join(f"input={text}" for text in self.inputs.texts())


def _is_written(value: object) -> bool:
    """Whether a comment can say an argument: a tensor, or an object of tensors by their names."""
    if isinstance(value, Entries | AnnotatedObject):
        fields = value.fields if isinstance(value, AnnotatedObject) else value
        return all(isinstance(each, TensorSpec) for each in fields.values())
    return isinstance(value, TensorSpec)


def assume(target: object, init_kwargs: Arguments | None, given: Inputs, options: Options) -> Assumption:
    """The model of a target with inputs at which it runs; `given` are arguments without tensors.

    Raises TargetError where it cannot be built, InferenceError where no input is found.
    """
    file, name = _source(target)
    if given == Inputs() and file:
        for model in annotated_models(file):
            if model.target.rpartition(":")[2] == name:
                loaded = load(target, init_kwargs=init_kwargs, build=options.build, method=options.method)
                inputs, where = parse_inputs(list(model.inputs)), f"{shown(file)}:{model.line}"
                return Assumption(loaded, init_kwargs, inputs, f"assumed {_texts(inputs)}: the comment at {where}")
    known = usages(file, name) if file and options.build is None else ()
    names = argument_names(file, name) if known else None
    failed: TargetError | InferenceError | None = None
    for kwargs, chosen in _ways(known, names, init_kwargs):
        try:
            loaded = load(target, init_kwargs=kwargs, build=options.build, method=options.method)
            found = _assumed(loaded, kwargs, given, options, chosen, told=kwargs is not init_kwargs)
            return replace(found, built=options.build is not None)
        except (TargetError, InferenceError) as error:
            failed = failed if chosen == () and failed is not None else error
    assert failed is not None, "one way at least was tried"
    raise failed


def _source(target: object) -> tuple[str, str]:
    """The file and the name of a class or factory of the user's; "" where there is no such file."""
    if isinstance(target, str):
        where, _, name = target.rpartition(":")
        file = os.path.realpath(where) if where.endswith(SOURCES) else module_file(where, os.getcwd(), target)
    elif isinstance(target, torch.nn.Module) or not callable(target):
        return "", ""
    else:
        name = str(getattr(target, "__qualname__", ""))
        try:
            file = inspect.getsourcefile(target)
        except (TypeError, OSError):
            file = None
    usable = file is not None and os.path.isfile(file) and not installed(file) and name.replace(".", "").isidentifier()
    return (str(file), name) if usable else ("", "")


def _ways(
    known: Sequence[Usage], names: Sequence[str] | None, given: Arguments | None
) -> Iterator[tuple[Arguments | None, tuple[Usage, ...]]]:
    """The arguments to build with, each with the places that do so: those of calls first, none at the end."""
    if given is not None:
        yield given, tuple(usage for usage in known if _keywords(usage, names) == dict(given))
        return
    groups: list[tuple[Arguments, list[Usage]]] = []
    for usage in known:
        by_name = _keywords(usage, names)
        alike = next((found for each, found in groups if each == by_name), None)
        if alike is not None:
            alike.append(usage)
        elif by_name is not None:
            groups.append((by_name, [usage]))
    for kwargs, found in groups[:_BUILT]:
        yield kwargs or None, tuple(found)
    if not any(kwargs == {} for kwargs, _ in groups[:_BUILT]):
        yield None, ()


def _keywords(usage: Usage, names: Sequence[str] | None) -> dict[str, Any] | None:
    """The arguments of a usage by name; None where the names of the positional ones are not known."""
    if usage.args and (names is None or len(usage.args) > len(names)):
        return None
    given = {**dict(zip(names or (), usage.args, strict=False)), **usage.kwargs}
    return {name: _argument(each) for name, each in given.items()}


def _argument(value: Any) -> Any:
    """What was read of an argument, as the loader takes it."""
    if isinstance(value, SettingsObject):
        return Entries({name: _argument(each) for name, each in value.fields.items()})
    if isinstance(value, NamedPart):
        args, kwargs = value.call or ((), {})
        call = tuple(map(_argument, args)), {name: _argument(each) for name, each in kwargs.items()}
        return NamedObject(value.name, call if value.call is not None else None)
    if isinstance(value, dict):
        return {name: _argument(each) for name, each in value.items()}
    return type(value)(map(_argument, value)) if type(value) in (list, tuple) else value


def _assumed(
    loaded: Loaded, kwargs: Arguments | None, given: Inputs, options: Options, known: Sequence[Usage], *, told: bool
) -> Assumption:
    """The inputs of a built model: a literal call of it, or what the layers take; `told` says how it was built."""
    called = [usage for usage in known if usage.inputs is not None] if given == Inputs() else []
    prefix = f"{loaded.name.rpartition(':')[2]}({known[0].built}) as in {place(known[0])}, " if told and kwargs else ""
    for usage in called[:_TRIED]:
        inputs = _inputs(usage)
        if runs_at(loaded, inputs, options):
            return Assumption(loaded, kwargs, inputs, _as_in(usage, inputs, kwargs if told else None, loaded))
    example = _example(loaded.module) if given == Inputs() else None
    if example is not None and runs_at(loaded, example, options):
        return Assumption(loaded, kwargs, example, f"assumed {prefix}{_texts(example)}: its `example_input_array`")
    try:
        found = infer(loaded, given, options)
    except InferenceError:
        if not called or not called[0].own:
            raise
        inputs = _inputs(called[0])
        return Assumption(loaded, kwargs, inputs, _as_in(called[0], inputs, kwargs if told else None, loaded))
    for usage in called[:1]:
        inputs = _inputs(usage)
        if usage.own and (_fits(inputs, found.inputs) or (usage.run and _is_alike(inputs, found.inputs))):
            return Assumption(loaded, kwargs, inputs, _as_in(usage, inputs, kwargs if told else None, loaded))
    raising = f"; {_texts(_inputs(called[0]))}, as in {place(called[0])}, raises" if called else ""
    return Assumption(loaded, kwargs, found.inputs, f"assumed {prefix}{_sentence(found, given)}{raising}")


def _as_in(usage: Usage, inputs: Inputs, kwargs: Arguments | None, loaded: Loaded) -> str:
    built = f"{loaded.name.rpartition(':')[2]}({usage.built}) at " if kwargs else ""
    return f"assumed {built}{_texts(inputs)}: as in {place(usage)}"


def _sentence(found: Assumed, given: Inputs) -> str:
    numbers = {name: each for name, each in found.inputs.kwargs.items() if isinstance(each, int | float | str)}
    told = [f"{name}={each!r}" for name, each in numbers.items() if name not in given.kwargs]
    return f"{' and '.join([*found.inputs.texts(), *told])}{found.reason}"


def _texts(inputs: Inputs) -> str:
    return " and ".join(inputs.texts())


def _inputs(usage: Usage) -> Inputs:
    args = tuple(_spec(each, None) for each in usage.inputs or ())
    return Inputs(args, {name: _spec(each, name) for name, each in usage.input_kwargs.items()})


def _spec(value: object, name: str | None) -> object:
    if not isinstance(value, TensorLiteral):
        return value
    return TensorSpec(value.shape, default_dtype() if value.dtype == "float32" else value.dtype, name)


def _example(module: torch.nn.Module) -> Inputs | None:
    """The inputs of `example_input_array`, as Lightning has it; None where there is none that can be read."""
    value = getattr(module, "example_input_array", None)
    args = value if isinstance(value, tuple) else (value,)
    if not args or not all(isinstance(each, torch.Tensor) and each.dim() for each in args):
        return None
    return Inputs(tuple(TensorSpec(each.shape, str(each.dtype)) for each in args))


def _fits(inputs: Inputs, found: Inputs) -> bool:
    """Whether inputs differ from those that were found in nothing but open axes and the batch."""
    left, right = list(inputs.tensors()), list(found.tensors())
    return len(left) == len(right) and all(_alike(*pair) for pair in zip(left, right, strict=True))


def _is_alike(inputs: Inputs, found: Inputs) -> bool:
    """Whether inputs are as many, and of the ranks and dtypes, as those that were found."""
    kinds = [[(each.dtype, len(each.dims)) for each in given.tensors()] for given in (inputs, found)]
    return kinds[0] == kinds[1]


def _alike(given: TensorSpec, found: TensorSpec) -> bool:
    if given.dtype != found.dtype or len(given.dims) != len(found.dims):
        return False
    pairs = list(zip(given.dims, found.dims, strict=True))[1:]
    return all(right.constant is None or left.constant == right.constant for left, right in pairs)
