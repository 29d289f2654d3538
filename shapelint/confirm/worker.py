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
    asked = pickle.load(sys.stdin.buffer)
    try:
        session = _session(asked)
        asked = _named(asked, [entry.name for entry in session.get_inputs()])
        weights = _weights(session, asked["inputs"], asked["constants"])
    except Exception as error:  # onnxruntime's errors have no common base
        _tell(answers, {"error": str(error)})
        return
    _tell(answers, {"provider": session.get_providers()[0]})
    start = time.process_time()
    for sizes in asked["sizes"]:
        observed = _observed(session, weights, asked["inputs"], sizes)
        _tell(answers, {**observed, "seconds": time.process_time() - start})


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
    return onnxruntime.InferenceSession(asked["file"], options, providers=[provider], enable_fallback=0)


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


def _observed(session: Any, weights: dict[str, Any], inputs: Mapping[str, str], sizes: Mapping[str, Any]) -> Any:
    wanted = {entry.name for entry in session.get_inputs()}
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL
    try:
        feed = {name: _input(sizes[name], dtype) for name, dtype in inputs.items() if name in wanted}
        outputs = session.run(None, {**weights, **feed}, options)
    except Exception as error:  # as above
        return {"error": str(error)}
    return {"shapes": [list(numpy.shape(output)) for output in outputs]}


def _input(shape: list[int], dtype: str) -> Any:
    """Halves, or zeros where they are indices or truth values."""
    return numpy.full(shape, 0.5 if numpy.dtype(dtype).kind in "fc" else 0, dtype=dtype)


def _tell(answers: TextIO, answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
