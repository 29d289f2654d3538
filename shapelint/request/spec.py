"""Reads what a person writes about tensors: input specs such as `name=1,77:int64`, expectations and size sets.

Nothing here imports torch: a spec is plain data, and the tensors are made where the model runs.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Final

from shapelint.errors import SpecError, nearest
from shapelint.size.expression import parse_function
from shapelint.size.function import Function, constant

LARGEST: Final = 2**31 - 1

DTYPES: Final = (
    *("float32", "float64", "float16", "bfloat16", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
_DEFAULT: Final = "float32"
_ALIASES: Final = {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64"}


@dataclass(frozen=True, slots=True, init=False)
class TensorSpec:
    """A tensor to be given to a model: its dims as functions of the symbols, its dtype, its keyword if any.

    Where no dtype is `stated`, it is the default one.
    """

    dims: tuple[Function, ...]
    dtype: str
    name: str | None
    stated: bool = field(compare=False)

    def __init__(
        self, dims: Iterable[int | Function], dtype: str = "", name: str | None = None, stated: bool = True
    ) -> None:
        """Takes integers too; SpecError where a dim or the dtype is none."""
        functions = tuple(_dimension(dim, number) for number, dim in enumerate(dims, 1))
        object.__setattr__(self, "dims", functions)
        object.__setattr__(self, "dtype", _known_dtype(dtype or _DEFAULT))
        object.__setattr__(self, "stated", stated and bool(dtype))
        object.__setattr__(self, "name", name)

    def symbols(self) -> tuple[str, ...]:
        """The names of the symbols in the dims, in the order of the dims."""
        return tuple(dict.fromkeys(name for dim in self.dims for name in sorted(dim.symbols())))

    def __str__(self) -> str:
        prefix = f"{self.name}=" if self.name else ""
        told = self.dtype != _DEFAULT or not self.dims or (self.name and len(self.dims) == 1 and not self.symbols())
        suffix = f":{self.dtype}" if told else ""
        return prefix + ",".join(map(str, self.dims)) + suffix


@dataclass(frozen=True, slots=True)
class Expectation:
    """The shape that an output must have: None is any size, `leading` any number of dims in front.

    `output` is the number of the output, None the first that has spatial axes.
    """

    dims: tuple[Function | None, ...]
    leading: bool
    text: str
    output: int | None = None

    def at(self, sizes: Mapping[str, int]) -> Expectation:
        """The expectation where the symbols have the given sizes."""
        dims = tuple(None if dim is None else constant(dim.value(sizes)) for dim in self.dims)
        return replace(self, dims=dims)

    def __str__(self) -> str:
        return self.text


def parse_argument(text: str) -> tuple[str | None, TensorSpec | int | float]:
    """The name and the value of what `--input` says: a tensor, or in `sr=16000` and `scale=0.5` a number.

    A vector of 16000 values is `sr=16000:float32`. Raises SpecError as `parse_tensor` does.
    """
    name, _, rest = text.partition("=")
    if not _NUMBER.fullmatch(rest.strip()):
        spec = parse_tensor(text)
        return spec.name, spec
    try:
        _keyword(text)
    except SpecError as error:
        raise SpecError(f"input {text!r}: {error}") from None
    return name.strip(), int(rest) if rest.strip().lstrip("+-").isdigit() else float(rest)


def parse_tensor(text: str) -> TensorSpec:
    """The tensor that a spec such as `1,3,H,W`, `N,3,16*K,H//8` or `name=1,77:int64` denotes; `t=` has no dims.

    Raises SpecError with one line that names the dim, the dtype or the keyword that is wrong.
    """
    try:
        name, rest = _keyword(text)
        shape, colon, dtype = rest.partition(":")
        parts = split_dims(shape) if shape.strip() or not (name or colon) else []
        dims = [_open(part, number) for number, part in enumerate(parts, 1)]
        return TensorSpec(dims, _known_dtype(dtype.strip()) if colon else "", name)
    except SpecError as error:
        raise SpecError(f"input {text!r}: {error}") from None


def parse_expect(text: str) -> Expectation:
    """The shape that `--expect` asks for: `_` is any size, `...` in front any number of dims. Raises SpecError."""
    if not isinstance(text, str):
        raise SpecError(f"expect is a {type(text).__name__}; write a text such as '_,3,H,W'")
    try:
        parts = split_dims(text)
        leading = parts[0] == "..."
        dims = tuple(_wanted(part, number) for number, part in enumerate(parts, 1) if number > 1 or not leading)
        return Expectation(dims, leading, text)
    except SpecError as error:
        raise SpecError(f"expect {text!r}: {error}") from None


def parse_sizes(value: str | Mapping[str, object] | Sequence[str] | None) -> dict[str, range | tuple[int, ...]]:
    """The sizes that are asked for, by symbol: ascending, without repeats; `A..B` includes both ends.

    Takes `H=32..512:32`, `H=64`, `H=64,96;W=32..64`, a sequence of such texts, or a mapping from symbols to an
    integer, a range, a sequence of integers or a text. Raises SpecError with one line that names what is wrong.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {_symbol(name): _asked(sizes, f"sizes of {name}") for name, sizes in value.items()}
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise SpecError(f"sizes are {value!r}; write 'H=32..512:32' or {{'H': range(32, 513, 32)}}")
    found: dict[str, range | tuple[int, ...]] = {}
    for text in ";".join(texts).split(";"):
        name, sign, sizes = text.partition("=")
        if not sign:
            raise SpecError(f"sizes {text!r}: no symbol; write H=32..512:32, H=64 or H=64,96")
        if _symbol(name.strip()) in found:
            raise SpecError(f"sizes {text!r}: {name.strip()} is given twice")
        found[name.strip()] = _asked(sizes, f"sizes {text!r}")
    return found


def split_dims(text: str) -> list[str]:
    """The parts between the commas that stand outside of brackets; SpecError where one is empty."""
    if not text.strip():
        raise SpecError("there are no dims; write them with commas, such as 1,3,H,W")
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    stripped = [part.strip() for part in parts]
    if "" in stripped:
        raise SpecError(f"dim {stripped.index('') + 1} is empty")
    return stripped


def whole_number(value: object) -> int | None:
    """The value as an int where it is one (numpy's too), else None; a bool is no number here."""
    if isinstance(value, bool):
        return None
    return int(value) if isinstance(value, Integral) else None


_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def keyword_name(name: object) -> str:
    """The name of a keyword argument; SpecError where Python could not call with it."""
    if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise SpecError(f"{name!r} is no name of a keyword argument")


def _keyword(text: str) -> tuple[str | None, str]:
    name, sign, rest = text.partition("=")
    if not sign:
        return None, text
    first, *keys = name.strip().split(".")
    keyword_name(first)
    if "" in keys:
        raise SpecError(f"{name.strip()!r} names no entry; write batch.image=1,3,H,W")
    return name.strip(), rest


def _open(text: str, number: int) -> Function:
    if text in ("_", "...", "?", "*"):
        raise SpecError(f"dim {number} is {text!r}; give a size that is open a name, such as N")
    return _parsed(text, number)


def _wanted(text: str, number: int) -> Function | None:
    if text == "...":
        raise SpecError(f"dim {number} is '...', which may stand in front only")
    if ":" in text or "=" in text:
        raise SpecError(f"dim {number} is {text!r}; an expected shape has neither name nor dtype")
    return None if text == "_" else _parsed(text, number)


def _parsed(text: str, number: int) -> Function:
    if text[0] in "([{" and "," in text:
        raise SpecError(f"dim {number} is {text!r}; write the dims without brackets around them")
    if re.fullmatch(r"\d+(x\w+)+", text):
        raise SpecError(f"dim {number} is {text!r}; write the dims with commas, {text.replace('x', ',')}")
    try:
        return _dimension(parse_function(text), number)
    except SpecError as error:
        raise SpecError(str(error).replace("dimension ", f"dim {number} ", 1)) from None


def _dimension(value: object, number: int) -> Function:
    whole = value.constant if isinstance(value, Function) else whole_number(value)
    if isinstance(value, Function) and whole is None:
        return value
    if whole is None:
        raise SpecError(f"dim {number} is {value!r}, which is no integer and no Function")
    if not 1 <= whole <= LARGEST:
        raise SpecError(f"dim {number} is {whole}, but sizes go from 1 to {LARGEST}")
    return constant(whole)


def _known_dtype(dtype: str) -> str:
    short = dtype.removeprefix("torch.")
    name = _ALIASES.get(short, short)
    if name not in DTYPES:
        raise SpecError(f"unknown dtype {dtype!r}{nearest(short, DTYPES)}")
    return name


_RANGE: Final = re.compile(r"(\d+)\.\.(\d+)(?::(\d+))?", re.ASCII)


def _symbol(name: object) -> str:
    if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise SpecError(f"sizes: {name!r} is no symbol, such as H")


def _asked(value: object, where: str) -> range | tuple[int, ...]:
    if isinstance(value, range):
        return _ascending(value, where)
    if isinstance(value, str):
        return _read_sizes("".join(value.split()), where)
    items = list(value) if isinstance(value, Iterable) else [value]
    if not items:
        raise SpecError(f"{where}: there is none")
    return tuple(sorted({_size(item, where) for item in items}))


def _read_sizes(text: str, where: str) -> range | tuple[int, ...]:
    match = _RANGE.fullmatch(text)
    if not match:
        return tuple(sorted({_size(part, where) for part in text.split(",")}))
    start, end, step = (_size(part, where, lowest=0) for part in (match[1], match[2], match[3] or "1"))
    if start > end:
        raise SpecError(f"{where}: the range starts at {start}, after its end {end}")
    if step == 0:
        raise SpecError(f"{where}: a step of 0 leads nowhere")
    return _ascending(range(start, end + 1, step), where)


def _ascending(sizes: range, where: str) -> range:
    if not sizes:
        raise SpecError(f"{where}: {sizes} is empty")
    upward = sizes if sizes.step > 0 else sizes[::-1]
    _size(upward[0], where)
    _size(upward[-1], where)
    return upward


def _size(value: object, where: str, lowest: int = 1) -> int:
    number = _digits(value) if isinstance(value, str) else whole_number(value)
    if number is None:
        hint = "; separate symbols with ';'" if "=" in str(value) else "; write 32..512:32, 64 or 64,96"
        raise SpecError(f"{where}: {value!r} is no whole number{hint}")
    if not lowest <= number <= LARGEST:
        raise SpecError(f"{where}: {value!s:.20} is out of range, sizes go from {lowest} to {LARGEST}")
    return number


def _digits(text: str) -> int | None:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return int(sign + digits[:12]) if digits.isascii() and digits.isdigit() else None
