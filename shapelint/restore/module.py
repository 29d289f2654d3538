"""Puts back what a run changes: attributes of modules, lists and dicts in them, globals, random states."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from operator import is_not
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import torch

from shapelint.restore.process import restored_state
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.ownership import is_foreign_class, module_of

_DEPTH = 4
_PLAIN: Final = frozenset({
    int, float, str, bool, bytes, complex, type(None), torch.dtype, torch.device, torch.Size, torch.Tensor,
    torch.nn.Parameter, FunctionType, BuiltinFunctionType, MethodType, ModuleType, type,
})  # fmt: skip
_CONTAINERS: Final[tuple[Any, ...]] = (dict, list, set, deque)
_USUAL: Final[tuple[Any, ...]] = (dict, OrderedDict, list, set)
_APART: Final = (torch.Tensor, torch.nn.Module, ModuleType, type)


class Contents:
    """What lists, dicts, sets and objects of the user's held, and those inside of them."""

    def __init__(self, roots: Iterable[Any], depth: int = _DEPTH) -> None:
        self._held: dict[int, Any] = {}
        self._empty: list[Any] = []  # most containers of a module's parts are: its hooks and buffers
        self._dicts: list[tuple[dict[Any, Any], list[Any], list[Any]]] = []
        self._others: list[tuple[Any, list[Any]]] = []
        for root in roots:
            if type(root) not in _PLAIN:
                self._hold(root, depth)

    def _hold(self, value: Any, depth: int) -> None:
        kind = type(value)
        if id(value) in self._held or depth == 0 or issubclass(kind, _APART):
            return
        parts: Any
        base = next((each for each in _CONTAINERS if issubclass(kind, each)), None)
        if base is not None:
            held = list(base.__iter__(value))
            self._keep(value, held)
            parts = list(dict.values(value)) if base is dict else held
        elif issubclass(kind, tuple):
            parts = value
        elif not is_foreign_class(kind):
            parts = [attributes_of(value)]
        else:
            return
        for part in parts:
            if type(part) not in _PLAIN:
                self._hold(part, depth - 1)

    def _keep(self, container: Any, held: list[Any]) -> None:
        self._held[id(container)] = container
        if not held and type(container) in _USUAL:
            self._empty.append(container)
        elif isinstance(container, dict):
            self._dicts.append((container, held, list(dict.values(container))))
        else:
            self._others.append((container, held))

    def put_back(self) -> None:
        """Gives every container that has changed its old contents again."""
        for container in filter(None, self._empty):
            container.clear()
        for container, keys, values in self._dicts:
            if not _is_still(container, keys, values):
                _refill(container, keys, values)
        for container, held in self._others:
            if len(container) != len(held) or any(map(is_not, container, held)):
                base: Any = next(each for each in _CONTAINERS if isinstance(container, each))
                base.clear(container)
                (base.update if base is set else base.extend)(container, held)


def _is_still(container: dict[Any, Any], keys: list[Any], values: list[Any]) -> bool:
    """Whether a dict has these very keys and values, in their order."""
    same = len(container) == len(keys) and not any(map(is_not, dict.__iter__(container), keys))
    return same and not any(map(is_not, dict.values(container), values))


def _refill(container: dict[Any, Any], keys: list[Any], values: list[Any]) -> None:
    """What a subclass makes of getting and setting an item is left out: it may build what it gives."""
    base = OrderedDict if isinstance(container, OrderedDict) else dict
    base.clear(container)
    for key, value in zip(keys, values, strict=True):
        base.__setitem__(container, key, value)


def attributes_of(value: Any) -> Any:
    """The attributes of an object, whatever its own `__getattribute__` says; None for none."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


class _Classes:
    """What the user's classes keep for all of their objects: counters, and the lists and dicts of caches."""

    def __init__(self, kinds: Iterable[type]) -> None:
        own = [(each, vars(each)) for each in kinds if not is_foreign_class(each)]
        self._kinds = [(kind, len(held), [each for each in held.items() if _is_data(*each)]) for kind, held in own]
        self._contents = Contents((value for _, _, held in self._kinds for _, value in held), 2)

    def put_back(self) -> None:
        for kind, count, held in self._kinds:
            now = vars(kind)
            if len(now) != count:
                known = {name for name, _ in held}
                for name in [name for name, value in now.items() if _is_data(name, value) and name not in known]:
                    type.__delattr__(kind, name)
            for name, value in held:
                if now.get(name) is not value:
                    type.__setattr__(kind, name, value)
        self._contents.put_back()


def _is_data(name: str, value: Any) -> bool:
    """Whether an entry of a class is no method, no other descriptor and nothing of Python's."""
    return not (name.startswith("__") and name.endswith("__")) and not hasattr(type(value), "__get__")


class _Module:
    """The attributes of a module's parts, and what they and their classes hold."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        attributes = [(part, part.__dict__) for part in module.modules()]
        self._parts = [(part, type(part), list(own), list(own.values())) for part, own in attributes]
        self._contents = Contents(value for _, _, _, values in self._parts for value in values)
        self._classes = _Classes({each for kind in {kind for _, kind, _, _ in self._parts} for each in kind.__mro__})

    def put_back(self) -> None:
        for part, kind, names, values in self._parts:
            if type(part) is not kind:
                part.__class__ = kind
            if list(part.__dict__) != names or any(map(is_not, part.__dict__.values(), values)):
                part.__dict__.clear()
                part.__dict__.update(zip(names, values, strict=True))
        self._contents.put_back()
        self._classes.put_back()


_remembered: list[_Module] = []


@contextmanager
def remembered(module: torch.nn.Module) -> Iterator[None]:
    """While it is open, every run of the module begins and ends as the module stands now."""
    _remembered.append(_Module(module))
    try:
        yield
    finally:
        _remembered.pop()


_between_runs: list[Callable[[], object]] = []


@contextmanager
def between_runs(put_back: Callable[[], object]) -> Iterator[None]:
    """While it is open, `put_back` is called after each run of a model."""
    _between_runs.append(put_back)
    try:
        yield
    finally:
        _between_runs.remove(put_back)


@contextmanager
def left_as_it_was(module: torch.nn.Module, *, seeded: bool = False) -> Iterator[None]:
    """Puts back every attribute of the module's parts, and the global state of torch, numpy and Python.

    What is `seeded` begins with random states of its own, as a run does.
    """
    known = next((each for each in _remembered if each.module is module), None) or _Module(module)
    try:
        with restored_state(seeded=seeded):
            yield
    finally:
        known.put_back()
        for put_back in _between_runs:
            put_back()


@contextmanager
def restored_globals(space: dict[str, Any], instead: Mapping[str, Any]) -> Iterator[None]:
    """Puts back the globals of a module, and what lists, dicts and classes among them held; imports stay.

    While it is open every run begins with these globals, those that stand `instead` of others in their place.
    """
    before = dict(space)
    contents = Contents(before.values(), 2)
    own = [each for each in before.values() if isinstance(each, type) and module_of(each) == space.get("__name__")]
    classes = _Classes(own)
    space.update(instead)
    try:
        with between_runs(lambda: _put_back(space, {**before, **instead}, contents, classes)):
            yield
    finally:
        _put_back(space, before, contents, classes)


def _put_back(space: dict[str, Any], before: Mapping[str, Any], contents: Contents, classes: _Classes) -> None:
    if len(space) != len(before):
        for name, value in list(space.items()):
            if name not in before and not isinstance(value, ModuleType):
                del space[name]
    for name, value in before.items():
        if space.get(name) is not value:
            space[name] = value
    contents.put_back()
    classes.put_back()


@contextmanager
def unchanged(module: torch.nn.Module) -> Iterator[None]:
    """Puts back what `left_as_it_was` does, and the numbers in the buffers, which real runs write into."""
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers() if not buffer.is_meta]
    try:
        with left_as_it_was(module):
            yield
    finally:
        for buffer, value in buffers:
            if not torch.equal(buffer, value):
                with torch.no_grad():
                    buffer.copy_(value)


def set_mode(module: torch.nn.Module, *, train: bool) -> None:
    """Sets the mode of a module and its parts by its own `train`, which may give back anything.

    Where that raises, as torch's does for parts that hold each other, the parts are set one by one.
    """
    try:
        call_foreign(module.train, train)
    except Exception as error:  # the user's `train`
        let_out(error)
        for part in module.modules():
            part.training = train
