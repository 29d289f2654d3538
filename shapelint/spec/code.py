"""The inputs of a model and its open sizes as Python text: what is shown is what is run."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from shapelint.errors import SpecError
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.atoms import Symbol
from shapelint.size.function import Function
from shapelint.spec.boxes import AxisRange, SizeBox

Leaf = TypeVar("Leaf")
_PLAIN = (str, int, float, bool, type(None), complex, bytes)


@dataclass(frozen=True, slots=True)
class CodeText:
    """A part of a Python text, which stands in a structure in the place of a value."""

    text: str


def written(value: object) -> str:
    """A structure of lists, tuples, dicts, plain values and texts, as Python. Raises SpecError for any other value."""
    if isinstance(value, CodeText):
        return value.text
    if type(value) in _PLAIN:
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(written, value)) + ("," if len(value) == 1 else "") + ")"
    raise SpecError(f"an input of type {type(value).__name__} cannot be written as text; give tensors and plain values")


def binding(function: Callable[..., object]) -> Callable[..., Mapping[str, object]]:
    """A function that gives the arguments of a call by the names of its parameters, in their order."""

    def bound(*args: object, **kwargs: object) -> Mapping[str, object]:
        return inspect.signature(function).bind(*args, **kwargs).arguments

    return bound


def sample_code(inputs: Inputs, sizes: Mapping[str, int]) -> tuple[str, str]:
    """`args` and `kwargs` as Python: the positional and the keyword arguments at some sizes. Raises SpecError."""
    args, kwargs = inputs.parts(lambda spec: CodeText(_tensor(spec, sizes)))
    return written(args), written(kwargs)


def _tensor(spec: TensorSpec, sizes: Mapping[str, int]) -> str:
    shape = ", ".join(str(dim.value(sizes)) for dim in spec.dims)
    shape = shape or "()"
    if spec.dtype == "float32":
        return f"torch.rand({shape})"
    return f"torch.zeros({shape}, dtype=torch.{spec.dtype})"


def dim_names(symbols: tuple[str, ...]) -> dict[str, str]:
    """A name for the Dim of each symbol: the symbol in lower case where that is one."""
    names: dict[str, str] = {}
    for name in symbols:
        short = name.lower()
        while keyword.iskeyword(short) or short in names.values() or short in ("torch", "args", "kwargs"):
            short += "_"
        names[name] = short
    return names


def dim_lines(box: SizeBox, names: Mapping[str, str]) -> Iterator[str]:
    """The lines that declare a Dim for each open symbol."""
    for axis in box.free:
        low = axis.first // axis.step
        high = "" if axis.last is None else f", max={(axis.last - axis.rest) // axis.step}"
        name = names[axis.symbol]
        scaled = _scaled(name, axis.step, axis.rest)
        meaning = "" if scaled == name else f"  # {axis.symbol} = {scaled}"
        yield f'{name} = Dim("{name}", min={low}{high}){meaning}'


def dims_code(spec: TensorSpec, box: SizeBox, names: Mapping[str, str]) -> str:
    """The open axes of one tensor, as the dict that torch.export wants; None where there is none."""
    axes = {axis.symbol: axis for axis in box.axes}
    found = {number: _dim(dim, axes, names) for number, dim in enumerate(spec.dims)}
    entries = ", ".join(f"{number}: {text}" for number, text in found.items() if text)
    return "{" + entries + "}" if entries else "None"


def _dim(dim: Function, axes: Mapping[str, AxisRange], names: Mapping[str, str]) -> str:
    """The Dim of one dimension; "" for a fixed one, and the automatic one for what Dims cannot say."""
    if not any(axes[name].open for name in dim.symbols()):
        return ""
    line = _line(dim)
    if line is None:
        return "Dim.AUTO"
    name, scale, shift = line
    axis = axes[name]
    return _scaled(names[axis.tied or name], scale * axis.step, scale * axis.rest + shift)


def _line(dim: Function) -> tuple[str, int, int] | None:
    """(symbol, scale, shift) of a function that is a straight line of one symbol; None for any other."""
    shift = sum(value for monomial, value in dim.terms if not monomial)
    rest = [(monomial, value) for monomial, value in dim.terms if monomial]
    if len(rest) != 1 or len(rest[0][0]) != 1:
        return None
    (((atom,), scale),) = rest
    return (str(atom), int(scale), int(shift)) if isinstance(atom, Symbol) and scale > 0 else None


def _scaled(name: str, scale: int, shift: int) -> str:
    product = name if scale == 1 else f"{scale}*{name}"
    return product if shift == 0 else f"{product} {'+' if shift > 0 else '-'} {abs(shift)}"


def shapes_code(
    inputs: Inputs, bound: Callable[..., Mapping[str, object]], box: SizeBox, names: Mapping[str, str]
) -> str:
    """`dynamic_shapes` as Python; `bound` gives the arguments by the names of the parameters. Raises SpecError."""

    def marked(value: object) -> object:
        if isinstance(value, CodeText):
            return value
        if isinstance(value, Mapping):
            return {key: marked(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(marked, value))
        return CodeText("None")

    args, kwargs = inputs.parts(lambda spec: CodeText(dims_code(spec, box, names)))
    return written(marked(dict(bound(*args, **kwargs))))


def named_leaves(bound: Mapping[str, object], kind: type[Leaf]) -> dict[str, Leaf]:
    """The values of a kind in arguments by parameter, in their order: `image`, or `batch_image` for an entry."""
    found: dict[str, Leaf] = {}

    def follow(value: object, name: str) -> None:
        if isinstance(value, kind):
            found[name] = value
        elif isinstance(value, Mapping):
            for key, each in value.items():
                follow(each, f"{name}_{key}")
        elif isinstance(value, (list, tuple)):
            for number, each in enumerate(value):
                follow(each, f"{name}_{number}")

    for name, value in bound.items():
        follow(value, name)
    return found


def open_axes(named: Mapping[str, TensorSpec]) -> dict[str, dict[int, str]]:
    """`dynamic_axes` of the inputs: the symbol of each open axis, and a name of its own for a formula of symbols."""
    found = {
        name: {
            number: str(dim) if str(dim).isidentifier() else f"{name}_{number}"
            for number, dim in enumerate(spec.dims)
            if dim.constant is None
        }
        for name, spec in named.items()
    }
    return {name: axes for name, axes in found.items() if axes}
