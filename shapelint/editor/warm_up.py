"""What a warm process does before its first file: one check of a small network, so that no child does it again.

What a check imports and compiles for the first time takes longer than the check of a U-Net after that.
"""

from __future__ import annotations

import gc

import numpy.random  # noqa: F401

import shapelint.confirm.witness
import shapelint.infer
import shapelint.repair.code  # noqa: F401
from shapelint.engine import check
from shapelint.load.small_network import Small


def warm_up() -> None:
    """Checks the small network for open sizes, which runs it on meta tensors alone: no thread of torch's is started.

    What lives afterwards is left out of the garbage collections of the children, which would copy it.
    """
    check(Small, "1,3,H,W", confirm=(), calls=True)
    gc.collect()
    gc.freeze()
