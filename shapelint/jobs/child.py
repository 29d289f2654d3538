"""Work in a process of its own, which can be ended whatever the user's code does in it.

The command line forks before torch is imported: the copy costs a millisecond or two, and only the child pays for torch.
The parent holds nothing of the user's: it waits for what the child tells, counts the seconds, and writes the report,
so that a model which hangs, crashes or ends its process leaves one line and nothing half-written. The child

- leads a session of its own: Ctrl-C reaches only the parent, which ends the child with all that it started;
- has the standard error in the place of its standard output, for C code too, and no standard input;
- ends without the interpreter's shutdown, which costs a tenth of a check and waits for the model's threads.
"""

from __future__ import annotations

import atexit
import enum
import faulthandler
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from shapelint.errors import foreseen
from shapelint.terminal.interrupt import ENDING
from shapelint.terminal.output import apart, flush

Tell = Callable[[str, bytes], None]
Task = Callable[[Tell], None]

DONE: Final = "done"
_HEAD: Final = 24
_PATIENCE: Final = 1.0
_STACK_PATIENCE: Final = 5.0
_PIECE: Final = 0.05
_LONGEST_STACK: Final = 1 << 16
_DUMP: Final[int | None] = getattr(signal, "SIGQUIT", None)
# The model's code may put others in their place.
_exit: Final = os._exit
_give: Final = os.write


@foreseen
class GarbledError(Exception):
    """What came from a child is none of its words: the user's code writes to the pipe."""


class EndKind(enum.Enum):
    """How a child came to its end."""

    DONE = "done"
    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    GARBLED = "garbled"


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended, its exit code or signal, and the stack that it left where it hung or crashed."""

    how: EndKind
    number: int = 0
    stack: str = ""


def can_fork() -> bool:
    """Whether work can be done in a process of its own here; not once torch is in this one."""
    return hasattr(os, "fork") and "torch" not in sys.modules


@dataclass(slots=True, eq=False)
class Child:
    """A process that was forked, with the pipes for what it tells and for its stack, and the time it is given."""

    process: int
    words: int
    stack: int
    number: int = 0
    deadline: float = 0.0
    done: bool = False
    pending: bytes = b""

    @classmethod
    def started(cls, task: Task) -> Child:
        """A child that does the task; it and all that it started are there until `end`."""
        flush(sys.stdout, sys.stderr)
        parent, words, stack = os.getpid(), os.pipe(), os.pipe()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *ENDING))
        process = os.fork()
        if not process:
            _live(task, words[1], stack[1], parent, mask)
        child = cls(process, words[0], stack[0])
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(words[1])
            os.close(stack[1])
        except BaseException:
            child.end()
            raise
        return child

    def fileno(self) -> int:
        """The pipe on which the child is heard."""
        return self.words

    def received(self, hear: Callable[[int, str, bytes], None], seconds: Callable[[int], float]) -> End | None:
        """Takes in what the child has told; its end where it has come to it."""
        data = os.read(self.words, 1 << 20)
        if not data:
            return End(EndKind.DONE) if self.done else self._ended()
        self.pending += data
        try:
            while (word := _first_word(self.pending)) is not None:
                kind, payload, self.pending = word
                hear(self.number, kind, payload)
                self.done = kind == DONE
                self.deadline = time.monotonic() + (_PATIENCE if self.done else seconds(self.number))
        except GarbledError:
            return End(EndKind.GARBLED)
        return None

    def late(self) -> End:
        """How it ended where its time is up; one that was done had only to leave."""
        return End(EndKind.DONE) if self.done else End(EndKind.TIMEOUT, stack=self._asked_stack())

    def _ended(self) -> End:
        """What the system says of a process whose end of the pipe is closed."""
        if not self._left():
            return End(EndKind.GARBLED)
        self._kill()
        _, status = os.waitpid(self.process, 0)
        self.process = 0
        stack = self._written_stack()
        code = os.waitstatus_to_exitcode(status)
        return End(EndKind.EXIT, code, stack) if code >= 0 else End(EndKind.SIGNAL, -code, stack)

    def _left(self) -> bool:
        """Whether the process has ended by itself: it is given a moment, since its pipes are closed a little before."""
        end = time.monotonic() + _PATIENCE
        while hasattr(os, "waitid") and time.monotonic() < end:  # macOS has it from Python 3.13 on
            if os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
            time.sleep(0.002)
        return not hasattr(os, "waitid")

    def _asked_stack(self) -> str:
        """The stack at which the child hangs: its signal handler is C code, and needs no interpreter."""
        if _DUMP is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process, _DUMP)
        return self._written_stack(_STACK_PATIENCE)

    def _written_stack(self, patience: float = 0.0) -> str:
        """What is in the pipe for the stack, which is written in many pieces."""
        found = b""
        while len(found) < _LONGEST_STACK and self._ready(self.stack, _PIECE if found else patience):
            if not (piece := os.read(self.stack, _LONGEST_STACK)):
                break
            found += piece
        return found.decode(errors="replace")

    def _ready(self, pipe: int, seconds: float) -> bool:
        return bool(select.select([pipe], [], [], seconds)[0])

    def _kill(self) -> None:
        """Ends the child and all that it started; until it is waited for, no other process has its number."""
        for end in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                end(self.process, signal.SIGKILL)

    def end(self) -> None:
        """Ends the child and all that it started, once."""
        if self.process:
            self._kill()
            os.waitpid(self.process, 0)
            self.process = 0
        for pipe in (self.words, self.stack) if self.words >= 0 else ():
            os.close(pipe)
        self.words = -1


def _live(task: Task, words: int, stack: int, parent: int, mask: set[int]) -> NoReturn:
    """The life of the child, from the fork to its end."""
    code = 1
    try:
        os.setsid()
        for number in ENDING:
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        die_with(parent)
        os.register_at_fork(after_in_child=lambda: _forked(words))
        faulthandler.enable(stack, all_threads=False)
        if _DUMP is not None:
            faulthandler.register(_DUMP, stack, all_threads=False)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        with apart():
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            task(lambda kind, payload: _write(words, kind, payload))
            code = 0
            atexit._run_exitfuncs()
    finally:
        flush(sys.stderr, sys.__stderr__, sys.__stdout__)
        _exit(code)


def _forked(words: int) -> None:
    """In a copy of the child: it has no say, and ends at once unless it was made to do work of its own."""
    with suppress(OSError):
        os.close(words)
    if "multiprocessing" not in sys._getframe(2).f_code.co_filename:
        _exit(0)


def die_with(parent: int) -> None:
    """Asks Linux to end this process with its parent, whatever ends that."""
    if sys.platform == "linux":
        import ctypes  # torch imports it too

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        _exit(1)


def _write(pipe: int, kind: str, payload: bytes) -> None:
    rest = f"{kind:<8}{len(payload):>16}".encode() + payload
    while rest:
        rest = rest[_give(pipe, rest) :]


def _first_word(pending: bytes) -> tuple[str, bytes, bytes] | None:
    """The first word of what was heard, with its payload and what follows; None while it is not whole."""
    if len(pending) < _HEAD:
        return None
    head = pending[:_HEAD]
    if not head.isascii() or not head[8:].strip().isdigit():
        raise GarbledError(head)
    end = _HEAD + int(head[8:])
    if len(pending) < end:
        return None
    return head[:8].decode().strip(), pending[_HEAD:end], pending[end:]
