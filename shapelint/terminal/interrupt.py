"""What ends the command from outside: Ctrl-C, SIGTERM and SIGHUP.

While nothing is begun the command leaves at once: an exception in the middle of an import may be swallowed there. Where
something is `unfinished` it is an exception, so that it can be put right. Writing a file is short, and `undisturbed`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

INTERRUPTED: Final = 130
ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

_unfinished: list[None] = []


def leave_at_ctrl_c() -> None:
    """Ends the process at Ctrl-C, unless something is unfinished; where it is ignored it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)


@contextmanager
def unfinished() -> Iterator[None]:
    """While it is open, what ends this process is an exception: KeyboardInterrupt, or SystemExit."""
    default = [number for number in ENDING if _is_main() and signal.getsignal(number) is signal.SIG_DFL]
    _unfinished.append(None)
    try:
        for number in default:
            signal.signal(number, _ended)
        yield
    finally:
        for number in default:
            signal.signal(number, signal.SIG_DFL)
        _unfinished.pop()


@contextmanager
def undisturbed() -> Iterator[None]:
    """While it is open, what ends this process waits, whichever thread the system hands it to."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDING)} if _is_main() else {}
    heeded = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    try:
        for number in heeded:
            signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def leave_interrupted() -> NoReturn:
    """Ends the process as one that was interrupted; Python itself may end by the signal, where an `exec` was."""
    try:
        os.write(2, b"shapelint: interrupted\n")
    finally:
        os._exit(INTERRUPTED)


def _interrupted(_: int, __: Any) -> None:
    if _unfinished:
        raise KeyboardInterrupt
    leave_interrupted()


def _ended(number: int, _: Any) -> NoReturn:
    raise SystemExit(128 + number)
