"""Work in a process of its own: whatever happens in it is told, and nothing of it is left."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from shapelint.jobs.child import End, EndKind, GarbledError, Tell
from shapelint.jobs.crew import crew, finish
from shapelint.jobs.pool import _numbers
from shapelint.source.ownership import dumped_frames

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]
LINE = re.compile(r"# (\w+)$", re.MULTILINE)


def run_apart(task: Callable[[Tell], None], hear: Callable[[str, bytes], None], seconds: Callable[[], float]) -> End:
    ends: list[End] = []
    finish(crew(1, task, lambda _, *word: hear(*word), lambda _: seconds(), lambda _, end: ends.append(end)))
    return ends[0]


def lived(task: Callable[[Tell], None], seconds: float = 5.0) -> tuple[End, list[tuple[str, bytes]]]:
    received: list[tuple[str, bytes]] = []
    end = run_apart(task, lambda kind, payload: received.append((kind, payload)), lambda: seconds)
    return end, received


def test_what_it_tells_is_heard_whole() -> None:
    large = os.urandom(1 << 20)

    def task(tell: Tell) -> None:
        tell("report", large)
        tell("done", b"")

    assert lived(task) == (End(EndKind.DONE), [("report", large), ("done", b"")])


def loop(_: Tell) -> None:
    while True:
        pass  # loop


def sleep(_: Tell) -> None:
    time.sleep(100)  # sleep


def deadlock(_: Tell) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()  # deadlock


def matching(_: Tell) -> None:
    re.match("(a+)+$", "a" * 60 + "b")  # matching


def swallowing(_: Tell) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(100)  # swallowing


@pytest.mark.parametrize("task", [loop, sleep, deadlock, matching, swallowing])
def test_what_does_not_end_is_stopped_and_its_line_told(task: Callable[[Tell], None]) -> None:
    def begins(tell: Tell) -> None:
        tell("begin", b"")
        task(tell)

    received: list[str] = []
    end = run_apart(begins, lambda kind, _: received.append(kind), lambda: 0.5 if received else 60.0)
    assert (end.how, received) == (EndKind.TIMEOUT, ["begin"])
    lines = Path(__file__).read_text().splitlines()
    places = [lines[line - 1] for file, line, _ in dumped_frames(end.stack) if file == __file__]
    assert places[0].endswith(f"# {task.__name__}") or task is loop


def test_the_clock_starts_anew_with_each_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def task(tell: Tell) -> None:
        for _ in range(4):
            tell("begin", b"")
        tell("done", b"")

    received: list[str] = []
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 100 * len(received), sleep=time.sleep)
    monkeypatch.setattr("shapelint.jobs.child.time", clock)
    assert run_apart(task, lambda kind, _: received.append(kind), lambda: 150.0).how is EndKind.DONE
    assert len(received) == 5


def test_a_crash_is_told_with_its_line() -> None:
    def task(_: Tell) -> None:
        ctypes.string_at(0)

    end, _ = lived(task)
    assert (end.how, end.number) == (EndKind.SIGNAL, signal.SIGSEGV)
    assert any(function == "string_at" for _, _, function in dumped_frames(end.stack))


@pytest.mark.parametrize(
    ("task", "end"),
    [
        (lambda _: os._exit(3), End(EndKind.EXIT, 3)),
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), End(EndKind.SIGNAL, signal.SIGKILL)),
        (lambda _: os.kill(os.getpid(), signal.SIGTERM), End(EndKind.SIGNAL, signal.SIGTERM)),
        (lambda _: None, End(EndKind.EXIT, 0)),
        (lambda _: os.execv("/bin/sh", ["sh", "-c", "exit 4"]), End(EndKind.EXIT, 4)),
        (lambda _: os.execv("/bin/sh", ["sh", "-c", "sleep 100"]), End(EndKind.GARBLED)),
    ],
)
def test_an_end_without_a_last_word_is_told(task: Callable[[Tell], None], end: End) -> None:
    assert lived(task)[0] == end


@pytest.mark.parametrize("kind", ["longer than a kind is", "report              -1", "begin"])
def test_what_is_no_word_or_cannot_be_taken_in_ends_it(kind: str) -> None:
    def task(tell: Tell) -> None:
        tell(kind, b"")
        time.sleep(100)

    def hear(_: str, payload: bytes) -> None:
        raise GarbledError(payload)

    assert run_apart(task, hear, lambda: 60.0).how is EndKind.GARBLED


def test_what_it_prints_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    def task(tell: Tell) -> None:
        sys.stdout.write("python\n")
        assert sys.__stdout__ is not None
        sys.__stdout__.write("kept\n")
        os.write(1, b"\xff raw\n")
        os.system("echo process")
        tell("done", b"")

    assert lived(task)[0].how is EndKind.DONE
    out, err = capfd.readouterr()
    assert out == ""
    assert {"python", "process"} <= set(err.splitlines())


def test_standard_input_is_empty() -> None:
    def task(tell: Tell) -> None:
        tell("done", os.read(0, 10))

    assert lived(task)[1] == [("done", b"")]


def test_a_copy_of_it_has_no_say() -> None:
    def task(tell: Tell) -> None:
        os.fork()
        tell("done", b"once")

    assert lived(task) == (End(EndKind.DONE), [("done", b"once")])


def test_the_processes_and_threads_that_it_started_are_gone_with_it() -> None:
    def task(tell: Tell) -> None:
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(100,), daemon=True)
        worker.start()
        threading.Thread(target=time.sleep, args=(100,)).start()
        tell("done", str(worker.pid).encode())

    end, received = lived(task)
    assert end.how is EndKind.DONE
    assert not alive(int(received[0][1]))


def test_it_goes_with_an_interrupt() -> None:
    def task(tell: Tell) -> None:
        tell("begin", str(os.getpid()).encode())
        time.sleep(100)

    received = []

    def hear(kind: str, payload: bytes) -> None:
        received.append(int(payload))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_apart(task, hear, lambda: 5.0)
    assert not alive(received[0])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended may wait a moment to be cleared away."""
    for _ in range(50):
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.02)
    return True


def test_a_crew_does_each_piece_once_and_replaces_who_crashes() -> None:
    with _numbers(range(6)) as take:

        def task(tell: Tell) -> None:
            for number in take():
                tell("begin", str(number).encode())
                if number == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                tell("report", b"")
            tell("done", b"")

        received: list[tuple[str, bytes]] = []
        ends: list[EndKind] = []

        def ended(_: int, end: End) -> bool:
            ends.append(end.how)
            return end.how is EndKind.SIGNAL

        finish(crew(2, task, lambda _, *word: received.append(word), lambda _: 5.0, ended))
    assert sorted(payload for kind, payload in received if kind == "begin") == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert [kind for kind, _ in received].count("report") == 5
    assert sorted(end.value for end in ends) == ["done", "done", "signal"]
