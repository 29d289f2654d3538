"""Run as a program: gives one ONNX file to onnxruntime at many sizes and writes down the shapes that come out.

It is a process of its own because onnxruntime can crash at a size that a file does not fit (it divides by zero for a
transposed convolution of nothing), and because a run there can be ended. It imports nothing of shapelint's, so that it
starts quickly: standard input holds one pickled `dict` (the file, the provider, inputs for each size), standard output
one JSON line when the session is there and one for each size, with the processor time until then.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import numpy

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

_FATAL = 4


def main() -> None:
    """Does what standard input asks; nothing but the answers is written to standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    try:
        _answer(pickle.load(sys.stdin.buffer), answers)
    except _Refused as refusal:
        _tell(answers, {"error": str(refusal)})
    except Exception as error:  # a bug of this program, which the other process raises
        _tell(answers, {"bug": f"{type(error).__name__}: {error} (shapelint/confirm/worker.py:{_line(error)})"})


class _Refused(Exception):
    """onnxruntime does not load or run the file, or numpy has no such tensor; the text is its reason."""


def _answer(asked: Mapping[str, Any], answers: TextIO) -> None:
    session = _session(asked)
    try:
        asked = _named(asked, [entry.name for entry in session.get_inputs()])
        weights = _weights(session, asked["inputs"], asked["constants"])
    except (MemoryError, TypeError, ValueError) as error:  # inputs that the file does not tell, or numpy does not have
        raise _Refused(str(error)) from error
    _tell(answers, {"provider": session.get_providers()[0]})
    start = time.process_time()
    for sizes in asked["sizes"]:
        observed: dict[str, Any]
        try:
            observed = {"shapes": _observed(session, weights, asked["inputs"], sizes)}
        except _Refused as refusal:
            observed = {"error": str(refusal)}
        _tell(answers, {**observed, "seconds": time.process_time() - start})


def _line(error: BaseException) -> int:
    """The innermost line of this program in an exception's traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
    return (lines or [0])[-1] or 0


def _named(asked: Mapping[str, Any], names: list[str]) -> Mapping[str, Any]:
    """What is asked with the inputs by name, where they are given by place."""
    inputs = asked["inputs"]
    if isinstance(inputs, dict):
        return asked
    sizes = [dict(zip(names, map(list, each), strict=True)) for each in asked["sizes"]]
    return {**asked, "inputs": dict(zip(names, inputs, strict=True)), "sizes": sizes}


def _session(asked: Mapping[str, Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = asked["threads"]
    provider = asked["provider"]
    if provider[0].startswith("CUDA") and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    file = asked["file"]
    try:
        return onnxruntime.InferenceSession(file, options, providers=[provider], enable_fallback=0)
    except Exception as error:  # onnxruntime's, which have no common base
        raise _Refused(str(error)) from error


def _weights(session: Any, inputs: Mapping[str, str], constants: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the file wants as inputs: zeros where only their shape can matter."""
    made = {}
    for entry in session.get_inputs():
        if entry.name not in inputs:
            known = constants.get(entry.name)
            made[entry.name] = numpy.zeros(entry.shape, _dtype(entry.type)) if known is None else known
    return made


def _dtype(text: str) -> Any:
    """The numpy type of onnxruntime's `tensor(float)`."""
    name = text.removeprefix("tensor(").removesuffix(")")
    return numpy.dtype({"float": "float32", "double": "float64"}.get(name, name))


def _observed(
    session: Any, weights: dict[str, Any], inputs: Mapping[str, str], sizes: Mapping[str, Any]
) -> list[list[int]]:
    """The shapes of the outputs at one size."""
    wanted = {entry.name for entry in session.get_inputs()}
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL
    try:
        feed = {name: _input(sizes[name], dtype) for name, dtype in inputs.items() if name in wanted}
    except (MemoryError, TypeError, ValueError) as error:  # numpy's
        raise _Refused(str(error)) from error
    try:
        outputs = session.run(None, {**weights, **feed}, options)
    except Exception as error:  # onnxruntime's
        raise _Refused(str(error)) from error
    return [list(numpy.shape(output)) for output in outputs]


def _input(shape: list[int], dtype: str) -> Any:
    """Halves, or zeros where they are indices or truth values."""
    return numpy.full(shape, 0.5 if numpy.dtype(dtype).kind in "fc" else 0, dtype=dtype)


def _tell(answers: TextIO, answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
