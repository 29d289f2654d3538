"""The user's code for the time of a check: its functions have code that calls ours, which keep a size a size.

Those that a model may reach are put to sleep when a check begins, and compiled when they are called; one that nobody
foresaw is found when it is about to be called.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from types import CodeType, FunctionType
from typing import Any, Final
from weakref import WeakSet

import torch

from shapelint.instrument.builtins import added, item, place
from shapelint.instrument.caches import cached_methods_replaced, caches_of_one_run, in_place_of
from shapelint.instrument.callees import callee, callee_of_nothing, user_code_found
from shapelint.instrument.choices import chosen, crops, sets
from shapelint.instrument.compiled import code_of, forget_code, is_tracked, tracked_code
from shapelint.instrument.gone_through import BACKWARDS, CUT, GIVEN, MAPPED, TURNS
from shapelint.instrument.identity import IDENTIFIED, MARKED, SAME, identified, marked, same
from shapelint.instrument.key_text import key_text
from shapelint.instrument.keys import contained, iterated, key_of, whole
from shapelint.instrument.lazy_compile import WAKE, changing, compile_now, compile_when_called, forget, is_uncompiled
from shapelint.instrument.names import HANDED_ON
from shapelint.instrument.operand import compared, compared_on, left_operand
from shapelint.instrument.paddings import PADDED, PADS, padded, pads
from shapelint.instrument.reachable import Reached
from shapelint.instrument.resizes import CUTS, RESIZES, cuts, resizes
from shapelint.instrument.results import handed_on
from shapelint.instrument.rewriting import (
    ADDED,
    CALLEE,
    CHOSEN,
    CODE_OF,
    COMPARED,
    CONTAINED,
    COUNTED,
    CROPS,
    FILLED,
    IN_PLACE,
    ITEM,
    ITERATED,
    LEFT,
    MIDDLE,
    PLACE,
    SETS,
    SLICE,
    STAND_IN,
    WHOLE,
)
from shapelint.instrument.standins import stand_in
from shapelint.instrument.text_keys import KEY_OF, KEY_TEXT
from shapelint.instrument.turns import backwards, counted, cut, filled, given, mapped, turns
from shapelint.restore.module import remembered, restored_globals

_NAMES: Final[dict[str, Any]] = {
    WAKE: compile_now, LEFT: left_operand, ADDED: added, ITEM: item, SLICE: slice, CALLEE: callee, PLACE: place,
    STAND_IN: stand_in, SETS: sets, CHOSEN: chosen, CROPS: crops, CODE_OF: code_of, COMPARED: compared,
    MIDDLE: compared_on, TURNS: turns, FILLED: filled, COUNTED: counted, IN_PLACE: callee_of_nothing,
    CONTAINED: contained, WHOLE: whole, KEY_TEXT: key_text, KEY_OF: key_of, ITERATED: iterated,
    PADS: pads, PADDED: padded, RESIZES: resizes, CUTS: cuts, IDENTIFIED: identified, MARKED: marked, SAME: same,
    HANDED_ON: handed_on, BACKWARDS: backwards, MAPPED: mapped, GIVEN: given, CUT: cut,
}  # fmt: skip


# Another thread may still be in a function that was compiled for a check when that has ended.
vars(builtins).update(_NAMES)


class _Changed:
    """The functions whose code is another one while a check runs, each with the user's, and their modules' globals.

    What a function mentions is looked for when it is called: of a large package that is a small part.
    """

    def __init__(self, module: torch.nn.Module, stack: ExitStack) -> None:
        self._codes: dict[int, tuple[FunctionType, CodeType]] = {}
        self.spaces: dict[int, dict[str, Any]] = {}
        self._stack = stack
        self._reached = Reached(module)
        self._parts: WeakSet[torch.nn.Module] = WeakSet(module.modules())

    def take_all(self) -> None:
        """Takes what the parts of the module have."""
        for function in tuple(self._reached.found.values()):
            self.take(function)

    def take(self, function: FunctionType) -> None:
        """Lets a function be compiled when it is called, unless it is already; any thread may ask."""
        if is_tracked(function.__code__) or is_uncompiled(function):
            return
        with changing.lock:
            code = function.__code__
            if id(function) not in self._codes and not is_uncompiled(function):
                self._codes[id(function)] = function, code
                found: dict[str, Any] = getattr(function, "__builtins__", _NAMES)
                if WAKE not in found:  # builtins of its own, as a named tuple's: before its globals are kept
                    found.update(_NAMES)
                self._take_globals(function.__globals__)
                compile_when_called(function, partial(self._awake, function, code))

    def take_class(self, kind: type) -> None:
        """Takes the methods of a class that are called by others than the user's code."""
        self._take_each(self._reached.of_class(kind))

    def take_module(self, module: torch.nn.Module) -> None:
        """Takes what a module has that is no part of the model, once its constructor has run."""
        if "_modules" in vars(module) and module not in self._parts:
            for part in module.modules():
                self._parts.add(part)
                self._take_each(self._reached.of_module(part))

    def _take_each(self, functions: Iterable[FunctionType]) -> None:
        for each in functions:
            self.take(each)

    def _take_globals(self, space: dict[str, Any]) -> None:
        if id(space) not in self.spaces:
            self.spaces[id(space)] = space
            self._stack.enter_context(cached_methods_replaced(space))
            self._stack.enter_context(restored_globals(space, _instead(space)))

    def _awake(self, function: FunctionType, code: CodeType) -> CodeType | None:
        self._take_each(self._reached.followed(function, code))
        return tracked_code(code)

    def put_back(self) -> None:
        with changing.lock:
            forget(function for function, _ in self._codes.values())
            for function, code in self._codes.values():
                function.__code__ = code


@contextmanager
def tracked_builtins(module: torch.nn.Module) -> Iterator[Mapping[int, dict[str, Any]]]:
    """While it is open, the functions that the module reaches call the tracked versions.

    Gives the globals of those that are called, by their ids.
    """
    with ExitStack() as stack:
        stack.enter_context(remembered(module))
        stack.enter_context(caches_of_one_run())
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        changed = _Changed(module, stack)
        stack.callback(forget_code)
        stack.callback(changed.put_back)
        changed.take_all()
        stack.enter_context(user_code_found(changed))
        yield changed.spaces


def _instead(space: dict[str, Any]) -> dict[str, Any]:
    """What takes the place of another among the globals of a module."""
    found = {name: in_place_of(stand_in(value)) for name, value in space.items()}
    return {name: value for name, value in found.items() if value is not space[name]}
