"""Brings together what a file says of its inputs and what a person asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from keyword import iskeyword
from typing import Final

from shapelint.errors import SpecError, nearest
from shapelint.request.entries import leaves
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.saved.graph import Given
from shapelint.size.function import Function, symbol

_AXES: Final = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}

_LONGEST: Final = 24  # a name that is repeated in every formula
_NUMBERED: Final = re.compile(r"[su]\d+")  # what torch.export calls a size without a name


def bound_inputs(given: Sequence[Given], asked: Inputs, subject: str) -> Inputs:
    """The inputs of a file in their order: as they are asked for by place or name, else as the file has them.

    Raises SpecError where inputs do not fit those of the file.
    """
    if not given:
        raise SpecError(f"{subject} takes no input, so there is nothing to ask of it")
    specs = list(asked.tensors())
    if not all(isinstance(leaf, TensorSpec) for leaf in leaves([*asked.args, *asked.kwargs.values()])):
        raise SpecError(f"{subject} takes tensors only, each with an --input of its own")
    named = {spec.name: spec for spec in specs if spec.name}
    names = [each.name for each in given]
    for name in named:
        if name not in names:
            raise SpecError(f"{subject} has no input {name!r}{nearest(name, names)}")
    by_place = [spec for spec in asked.args if isinstance(spec, TensorSpec)]
    free = [name for name in names if name not in named]
    if len(by_place) > len(free):
        raise SpecError(f"{subject} takes {len(names)} inputs ({', '.join(names)}), but {len(specs)} are given")
    chosen = {**named, **dict(zip(free, by_place, strict=False))}
    taken = {name for spec in specs for name in spec.symbols()}
    open_dims = _open_dims([each for each in given if each.name not in chosen], taken)
    several = len(given) > 1
    return Inputs(tuple(_spec(each, chosen.get(each.name), open_dims, subject, named=several) for each in given))


def _spec(
    given: Given, asked: TensorSpec | None, names: Mapping[tuple[str, int], str], subject: str, *, named: bool
) -> TensorSpec:
    label = given.name if named else None
    if asked is None:
        return TensorSpec(_own_dims(given, names, subject), given.dtype, label)
    if given.dims is not None and len(asked.dims) != len(given.dims):
        told = ",".join("?" if each is None else str(each) for each in given.dims)
        raise SpecError(f"input '{asked}': {given.name!r} of {subject} has {len(given.dims)} dims ({told})")
    if asked.dtype not in ("float32", given.dtype):
        raise SpecError(f"input '{asked}': {given.name!r} of {subject} is of dtype {given.dtype}")
    return replace(TensorSpec(asked.dims, given.dtype, label))


def _own_dims(given: Given, names: Mapping[tuple[str, int], str], subject: str) -> list[int | Function]:
    if given.dims is None:
        raise SpecError(f"{subject} does not tell the shape of {given.name!r}; give it with --input {given.name}=...")
    return [each if isinstance(each, int) else symbol(names[given.name, axis]) for axis, each in enumerate(given.dims)]


def _open_dims(given: Sequence[Given], taken: AbstractSet[str]) -> dict[tuple[str, int], str]:
    """A symbol for each open dim: its own name where that is a short one, else a usual one."""
    by_name: dict[str, str] = {}
    used = set(taken)
    for text in (dim for each in given for dim in each.dims or () if isinstance(dim, str)):
        own = _as_symbol(text)
        if text not in by_name and not _NUMBERED.fullmatch(text) and len(own) <= _LONGEST:
            by_name[text] = _fresh(own, used)
            used.add(by_name[text])
    found: dict[tuple[str, int], str] = {}
    for each in given:
        usual = _usual_names(len(each.dims or ()))
        for axis, dim in enumerate(each.dims or ()):
            if isinstance(dim, int):
                continue
            name = by_name.get(dim or "") or _fresh(usual[axis], used)
            used.add(name)
            by_name.update({} if dim is None else {dim: name})
            found[each.name, axis] = name
    return found


def _usual_names(rank: int) -> tuple[str, ...]:
    if 3 <= rank <= 5:
        return ("N", "C", *_AXES[rank - 2])
    return ("N", *(f"S{axis}" for axis in range(1, rank)))


def _as_symbol(text: str) -> str:
    """The name of an open dim, as one can be written in a spec."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not name or not name[0].isalpha() or iskeyword(name):
        return f"s_{name}" if name else "S"
    return name


def _fresh(name: str, used: AbstractSet[str]) -> str:
    found, count = name, 1
    while found in used:
        count += 1
        found = f"{name}{count}"
    return found
