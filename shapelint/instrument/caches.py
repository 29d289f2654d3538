"""Caches of the user's modules, which are passed by while a check runs: one keyed by sizes outlives a run."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Final

_CACHED: Final = type(functools.lru_cache(lambda: None))


@contextmanager
def caches_passed_by(spaces: Iterable[dict[str, Any]]) -> Iterator[None]:
    """While it is open, what `functools.lru_cache` wraps in these modules and their classes is called itself."""
    replaced: list[tuple[Any, str, Any]] = []
    dressed: list[tuple[Any, str]] = []
    for space in spaces:
        kinds = [each for each in space.values() if isinstance(each, type) and each.__module__ == space.get("__name__")]
        for owner in (sys.modules.get(space.get("__name__", "")), *kinds):
            for name, value in list(vars(owner).items()) if owner is not None else ():
                if isinstance(getattr(value, "__func__", value) if type(value) is staticmethod else value, _CACHED):
                    replaced.append((owner, name, value))
                    setattr(owner, name, _passing_by(value))
                    dressed += _dressed(getattr(value, "__func__", value))
    try:
        yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)
        for function, name in dressed:
            delattr(function, name)


def _dressed(cached: Any) -> list[tuple[Any, str]]:
    """Gives the function behind a cache what its users ask the cache for; each function with the names."""
    function = cached.__wrapped__
    asked = {"cache_info": cached.cache_info, "cache_parameters": cached.cache_parameters}
    asked["cache_clear"] = lambda: None  # the user's cache stays as it is
    new = [name for name in asked if isinstance(function, FunctionType) and not hasattr(function, name)]
    for name in new:
        setattr(function, name, asked[name])
    return [(function, name) for name in new]


def _passing_by(cached: Any) -> Any:
    """The function behind a cache: what it keeps from one run is wrong in another."""
    if isinstance(cached, staticmethod):
        return staticmethod(_passing_by(cached.__func__))
    return cached.__wrapped__
