"""Random numbers of Python's `random` and of numpy's: as with the data, nobody knows which number it is.

A float is a number that the data might have given. One of a few things is a question for each but the last. Whatever
else is drawn is told as what only holds for this draw.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

from shapelint.instrument.chance_number import ChanceNumber, plain_draws
from shapelint.restore.random import same_random_numbers
from shapelint.size.data_number import Asked
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic, tracker
from shapelint.source.fault import call_foreign

_QUIET: Final = frozenset({"seed", "getstate", "get_state"})
_FLOATS: Final = frozenset({
    "random", "uniform", "gauss", "normalvariate", "betavariate", "expovariate", "triangular", "lognormvariate",
    "gammavariate", "vonmisesvariate", "paretovariate", "weibullvariate", "rand", "randn", "random_sample", "normal",
    "standard_normal", "beta", "exponential", "gamma", "laplace", "lognormal", "logistic",
})  # fmt: skip
_WHOLE: Final = {"random.randint": (2,), "random.randrange": (1, 2), "numpy.random.randint": (1, 2)}
_FEW: Final = 4


def thrown(function: Any, name: str) -> Any:
    """The function, or what draws in its place; `name` has its module."""
    drawn = callable(function) and not isinstance(function, type) and name.rpartition(".")[2] not in _QUIET
    return functools.partial(_drawn, function, name) if drawn else function


def told(function: Callable[..., Any], reason: str, *args: Any, **kwargs: Any) -> Any:
    """What the function gives, which the run is told to hold for this call only."""
    listener = tracker()
    if listener is not None:
        listener.leak(reason)
    return call_foreign(function, *args, **kwargs)


def _drawn(function: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
    listener: object = tracker()
    reason, short = f"a random number (`{name}`)", name.rpartition(".")[2]
    if any(type(each) is ChanceNumber for each in (*args, *kwargs.values())):
        return told(function, reason, *plain_draws(args, name), **plain_draws(kwargs, name))
    few = name == "random.choice" and len(args) == 1 and not kwargs and _is_few(args[0])
    limits = _limits(name, args) if isinstance(listener, Asked) and not kwargs else None
    if isinstance(listener, Asked) and limits is not None:
        if limits[0] > limits[1]:
            raise ValueError(f"no integer lies between {plain(limits[0])} and {plain(limits[1])}")
        with same_random_numbers():
            value = call_foreign(function, *map(plain, args))
        listener.thrown = True
        return listener.of_data(value, reason, least=limits[0], most=limits[1])
    if isinstance(listener, Asked) and (few or short in _FLOATS):
        with same_random_numbers():  # whoever asks afterwards whether any was drawn is told of others
            value = call_foreign(function, *args, **kwargs)
        if few:
            return _one_of(args[0], listener, reason)
        if type(value) is float:
            listener.thrown = True
            return ChanceNumber(listener, value, reason)
    return told(function, reason, *args, **kwargs)


def _limits(name: str, args: tuple[Any, ...]) -> tuple[int, int] | None:
    """Between which two integers one lies that is drawn; None where several are, or none can be."""
    whole = all(type(each) is int or symbolic(each) for each in args)
    if not whole or len(args) not in _WHOLE.get(name, ()):
        return None
    low, high = args if len(args) == 2 else (0, args[0])
    return low, high if name == "random.randint" else high - 1


def _is_few(options: Any) -> bool:
    return type(options) in (list, tuple) and 0 < len(options) <= _FEW


def _one_of(options: Sequence[Any], listener: Asked, reason: str) -> Any:
    return next((each for each in options[:-1] if listener.choose(reason)), options[-1])
