"""The text of a source file as Python reads it: in the encoding that it declares, with any of the three newlines."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

# What Python's parser raises for a text that is no Python, and for one that is nested too deep for it.
UNPARSED: Final = (SyntaxError, ValueError, RecursionError, MemoryError)
_NEWLINE = re.compile(rb"\r\n?")


def why_unparsed(error: BaseException) -> str:
    """`SyntaxError: invalid syntax`: what the parser raised, which says nothing of a text that is nested too deep."""
    words = getattr(error, "msg", None) or (error.args[0] if error.args else "nested too deep")
    return f"{type(error).__name__}: {words}"


def decoded(data: bytes) -> tuple[str, str]:
    """The text of source code with its own newlines, and its encoding; SyntaxError or UnicodeError where it has none.

    An encoding is declared in one of the first two lines, also where a line ends with a carriage return alone.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(_NEWLINE.sub(b"\n", data)).readline)
    return data.decode(encoding), encoding


def declared(text: str) -> str:
    """The encoding that source code declares; SyntaxError where that is none that there is."""
    return tokenize.detect_encoding(io.BytesIO(text.encode("ascii", "replace")).readline)[0]


def lines_of(text: str) -> list[str]:
    r"""The lines of source code, each with a `\n`: what ends a line of Python, and not form feeds and the like."""
    return io.StringIO(text, newline=None).readlines()
