"""What is computed once and kept: bounded, and forgotten after a check that has left much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, lru_cache
from typing import Final, TypeVar

Result = TypeVar("Result")

_MOST: Final = 2048
_caches: Final[list[_lru_cache_wrapper[object]]] = []


def kept(maxsize: int) -> Callable[[Callable[..., Result]], _lru_cache_wrapper[Result]]:
    """As `functools.lru_cache`, for what belongs to the models that are checked: it is forgotten with them."""

    def keep(function: Callable[..., Result]) -> _lru_cache_wrapper[Result]:
        made: _lru_cache_wrapper[Result] = lru_cache(maxsize=maxsize)(function)
        _caches.append(made)
        return made

    return keep


@contextmanager
def forgotten() -> Iterator[None]:
    """At its end, what has become much is forgotten; a process that checks many models comes by here after each."""
    try:
        yield
    finally:
        forget()


def forget(most: int | None = None) -> None:
    """Empties each cache that has more than so many results: to make them again takes little, to keep them all much."""
    for cache in _caches:
        if cache.cache_info().currsize > (_MOST if most is None else most):
            cache.cache_clear()


def sizes() -> dict[str, int]:
    """How many results each cache has, by the function."""
    return {cache.__qualname__: cache.cache_info().currsize for cache in _caches}
