"""One ONNX file at many sizes, run by onnxruntime in a process of its own (see `worker.py`)."""

from __future__ import annotations

import json
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

import torch

from shapelint.confirm import runtime
from shapelint.confirm.onnx_file import Exporter, FlatModule, OnnxFile, input_names
from shapelint.errors import InternalError
from shapelint.source.fault import call_foreign

Shapes = tuple[tuple[int, ...], ...]
InputShapes = tuple[tuple[int, ...], ...]
_WORKER = Path(__file__).with_name("worker.py")
_SMALL = 4096
_CRASHES = 3
_LOADING = 120.0
_LEAVING = 10.0


@dataclass(frozen=True, slots=True)
class SizedRun:
    """What onnxruntime gave at one size: the shapes of the outputs, or None and why."""

    shapes: Shapes | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeTask:
    """A file, the inputs and constants that it takes, and the shapes of the inputs at each size."""

    file: OnnxFile
    dtypes: tuple[str, ...]
    constants: Mapping[str, Any]
    sizes: tuple[InputShapes, ...]

    @classmethod
    def of(cls, file: OnnxFile, model: FlatModule, tensors: Sequence[torch.Tensor], sizes: Any) -> RuntimeTask:
        """The work for a model; its small weights and those that are no floats keep their numbers."""
        dtypes = tuple(str(tensor.dtype).removeprefix("torch.") for tensor in tensors)
        return cls(file, dtypes, _constants(model) if file.exporter is Exporter.TORCHSCRIPT else {}, tuple(sizes))

    def asked(self) -> dict[str, Any]:
        """What the process is asked for, as plain data."""
        names = input_names(len(self.dtypes))
        return {
            "file": self.file.data,
            "inputs": dict(zip(names, self.dtypes, strict=True)),
            "constants": self.constants,
            "sizes": [dict(zip(names, map(list, shapes), strict=True)) for shapes in self.sizes],
        }


@dataclass(frozen=True, slots=True)
class FileWork:
    """A file as it lies there, the dtypes of its inputs, and their shapes at each size.

    The inputs have these `names`, or where there are none the order of the file.
    """

    path: str
    dtypes: tuple[str, ...]
    sizes: tuple[InputShapes, ...]
    names: tuple[str, ...] = ()

    def asked(self) -> dict[str, Any]:
        """What the process is asked for, as plain data."""
        common = {"file": self.path, "constants": {}}
        if not self.names:
            return {**common, "inputs": list(self.dtypes), "sizes": list(self.sizes)}
        sizes = [dict(zip(self.names, map(list, shapes), strict=True)) for shapes in self.sizes]
        return {**common, "inputs": dict(zip(self.names, self.dtypes, strict=True)), "sizes": sizes}


@dataclass(slots=True)
class Worker:
    """A process that is started early, so that its imports go on while the model is exported.

    Raises OSError where the system starts none.
    """

    provider: str
    _process: subprocess.Popen[bytes] = field(init=False)
    _used: bool = False

    def __post_init__(self) -> None:
        self._start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def runs(self, work: RuntimeTask | FileWork, *, seconds: float = inf, waiting: float) -> Iterator[SizedRun]:
        """What came at the sizes, in order, as far as the time goes; a size at which it crashes is one of them.

        `seconds` are of the other process's processor time, in all of its threads, after the file is loaded. `waiting`
        are seconds of the clock on the wall, for a process that hangs.
        Raises RunRefused where onnxruntime does not load the file, ProviderError where it fell back.
        """
        end = time.monotonic() + waiting
        for _ in range(_CRASHES):
            done, spent = 0, 0.0
            for each, spent in self._runs(work, end):
                done += 1
                yield each
                if spent > seconds:
                    return
            if done == len(work.sizes) or time.monotonic() >= end:
                return
            seconds -= spent
            yield SizedRun(None, f"onnxruntime crashes{self._signal()}")
            work = replace(work, sizes=work.sizes[done + 1 :])
            if not work.sizes:
                return

    def _runs(self, work: RuntimeTask | FileWork, end: float) -> Iterator[tuple[SizedRun, float]]:
        """What came at each size, with the seconds of processor time until then."""
        if self._used:
            self._end()
            self._start()
        self._used = True
        answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        common = {"provider": runtime.PROVIDERS[self.provider], "threads": torch.get_num_threads()}
        asked = pickle.dumps({**common, **work.asked()})
        threading.Thread(target=self._talk, args=(asked, answers), daemon=True).start()
        first = _answer(answers, _LOADING)
        if first is None:
            number = self._signal()
            what = f"onnxruntime crashes while it loads the file{number}" if number else "onnxruntime does not start"
            raise runtime.RunRefused(what)
        if "error" in first:
            raise runtime.RunRefused(f"onnxruntime cannot load it: {runtime.message(first['error'])}")
        runtime.check_used(first["provider"], self.provider)
        for _ in work.sizes:
            answer = _answer(answers, end - time.monotonic())
            if answer is None:
                return
            if "error" in answer:
                run = SizedRun(None, f"onnxruntime cannot run it: {runtime.message(answer['error'])}")
            else:
                run = SizedRun(tuple(map(tuple, answer["shapes"])))
            yield run, answer.get("seconds", 0.0)

    def _talk(self, asked: bytes, answers: queue.SimpleQueue[bytes]) -> None:
        """Hands over the work and takes in the answers, in a thread: the time for an answer is limited."""
        given, written = self._process.stdin, self._process.stdout
        with suppress(OSError, ValueError):
            if given is not None:
                given.write(asked)
                given.close()
        with suppress(OSError, ValueError):
            for line in written or ():
                answers.put(line)
        answers.put(b"")

    def _start(self) -> None:
        program, pipe, nowhere = [sys.executable, "-P", str(_WORKER)], subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=nowhere)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _signal(self) -> str:
        """The signal by which the process ended, in brackets; "" where none did."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_LEAVING)
            names = {each.value: each.name for each in signal.Signals}
            return f" ({names.get(-code, f'signal {-code}')})" if code < 0 else ""
        return ""


def _answer(answers: queue.SimpleQueue[bytes], seconds: float) -> dict[str, Any] | None:
    """The next answer; None where the time is up or the process is gone. InternalError for a bug of that process."""
    try:
        line = answers.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        return None
    answer: dict[str, Any] | None = json.loads(line) if line else None
    if answer is not None and "bug" in answer:
        raise InternalError(answer["bug"])
    return answer


def _constants(model: FlatModule) -> dict[str, Any]:
    return {
        name: call_foreign(tensor.detach().cpu().numpy)
        for name, tensor in model.state_dict().items()
        if tensor.numel() <= _SMALL or not tensor.is_floating_point()
    }
