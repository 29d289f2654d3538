"""Dicts that are asked for a size, or for a tuple with sizes in it, and sets that hold none: `(h, w) in self.masks`.

Python compares a key only with those of the same hash, which is that of the plain number. Here it is compared with
every key there is, so that the run remembers which of them it is, and its hash is no loss. Where a dict has got a size
as a key, whatever joins or compares dicts and sets as wholes is one.
"""

from __future__ import annotations

import operator
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from shapelint.size.number import plain_hash_next
from shapelint.size.tracking import lose, symbolic, tracker
from shapelint.source.fault import call_foreign

DICTS: Final = (dict, OrderedDict, defaultdict)
_KEYED: Final[frozenset[type]] = frozenset({*DICTS, set, frozenset, type({}.keys())})
_WHOLES: Final[frozenset[type]] = _KEYED | {type({}.items())}
_ASKING: Final = frozenset({"__contains__", "__delitem__", "__getitem__", "__setitem__", "get", "pop", "setdefault"})
_SETTING: Final = frozenset({"__setitem__", "setdefault"})
_HARMLESS: Final = frozenset({"add", "clear", "copy", "discard", "items", "keys", "popitem", "remove", "values"})
_MOST: Final = 32
_WHY: Final = "a size used as a key"
_set: list[int] = []  # the last size that became the key of a dict


def key(container: Any, value: Any, *, sets: bool = False, times: int = 1) -> Any:
    """The key, after it was compared with those of the container; it is to be hashed next, so many times."""
    if tracker() is None or not isinstance(value, int | tuple) or type(container) not in _KEYED:
        return value
    sizes = [each for each in _numbers(value) if symbolic(each)]
    there = dict.__iter__(container) if isinstance(container, dict) else iter(container)  # without a hash
    others = [each for each in there if isinstance(each, int | tuple)]
    if not sizes and not any(symbolic(each) for other in others for each in _numbers(other)):
        return value
    if len(others) > _MOST:
        lose(_WHY, *sizes, *_set)
        return value
    next((each for each in others if _same(value, each)), None)
    plain_hash_next(sizes, times=times)
    if sets and sizes:
        _set[:] = sizes[:1]
    return value


def contained(value: Any, container: Any) -> bool:
    """`value in container`."""
    return call_foreign(operator.contains, container, key(container, value))


def asking(method: Any, container: Any) -> Any:
    """A method of a dict or a set, which may be called with a size; others are what they are."""
    if not is_whole(container):
        return method
    name = method.__name__
    if name in _ASKING and type(container) in DICTS:
        return partial(_asked, method, container)
    return method if name in _HARMLESS else lambda *args, **kwargs: call_foreign(whole(method), *args, **kwargs)


def _asked(method: Any, container: Any, value: Any, *rest: Any) -> Any:
    """What a method gives for a key, which an OrderedDict hashes again and again."""
    value = key(container, value, sets=method.__name__ in _SETTING, times=9)
    try:
        return call_foreign(method, value, *rest)
    finally:
        plain_hash_next(())


def whole(value: Any) -> Any:
    """A dict or a set that is joined to another, or compared with it."""
    lose(_WHY, *_set)
    return value


def is_whole(value: Any) -> bool:
    """Whether a value is a dict, a set, or a view of a dict."""
    return type(value) in _WHOLES


def _numbers(value: Any) -> Iterator[Any]:
    """The integers in a key."""
    if isinstance(value, tuple):
        for part in tuple.__iter__(value):
            yield from _numbers(part)
    elif isinstance(value, int):
        yield value


def _same(one: Any, two: Any) -> bool:
    """Whether two keys are equal, part by part as Python compares tuples."""
    if isinstance(one, tuple) and isinstance(two, tuple):
        pairs = zip(tuple.__iter__(one), tuple.__iter__(two), strict=False)
        return len(one) == len(two) and all(_same(*pair) for pair in pairs)
    return one is two or bool(call_foreign(operator.eq, one, two))
