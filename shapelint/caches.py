"""What is computed once and kept: bounded, and forgotten after a check that has left much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, lru_cache
from types import CodeType
from typing import Final, Generic, NamedTuple, TypeVar

Result = TypeVar("Result")

_MOST: Final = 2048


class _Size(NamedTuple):
    currsize: int


class OfCode(Generic[Result]):
    """A function of code objects whose results are `kept`, by identity: to compare code takes a microsecond."""

    def __init__(self, function: Callable[[CodeType], Result]) -> None:
        self.__qualname__, self._function = function.__qualname__, function
        self._found: dict[int, tuple[CodeType, Result]] = {}  # with the code itself, so that no other gets its id
        _caches.append(self)  # type: ignore[arg-type]

    def __call__(self, code: CodeType) -> Result:
        found = self._found.get(id(code))
        if found is None:
            found = self._found[id(code)] = code, self._function(code)
        return found[1]

    def cache_info(self) -> _Size:
        """How many results there are."""
        return _Size(len(self._found))

    def cache_clear(self) -> None:
        """Forgets them."""
        self._found.clear()


_caches: Final[list[_lru_cache_wrapper[object] | OfCode[object]]] = []
_of_one_check: Final[list[Callable[[], None]]] = []


def kept(maxsize: int) -> Callable[[Callable[..., Result]], _lru_cache_wrapper[Result]]:
    """As `functools.lru_cache`, for what belongs to the models that are checked: it is forgotten with them."""

    def keep(function: Callable[..., Result]) -> _lru_cache_wrapper[Result]:
        made: _lru_cache_wrapper[Result] = lru_cache(maxsize=maxsize)(function)
        _caches.append(made)
        return made

    return keep


def of_one_check(clear: Callable[[], None]) -> Callable[[], None]:
    """Has something cleared ahead of each check, on which its answer else depended: what was checked before it."""
    _of_one_check.append(clear)
    return clear


@contextmanager
def forgotten() -> Iterator[None]:
    """What belongs to the check before is forgotten, and at the end what has become much: a process checks many."""
    for clear in _of_one_check:
        clear()
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
