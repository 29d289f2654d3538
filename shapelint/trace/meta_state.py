"""How a module stands for a run: its tensors on meta, its parts in one mode, nothing compiled or filled in yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from shapelint.load.constants import is_small_buffer
from shapelint.source.ownership import module_of
from shapelint.trace.recording.constants import attribute_tensors
from shapelint.trace.recording.record import KnownTensor


class MetaState:
    """How a module stands for a run; `left_as_it_was` undoes it. `hidden` says what no run can see, if anything."""

    def __init__(self, module: torch.nn.Module, *, train: bool) -> None:
        self._train, self._parts = train, list(module.modules())
        made: dict[int, torch.Tensor] = {}
        self._paths = {id(part): name for name, part in module.named_modules()}
        usual = {kind for kind in set(map(type, self._parts)) if _has_a_plain_mode(kind)}
        self._modes = [vars(part) for part in self._parts if type(part) in usual and "training" in vars(part)]
        self._set = [part for part in self._parts if type(part) not in usual or "training" not in vars(part)]
        own = [part for part in self._parts if not isinstance(part, torch.jit.ScriptModule)]  # whose tensors C++ holds
        stores = [(part, kind, getattr(part, kind)) for part in own for kind in ("_parameters", "_buffers")]
        self._tensors = [
            (part, kind, {n: _on_meta(each, made) for n, each in store.items() if not _stays(part, kind, n, each)})
            for part, kind, store in stores
            if any(tensor is not None and tensor.device.type != "meta" for tensor in store.values())
        ]
        buffers = [(part, name, tensor) for part in own for name, tensor in part._buffers.items()]
        self._small = [
            (part, name, each) for part, name, each in buffers if each is not None and is_small_buffer(part, name, each)
        ]
        self._fixed: dict[int, KnownTensor] | None = None
        self._attributes = tuple(attribute_tensors(module))
        self._lazy = [(part, kind, dict(store)) for part, kind, store in stores if any(map(is_lazy, store.values()))]
        scripted = [name for name, part in module.named_modules() if isinstance(part, torch.jit.ScriptModule)]
        self.hidden = f"`{scripted[0]}` is compiled by torch.jit, which hides its calls" if scripted else ""
        self._compiled = [part for part in self._parts if _is_compiled(part)]
        self._changing: list[tuple[torch.nn.Module, str, str]] = []

    def take(self) -> None:
        """Sets the parts of the module up."""
        for attributes in self._modes:
            attributes["training"] = self._train
        for part in self._set:
            if getattr(part, "training", None) is not self._train:
                part.training = self._train
        for part, kind, tensors in self._tensors:
            getattr(part, kind).update(tensors)
        for part, name, tensor in self._small:
            part._buffers[name] = tensor.detach().cpu().clone()  # a run may write into it
        for part, kind, store in self._lazy:
            getattr(part, kind).update({name: _empty(tensor) for name, tensor in store.items() if is_lazy(tensor)})
            part.__dict__["reset_parameters"] = _nothing
        for part in self._compiled:
            if "_orig_mod" in part._modules:
                part.__dict__["forward"] = part._modules["_orig_mod"]
            part.__dict__["_compiled_call_impl"] = None

    def fixed(self) -> Mapping[int, KnownTensor]:
        """What is known of the parameters and buffers without numbers, the same ones after every `take`."""
        if self._fixed is None:
            self._fixed = {}
            for part, kind in product(self._parts, ("_parameters", "_buffers")):
                for name, tensor in getattr(part, kind).items():
                    if tensor is not None and tensor.is_meta and not is_lazy(tensor):
                        self._fixed[id(tensor)] = KnownTensor(tensor, tuple(tensor.shape), -1, self._path(part, name))
                    elif tensor is not None:
                        self._changing.append((part, kind, name))
        return self._fixed

    def changing(self) -> Iterator[tuple[torch.Tensor, str]]:
        """The other tensors of the module, which have numbers, or no size yet, and their paths where they have one."""
        for part, kind, name in self._changing:
            yield getattr(part, kind)[name], self._path(part, name)
        yield from ((tensor, "") for tensor in self._attributes)

    def _path(self, part: torch.nn.Module, name: str) -> str:
        """The path of a parameter or buffer of a part."""
        path = self._paths[id(part)]
        return f"{path}.{name}" if path else name


def _has_a_plain_mode(kind: type[torch.nn.Module]) -> bool:
    """Whether the mode of a class's modules is an attribute that is set as torch sets it, by no code of the user's."""
    spaces = [vars(base) for base in kind.__mro__]
    setting = next(space["__setattr__"] for space in spaces if "__setattr__" in space)
    return setting is vars(torch.nn.Module)["__setattr__"] and not any("training" in space for space in spaces)


def _stays(part: torch.nn.Module, kind: str, name: str, tensor: torch.Tensor | None) -> bool:
    return (tensor is not None and is_lazy(tensor)) or (kind == "_buffers" and is_small_buffer(part, name, tensor))


def _is_compiled(part: torch.nn.Module) -> bool:
    """Whether torch.compile wraps the module, or `module.compile()` was called."""
    wrapped = module_of(type(part)) == "torch._dynamo.eval_frame"
    return wrapped or part.__dict__.get("_compiled_call_impl") is not None


def _nothing() -> None:
    """In the place of `reset_parameters`: what a lazy layer is filled with has no say in sizes."""


def _empty(tensor: Any) -> Any:
    """A lazy tensor that was not filled in yet, as the model's first call finds it."""
    return type(tensor)(requires_grad=False, device=torch.device("meta"), dtype=tensor.dtype)


def _on_meta(tensor: torch.Tensor | None, made: dict[int, torch.Tensor]) -> Any:
    """A tensor of the same kind without storage; tied tensors stay tied."""
    if tensor is None or tensor.device.type == "meta":
        return tensor
    if id(tensor) not in made:
        empty = torch.empty_like(tensor, device="meta", requires_grad=False)
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        made[id(tensor)] = torch.nn.Parameter(empty, requires_grad=False) if is_parameter else empty
    return made[id(tensor)]
