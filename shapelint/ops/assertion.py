"""`torch._assert`, which packages call instead of `assert`: the model's own word about its sizes.

https://docs.pytorch.org/docs/stable/generated/torch._assert.html
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.source.fault import call_foreign
from shapelint.trace.recording.operation import NoRule, Operation, Plain, Result, size_rule


@size_rule(torch._assert)
def _assert(op: Operation, condition: Any, message: str) -> Result:
    """Raises where the condition, which the model's own code worked out, is false."""
    if isinstance(condition, torch.Tensor):
        raise NoRule
    if not condition:
        call_foreign(torch._assert, False, message)
    return Plain(None)
