"""Which tensors hold the same real numbers at every size: a model's own small tensors, and what is made of them alone.

A model may ask them anything: `if self.kernel_size.item() > 1`, `range(int(steps[0]))`. A drawn number is named as a
reason elsewhere (`restore/random.py`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

from shapelint.size.data_number import DataNumber
from shapelint.size.followed_float import FollowedFloat
from shapelint.size.tracking import symbolic
from shapelint.source.ownership import is_foreign_class
from shapelint.trace.recording.record import KnownTensor
from shapelint.trace.recording.trees import flat_tensors, is_all_on_meta, storage_of

_DEPTH = 3
_WITHOUT_TENSORS = frozenset({bool, int, float, str, type(None), set, OrderedDict})
DRAWN = frozenset({
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli", "poisson",
    "multinomial", "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_", "cauchy_",
    "log_normal_", "dropout", "dropout_", "gumbel_softmax", "rrelu", "empty", "empty_like", "new_empty",
})  # fmt: skip


def attribute_tensors(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    """The tensors that hang in plain attributes of a module's parts, and in lists, dicts and objects there."""
    for part in module.modules():
        for name, value in vars(part).items():
            if type(value) not in _WITHOUT_TENSORS and name not in ("_parameters", "_buffers", "_modules"):
                yield from _inside(value, _DEPTH)


def _inside(value: Any, depth: int) -> Iterator[torch.Tensor]:
    kind = type(value)
    if issubclass(kind, torch.Tensor):
        yield value
    elif not depth or issubclass(kind, torch.nn.Module):
        return
    elif kind in (list, tuple):
        for each in value:
            yield from _inside(each, depth - 1)
    elif kind is dict:
        yield from _inside(list(value.values()), depth)
    elif not is_foreign_class(kind) and isinstance(own := getattr(value, "__dict__", None), dict):
        yield from _inside(list(own.values()), depth - 1)


@dataclass(frozen=True, slots=True)
class Constancy:
    """What a call makes its results of: constants alone, or tensors with stale numbers among others."""

    constant: bool
    stale: bool


_NEITHER: Final = Constancy(constant=False, stale=False)


def constancy_of(
    known: Mapping[int, KnownTensor], name: str, arguments: tuple[Any, Any], given: Sequence[torch.Tensor]
) -> Constancy:
    """What the results of a call are made of, asked before these are known: one may be an argument, written into."""
    if given and is_all_on_meta(given):
        return _NEITHER
    stale = any(known[id(tensor)].stale for tensor in given if id(tensor) in known)
    return Constancy(name not in DRAWN and _is_constant(known, arguments), stale)


def mark_constants(
    known: Mapping[int, KnownTensor], name: str, given: tuple[Any, Any], made: Iterable[torch.Tensor], origin: Constancy
) -> None:
    """Notes which results of a call are constants, and which tensors are none any more after it wrote into them."""
    made = [tensor for tensor in made if not tensor.is_meta]
    written = [tensor for tensor in changed_by(name, *given) if not tensor.is_meta]
    if not made and not written:
        return
    for tensor in made:
        known[id(tensor)].constant, known[id(tensor)].stale = origin.constant, origin.stale
    if written and not origin.constant:
        stale = origin.stale or any(tensor.is_meta for tensor in flat_tensors(given) if id(tensor) in known)
        for each in sharing(known, written):
            each.constant, each.stale = False, each.stale or stale
            each.values = None if "out" in given[1] else each.values


def sharing(known: Mapping[int, KnownTensor], tensors: Iterable[torch.Tensor]) -> list[KnownTensor]:
    """What is known of every real tensor over the memory of the given ones."""
    memories = {storage_of(tensor).data_ptr() for tensor in tensors}
    real = [each for each in known.values() if not each.tensor.is_meta]
    return [each for each in real if storage_of(each.tensor).data_ptr() in memories]


def changed_by(name: str, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """The tensors that a call changes: an in-place function's first argument, and `out=`."""
    return flat_tensors((args[:1] if is_in_place(name) or kwargs.get("inplace") else (), kwargs.get("out")))


def is_in_place(name: str) -> bool:
    """Whether a function of this name changes its first argument."""
    in_place = (name.endswith("_") and not name.endswith("__")) or name == "__setitem__"
    return in_place or (name.startswith("__i") and name not in ("__invert__", "__index__", "__int__"))


def _is_constant(known: Mapping[int, KnownTensor], tree: Any) -> bool:
    if isinstance(tree, torch.Tensor):
        return id(tree) in known and known[id(tree)].constant
    if isinstance(tree, dict):
        return all(_is_constant(known, each) for each in tree.values())
    if isinstance(tree, (tuple, list)):
        return all(_is_constant(known, each) for each in tree)
    if isinstance(tree, slice):
        return _is_constant(known, (tree.start, tree.stop, tree.step))
    return not (symbolic(tree) or isinstance(tree, FollowedFloat | DataNumber))
