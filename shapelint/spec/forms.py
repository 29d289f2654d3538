"""The names of the forms of a spec."""

from __future__ import annotations

from typing import Final

FORMS: Final = ("torch-export", "onnx", "tensorrt", "openvino", "coreml", "bioimage", "python", "json")
