"""Walks over nested arguments: the tensors in them, and the same arguments as a kernel takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch._C import _functorch

from shapelint.size.number import plain


def flat_tensors(tree: Any) -> list[torch.Tensor]:
    """The tensors in nested tuples, lists and dicts, depth first."""
    found: list[torch.Tensor] = []
    _gather((tree,), found)
    return found


def tensors_in(args: Iterable[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """The tensors in the arguments of a call, depth first."""
    found: list[torch.Tensor] = []
    _gather(args, found)
    if kwargs:
        _gather(kwargs.values(), found)
    return found


def is_all_on_meta(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether none of the tensors has numbers."""
    for tensor in tensors:  # noqa: SIM110 - a generator takes twice as long, and every call asks
        if not tensor.is_meta:
            return False
    return True


def storage_of(tensor: torch.Tensor) -> torch.UntypedStorage:
    """The memory that a tensor lies in; inside of `vmap` and `grad`, that of the tensor that they wrap."""
    while _functorch.is_functorch_wrapped_tensor(tensor):
        tensor = _functorch.get_unwrapped(tensor)
    return tensor.untyped_storage()


def _gather(parts: Iterable[Any], found: list[torch.Tensor]) -> None:
    for part in parts:
        kind = type(part)
        if kind in _TENSORS:
            found.append(part)
        elif kind in _LEAVES:
            continue
        elif kind is tuple:
            _gather(part, found)
        elif issubclass(kind, torch.Tensor):
            found.append(part)
        elif issubclass(kind, (tuple, list)):
            _gather(part, found)
        elif issubclass(kind, dict):
            _gather(part.values(), found)


def plain_tree(tree: Any) -> Any:
    """The same arguments with sizes as plain ints."""
    if isinstance(tree, torch.Tensor):
        return tree
    kind = type(tree)
    if kind in _ATOMS:
        return tree
    if isinstance(tree, int) and kind is not bool:
        return plain(tree)
    if isinstance(tree, float):
        return float.__float__(tree)
    if kind is dict:
        return {key: plain_tree(value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [plain_tree(part) for part in tree]
        return parts if isinstance(tree, list) else (kind(*parts) if hasattr(tree, "_fields") else tuple(parts))
    if kind is slice:
        return slice(plain_tree(tree.start), plain_tree(tree.stop), plain_tree(tree.step))
    return tree


_TENSORS = frozenset({torch.Tensor, torch.nn.Parameter})
_LEAVES = frozenset({int, float, str, bool, type(None), torch.dtype, torch.device})
_ATOMS = frozenset({type(None), str, bool, torch.dtype, torch.device, float})


def on_meta(tree: Any) -> Any:
    """The same arguments with every tensor on meta."""
    return with_tensors(tree, lambda tensor: tensor if tensor.is_meta else tensor.to("meta"))


def with_tensors(tree: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same arguments with other tensors."""
    if isinstance(tree, torch.Tensor):
        return change(tree)
    if isinstance(tree, dict):
        return {key: with_tensors(part, change) for key, part in tree.items()}
    return type(tree)(with_tensors(part, change) for part in tree) if type(tree) in (tuple, list) else tree
