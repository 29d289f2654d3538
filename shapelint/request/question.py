"""What is asked of a model: its inputs as functions of symbols, and the sizes that somebody cares about.

A concrete spec asks for one size; inside, its spatial axes become symbols all the same, so that the contract
covers every size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shapelint.errors import SpecError
from shapelint.request.inputs import Inputs
from shapelint.request.spec import Expectation, TensorSpec
from shapelint.size.bound import never_negative
from shapelint.size.condition import Condition, all_of, any_of, at_least, equal
from shapelint.size.function import Function, constant, symbol
from shapelint.size.isl_form import Undecidable
from shapelint.size.sets import SizeSet

_NAMES = {0: (), 1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
_HINTS = (64, 128, 192, 256)


@dataclass(frozen=True, slots=True)
class Question:
    """Inputs over symbols, the domain of the symbols, the size of the first run and what is asked.

    `lead` is the number of the tensor whose size is followed, the first one but where the model's layers take another;
    `axes` are its axes that are taken as spatial; `asked` is None where nothing in particular is asked (symbols alone).
    `place` is the index of the output that is compared and its spatial axes, once a run with symbols has shown them: at
    one fixed size no shape tells them.
    """

    inputs: Inputs
    symbols: tuple[str, ...]
    domain: SizeSet
    first: dict[str, int]
    axes: tuple[int, ...]
    asked: SizeSet | None
    concrete: bool
    place: tuple[int, tuple[int, ...]] | None = None
    lead: int = 0

    @property
    def led(self) -> TensorSpec:
        """The tensor whose size is followed."""
        return list(self.inputs.tensors())[self.lead]

    @property
    def target(self) -> tuple[Function, ...]:
        """The spatial size of the tensor that is followed."""
        dims = self.led.dims
        return tuple(dims[axis] for axis in self.axes)

    def at(self, inputs: Inputs, symbols: tuple[str, ...]) -> Question:
        """The same question about fixed inputs, over other symbols."""
        return replace(self, inputs=inputs, symbols=symbols, domain=SizeSet.universe(symbols))


def question(
    inputs: Inputs, sizes: Mapping[str, Sequence[int]], axes: tuple[int, ...] | None = None, lead: int = 0
) -> Question:
    """The question that inputs and `sizes` (asked values of symbols) put; `axes` overrides the spatial axes.

    Raises SpecError where no tensor is given.
    """
    tensors = list(inputs.tensors())
    if not tensors:
        raise SpecError("no input tensor is given; write a spec such as 1,3,H,W")
    own = tuple(dict.fromkeys(name for tensor in tensors for name in tensor.symbols()))
    chosen = _usual_axes(tensors[lead]) if axes is None else axes
    if own:
        return replace(_symbolic(inputs, own, sizes, chosen), lead=lead)
    return replace(_concrete(inputs, sizes, chosen, tensors[lead]), lead=lead)


def check_expectation(expect: Expectation | None, symbols: Sequence[str]) -> None:
    """SpecError where an expectation names a symbol that no input has."""
    for dim in () if expect is None else expect.dims:
        for name in sorted(() if dim is None else dim.symbols() - set(symbols)):
            known = ", ".join(symbols) or "none"
            raise SpecError(f"expect {str(expect)!r}: there is no symbol {name}; the symbols are {known}")


def _usual_axes(spec: TensorSpec) -> tuple[int, ...]:
    """All axes after batch and channel, where the tensor has one to three of them."""
    rank = len(spec.dims)
    return tuple(range(2, rank)) if 3 <= rank <= 5 else ()


def _concrete(
    inputs: Inputs, sizes: Mapping[str, Sequence[int]], axes: tuple[int, ...], first: TensorSpec
) -> Question:
    names = _NAMES.get(len(axes), tuple(f"S{index}" for index in range(len(axes))))
    values = {name: first.dims[axis].value({}) for name, axis in zip(names, axes, strict=True)}
    shared = tuple(first.dims[axis] for axis in axes)
    symbols = tuple(map(symbol, names))

    def lifted(spec: TensorSpec) -> TensorSpec:
        if len(spec.dims) != len(first.dims) or tuple(spec.dims[axis] for axis in axes) != shared:
            return spec
        dims = list(spec.dims)
        for axis, each in zip(axes, symbols, strict=True):
            dims[axis] = each
        return replace(spec, dims=tuple(dims))

    args, kwargs = inputs.map(lifted)
    domain = _domain(names, symbols)
    asked = _asked(names, {**{name: (value,) for name, value in values.items()}, **sizes}, domain)
    start = values if values in asked else asked.sample()
    assert start is not None, "the asked sizes are input sizes"
    return Question(Inputs(args, kwargs), names, domain, start, axes, asked, True)


def _symbolic(
    inputs: Inputs, names: tuple[str, ...], sizes: Mapping[str, Sequence[int]], axes: tuple[int, ...]
) -> Question:
    dims = [dim for tensor in inputs.tensors() for dim in tensor.dims if dim.constant is None]
    domain = _domain(names, [*map(symbol, names), *dims])
    hint = dict(zip(names, _HINTS * (1 + len(names) // len(_HINTS)), strict=False))
    asked = _asked(names, sizes, domain) if sizes else None
    if asked is not None and not asked:
        raise SpecError("no size that is asked for is an input size: a dimension would be below 1")
    first = hint if hint in (domain if asked is None else asked) else (asked or domain).sample()
    assert first is not None, "a set that is not empty has a member"
    return Question(inputs, names, domain, first, axes, asked, False)


def _domain(names: Sequence[str], dims: Sequence[Function]) -> SizeSet:
    """The sizes at which no dimension is below 1."""
    domain = SizeSet.universe(names)
    for dim in dims:
        try:
            domain = domain & SizeSet.where(names, at_least(dim, constant(1)))
        except Undecidable as error:
            if never_negative(dim.plus(-1)):
                continue
            said = f"the sizes at which {dim} is 1 or more cannot be told"
            raise SpecError(f"{said}; write a product of symbols, such as H*W, as one symbol") from error
    return domain


def _asked(names: Sequence[str], sizes: Mapping[str, Sequence[int]], domain: SizeSet) -> SizeSet:
    unknown = [name for name in sizes if name not in names]
    if unknown:
        raise SpecError(f"sizes are given for {unknown[0]}, but the symbols are {', '.join(names) or 'none'}")
    asked = domain
    for name, values in sizes.items():
        asked = asked & SizeSet.where(names, _among(symbol(name), values))
    return asked


def _among(size: Function, values: Sequence[int]) -> Condition:
    if isinstance(values, range) and len(values) > 1:
        inside = [at_least(size, constant(values[0])), at_least(constant(values[-1]), size)]
        offset = size.plus(-values[0])
        whole = equal(offset, offset.floor_divide(values.step).times(values.step))
        return all_of([*inside, whole])
    return any_of(equal(size, constant(value)) for value in values)
