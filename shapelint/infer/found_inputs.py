"""From a run that gave an output to the inputs that are assumed: what is pinned is a number, the rest are symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shapelint.infer.guesses import Guess
from shapelint.infer.search import Found
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.function import Function, constant, symbol

_SPATIAL: Final = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
_VIDEO: Final = 5


def found_inputs(guess: Guess, found: Found) -> Inputs:
    """The inputs of a guess with a batch of one, a number for each axis that has only one, and symbols for others.

    Spatial axes stay symbols: the contract says which of their sizes run. Where nothing else is open the batch is.
    """
    spatial = spatial_symbols(found)
    dims = {name: _dim(name, found, spatial) for name in guess.hint}
    first = next(guess.inputs.tensors())
    open_ones = [name for name, dim in dims.items() if dim.constant is None and name not in ("N", *spatial)]
    dims |= {name: constant(value) for name, value in found.tied(open_ones).items()}
    if all(dim.constant is not None for dim in dims.values()):
        leading = str(first.dims[0])
        dims[leading] = symbol("N")
    shared = {} if guess.annotated else _shared(found, first, dims)
    names = {name: name for name in dims} if guess.annotated else _renamed(first, dims, spatial)
    dims = {name: symbol(names[name]) if dim.constant is None else dim for name, dim in dims.items()}
    dims |= {other: dims[name] for other, name in shared.items()}
    return Inputs(*guess.inputs.map(lambda spec: _with(spec, dims)))


def _shared(found: Found, first: TensorSpec, dims: Mapping[str, Function]) -> dict[str, str]:
    """The open axes of further inputs that run only where they are as long as one of the first input, as that one."""
    order = [str(dim) for dim in first.dims if str(dim) in dims and dims[str(dim)].constant is None]
    others = [name for name, dim in dims.items() if dim.constant is None and name not in map(str, first.dims)]
    return {other: name for other in others for name in order if found.is_same(name, other)}


def spatial_symbols(found: Found) -> tuple[str, ...]:
    """The symbols of the axes that the first convolution, pool or resize of the run takes as spatial."""
    records = found.run.records
    for record in records:
        if record.spatial and record.inputs and records[record.inputs[0]].outputs:
            dims = records[record.inputs[0]].outputs[0][-record.spatial :]
            sets = [dim._function.symbols() for dim in dims if hasattr(dim, "_function")]
            return tuple(dict.fromkeys(name for names in sets for name in sorted(names)))
    return ()


def _dim(name: str, found: Found, spatial: tuple[str, ...]) -> Function:
    if name in spatial:
        return symbol(name)
    if name == "N" and found.single:
        return constant(1)
    value = found.pinned(name)
    return symbol(name) if value is None else constant(value)


def _renamed(first: TensorSpec, dims: Mapping[str, Function], spatial: tuple[str, ...]) -> dict[str, str]:
    """The usual names of the open axes: H and W for the spatial ones, T for steps ahead of the channels, L for one that
    is left of three.
    """
    names = {name: name for name in dims}
    order = [str(dim) for dim in first.dims]
    within = [name for name in order if name in spatial]
    usual = _SPATIAL.get(len(within), ())
    if usual and len(within) == len(spatial):
        names |= dict(zip(within, usual, strict=True))
        if len(order) == _VIDEO and order[2] not in spatial and dims[order[2]].constant is not None:
            names[order[1]] = "T"
    elif not spatial and len(order) == 3 and dims[order[2]].constant is not None:
        names |= {order[1]: "L", order[2]: order[1]}
    elif len(order) == 2 and first.dtype == "int64":
        names[order[1]] = "L"
    return names if len(set(names.values())) == len(names) else {name: name for name in dims}


def _with(spec: TensorSpec, dims: Mapping[str, Function]) -> TensorSpec:
    return TensorSpec([dims.get(str(dim), dim) for dim in spec.dims], spec.dtype, spec.name)
