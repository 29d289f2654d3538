"""All lists of networks whose package is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from functools import cache

import torch

from benchmarks.packages.entry import Entry

LISTS = {
    "smp": ("segmentation_models_pytorch", "benchmarks.packages.segmentation_nets"),
    "monai": ("monai", "benchmarks.packages.monai_nets"),
    "diffusers": ("diffusers", "benchmarks.packages.diffusers_nets"),
    "timm": ("timm", "benchmarks.packages.timm_nets"),
}
"""By the first word of its networks' names: the package that is needed, and the module that lists them."""


def installed(listed: str) -> bool:
    """Whether the package of a list is there."""
    return importlib.util.find_spec(LISTS[listed][0]) is not None


def entries(*lists: str) -> Iterator[Entry]:
    """The networks of these lists, or of all; none of a package that is not installed."""
    make_torchvision_importable()
    for listed in filter(installed, lists or LISTS):
        yield from importlib.import_module(LISTS[listed][1]).ENTRIES


@cache
def make_torchvision_importable() -> torch.library.Library | None:
    """Declares the operators that torchvision looks for, where its compiled ones (CUDA's alone) cannot be loaded.

    No listed network calls one. They last as long as the library that is returned.
    """
    if importlib.util.find_spec("torchvision") is None:
        return None
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            signature = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(signature)  # type: ignore[no-untyped-call]
        return library
    return None
