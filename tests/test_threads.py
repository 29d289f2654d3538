"""`shapelint.check` from several threads gives what it gives alone; so do a report and its contract afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.errors import ModelError
from shapelint.size.condition import all_of, divisible
from shapelint.size.function import symbol
from shapelint.size.isl_form import limited
from shapelint.size.sets import SizeSet

FOUR = 4


class Codec(nn.Module):
    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, 1)
        self.up = nn.ConvTranspose2d(8, 3, kernel, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.up(self.down(image))  # type: ignore[no-any-return]


class Skip(Codec):
    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] % 4:
            image = F.pad(image, (0, 4 - image.shape[-1] % 4))
        return torch.cat((super().forward(image), image), 1)


class Drawn(Codec):
    """What is not proved: the contract runs it again when it is asked."""

    def forward(self, image: Tensor) -> Tensor:
        whole = super().forward(image)
        return whole[..., : 8 * len({64, image.shape[-1]})]


FILE = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, 1)
        self.up = nn.ConvTranspose2d(8, 3, 3, 2, 1)

    def forward(self, image):
        return self.up(self.down(image)) + image
"""


@pytest.fixture(autouse=True)
def _often() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each of some works gives, done in threads that begin together; an error as its text."""
    barrier = threading.Barrier(len(works))

    def done(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result() for each in [pool.submit(done, work) for work in works]]


def checks(folder: Path) -> list[Callable[[], str]]:
    """Checks of different kinds; two models share their class and so their code."""
    (folder / "net.py").write_text(FILE)
    file = str(folder / "net.py")
    return [
        lambda: shapelint.check(Codec(3), "1,3,H,W").to_json(),
        lambda: shapelint.check(Codec(4), (1, 3, 9, 9)).to_json(),
        lambda: shapelint.check(Skip(4), "1,3,H,W").to_json(),
        lambda: shapelint.check(lambda: Drawn(3), "1,3,H,W").to_json(),
        lambda: shapelint.check(f"{file}:Net", (1, 3, 6, 6)).to_json(),
        lambda: shapelint.check(f"{file}:Net", "1,3,H,W", sizes={"H": range(2, 99, 2)}).to_json(),
    ]


def test_reports_from_threads_are_those_alone(tmp_path: Path) -> None:
    works = checks(tmp_path)
    alone = [work() for work in works]
    assert any(json.loads(text)["targets"][0]["findings"] for text in alone)
    for turn in range(3):
        order = [*range(turn, len(works)), *range(turn)]
        found = at_once(*(works[place] for place in order[:FOUR]), *(works[place] for place in order[:2]))
        assert found == [alone[place] for place in (*order[:FOUR], *order[:2])]
    assert [work() for work in works] == alone


def test_a_contract_is_asked_while_models_are_checked(tmp_path: Path) -> None:
    drawn, codec = (shapelint.check(net(3), "1,3,H,W").contract for net in (Drawn, Codec))
    assert not drawn.proved

    def asked() -> object:
        outcomes = [drawn.outcome(H=height, W=height + 2) for height in range(2, 20)]
        inside = [(height, height) in codec.restores for height in range(1, 40)]
        near = [codec.nearest(H=height, W=height) for height in range(1, 20)]
        return outcomes, inside, near, str(codec.runs & drawn.domain), codec.restores == codec.runs

    alone, works = asked(), checks(tmp_path)[:2]
    reports = [work() for work in works]
    for _ in range(4):
        assert at_once(asked, works[0], asked, works[1], asked) == [alone, reports[0], alone, reports[1], alone]


def test_the_limit_of_one_thread_is_not_anothers() -> None:
    even, large = (SizeSet.where(("H", "W"), all_of([divisible(symbol("H"), step)])) for step in (2, 16))
    begun, found = threading.Event(), list[object]()

    def ask() -> None:
        begun.set()
        try:
            found.append(((32, 7) in large, large <= even, str(large)))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    with limited(1):
        thread.start()
        begun.wait()
        thread.join(0.2)
    thread.join()
    assert found == [(True, True, str(large))]


class Elsewhere(nn.Module):
    """A network that is no part of the model; it runs from `BEGUN` to `OVER` in a thread of its own."""

    def forward(self, image: Tensor) -> Tensor:
        BEGUN.set()
        OVER.wait(60)
        return image


BEGUN, OVER = threading.Event(), threading.Event()


class Inner(nn.Module):
    """Misses a row at the sum, where a network elsewhere has just ended."""

    def forward(self, image: Tensor, elsewhere: threading.Thread | None) -> Tensor:
        small = F.max_pool2d(image, 2)
        if elsewhere is not None:
            OVER.set()
            elsewhere.join()
        return image + F.interpolate(small, scale_factor=2)


class Outer(nn.Module):
    """Begins something else in its forward, if it is told to."""

    begins = False

    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, image: Tensor) -> Tensor:
        elsewhere = None
        if self.begins:
            BEGUN.clear()
            OVER.clear()
            elsewhere = threading.Thread(target=Elsewhere(), args=(torch.zeros(1),))
            elsewhere.start()
            BEGUN.wait(60)
        return self.inner(image, elsewhere)  # type: ignore[no-any-return]


def test_a_network_that_runs_elsewhere_is_no_part_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = shapelint.check(Outer(), "1,3,9,9")
    assert [finding.module for finding in alone.findings] == ["inner"]
    monkeypatch.setattr(Outer, "begins", True)
    assert shapelint.check(Outer(), "1,3,9,9").to_json() == alone.to_json()


class Pooled(nn.Module):
    """Runs its branches in threads of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(3, 4, 3, 2, 1) for _ in range(3))
        self.last = nn.Conv2d(12, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        with ThreadPoolExecutor(3) as pool:
            parts = list(pool.map(lambda branch: branch(image), self.branches))
        return self.last(torch.cat(parts, 1))  # type: ignore[no-any-return]


def test_a_model_with_threads_of_its_own_is_checked() -> None:
    """What its threads compute is not seen, so nothing is proved; nothing waits for ever."""
    contract = shapelint.check(Pooled(), "1,3,H,W").contract
    assert not contract.proved
    assert contract.outcome(H=9, W=9).outputs == ((1, 3, 5, 5),)


class Calling(nn.Module):
    """Calls shapelint in its forward."""

    def __init__(self, inner: nn.Module | None) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, image: Tensor) -> Tensor:
        shapelint.check(self if self.inner is None else self.inner, "1,3,H,W")
        return image


class Built(nn.Module):
    """Calls shapelint while it is built."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Codec(3)
        assert shapelint.check(self.inner, "1,3,H,W").contract.proved
        assert shapelint.check(lambda: Codec(4), "1,3,H,W").contract.proved

    def forward(self, image: Tensor) -> Tensor:
        return self.inner(image)  # type: ignore[no-any-return]


@pytest.mark.parametrize("inner", [Codec(3), None], ids=["another", "itself"])
def test_a_model_that_calls_shapelint_when_it_runs_is_one_line(inner: nn.Module | None) -> None:
    line = r"^Calling does not run: ModelError: it calls shapelint itself, which cannot check a model in a run of an"
    with pytest.raises(ModelError, match=line):
        shapelint.check(Calling(inner), "1,3,H,W")
    assert shapelint.check(Codec(3), "1,3,H,W").contract.proved


def test_a_model_that_calls_shapelint_when_it_is_built_is_checked() -> None:
    inner = shapelint.check(Codec(3), "1,3,H,W").contract
    for target in (Built, Built()):
        assert shapelint.check(target, "1,3,H,W").contract.restores == inner.restores


class Halting(nn.Module):
    """Waits in its first run until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = Codec(3)

    def forward(self, image: Tensor) -> Tensor:
        INSIDE.set()
        GO.wait(60)
        return self.kernel(image)  # type: ignore[no-any-return]


INSIDE, GO = threading.Event(), threading.Event()


class Working(Halting):
    """Reaches a method that another thread is in when the check ends."""

    def forward(self, image: Tensor) -> Tensor:
        if self.training:
            self.counted(image, threading.Event(), GO)
        return super().forward(image)

    def counted(self, image: Tensor, begun: threading.Event, end: threading.Event) -> tuple[object, ...]:
        begun.set()
        end.wait(60)
        return max(len(image), int(2.5)), [1, 2, 3][image.dim() - 1], 0.5 * len(image), self.named(), list(range(2))

    def named(self) -> str:
        return f"{type(self).__name__} of {len(list(self.children()))}"


def test_a_method_that_another_thread_is_in_goes_on_after_the_check() -> None:
    INSIDE.clear()
    GO.clear()
    own = Working.counted.__code__, Working.named.__code__
    net, begun, end = Working(), threading.Event(), threading.Event()
    expected = (2, 1, 0.5, "Working of 1", [0, 1])
    with ThreadPoolExecutor(2) as pool:
        check = pool.submit(shapelint.check, net, "1,3,H,W")
        INSIDE.wait(60)
        other = pool.submit(net.counted, torch.zeros(1), begun, end)
        begun.wait(60)
        GO.set()
        assert check.result().contract.proved
        end.set()
        assert other.result() == expected
    assert (Working.counted.__code__, Working.named.__code__) == own
    assert net.counted(torch.zeros(1), begun, end) == expected


def waiting_for_the_lock(thread: int | None) -> bool:
    frame: Any = sys._current_frames().get(thread or 0)
    return frame is not None and frame.f_code.co_filename.endswith("locks.py")


def test_ctrl_c_ends_the_waiting_for_another_threads_check() -> None:
    alone = shapelint.check(Codec(3), "1,3,H,W").to_json()
    main, found = threading.main_thread().ident, list[object]()
    assert threading.get_ident() == main

    def interrupt() -> None:
        while not waiting_for_the_lock(main):
            GO.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    INSIDE.clear()
    GO.clear()
    others = [threading.Thread(target=lambda: found.append(shapelint.check(Halting(), "1,3,H,W").ok))]
    others[0].start()
    INSIDE.wait()
    others.append(threading.Thread(target=interrupt))
    others[1].start()
    try:
        with pytest.raises(KeyboardInterrupt):
            shapelint.check(Codec(3), "1,3,H,W")
        assert not found
    finally:
        GO.set()
        for each in others:
            each.join()
    assert len(found) == 1
    assert shapelint.check(Codec(3), "1,3,H,W").to_json() == alone


FORKED = """
import os, signal, sys, threading
from shapelint import locks as lock
import shapelint
from tests import test_threads as here

alone = [shapelint.check(net, "1,3,H,W").to_json() for net in (here.Codec(3), here.Skip(4), here.Outer())]
lock._PATIENCE = {patience}
thread = threading.Thread(target=lambda: shapelint.check(here.Halting(), "1,3,H,W"))
thread.start()
here.INSIDE.wait()
if {ends}:
    threading.Timer(0.2, here.GO.set).start()
child = os.fork()
if not child:
    signal.alarm(60)
    nets = [here.Outer()] if {stuck} else [here.Codec(3), here.Skip(4), here.Outer()]
    found = [shapelint.check(net, "1,3,H,W").to_json() for net in nets]
    os._exit(0 if found == alone[-len(found):] else 3)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
here.GO.set()
thread.join()
after = [shapelint.check(net, "1,3,H,W").to_json() for net in (here.Codec(3), here.Skip(4), here.Outer())]
sys.exit(code or (after != alone and 4))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("ends", [True, False], ids=["a check that ends", "a check that goes on"])
def test_a_process_that_is_forked_while_another_thread_checks(ends: bool) -> None:
    """It waits for the end of a check, but not for ever, and then the lock of its own is free."""
    code = textwrap.dedent(FORKED).format(patience=60 if ends else 0.1, ends=ends, stuck=not ends)
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=root, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
