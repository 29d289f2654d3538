"""Keeps torch's and Python's global state as it was while the user's code runs."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def kept_state() -> Iterator[None]:
    """Gives back the random states, default dtype, default device and grad mode at the end."""
    grad, dtype, device = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device()
    drawn, drawn_torch = random.getstate(), torch.get_rng_state()
    cuda = bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    drawn_cuda = torch.cuda.get_rng_state_all() if cuda else None
    numpy = sys.modules.get("numpy")
    drawn_numpy = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        random.setstate(drawn)
        torch.set_rng_state(drawn_torch)
        if drawn_cuda is not None:
            torch.cuda.set_rng_state_all(drawn_cuda)
        if numpy and drawn_numpy is not None:
            numpy.random.set_state(drawn_numpy)
