"""Functions that sleep until they are first called: most of those that a model may reach are never called.

A sleeping function has a code of ours, with the same parameters, that wakes it and calls it. To the walks over frames
it belongs to nobody, as code that Python itself keeps frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType
from typing import Final
from weakref import WeakValueDictionary

from shapelint.instrument.without_source import said_of, tell
from shapelint.locks import InnerLock

WAKE: Final = "__shapelint_wake__"
_PLACE: Final = 987654321
_FILE: Final = "<frozen shapelint>"
_KINDS: Final = CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR

_Making = Callable[[], CodeType | None]
_uncompiled: dict[int, tuple[FunctionType, CodeType, _Making]] = {}
_twins: dict[int, FunctionType] = {}
# Another thread may call a function that has its own code again by then.
_called: WeakValueDictionary[int, FunctionType] = WeakValueDictionary()
changing: Final = InnerLock()


def compile_when_called(function: FunctionType, code: _Making) -> None:
    """Lets the function have what `code` gives when it is first called; its builtins must have `compile_now` as WAKE.

    Where that is None, it never awakes: each call is told to the run, and done by a twin with the function's own code.
    A generator is one asleep too: Python 3.13 warns where a plain function's code takes its place.
    """
    number, own = id(function), function.__code__
    _uncompiled[number], _called[number] = (function, own, code), function
    stub = _stub(own)
    constants = tuple(number if each == _PLACE else each for each in stub.co_consts)
    function.__code__ = stub.replace(co_consts=constants)


def compile_now(number: int) -> FunctionType:
    """The function of a number, compiled; as the user wrote it where the check has ended since it was called."""
    with changing.lock:
        if number not in _uncompiled:
            return _called[number]
        function, own, code = _uncompiled[number]
        if not is_uncompiled(function):
            return function
        made = code() if number not in _twins else None
        if made is not None:
            function.__code__ = made
            return function
        twin = _twins.get(number) or _twins.setdefault(number, _twin(function, own))
    tell(said_of(own))
    return twin


def _twin(function: FunctionType, code: CodeType) -> FunctionType:
    made = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def is_uncompiled(function: FunctionType) -> bool:
    """Whether the function has not been called since it was put to sleep."""
    return function.__code__.co_filename == _FILE


def forget(functions: Iterable[FunctionType]) -> None:
    """Drops what is kept of the functions; their code is for the caller to put back."""
    for function in functions:
        _uncompiled.pop(id(function), None)
        _twins.pop(id(function), None)


def _stub(code: CodeType) -> CodeType:
    """A code with the parameters of the given one; those that are passed by position take no compiling."""
    count, only, flags = code.co_argcount, code.co_kwonlyargcount, code.co_flags & _KINDS
    starred, named = bool(flags & CO_VARARGS), bool(flags & CO_VARKEYWORDS)
    used = code.co_varnames[: count + only + starred + named]
    places = used if only else tuple(f"a{index}" for index in range(len(used)))
    stub = _compiled(places, count, code.co_posonlyargcount, only, flags, len(code.co_freevars))
    names = (*used, *stub.co_varnames[len(used) :])
    return stub.replace(
        co_varnames=names, co_freevars=code.co_freevars, co_name=code.co_name, co_qualname=code.co_qualname
    )


@lru_cache(maxsize=4096)
def _compiled(names: tuple[str, ...], count: int, first: int, only: int, flags: int, free: int) -> CodeType:
    """With so many parameters, `first` of them by position only and `only` by keyword only, and `free` variables.

    These are named in dead code: the code has to take them over itself, or who reads a frame's locals crashes.
    """
    positional, keywords = names[:count], names[count : count + only]
    rest = iter(names[count + only :])
    starred = f"*{next(rest)}" if flags & CO_VARARGS else ""
    named = f"**{next(rest)}" if flags & CO_VARKEYWORDS else ""
    declared = [*positional, starred or ("*" if keywords else ""), *keywords, named]
    declared.insert(first, "/" if first else "")
    passed = [*positional, starred, *(f"{name}={name}" for name in keywords), named]
    parameters, arguments = (", ".join(filter(None, each)) for each in (declared, passed))
    call = f"{WAKE}({_PLACE})({arguments})"
    body = f"return {call}"
    if flags & CO_GENERATOR:
        body = f"return (yield from {call})"
    elif flags & CO_COROUTINE:
        body = f"return await {call}"
    elif flags & CO_ASYNC_GENERATOR:
        body = f"async for each_{WAKE} in {call}: yield each_{WAKE}"
    kind = "async def" if flags & (CO_COROUTINE | CO_ASYNC_GENERATOR) else "def"
    variables = "".join(f"free_{index}_{WAKE}, " for index in range(free))
    steps = [f"if 0: {variables}", body] if free else [body]
    outer = "\n  ".join([f"def outer({variables}):\n {kind} asleep({parameters}):", *steps])
    return _inner(_inner(compile(outer, _FILE, "exec")))


def _inner(code: CodeType) -> CodeType:
    return next(each for each in code.co_consts if isinstance(each, CodeType))
