"""A function that sleeps until it is called is called, inspected and stopped as the function itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

import pytest

from shapelint.instrument.lazy_compile import WAKE, compile_now, compile_when_called, forget, is_uncompiled

SOURCE = """
def many(a, b=2, /, c=3, *rest, d, e=5, **named):
    return a, b, c, rest, d, e, named

def few(image, *sizes, scale=1):
    return image, sizes, scale

def steps(count):
    got = yield 0
    try:
        while True:
            got = yield got * count
    except KeyError:
        return "stopped"

async def told(count, *rest):
    yield count
    yield rest

async def gathered(count):
    return [each async for each in told(count, 2)]

def inside(held):
    within = lambda: held
    yield within()
"""


@pytest.fixture
def uncompiled() -> Iterator[dict[str, Any]]:
    space: dict[str, Any] = {WAKE: compile_now}
    exec(SOURCE, space)
    functions = [each for name, each in space.items() if inspect.isfunction(each) and name != WAKE]
    for function in functions:
        compile_when_called(function, lambda code=function.__code__: code)
    assert len(functions) == 6
    assert all(map(is_uncompiled, functions))
    yield space
    forget(tuple(functions))


def test_arguments_arrive_however_they_are_passed(uncompiled: dict[str, Any]) -> None:
    many, few = uncompiled["many"], uncompiled["few"]
    assert str(inspect.signature(many)) == "(a, b=2, /, c=3, *rest, d, e=5, **named)"
    for _ in ("asleep", "awake"):
        assert many(1, d=4) == (1, 2, 3, (), 4, 5, {})
        assert many(1, 6, 7, 8, d=4, f=9) == (1, 6, 7, (8,), 4, 5, {"f": 9})
        assert few(1) == (1, (), 1)
        assert few(1, 2, 3, scale=4) == (1, (2, 3), 4)
        assert few(image=1) == (1, (), 1)
    assert not is_uncompiled(many)


def test_what_a_function_refuses_it_refuses_asleep(uncompiled: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"few\(\) missing 1 required positional argument: 'image'"):
        uncompiled["few"]()
    with pytest.raises(TypeError, match=r"many\(\) missing 1 required keyword-only argument: 'd'"):
        uncompiled["many"](1)


def test_a_generator_is_sent_to_stopped_and_closed(uncompiled: dict[str, Any]) -> None:
    steps = uncompiled["steps"]
    assert inspect.isgeneratorfunction(steps)
    for _ in ("asleep", "awake"):
        running = steps(3)
        assert [next(running), running.send(2), running.send(5)] == [0, 6, 15]
        with pytest.raises(StopIteration, match="stopped"):
            running.throw(KeyError)
    with contextmanager(uncompiled["inside"])(7) as held:
        assert is_uncompiled(uncompiled["inside"]) is False
        assert held == 7


def test_a_coroutine_and_its_generator_are_awaited(uncompiled: dict[str, Any]) -> None:
    assert inspect.isasyncgenfunction(uncompiled["told"])
    for _ in ("asleep", "awake"):
        assert asyncio.run(uncompiled["gathered"](5)) == [5, (2,)]
    assert not is_uncompiled(uncompiled["told"])


CLOSURE = """
def made(held, given):
    def raising(first, *rest, **named):
        raise KeyError(held, given)
    return raising
"""


def test_a_debugger_reads_the_locals_of_a_closure_asleep() -> None:
    space: dict[str, Any] = {WAKE: compile_now}
    exec(CLOSURE, space)
    raising = space["made"](1, 2)
    compile_when_called(raising, lambda code=raising.__code__: code)
    with pytest.raises(KeyError) as caught:
        raising(5)
    forget((raising,))
    asleep, awake = [frame.f_locals for frame, _ in walk_tb(caught.tb)][1:]
    assert asleep == awake == {"first": 5, "rest": (), "named": {}, "held": 1, "given": 2}
