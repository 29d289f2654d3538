"""Code that `torch.jit.script` leaves as it is: inside of a compiled function no run can see a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.jit import _state


@contextmanager
def uncompiled() -> Iterator[None]:
    """While it is open, `torch.jit.script` gives back the Python code that it is given; `torch.jit.load` works on.

    That is what PYTORCH_JIT=0 asks of torch when it is imported, with which `torch.jit.load` fails.
    """
    before = _state._enabled.enabled
    _state.disable()
    try:
        yield
    finally:
        _state._enabled.enabled = before
