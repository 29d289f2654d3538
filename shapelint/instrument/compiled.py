"""The code that runs in a check in the place of the user's, made once for each code; and which code is such a one."""

from __future__ import annotations

import ast
import builtins
from types import CodeType
from typing import Any, Final

from shapelint.instrument.instrument import instrumented, nested_codes
from shapelint.instrument.lazy_compile import changing
from shapelint.instrument.rewriting import rewritten
from shapelint.instrument.without_source import loses_nothing, tell
from shapelint.size.tracking import tracker
from shapelint.source.encoding import UNPARSED
from shapelint.source.syntax import parsing

_MOST: Final = 8192

# Equal code of two files is one key, so the file is a part of it.
_tracked: dict[tuple[CodeType, str], CodeType] = {}
_written: dict[tuple[CodeType, str], CodeType] = {}
_ours: dict[int, CodeType] = {}


def tracked_code(code: CodeType, without: ast.NodeTransformer | None = None) -> CodeType | None:
    """The code as it runs in a check, where `without` takes statements out of it; None where it has no source."""
    key = code, code.co_filename
    with changing.lock:
        made = _tracked.get(key) if without is None else None
        if made is None:
            made = instrumented(code, without)
            if made is None:
                return code if without is None and loses_nothing(code) else None
            _keep(made)
            _written[made, made.co_filename] = code
            if without is None:
                _tracked[key] = made
        return made


def _keep(made: CodeType) -> None:
    _ours.update({id(each): each for each in (made, *nested_codes(made))})


def is_tracked(code: CodeType) -> bool:
    """Whether code was made for a check, or stands in such code."""
    return id(code) in _ours


def untracked_code(code: CodeType) -> CodeType:
    """The code as the user wrote it."""
    return _written.get((code, code.co_filename), code)


def forget_code() -> None:
    """Forgets what was made, where it has become much; for a time in which no function has it."""
    with changing.lock:
        if len(_ours) > _MOST:
            for kept in (_tracked, _written, _ours):
                kept.clear()


def code_of(function: Any, given: Any) -> Any:
    """What `eval` or `exec` is to run: for a text its code, made to keep sizes as that of a file is."""
    if tracker() is None or (function is not builtins.eval and function is not builtins.exec):
        return given
    if not isinstance(given, str):
        if not isinstance(given, CodeType) or not is_tracked(given):
            tell(f"what {function.__name__}() runs has no source")
        return given
    mode = function.__name__
    try:
        with changing.lock, parsing.lock:
            tree: Any = ast.parse(given.strip(" \t") if mode == "eval" else given, "<string>", mode)
            made = compile(rewritten(tree), "<string>", mode, dont_inherit=True)
            _keep(made)
    except UNPARSED:
        return given  # which raises the same
    return made
