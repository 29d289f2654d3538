"""Whether a text with a size in it is only shown to somebody: it ends in an error, a print or a log.

Such a text decides nothing. A text that may go elsewhere, such as the key of a dict, is a leak.
"""

from __future__ import annotations

import dis
from types import CodeType, FrameType
from typing import Final

from shapelint.caches import kept
from shapelint.instrument.frames import is_own, is_sizes_own, only_hands_on

_SHOWING: Final = frozenset({"print", "warn", "warning", "info", "debug", "error", "critical", "exception", "log"})
_SHOWERS: Final = frozenset({"logging", "warnings"})
_HANDED_ON: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "YIELD_VALUE", "LIST_APPEND"})
_JUMPS: Final = frozenset([*dis.hasjrel, *dis.hasjabs])


def is_only_shown(frame: FrameType | None) -> bool:
    """Whether the text that is being made at a frame goes nowhere but into an error, a print or a log."""
    while frame is not None and is_sizes_own(frame.f_code):
        frame = frame.f_back
    while frame is not None:
        if only_hands_on(frame.f_code):
            frame = frame.f_back
            continue
        if is_own(frame.f_code) or frame.f_globals.get("__name__", "").partition(".")[0] in _SHOWERS:
            return True
        end = _end(frame.f_code, frame.f_lasti)
        if end is not None:
            return end
        frame = frame.f_back
    return False


@kept(4096)
def _end(code: CodeType, offset: int) -> bool | None:
    """What the straight line of instructions after a call comes to: True where the text is only told.

    None where it is handed to the caller. A straight line that ends in a `raise` raises whatever is done before.
    """
    last: dis.Instruction | None = None
    for instruction in dis.get_instructions(code):
        if instruction.offset < offset:
            continue
        if instruction.opname == "RAISE_VARARGS":
            return True
        if instruction.opname in _HANDED_ON:
            return None
        if instruction.opname == "POP_TOP":
            return last is not None and _shows(code, last)
        if instruction.opcode in _JUMPS:
            return _always_raises(code, instruction)
        last = instruction
    return False


def _always_raises(code: CodeType, start: dis.Instruction) -> bool:
    """Whether every way from an instruction comes to a `raise`, so that the text cannot change the outcome."""
    instructions = {each.offset: each for each in dis.get_instructions(code)}
    following = dict(zip(instructions, [*list(instructions)[1:], -1], strict=True))
    waiting, seen = [start.offset], set[int]()
    while waiting:
        offset = waiting.pop()
        if offset in seen:
            continue
        seen.add(offset)
        each = instructions.get(offset)
        if each is None or each.opname in _HANDED_ON:
            return False
        if each.opname in ("RAISE_VARARGS", "RERAISE"):
            continue
        if each.opcode in _JUMPS:
            waiting.append(each.argval)
        if not each.opname.startswith(("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_ABSOLUTE")):
            waiting.append(following[offset])
    return True


def _shows(code: CodeType, call: dis.Instruction) -> bool:
    """Whether a call, whose result is dropped, is `print(...)`, `warnings.warn(...)`, a logger's, an assertion."""
    start = _start(call)
    names = [str(each.argval).lower() for each in dis.get_instructions(code)
             if _start(each) == start and each.opname.startswith("LOAD_") and isinstance(each.argval, str)]  # fmt: skip
    if names and names[-1] == "_assert":  # torch._assert(condition, text)
        return True
    if not names or names[-1].removesuffix("_once") not in _SHOWING:
        return False
    return names == ["print"] or any("log" in name or "warn" in name for name in names)


def _start(instruction: dis.Instruction) -> tuple[int | None, int | None] | None:
    where = instruction.positions
    return None if where is None else (where.lineno, where.col_offset)
