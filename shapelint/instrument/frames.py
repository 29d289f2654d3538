"""Which line of the user's code is running: a walk over the interpreter's frames, without torch's own."""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from operator import getitem
from types import BuiltinFunctionType, CodeType, FrameType, TracebackType

from shapelint.caches import OfCode
from shapelint.instrument.keys import DICTS
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import OWN_FOLDER, installed
from shapelint.source.ownership import is_own as is_own_file
from shapelint.source.span import CallSite


@lru_cache(maxsize=1)
def _torch_folder() -> str:
    return os.path.dirname(sys.modules["torch"].__file__ or "") + os.sep


@OfCode
def is_users(code: CodeType) -> bool:
    """Whether code is neither torch's nor our own (and not generated on the fly)."""
    file = code.co_filename
    return not file.startswith((_torch_folder(), OWN_FOLDER, "<frozen"))


@OfCode
def is_own(code: CodeType) -> bool:
    """Whether code is ours."""
    return is_own_file(code.co_filename)


@OfCode
def is_sizes_own(code: CodeType) -> bool:
    """Whether code belongs to the sizes that go through a model, or hears what they tell."""
    parts = code.co_filename.removeprefix(OWN_FOLDER).split(os.sep)
    return is_own(code) and (parts[0] == "size" or parts[-1] in ("sized_shape.py", "operand.py", "recorder.py"))


@OfCode
def only_hands_on(code: CodeType) -> bool:
    """Whether code of ours only calls a function for the user's code, which goes on with its result."""
    parts = code.co_filename.removeprefix(OWN_FOLDER).split(os.sep)
    return is_own(code) and (parts[0] == "instrument" or parts == ["source", "fault.py"])


_ends: set[int] = set()


def no_place_above(*codes: CodeType) -> None:
    """Tells that what runs in these functions, which live for ever, stands at no line of anybody's source."""
    _ends.update(map(id, codes))


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's code at or above `frame`."""
    while frame is not None and not is_users(frame.f_code):
        if id(frame.f_code) in _ends:
            return None
        frame = frame.f_back
    return frame


def calling_place(frame: FrameType | None) -> CallSite | None:
    """The call site, in the user's code, of what runs at `frame`."""
    found = calling_frame(frame)
    return None if found is None else CallSite(found.f_code, found.f_lasti)


def may_catch(frame: FrameType | None, stop: CodeType) -> bool:
    """Whether code of the user between `frame` and the run's start has a handler that could catch an error."""
    while frame is not None and frame.f_code is not stop:
        if frame.f_code.co_exceptiontable and is_users(frame.f_code):
            return True
        frame = frame.f_back
    return False


_RAISING = frozenset(dis.opmap[name] for name in ("RAISE_VARARGS", "UNPACK_SEQUENCE", "UNPACK_EX"))
_EMPTY = (*DICTS, list, tuple, set, frozenset)


def raised_by_python(traceback: TracebackType | None) -> bool:
    """Whether an error comes from a `raise`, an `assert` or an unpacking, not from inside a compiled function."""
    last = _innermost(traceback)
    return last is not None and last.tb_frame.f_code.co_code[last.tb_lasti] in _RAISING


def raised_by_container(error: BaseException) -> bool:
    """Whether a container or an iterator of Python's raised an error that the way alone decides.

    That is so at a subscript by what is no size, at a dict, whose keys are compared before, and at a method or built-in
    function that gets nothing but plain numbers and empty containers, or iterators that end.
    """
    last = _innermost(error.__traceback__)
    if last is None or type(error) not in (IndexError, KeyError, StopIteration, ValueError):
        return False
    code = last.tb_frame.f_code
    if code is not call_foreign.__code__:
        subscript = code.co_code[last.tb_lasti] == dis.opmap["BINARY_SUBSCR"]
        return subscript and is_users(code) and isinstance(error, LookupError)
    place = last.tb_frame.f_locals
    function, args = place["function"], (*place["args"], *place["kwargs"].values())
    if not isinstance(function, BuiltinFunctionType):
        return False
    if function is getitem:
        return isinstance(error, IndexError) and type(args[0]) in (list, tuple) and type(args[1]) is int
    asked = isinstance(error, KeyError) and type(function.__self__) in DICTS
    ended = isinstance(error, StopIteration) and all(isinstance(each, Iterator) for each in args)
    plain = all(type(each) is int or (type(each) in _EMPTY and not each) for each in args)
    return asked or ended or plain


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


def is_asserted(frame: FrameType | None) -> bool:
    """Whether the user's code asks for a truth value in an `assert` statement, right now."""
    found = calling_frame(frame)
    if found is None:
        return False
    ahead = [each for each in dis.get_instructions(found.f_code) if each.offset >= found.f_lasti][:2]
    jumps = len(ahead) == 2 and "JUMP" in ahead[0].opname and ahead[0].opname.endswith("IF_TRUE")
    return jumps and ahead[1].opname == "LOAD_ASSERTION_ERROR"


def raising_place(traceback: TracebackType | None) -> CallSite | None:
    """The innermost line of the user's code in a traceback; of a package's where only packages run."""
    found, packaged = None, None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_users(code):
            packaged = CallSite(code, traceback.tb_lasti)
            found = found if installed(code.co_filename) else packaged
        traceback = traceback.tb_next
    return found or packaged
