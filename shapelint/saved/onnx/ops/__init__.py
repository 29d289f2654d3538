"""The operators of ONNX, one file for each family; importing this package registers them all."""

import importlib
import pkgutil

from shapelint.saved.onnx.ops.conv import CONVOLUTIONS, convolution_arguments

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["CONVOLUTIONS", "convolution_arguments"]
