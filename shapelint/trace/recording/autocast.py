"""What `torch.autocast("cpu")` does to a call: it casts tensors before some functions run.

The lists are those of aten/src/ATen/autocast_mode.cpp for the CPU
(https://docs.pytorch.org/docs/stable/amp.html#cpu-op-specific-behavior). Meta tensors are not cast by torch itself.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.trace.recording.operation import spellings
from shapelint.trace.recording.record import Recording
from shapelint.trace.recording.trees import with_tensors


def _all(*names: str) -> frozenset[Any]:
    return frozenset(function for name in names for function in spellings(name, inplace=False))


_LOWERED = _all(
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_tbc"),
    *("linear", "matmul", "mm", "bmm", "addmm", "baddbmm", "addbmm", "inner", "prelu", "chain_matmul"),
    *("scaled_dot_product_attention", "__matmul__", "__rmatmul__"),
) | {torch.linalg.multi_dot, torch.linalg.vecdot}
_RAISED = _all(
    *("avg_pool3d", "adaptive_avg_pool3d", "max_pool3d", "binary_cross_entropy", "grid_sample", "prod", "quantile"),
    *("nanquantile", "stft", "cdist", "trace", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "nll_loss"),
    *("cross_entropy", "kl_div", "ctc_loss", "binary_cross_entropy_with_logits", "max_unpool2d", "max_unpool3d"),
    *("max_pool3d_with_indices",),
)
_UNKNOWN = _all("einsum", "tensordot", "multi_head_attention_forward", "lstm", "gru", "rnn_tanh", "rnn_relu")
_PAD = torch.nn.functional.pad
_TOUCHED = _LOWERED | _RAISED | _UNKNOWN | {_PAD}


def casts(function: Any) -> bool:
    """Whether autocast is on for the CPU and has something to do with a function."""
    return torch.is_autocast_enabled("cpu") and function in _TOUCHED


def called_as_cast(recorder: Recording, function: Any, args: Any, kwargs: Any) -> Any:
    """The call, its floating tensors cast as autocast casts them; where its rules are not ours, nothing is proved."""
    if function in _UNKNOWN:
        recorder.leak(f"the type that autocast gives the result of `{function.__name__}`")
    elif function is not _PAD or (args[2:3] or (kwargs.get("mode", "constant"),))[0] != "constant":
        dtype = torch.get_autocast_dtype("cpu") if function in _LOWERED else torch.float32
        args, kwargs = with_tensors((args, kwargs), lambda tensor: _cast(recorder, tensor, dtype))
    with torch.autocast("cpu", enabled=False):
        return recorder.__torch_function__(function, (), args, kwargs)


def _cast(recorder: Recording, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Doubles, complex numbers and integers stay as they are."""
    if tensor.dtype is dtype or tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        return tensor
    dims = recorder.shape(tensor)
    known = recorder.known[id(tensor)]
    made = torch.empty_like(tensor, dtype=dtype) if tensor.is_meta else tensor.to(dtype)
    recorder.learn(made, dims, known.node, None, known.layout)
    return made
