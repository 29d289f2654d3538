"""The forms of a spec by their names."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from shapelint.errors import SpecError, nearest
from shapelint.facts.result import CheckResult
from shapelint.spec import size_check
from shapelint.spec.forms import FORMS
from shapelint.spec.live import Live

_MODULES: Final = {
    "torch-export": "torch_export",
    "onnx": "onnx_export",
    "tensorrt": "tensorrt",
    "openvino": "openvino",
    "coreml": "coreml",
    "bioimage": "bioimage",
}


def spec_text(report: CheckResult, form: str, live: Live | None) -> str:
    """The text of a spec. Raises SpecError for a form that does not exist, and where the text cannot be given."""
    if form not in FORMS:
        raise SpecError(f"unknown form of a spec {form!r}{nearest(form, FORMS)}")
    if form == "json":
        return report.contract.to_json()
    if form == "python":
        return size_check.render(report)
    module = import_module(f"shapelint.spec.{_MODULES[form]}")
    text: str = module.render(report, live)
    return text
