"""Functions that sleep until they are first called: most of those that a model may reach are never called.

A sleeping function has a code of ours, with the same parameters, that wakes it and calls it. To the walks over frames
it belongs to nobody, as code that Python itself keeps frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType
from typing import Final

WAKE: Final = "__shapelint_wake__"
_PLACE: Final = 987654321
_FILE: Final = "<frozen shapelint>"
_OTHERS: Final = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR

_asleep: dict[int, tuple[FunctionType, Callable[[], CodeType]]] = {}


def put_to_sleep(function: FunctionType, code: Callable[[], CodeType]) -> None:
    """Lets the function have what `code` gives when it is first called; its globals must have `wake` as WAKE.

    A generator or coroutine has it at once: Python 3.13 warns where a plain function's code takes its place.
    """
    if function.__code__.co_flags & _OTHERS:
        function.__code__ = code()
        return
    number = id(function)
    _asleep[number] = (function, code)
    stub = _stub(function.__code__)
    constants = tuple(number if each == _PLACE else each for each in stub.co_consts)
    function.__code__ = stub.replace(co_consts=constants)


def wake(number: int) -> FunctionType:
    """The function of a number, awake."""
    function, code = _asleep[number]
    if is_asleep(function):
        function.__code__ = code()
    return function


def is_asleep(function: FunctionType) -> bool:
    """Whether the function has not been called since it was put to sleep."""
    return function.__code__.co_filename == _FILE


def forget(functions: tuple[FunctionType, ...]) -> None:
    """Drops what is kept of the functions; their code is for the caller to put back."""
    for function in functions:
        _asleep.pop(id(function), None)


@lru_cache(maxsize=16384)
def _stub(code: CodeType) -> CodeType:
    names = code.co_varnames
    count, only = code.co_argcount, code.co_kwonlyargcount
    positional, keywords = names[:count], names[count : count + only]
    rest = iter(names[count + only :])
    starred = f"*{next(rest)}" if code.co_flags & CO_VARARGS else ""
    named = f"**{next(rest)}" if code.co_flags & CO_VARKEYWORDS else ""
    declared = [*positional, starred or ("*" if keywords else ""), *keywords, named]
    declared.insert(code.co_posonlyargcount, "/" if code.co_posonlyargcount else "")
    passed = [*positional, starred, *(f"{name}={name}" for name in keywords), named]
    parameters, arguments = (", ".join(filter(None, each)) for each in (declared, passed))
    whole = compile(f"def asleep({parameters}): return {WAKE}({_PLACE})({arguments})", _FILE, "exec")
    own = next(each for each in whole.co_consts if isinstance(each, CodeType))
    return own.replace(co_name=code.co_name, co_qualname=code.co_qualname, co_freevars=code.co_freevars)
