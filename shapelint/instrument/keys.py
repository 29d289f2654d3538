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

import torch

from shapelint.instrument.key_text import KeyText
from shapelint.size.tracking import lose, plain_hash_next, symbolic, tracker
from shapelint.source.fault import call_foreign

DICTS: Final = (dict, OrderedDict, defaultdict)
_KEYED: Final[frozenset[type]] = frozenset({*DICTS, set, frozenset, type({}.keys())})
_WHOLES: Final[frozenset[type]] = _KEYED | {type({}.items())}
_ASKING: Final = frozenset({"__contains__", "__delitem__", "__getitem__", "__setitem__", "get", "pop", "setdefault"})
_SETTING: Final = frozenset({"__setitem__", "setdefault"})
_HARMLESS: Final = frozenset({"add", "clear", "copy", "discard", "items", "keys", "popitem", "remove", "values"})
_APART: Final = (str, bytes, type(None), torch.dtype, torch.device, torch.Tensor)
_MOST: Final = 32
_WHY: Final = "a size used as a key"
_set: list[int] = []  # the last size that became the key of a dict
_texts: list[int] = []  # the same of one in a text


def key(container: Any, value: Any, *, sets: bool = False, times: int = 1) -> Any:
    """The key, after it was compared with those of the container; it is to be hashed next, so many times."""
    if tracker() is None:
        return value
    if isinstance(value, str):
        return _text(container, value, sets=sets)
    if type(container) not in _KEYED or _is_apart(value):
        return value
    sizes = [each for each in _parts(value) if symbolic(each)]
    there = dict.__iter__(container) if isinstance(container, dict) else iter(container)  # without a hash
    others = [each for each in there if not _is_apart(each)]
    parts = [*_parts(value), *(each for other in others for each in _parts(other))]
    if not any(map(symbolic, parts)):
        return value
    if len(others) > _MOST or not all(map(_is_comparable, parts)):
        lose(_WHY, *sizes, *_set)
        return value
    next((each for each in others if _same(value, each)), None)
    plain_hash_next(sizes, times=times)
    if sets and sizes:
        _set[:] = sizes[:1]
    return value


def _text(container: Any, value: str, *, sets: bool) -> str:
    """A text that is a key."""
    sizes = value.sizes if isinstance(value, KeyText) else ()
    if sizes and type(container) not in _KEYED:
        lose(_WHY, *sizes)
    if (sizes or any(map(symbolic, _set))) and type(container) in _KEYED:
        others = [each for each in container if isinstance(each, str) and (sizes or isinstance(each, KeyText))]
        if len(others) > _MOST:
            lose(_WHY, *sizes, *_set)
        else:
            next((each for each in others if value == each), None)
    if sets and sizes:
        _set[:] = _texts[:] = sizes[:1]
    return value


def has_texts() -> bool:
    """Whether a text with a size in it became the key of a dict in this run."""
    return any(map(symbolic, _texts))


def iterated(value: Any) -> Any:
    """What is gone through, or given to a function: a text among its keys may be read there as a plain one."""
    if has_texts() and type(value) in _WHOLES:
        texts = [part for each in value for part in (each if isinstance(each, tuple) else (each,))]
        lose(_WHY, *(size for text in texts if isinstance(text, KeyText) for size in text.sizes))
    return value


def key_of(container: Any, value: Any) -> Any:
    """What a method of a container is asked with; only those of a dict hear of a text."""
    if isinstance(value, KeyText) and type(container) not in DICTS:
        lose(_WHY, *value.sizes)
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
        return partial(_asked, method, container, sets=name in _SETTING)
    return method if name in _HARMLESS else partial(_joining, method)


def item_of(container: Any, index: Any) -> Any:
    """`container[index]`, of which a defaultdict makes an item."""
    return _asked(container.__getitem__, container, index, sets=type(container) is defaultdict)


def _asked(method: Any, container: Any, value: Any, *rest: Any, sets: bool) -> Any:
    """What a method gives for a key, which it may hash again and again."""
    value = key(container, value, sets=sets, times=9)
    try:
        return call_foreign(method, value, *rest)
    finally:
        plain_hash_next(())


def _joining(method: Any, *args: Any, **kwargs: Any) -> Any:
    lose(_WHY, *_set)
    return call_foreign(method, *args, **kwargs)


def whole(value: Any) -> Any:
    """What is joined to another as a whole, or compared with it: a dict or a set may have sizes as keys."""
    if is_whole(value):
        lose(_WHY, *_set)
    return value


def is_whole(value: Any) -> bool:
    """Whether a value is a dict, a set, or a view of a dict."""
    return type(value) in _WHOLES


def _parts(value: Any) -> Iterator[Any]:
    """What is in a key."""
    if isinstance(value, tuple):
        for part in tuple.__iter__(value):
            yield from _parts(part)
    else:
        yield value


def equal_keys(one: Any, two: Any) -> bool:
    """Whether two keys are equal, of which the run remembers it where sizes are in them."""
    parts = [*_parts(one), *_parts(two)]
    if not all(map(_is_comparable, parts)):
        lose(_WHY, *parts)
    return _same(one, two)


def _is_comparable(part: Any) -> bool:
    return isinstance(part, int | float) or _is_apart(part)


def _is_apart(value: Any) -> bool:
    """Whether a value equals no number and no tuple, as a text does not, or what only equals itself."""
    compares: Any = type(value).__eq__
    return isinstance(value, _APART) or compares is object.__eq__

def _same(one: Any, two: Any) -> bool:
    """Whether two keys are equal, part by part as Python compares tuples."""
    if isinstance(one, tuple) and isinstance(two, tuple):
        pairs = zip(tuple.__iter__(one), tuple.__iter__(two), strict=False)
        return len(one) == len(two) and all(_same(*pair) for pair in pairs)
    if isinstance(one, tuple) or isinstance(two, tuple) or _is_apart(one) is not _is_apart(two):
        return False
    if isinstance(one, torch.Tensor) or isinstance(two, torch.Tensor):
        return one is two  # it is hashed by its identity
    first, second = (two, one) if symbolic(two) else (one, two)  # a float does not ask a size
    return one is two or bool(call_foreign(operator.eq, first, second))
