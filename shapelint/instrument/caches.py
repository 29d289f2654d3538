"""Caches of the user's modules: while a check runs, what one keeps is kept for one run of the model.

What it kept from another run would be of other sizes; and a model may change what it gets from a cache.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, Final

import torch

from shapelint.instrument.keys import equal_keys
from shapelint.restore.module import Contents, between_runs
from shapelint.size.number import Size, function_of
from shapelint.size.tracking import lose, symbolic
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import module_of

CACHED: Final = type(functools.lru_cache(lambda: None))
_FIXED: Final = (torch.Tensor, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, type)
_ASKED: Final = ("cache_info", "cache_clear")
_KEPT: Final = "__shapelint_kept__"
_MOST: Final = 32
_open: list[dict[int, _OfOneRun]] = []


@contextmanager
def caches_of_one_run() -> Iterator[None]:
    """While it is open, `in_place_of` gives for what `functools.lru_cache` wraps one that forgets between runs."""
    made: dict[int, _OfOneRun] = {}
    _open.append(made)
    try:
        with between_runs(lambda: list(map(_OfOneRun.forget, made.values()))):
            yield
    finally:
        _open.pop()


@contextmanager
def cached_methods_replaced(space: dict[str, Any]) -> Iterator[None]:
    """While it is open, caches in the classes of a module's globals are replaced by what stands in their place."""
    replaced: list[tuple[type, str, Any]] = []
    for owner in (each for each in space.values() if isinstance(each, type)):
        for name, value in list(vars(owner).items()) if module_of(owner) == space.get("__name__") else ():
            if (found := in_place_of(value)) is not value:
                replaced.append((owner, name, value))
                setattr(owner, name, found)
    try:
        yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)


def in_place_of(value: Any) -> Any:
    """The value; for a cache, a method that is one, or a method of one, what stands in its place during a check."""
    if not _open:
        return value
    made = _open[-1]
    if type(value) is CACHED and all(value is not each.kept for each in made.values()):
        if id(value) not in made:
            made[id(value)] = _OfOneRun(value)
        return made[id(value)].function
    if type(value) in (staticmethod, classmethod):
        inner = in_place_of(value.__func__)
        return value if inner is value.__func__ else type(value)(inner)
    owner = getattr(value, "__self__", None) if type(value) is _METHOD else None
    return getattr(in_place_of(owner), value.__name__) if type(owner) is CACHED and value.__name__ in _ASKED else value


def results_kept_by(function: FunctionType) -> list[Any] | None:
    """What one that stands in a cache's place gave in this run and the model may change; None for other functions."""
    return vars(function).get(_KEPT)


class _OfOneRun:
    """A cache of the user's for one run: a size in a call's arguments is compared with those of the calls before.

    What the user's cache held before the check and the model may change is given as it is, and put back between runs.
    """

    def __init__(self, cached: Any) -> None:
        self._cached = cached  # kept alive, since it is known by its id
        self._held = cached.cache_info().currsize > 0
        self._contents: dict[int, tuple[Any, Contents]] = {}
        self._changeable: list[Any] = []
        self._calls: dict[_Call, _Call] = {}
        self._of_sizes = False
        asked = cached.cache_parameters()
        self.kept = kept = functools.lru_cache(asked["maxsize"])(self._result)

        @functools.wraps(cached.__wrapped__)
        def of_one_run(*args: Any, **kwargs: Any) -> Any:
            return call_foreign(kept, self._known(_Call(args, kwargs, typed=asked["typed"])))

        self.function: Any = of_one_run
        self._clear = kept.cache_clear
        vars(of_one_run).update({name: getattr(kept, name) for name in _ASKED})
        vars(of_one_run).update({"cache_parameters": cached.cache_parameters, _KEPT: self._changeable})

    def forget(self) -> None:
        """Ends a run."""
        self._clear()
        self._calls.clear()
        self._of_sizes = False
        self._changeable.clear()
        for _, contents in self._contents.values():
            contents.put_back()

    def _known(self, call: _Call) -> _Call:
        """The call before with the same key, else this one."""
        call_foreign(hash, call)
        before = self._calls.get(call)
        if before is None and (call.has_sizes or self._of_sizes):
            if len(self._calls) > _MOST:
                lose("a size given to a cache", *call.sizes, *(size for each in self._calls for size in each.sizes))
            others = list(self._calls)[:_MOST]
            before = next((each for each in others if equal_keys(each.parts, call.parts)), None)
        if before is None:
            self._calls[call], self._of_sizes = call, self._of_sizes or call.has_sizes
        return before or call

    def _result(self, call: _Call) -> Any:
        found = self._held_before(call) if self._held and not call.has_sizes else None
        if found is None:
            found = call_foreign(self._cached.__wrapped__, *call.args, **call.kwargs)
        if _may_change(found):
            self._changeable.append(found)
        return found

    def _held_before(self, call: _Call) -> Any:
        """What the user's cache holds for a call, if the model may change it, else None; nothing is added to it."""
        function = self._cached.__wrapped__
        if type(function) is not FunctionType:
            return None
        own = function.__code__
        function.__code__ = _NOT_HELD.replace(co_freevars=own.co_freevars)
        try:
            found = self._cached(*call.args, **call.kwargs)
        except _NotHeldError:
            return None
        finally:
            function.__code__ = own
        if not _may_change(found):
            return None
        self._contents.setdefault(id(found), (found, Contents([found])))
        return found


class _Call:
    """The arguments of a call as a key."""

    __slots__ = ("_key", "args", "kwargs", "parts", "sizes")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, typed: bool) -> None:
        self.args, self.kwargs, self.sizes = args, kwargs, list[int]()
        kinds = [int if kind is Size else kind for kind in map(type, (*args, *kwargs.values()))]
        alone = len(args) == 1 and not kwargs and not typed and type(args[0]) in (int, Size, str)
        self.parts = args[0] if alone else args, tuple(kwargs.items()), tuple(kinds) if typed else ()  # 1 is not 1.0
        self._key = alone, self._of(self.parts)

    @property
    def has_sizes(self) -> bool:
        """Whether a size is among the arguments."""
        return bool(self.sizes)

    def _of(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._of, tuple.__iter__(value)))
        if isinstance(value, Size) and symbolic(value):
            self.sizes.append(value)
            return Size, function_of(value)
        return value

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Call) and bool(self._key == other._key)


class _NotHeldError(Exception):
    """A cache holds no result of a call."""


def _may_change(value: Any) -> bool:
    """Whether a model could change what a result holds."""
    return any(map(_may_change, value)) if isinstance(value, tuple) else not isinstance(value, _FIXED)


def _raising(error: type[Exception]) -> CodeType:
    """A code that raises, whatever it is given."""
    place = 987654321
    whole = compile(f"def absent(*args, **kwargs): raise {place}", "<frozen shapelint>", "exec")
    code = next(each for each in whole.co_consts if isinstance(each, CodeType))
    return code.replace(co_consts=tuple(error if each == place else each for each in code.co_consts))


_METHOD: Final = type(functools.lru_cache(lambda: None).cache_info)
_NOT_HELD: Final = _raising(_NotHeldError)
