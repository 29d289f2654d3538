"""onnxruntime: which provider really runs, and what it gives for one file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from shapelint.confirm.onnx_file import OnnxFile, first_line, input_names
from shapelint.errors import ProviderError, foreseen
from shapelint.source.fault import call_foreign, let_out
from shapelint.terminal.quiet import quiet

# Without it onnxruntime 1.32 keeps a record of its use in the home folder, to be sent.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

try:
    with quiet():
        import onnxruntime
except ImportError as error:
    raise ProviderError(f"onnxruntime cannot be imported ({error}): run `pip install onnxruntime`") from error

PROVIDERS: Mapping[str, tuple[str, dict[str, str]]] = {
    "cpu": ("CPUExecutionProvider", {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
}
VERSION: str = onnxruntime.__version__
_FATAL = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """The outputs of one run as numpy arrays, and the provider that the session really used."""

    outputs: tuple[Any, ...]
    provider: str


@foreseen
class RunRefused(Exception):
    """onnxruntime does not load or run the file; the text is its reason, one line."""


def provider_name(provider: str) -> str:
    """onnxruntime's name of `cpu` or `cuda`; raises ProviderError for any other word."""
    if provider not in PROVIDERS:
        raise ProviderError(f"unknown provider `{provider}`: use one of {', '.join(PROVIDERS)}")
    return PROVIDERS[provider][0]


def available_providers() -> tuple[str, ...]:
    """The providers that onnxruntime has here; whether one runs is seen when it is asked for."""
    return tuple(onnxruntime.get_available_providers())


def check_provider(provider: str) -> None:
    """Raises ProviderError unless onnxruntime has this provider and a session really uses it."""
    name = provider_name(provider)
    available = onnxruntime.get_available_providers()
    if name not in available:
        raise ProviderError(
            f"{name} is not among the providers of onnxruntime {VERSION} ({', '.join(available)}): {_install(provider)}"
        )
    if provider != "cpu":
        with quiet():
            _probe(provider)


def run(file: OnnxFile, tensors: tuple[torch.Tensor, ...], provider: str) -> Observation:
    """Runs the file on the provider; raises RunRefused where onnxruntime cannot, ProviderError where it fell back."""
    return run_named(file.data, dict(zip(input_names(len(tensors)), tensors, strict=True)), provider)


def run_named(file: bytes | str, named: Mapping[str, torch.Tensor], provider: str) -> Observation:
    """Runs the bytes or the path of a file on the inputs of these names.

    Raises RunRefused where onnxruntime cannot, ProviderError where it fell back.
    """
    try:
        session = _session(file, provider)
    except ProviderError:
        raise
    except Exception as error:  # onnxruntime's, which have no common base
        let_out(error)
        raise RunRefused(f"onnxruntime cannot load it: {message(str(error))}") from error
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL
    try:
        feed = {entry.name: call_foreign(named[entry.name].detach().numpy) for entry in session.get_inputs()}
        outputs = call_foreign(session.run, None, feed, options)
    except Exception as error:  # onnxruntime's, and numpy's for a dtype that it does not have
        let_out(error)
        raise RunRefused(f"onnxruntime cannot run it: {message(str(error))}") from error
    return Observation(tuple(outputs), _really(session, provider))


def _session(model: bytes | str, provider: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = torch.get_num_threads()
    providers = [PROVIDERS[provider]]
    session = call_foreign(onnxruntime.InferenceSession, model, options, providers=providers, enable_fallback=0)
    _really(session, provider)
    return session


def _really(session: Any, provider: str) -> str:
    """The provider that the session uses; raises ProviderError where it is not the one that was asked for."""
    used = str(session.get_providers()[0])
    check_used(used, provider)
    return used


def check_used(used: str, provider: str) -> None:
    """Raises ProviderError unless the provider that a session uses is the one that was asked for."""
    if used != provider_name(provider):
        raise ProviderError(_fell_back(provider, f"onnxruntime fell back to {used}"))


def _probe(provider: str) -> None:
    """Makes a session of a one-node model: a provider whose libraries do not load shows only then."""
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    try:
        _session(model.SerializeToString(), provider)
    except ProviderError:
        raise
    except Exception as error:  # onnxruntime's
        let_out(error)
        raise ProviderError(_fell_back(provider, message(str(error)))) from error


def _fell_back(provider: str, what: str) -> str:
    return f"{provider_name(provider)} does not start ({what}): {_install(provider)}"


def _install(provider: str) -> str:
    if provider == "cpu":
        return "run `pip install onnxruntime`"
    return "run `pip install onnxruntime-gpu[cuda,cudnn]` (or `pip install shapelint[gpu]`)"


def message(text: str) -> str:
    """The reason alone, of "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : ... Status Message: reason"."""
    text = text.split("Status Message: ")[-1]
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    return first_line(RuntimeError(re.sub(r"^\S+\.(?:h|cc):\d+ \S+ ", "", text)))
