"""Models that do not behave: they hang, crash, end the program, print, or leave the process in another state."""

from __future__ import annotations

import gc
import itertools
import locale
import logging
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

import shapelint
from shapelint.cli.app import run
from shapelint.errors import ModelError, SpecError, TargetError
from shapelint.request.inputs import parse_inputs
from shapelint.request.signature import call_mistake


class Grid:
    """A cache that all models share, as for positions: what a run on meta keeps there is none for a real one."""

    made: ClassVar[dict[int, Tensor]] = {}
    last: Tensor | None = None
    calls = 0

    @classmethod
    def of(cls, length: int) -> Tensor:
        cls.calls += 1
        cls.last = cls.made.setdefault(int(length), torch.linspace(0, 1, length))
        return cls.last


class Placed(nn.Module):
    seen: ClassVar[list[int]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.shape[-1])
        return x + Grid.of(x.shape[-1])


def test_what_classes_keep_is_put_back_after_each_run() -> None:
    assert shapelint.check(Placed, (2, 3, 16)).ok
    assert shapelint.check(Placed(), "2,3,L").ok
    assert (Placed.seen, Grid.made, Grid.last, Grid.calls) == ([], {}, None, 0)
    assert not Placed()(torch.zeros(1, 16)).is_meta



@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Left(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        return function(*arguments, **(named or {}))


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "default dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "default device": (torch.get_default_device, lambda: torch.set_default_device("meta")),
    "torch seed": (lambda: torch.get_rng_state().tolist(), lambda: torch.manual_seed(7)),
    "python seed": (random.getstate, lambda: random.seed(7)),
    "numpy seed": (lambda: str(numpy.random.get_state()), lambda: numpy.random.seed(7)),
    "grad": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "deterministic": (torch.are_deterministic_algorithms_enabled, lambda: torch.use_deterministic_algorithms(True)),
    "autocast": (lambda: torch.is_autocast_enabled("cpu"), lambda: torch.set_autocast_enabled("cpu", True)),
    "threads": (torch.get_num_threads, lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    "precision": (torch.get_float32_matmul_precision, lambda: torch.set_float32_matmul_precision("medium")),
    "cudnn": (torch._C._get_cudnn_benchmark, lambda: torch._C._set_cudnn_benchmark(True)),
    "anomaly": (torch.is_anomaly_enabled, lambda: torch.autograd.set_detect_anomaly(True)),
    "hooks": (lambda: len(hooks._global_forward_hooks), lambda: hooks.register_module_forward_hook(lambda *_: None)),
    "modes": (torch._C._len_torch_function_stack, lambda: torch._C._push_on_torch_function_stack(Left())),
    "folder": (os.getcwd, lambda: os.chdir("/")),
    "sys.path": (lambda: list(sys.path), lambda: sys.path.insert(0, "/nowhere")),
    "sys.argv": (lambda: list(sys.argv), lambda: setattr(sys, "argv", ["other"])),
    "environment": (lambda: dict(os.environ), lambda: os.environ.update(NEW="1")),
    "warnings": (lambda: list(warnings.filters), lambda: warnings.simplefilter("ignore")),
    "log level": (lambda: logging.root.level, lambda: logging.root.setLevel(5)),
    "logging": (lambda: logging.root.manager.disable, lambda: logging.disable(50)),
    "collections": (gc.get_threshold, lambda: gc.set_threshold(5)),
    "recursion": (sys.getrecursionlimit, lambda: sys.setrecursionlimit(5000)),
    "signals": (lambda: signal.getsignal(signal.SIGALRM), lambda: signal.signal(signal.SIGALRM, lambda *_: None)),
    "stdout": (lambda: sys.stdout, lambda: setattr(sys, "stdout", sys.stderr)),
    "locale": (lambda: locale.setlocale(locale.LC_ALL), lambda: locale.setlocale(locale.LC_ALL, "C")),
}


class Changing(nn.Module):
    """Changes something in each forward, and fails where the next run still sees it."""

    def __init__(self, name: str, *, built: bool) -> None:
        super().__init__()
        self.seen, self.change = CHANGES[name]
        self.before, self.built = self.seen(), built
        self.count, self.kept = 0, list[int]()
        if built:
            self.change()

    def forward(self, image: Tensor) -> Tensor:
        self.count += 1
        self.kept.append(1)
        assert (self.count, self.kept) == (1, [1])
        if not self.built:
            self.change()
        return image[..., 1:] if image.shape[-1] > 9 else image


@pytest.mark.parametrize("built", [False, True], ids=["forward", "constructor"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_a_model_changes_is_as_before(name: str, built: bool) -> None:
    seen, _ = CHANGES[name]
    numpy.random.rand()
    before = seen()
    report = shapelint.check(lambda: Changing(name, built=built), "1,3,H,W")
    assert seen() == before
    assert report.contract.proved or name in ("numpy seed", "python seed")
    assert (8, 8) in report.contract.runs


def test_what_an_import_sets_holds_in_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("inner").mkdir()
    Path("inner/lazily.py").write_text("")
    Path("double.py").write_text(
        "import sys, torch\nfrom torch import nn\nsys.path.append('inner')\ntorch.set_default_dtype(torch.float64)\n"
        "class Net(nn.Module):\n    def forward(self, image):\n        import lazily\n"
        "        return image @ torch.eye(4)\n"
    )
    report = shapelint.check("double:Net", "1,3,H,4:float64")
    assert report.contract.proved
    assert report.contract.runs == report.contract.domain
    assert torch.get_default_dtype() is torch.float32
    del sys.modules["lazily"]
    shapelint.check("double:Net", "1,3,H,4")


class Endless(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        while True:
            image = image + 1


def test_a_loop_of_torch_calls_is_stopped_by_the_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shapelint.trace.run._CALLS", 2000)
    line = r"^Endless does not end: its run was stopped after 2,000 calls \(.*misbehav.*:\d+"
    with pytest.raises(ModelError, match=line):
        shapelint.check(Endless(), "1,3,H,W")


@pytest.mark.parametrize(("processor", "seconds"), [(0.5, 60), (0.0, 240)], ids=["busy", "waiting"])
def test_a_run_ends_by_its_processor_time_or_where_it_waits(
    processor: float, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock on the wall alone ends a run later: where the machine is busy, a run takes longer."""
    ticks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(time, "thread_time", lambda: processor * next(ticks))
    with pytest.raises(ModelError, match=rf"^Endless does not end: its run was stopped after {seconds} s \("):
        shapelint.check(Endless(), "1,3,H,W")


def test_a_recursion_that_some_sizes_do_not_survive_is_never_proved() -> None:
    class Deep(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return self.forward(image) if image.shape[-1] > 200 else image

    report = shapelint.check(Deep(), "1,3,H,W")
    assert report.contract.outcome(H=9, W=9).ok
    outcome = report.contract.outcome(H=9, W=300)
    assert not outcome.ok
    assert outcome.how != "proved"


def forward(image: Tensor, mask: Tensor, *, scale: float) -> None:
    """What the inputs below are for."""


@pytest.mark.parametrize(
    ("inputs", "named", "line"),
    [
        (["1,3,H,W"], {"scale": 2}, "needs 'mask' too; give it with --input mask=SPEC (call_kwargs in Python)"),
        (["1,3,H,W"], {}, "needs 'mask' and 'scale' too; give it with --input mask=SPEC (call_kwargs in Python)"),
        (["1,3,H,W", "msk=1"], {}, "has no argument 'msk', did you mean 'mask'?"),
        (["1", "2", "3"], {"scale": 2}, "takes 2 by position, but 3 inputs without a name are given"),
        (["1", "image=2"], {"mask": "1", "scale": 2}, "cannot take the inputs: multiple values for argument 'image'"),
    ],
)
def test_inputs_that_do_not_fit_the_arguments(inputs: list[str], named: dict[str, object], line: str) -> None:
    assert call_mistake(forward, parse_inputs(inputs, named)) == f"forward(image, mask, *, scale) {line}"
    assert call_mistake(forward, parse_inputs(["1", "2"], {"scale": 1})) == ""


class Mode(nn.Module):
    def forward(self, image: Tensor, mode: str = "nearest") -> Tensor:
        return nn.functional.interpolate(image, scale_factor=2, mode=mode)


def test_the_arguments_are_named_where_a_model_cannot_be_called() -> None:
    with pytest.raises(ModelError, match=r"^Mode does not run: forward.image, mode='nearest'. has no argument 'mod'"):
        shapelint.check(Mode, "1,3,H,W", call_kwargs={"mod": 1})
    with pytest.raises(TargetError, match="it is a method of a class; name the class, and the method with --method"):
        shapelint.check(Mode.forward, "1,3,H,W")


def test_a_text_for_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, image, mode='nearest'):\n"
        "        return nn.functional.interpolate(image, scale_factor=2, mode=mode)\n"
    )
    command = ["sizes", "text.py:Net", "--input", "1,3,H,W", "--call-kwargs"]
    assert run([*command, '{"mode": "str:bilinear"}']) == 0
    assert "runs for: every size" in capsys.readouterr().out
    assert run([*command, '{"mode": "nearest-exact"}']) == 2
    assert capsys.readouterr().err == (
        "shapelint: text.py:Net: --call-kwargs: 'nearest-exact' is no size that an input has; "
        "write 'str:nearest-exact' for the text, or 'nearest-exact:float32' for a tensor of that size\n"
    )
    assert run([*command, '{"mode": "a b"}']) == 2
    assert "for a text write 'str:a b'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ({"call_kwargs": 5}, "call_kwargs is of type int, but no dict of arguments"),
        ({"method": 5}, "method is of type int, but no name"),
        ({"confirm": 5}, "confirm is of type int, but no tuple of providers"),
        ({"select": 5}, "select is of type int, but no list of codes"),
        ({"sizes": 5}, "sizes are 5; write 'H=32..512:32' or {'H': range(32, 513, 32)}"),
        ({"sizes": [5]}, "sizes are [5]; write 'H=32..512:32' or {'H': range(32, 513, 32)}"),
    ],
)
def test_arguments_of_a_wrong_type_are_one_line(named: dict[str, Any], line: str) -> None:
    with pytest.raises(SpecError) as caught:
        shapelint.check(Mode, "1,3,H,W", **named)
    assert str(caught.value) == line
