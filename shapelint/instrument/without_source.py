"""Functions whose source is not at hand, or says something else by now: sizes in them cannot be followed.

Their code runs as it is. Python itself makes some, such as the `__init__` of a dataclass: what only stores and hands on
loses no size. For every other one a run that calls it is told, so that nothing is proved.
"""

from __future__ import annotations

import ast
import dis
import linecache
import os
from types import CodeType
from typing import Final

from shapelint.caches import kept
from shapelint.size.tracking import tracker

_QUIET: Final = ("LOAD_", "STORE_", "BUILD_", "POP_JUMP_", "JUMP_", "RETURN_", "RESUME", "NOP", "CACHE", "EXTENDED_ARG",
                 "COPY", "SWAP", "POP_TOP", "MAKE_CELL", "PUSH_NULL", "PRECALL", "KW_NAMES", "IS_OP",
                 "UNPACK_SEQUENCE")  # fmt: skip
_LOUD: Final = frozenset({"STORE_SUBSCR", "STORE_SLICE", "LOAD_BUILD_CLASS"})
_JUMPS: Final = frozenset([*dis.hasjrel, *dis.hasjabs])
_FILLING: Final = frozenset({"EXTENDED_ARG", "NOP", "MAKE_CELL", "COPY_FREE_VARS", "RESUME"})
# What a dataclass and a namedtuple call with arguments.
_STORING: Final = frozenset({"__setattr__", "__post_init__", "_tuple_new", "__dataclass_builtins_object__"})
_STORED: Final = ("_dflt_", "__dataclass_", "_HAS_DEFAULT_FACTORY")


@kept(1024)
def loses_nothing(code: CodeType) -> bool:
    """Whether code does nothing but store and hand on, so that its source is not asked for."""
    instructions = list(dis.get_instructions(code))
    calls = False
    for each in instructions:
        if each.opname == "CALL":
            calls = calls or bool(each.arg)
        elif each.opname in _LOUD or not each.opname.startswith(_QUIET):
            return False
    return not calls or all(map(_stores, instructions, [*instructions[1:], None]))


def _stores(each: dis.Instruction, following: dis.Instruction | None) -> bool:
    """Whether an instruction, among calls with arguments, loads no other function to call than those that store."""
    if each.opname == "PUSH_NULL":
        return following is not None and following.opname in ("LOAD_DEREF", "LOAD_GLOBAL")
    if each.opname in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_METHOD", "LOAD_ATTR"):
        return each.argval in _STORING or str(each.argval).startswith(_STORED)
    return True


def is_source_of(own: CodeType, statement: ast.AST, live: CodeType) -> bool:
    """Whether the code that a statement gives is the one that is loaded; pytest makes others of its `assert`s.

    Two lambdas of one line may differ in nothing but a constant, or in where they stand.
    """
    if own.co_freevars != live.co_freevars:
        return False
    if "@pytest_ar" in live.co_names:
        asserts = [each for each in ast.walk(statement) if isinstance(each, ast.Assert)]
        lines = {line for each in asserts for line in range(each.lineno, (each.end_lineno or 0) + 1)}
        return _outside(own, lines) == _outside(live, lines)
    alike = own.co_code == live.co_code and own.co_names == live.co_names and own.co_consts == live.co_consts
    return alike and list(own.co_positions()) == list(live.co_positions())


def _outside(code: CodeType, lines: set[int]) -> list[tuple[str, object]]:
    """What the instructions of the other lines are and use, wherever they jump to."""
    found = (each for each in dis.get_instructions(code) if each.positions and each.positions.lineno not in lines)
    return [(each.opname, _used(each)) for each in found if each.opname not in _FILLING]


def _used(instruction: dis.Instruction) -> object:
    if isinstance(instruction.argval, CodeType):
        return instruction.argval.co_name
    return None if instruction.opcode in _JUMPS else instruction.argrepr


def tell(reason: str) -> None:
    """Tells the current run, if there is one, that it calls code in which sizes cannot be followed."""
    listener = tracker()
    if listener is not None:
        listener.leak(reason)


def said_of(code: CodeType) -> str:
    """Why the sizes in a function cannot be followed."""
    name, file = f"`{code.co_qualname}`", code.co_filename
    if linecache.getlines(file):
        return f"{name} runs other code than {os.path.basename(file)} has now"
    return f"{name} has no source"
