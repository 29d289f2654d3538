"""The user's code for the time of a check: it calls our builtins, which keep a size a size.

In the byte code, `LOAD_GLOBAL int` that starts a call is given another name; `isinstance(x, int)`, `type(x) is int`
and the builtins themselves stay as they are. Where the source is at hand, `instrument` adds what no name reveals, and
a literal float, which leaves `0.5 * h` to the size, serves where it is not.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any, Final

import torch

from shapelint.instrument.builtins import TRACKED, item, place
from shapelint.instrument.callees import callee
from shapelint.instrument.instrument import CALLEE, ITEM, LEFT, MAPPED, MODULE, PLACE, SLICE, instrumented
from shapelint.instrument.lazy_compile import WAKE, changing, compile_now, compile_when_called, forget
from shapelint.instrument.reachable import user_functions
from shapelint.instrument.standins import caches_passed_by, stand_in, stand_ins
from shapelint.restore.module import remembered, restored_globals
from shapelint.size.operand import TrackedFloat, TrackedText, left_operand

_LOAD: Final = opmap["LOAD_GLOBAL"]
_EXTENDED: Final = opmap["EXTENDED_ARG"]
_NAMES: Final[dict[str, Any]] = {
    WAKE: compile_now, LEFT: left_operand, ITEM: item, SLICE: slice, CALLEE: callee, PLACE: place,
    **{MAPPED.format(name): each for name, each in TRACKED.items()}
}  # fmt: skip


# Another thread may still be in a function that was compiled for a check when that ends, and the module has its own
# globals again: what the code asks for is found among the builtins then.
vars(builtins).update(_NAMES)

_untracked: dict[tuple[CodeType, str], CodeType] = {}


def shadowed_in(function: FunctionType) -> frozenset[str]:
    """The tracked builtins whose names stand for something else where the function is."""
    return frozenset(TRACKED.keys() & function.__globals__.keys())


@contextmanager
def tracked_builtins(module: torch.nn.Module) -> Iterator[None]:
    """While it is open, the functions that the module reaches call the tracked versions."""
    functions = user_functions(module)
    codes = [(function, function.__code__) for function in functions]
    spaces = list({id(function.__globals__): function.__globals__ for function in functions}.values())
    modules = stand_ins()
    places = {MODULE.format(name): each for name, each in modules.items()}
    with ExitStack() as stack:
        for space in spaces:
            stack.enter_context(restored_globals(space))
        stack.enter_context(caches_passed_by(spaces))
        stack.enter_context(remembered(module))
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        sys.modules.update(places)
        try:
            for space in spaces:
                space.update(_replacements(space, modules))
            for function, code in codes:
                compile_when_called(function, partial(tracked_code, code, shadowed_in(function)))
            yield
        finally:
            with changing.lock:
                forget(functions)
                for function, code in codes:
                    function.__code__ = code
            for name in places:
                sys.modules.pop(name, None)


@contextmanager
def plain_globals(module: torch.nn.Module) -> Iterator[None]:
    """While it is open, the module runs as it is on meta; what it keeps of that in globals and caches is put back."""
    spaces = list({id(each.__globals__): each.__globals__ for each in user_functions(module)}.values())
    with ExitStack() as stack:
        for space in spaces:
            stack.enter_context(restored_globals(space))
        stack.enter_context(caches_passed_by(spaces))
        yield


def _replacements(space: dict[str, Any], modules: dict[str, Any]) -> dict[str, Any]:
    """What is new among the globals of a module, and what takes the place of another."""
    found = {name: stand_in(value, modules) for name, value in space.items()}
    return {**_NAMES, **{name: value for name, value in found.items() if value is not None}}


def tracked_code(code: CodeType, shadowed: frozenset[str] = frozenset(), without: Any = None) -> CodeType:
    """The code as it runs in a check; `shadowed` builtins are other functions there.

    `without` takes statements out of the source; LookupError where the source is not at hand.
    """
    return _tracked_code(code, code.co_filename, shadowed, without)


@lru_cache(maxsize=16384)
def _tracked_code(code: CodeType, _file: str, shadowed: frozenset[str], without: Any) -> CodeType:
    """Equal code of two files is one key to a cache, so the file is a part of it."""
    found = instrumented(code, without)
    if found is None and without is not None:
        raise LookupError(code.co_name)
    tracked = rewritten(found or code, shadowed)
    _untracked[tracked, tracked.co_filename] = code
    return tracked


def untracked_code(code: CodeType) -> CodeType:
    """The code as the user wrote it."""
    return _untracked.get((code, code.co_filename), code)


def rewritten(code: CodeType, shadowed: frozenset[str] = frozenset()) -> CodeType:
    """The code with calls of the tracked builtins renamed and its literal floats tracked."""
    inner = tuple(_constant(each, shadowed) for each in code.co_consts)
    names, raw = list(code.co_names), bytearray(code.co_code)
    for name in (TRACKED.keys() & set(code.co_names)) - shadowed:
        _rename_calls(names, raw, name)
    return code.replace(co_code=bytes(raw), co_names=tuple(names), co_consts=inner)


def _constant(value: Any, shadowed: frozenset[str]) -> Any:
    if isinstance(value, CodeType):
        return rewritten(value, shadowed)
    if type(value) is str and "%" in value:
        return TrackedText(value)
    return TrackedFloat(value) if type(value) is float else value


def _rename_calls(names: list[str], raw: bytearray, name: str) -> None:
    """Points every `LOAD_GLOBAL name` that starts a call (its lowest bit: PUSH_NULL) to the tracked name.

    A new name whose index does not fit into one byte takes the place of the old one, where that is only called.
    """
    place = names.index(name)
    uses = [each for each in range(0, len(raw), 2) if raw[each] == _LOAD and _index(raw, each) >> 1 == place]
    calls = [offset for offset in uses if raw[offset + 1] & 1]
    if len(calls) == len(uses) and calls:
        names[place] = MAPPED.format(name)
    elif calls and len(names) < 128 and all(_index(raw, offset) < 256 for offset in calls):
        for offset in calls:
            raw[offset + 1] = (len(names) << 1) | 1
        names.append(MAPPED.format(name))


def _index(raw: bytearray, offset: int) -> int:
    """The argument of an instruction, with the EXTENDED_ARG instructions in front of it."""
    value, shift = raw[offset + 1], 8
    while offset >= 2 and raw[offset - 2] == _EXTENDED:
        offset -= 2
        value, shift = value | raw[offset + 1] << shift, shift + 8
    return value
