"""Which tensors hold the same real numbers at every size: a model's own small tensors, and what is made of them alone.

A model may ask them anything: `if self.kernel_size.item() > 1`, `range(int(steps[0]))`. A drawn number is named as a
reason elsewhere (`chance.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from shapelint.size.number import symbolic
from shapelint.size.ratio import Ratio
from shapelint.trace.record import Known
from shapelint.trace.trees import flat_tensors
from shapelint.trace.user_functions import is_foreign

_DEPTH = 3
_DRAWN = frozenset({
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli", "poisson",
    "multinomial", "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_", "cauchy_",
    "log_normal_", "dropout", "dropout_", "gumbel_softmax", "rrelu", "empty", "empty_like", "new_empty",
})  # fmt: skip


def attribute_tensors(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    """The tensors that hang in plain attributes of a module's parts, and in lists, dicts and objects there."""
    for part in module.modules():
        for name, value in vars(part).items():
            if name not in ("_parameters", "_buffers", "_modules"):
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
    elif not is_foreign(kind.__module__) and isinstance(own := getattr(value, "__dict__", None), dict):
        yield from _inside(list(own.values()), depth - 1)


def mark_constants(known: Mapping[int, Known], name: str, given: Any, made: Iterable[torch.Tensor]) -> None:
    """Notes which results of a call are constants, and which are none any more after it wrote into them."""
    real = [tensor for tensor in made if not tensor.is_meta]
    if not real:
        return
    constant = name not in _DRAWN and _is_constant(known, given)
    for tensor in real:
        known[id(tensor)].constant = constant
    if not constant and (name.endswith("_") or name.startswith("__i") or name == "__setitem__"):
        memories = {tensor.untyped_storage().data_ptr() for tensor in flat_tensors(given) if not tensor.is_meta}
        for each in known.values():
            if each.constant and each.tensor.untyped_storage().data_ptr() in memories:
                each.constant = False


def _is_constant(known: Mapping[int, Known], tree: Any) -> bool:
    if isinstance(tree, torch.Tensor):
        return id(tree) in known and known[id(tree)].constant
    if isinstance(tree, dict):
        return all(_is_constant(known, each) for each in tree.values())
    if isinstance(tree, (tuple, list)):
        return all(_is_constant(known, each) for each in tree)
    if isinstance(tree, slice):
        return _is_constant(known, (tree.start, tree.stop, tree.step))
    return not (symbolic(tree) or isinstance(tree, Ratio))
