"""Which ranks and dtypes are tried for the arguments of `forward`, the likely ones first.

A guess only says in what order things are tried: each is run, and what does not run is dropped.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

import torch
from torch import nn

from shapelint.infer.groups import Group
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.function import symbol
from shapelint.source.ownership import module_of

_MOST: Final = 60
_AXES: Final = {
    0: (), 1: ("N",), 2: ("N", "F"), 3: ("N", "C", "L"), 4: ("N", "C", "H", "W"), 5: ("N", "C", "D", "H", "W"),
    6: ("N", "T", "C", "D", "H", "W"),
}  # fmt: skip
# Lengths that no layer is built for by chance, in the order in which they are kept where something must change.
_HINTS: Final = {"H": 64, "W": 96, "D": 16, "L": 64, "T": 5, "N": 2, "F": 11, "C": 13, "S": 7}
_IDS: Final = re.compile(r"(^|_)(ids?|idx|index|indices|tokens?|labels?|class(es)?|words?|sentences?|seq|tgt|src)$")
_TIME: Final = re.compile(r"^(ts?|steps?|temb?|sigmas?|gammas?|noise_levels?|lens?)$|^time|timestep|scale$|factor$")
_LENGTHS: Final = re.compile(r"(length|lens?)s?$")
_MASK: Final = re.compile(r"mask")
_CONTEXT: Final = re.compile(r"context|hidden_states|embeds?|embeddings?|text|memory|enc_out")

Kind = tuple[int, str]

_ALIKE: Final = 0  # the rank and the spatial sizes of the first input
_SAME_RANK: Final = -1
_ROWS: Final = -2  # the batch and the length of the first input, a sequence


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of `forward` that needs a value: its name, whether it goes by keyword, and the group that it is."""

    name: str
    keyword: bool = False
    group: Group | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the tensors in it; "" for one that is a tensor itself."""
        return ("",) if self.group is None else self.group.keys


@dataclass(frozen=True, slots=True)
class Guess:
    """Inputs over symbols to be tried, the symbols with the sizes of the first try, and the kind of the first one."""

    inputs: Inputs
    hint: Mapping[str, int]
    first: Kind
    annotated: str = ""


def arguments(
    function: Callable[..., Any], given: Inputs, groups: Mapping[str, Group]
) -> tuple[list[Argument], list[Argument]]:
    """The arguments of a function that need a value, besides those that are given, and those that may have one."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [] if given.args else [Argument("x")], []
    left = [each for each in parameters[len(given.args) :] if each.name not in given.kwargs]
    named = [each for each in left if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    needed = [_argument(each, groups) for each in named if each.default is each.empty]
    optional = [_argument(each, groups, keyword=True) for each in named if each.default is None]
    several = [each for each in left if each.kind is each.VAR_POSITIONAL]
    if needed or given.args or given.kwargs:
        return needed, optional
    return ([Argument(several[0].name)], optional) if several else (optional[:1], optional[1:])


def _argument(parameter: inspect.Parameter, groups: Mapping[str, Group], *, keyword: bool = False) -> Argument:
    by_name = parameter.kind is parameter.KEYWORD_ONLY or (keyword and parameter.kind is not parameter.POSITIONAL_ONLY)
    return Argument(parameter.name, by_name, groups.get(parameter.name))


def guesses(module: nn.Module, wanted: Sequence[Argument], given: Inputs) -> Iterator[Guess]:
    """What to try for some arguments, likely ones first; sizes that inputs share have one symbol at first."""
    if not wanted:
        return
    names = [(each.name, key) for each in wanted for key in each.keys]
    first = _first_kinds(module, names[0][1] or names[0][0], alone=len(names) == 1)
    choices = [list(enumerate(first)), *[list(enumerate(_kinds(key or name))) for name, key in names[1:]]]
    combined = sorted(product(*choices), key=lambda chosen: sum(cost for cost, _ in chosen))
    for floats in dict.fromkeys([usual_dtype(module), default_dtype()]):
        for chosen in combined[:_MOST]:
            yield _guess(wanted, [kind for _, kind in chosen], given, floats)


def default_dtype() -> str:
    """What torch makes of numbers with a point where nobody says it."""
    return str(torch.get_default_dtype()).removeprefix("torch.")


def usual_dtype(module: nn.Module) -> str:
    """The dtype of a module's first weight with a floating point; torch's default where it has none."""
    weights = (each for each in module.parameters() if each.dtype.is_floating_point)
    return next((str(each.dtype).removeprefix("torch.") for each in weights), default_dtype())


def _with_floats(dtype: str, floats: str) -> str:
    """A dtype of a guess, where `floats` are what the model computes with."""
    complex_numbers = "complex128" if floats == "float64" else "complex64"
    return {"float32": floats, "complex64": complex_numbers}.get(dtype, dtype)


def _first_kinds(module: nn.Module, name: str, *, alone: bool) -> list[Kind]:
    usual = usual_rank(module)
    ranks = [usual, *(rank for rank in (2, 3, 4, 5, 1) if rank != usual)] if usual else [2, 3, 4, 5, 1]
    several = [usual, usual % 5 + 1, usual - 1] if usual else [2, 3, 4]
    floats = [(rank, "float32") for rank in (ranks if alone else several)]
    ids = [(rank, "int64") for rank in ((2, 1, 3, 4) if alone else (2, 3))]
    embeds = any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in module.modules())
    if embeds and _IDS.search(name):
        return [*ids, *floats]
    complex_numbers = [(rank, "complex64") for rank in ranks] if alone else []
    return [*floats, *ids, *complex_numbers]


def _kinds(name: str) -> list[Kind]:
    """The kinds of a further argument; its rank may be the first input's, with the same sizes or others."""
    if _LENGTHS.search(name):
        return [(1, "int64"), (1, "float32")]
    if _TIME.match(name):
        return [(1, "float32"), (1, "int64"), (2, "float32"), (_ALIKE, "float32")]
    if _MASK.search(name):
        bools = [(rank, "bool") for rank in (_ROWS, 2, 3, _ALIKE, 4)]
        return [(_ALIKE, "float32"), *bools, (2, "float32")]
    if _IDS.search(name):
        return [(1, "int64"), (2, "int64"), (_ALIKE, "float32"), (2, "float32")]
    if _CONTEXT.search(name):
        return [(3, "float32"), (2, "float32"), (_ALIKE, "float32"), (2, "int64")]
    others = [(rank, "float32") for rank in (2, 3, 1, 4)]
    return [(_ALIKE, "float32"), (_SAME_RANK, "float32"), (1, "int64"), *others, (2, "int64")]


def usual_rank(module: nn.Module) -> int:
    """The rank that the layers of a module mostly take; 0 where they say nothing."""
    dims = [_dimensions(part) for part in module.modules()]
    if any(dims):
        return 2 + next(dim for dim in dims if dim)
    recurrent = (nn.RNNBase, nn.MultiheadAttention, nn.Transformer, nn.TransformerEncoderLayer)
    return 3 if any(isinstance(part, recurrent) for part in module.modules()) else 0


_NUMBERED: Final = re.compile(r"(Conv|ConvTranspose|MaxPool|AvgPool|BatchNorm|InstanceNorm|LPPool|Pad)(\d)d$")


def _dimensions(part: nn.Module) -> int:
    """The number of spatial axes of a layer, by the name of torch's class; 0 where it has none."""
    for kind in type(part).__mro__:
        match = _NUMBERED.search(kind.__name__) if module_of(kind).startswith("torch.nn") else None
        if match:
            return int(match[2])
    return 0


def _guess(wanted: Sequence[Argument], kinds: Sequence[Kind], given: Inputs, floats: str) -> Guess:
    hint: dict[str, int] = {}
    specs: dict[tuple[str, str], TensorSpec] = {}
    places = [(argument.name, key) for argument in wanted for key in argument.keys]
    for index, (place, (rank, dtype)) in enumerate(zip(places, kinds, strict=True)):
        names = _named(index, rank, kinds[0][0])
        hint |= {name: _HINTS[name[0]] for name in names}
        specs[place] = TensorSpec(map(symbol, names), _with_floats(dtype, floats))
    order = list(_HINTS)
    hint = dict(sorted(hint.items(), key=lambda item: order.index(item[0][0])))
    return Guess(_with_tensors(wanted, specs, given), hint, kinds[0])


def _with_tensors(
    wanted: Sequence[Argument], specs: Mapping[tuple[str, str], TensorSpec], given: Inputs
) -> Inputs:
    """The given arguments with the wanted ones; entries go by the names that `--input batch.image=1,3,H,W` has."""
    args, kwargs = list(given.args), dict(given.kwargs)
    named = False
    for argument in wanted:
        group = argument.group
        named = named or argument.keyword or (group is not None and not group.several)
        if group is None:
            spec = specs[argument.name, ""]
            value: object = replace(spec, name=argument.name) if named else spec
        elif group.several:
            value = group.made({key: specs[argument.name, key] for key in group.keys})
        else:
            value = group.made({key: replace(specs[argument.name, key], name=f"{argument.name}.{key}")
                                for key in group.keys})  # fmt: skip
        if named:
            kwargs[argument.name] = value
        else:
            args.append(value)
    return Inputs(tuple(args), kwargs)


def annotated_guess(
    wanted: Sequence[Argument], axes: Mapping[str, tuple[tuple[str, ...], str]], given: Inputs, floats: str
) -> Guess | None:
    """What jaxtyping annotations say of all arguments that need a value; None where one has none that can be read.

    `floats` is the dtype of those that are annotated with no precision.
    """
    hint: dict[str, int] = {}
    specs: dict[tuple[str, str], TensorSpec] = {}
    first: Kind | None = None
    for argument, key in ((each, key) for each in wanted for key in each.keys):
        words, dtype = (axes if argument.group is None else argument.group.axes).get(key or argument.name, ((), ""))
        names = [_word(word, index) for index, word in enumerate(words)]
        if not names or not all(name.isidentifier() or name.isdigit() for name in names):
            return None
        usual = _AXES.get(len(names), tuple("N" * len(names)))
        hint |= {name: _HINTS[usual[index][0]] for index, name in enumerate(names) if not name.isdigit()}
        dims = [int(name) if name.isdigit() else symbol(name) for name in names]
        specs[argument.name, key] = TensorSpec(dims, _with_floats(dtype, floats))
        first = first or (len(names), dtype)
    return None if first is None else Guess(_with_tensors(wanted, specs, given), hint, first, "forward")


def _word(word: str, index: int) -> str:
    """The name of an annotated axis: `*batch` and `...` are one axis here, `_` is one of its own."""
    name = word.lstrip("*#?").rpartition("=")[2]
    return f"S{index + 1}" if name in ("_", "...", "") else name


def _named(index: int, rank: int, first: int) -> tuple[str, ...]:
    """The symbols of one input: the batch is the first one's, and where it is to be alike all but the channels too."""
    if index == 0:
        return _AXES[rank]
    if rank == _ROWS:
        return _AXES[first][:2]
    names = _AXES[rank if rank > 0 else first]
    alike = names if len(names) == 2 else ("N", *names[2:])
    common = alike if rank == _ALIKE else ("N",)
    return tuple(name if name in common else f"{name}{index + 1}" for name in names)
