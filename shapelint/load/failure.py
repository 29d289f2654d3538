"""Says in one line what the user's code raised, and where in the user's own files."""

from __future__ import annotations

import traceback

from shapelint.errors import printable, words_of
from shapelint.load.command_line import CommandLineExit
from shapelint.source.ownership import installed, shown


def described(error: BaseException) -> str:
    """The type and the text of an exception, in one line of at most some 300 characters."""
    if isinstance(error, CommandLineExit):
        return f"argparse: {printable(error.text)}"
    text = error.msg if isinstance(error, SyntaxError) else words_of(error)
    line = printable(text[:10_000])
    return f"{type(error).__name__}: {line[:297] + '...' if len(line) > 300 else line}".removesuffix(": ")


def place(error: BaseException) -> str:
    """` (file:line)` of the innermost line of the user's that led to the exception; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({shown(error.filename)}:{error.lineno})"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not installed(frame.filename)]
    return f" ({shown(own[-1].filename)}:{own[-1].lineno})" if own else ""


def building_advice(error: BaseException) -> str:
    """What to write where building fails for what the check has not got: the command line's arguments, a file."""
    names = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__))
    if isinstance(error, SystemExit) and "argparse" in names:
        return "; it reads the command line: name what takes the values themselves, and give them with --kwargs"
    if isinstance(error, FileNotFoundError):
        return "; no weights are needed: name the class, or a function that only builds it"
    return ""


def importing_advice(error: BaseException) -> str:
    """What to write where a file cannot be imported for a file that is not there."""
    if isinstance(error, FileNotFoundError):
        return '; put what reads files under `if __name__ == "__main__":`, or check in the folder where they are'
    return ""
